#include "rest/property.h"

#include <google/protobuf/descriptor.h>

#include "base/assert.h"
#include "model/options.pb.h"

namespace midonet::rest {
namespace {

using google::protobuf::FieldDescriptor;
using model::FieldSchema;
using model::Format;

ValueType typeOf(Format format) {
    switch (format) {
        case Format::Plain: return ValueType::Text;
        case Format::Uuid: return ValueType::Uuid;
        case Format::Mac: return ValueType::Mac;
        case Format::Ipv4: return ValueType::Ipv4;
        case Format::Ip: return ValueType::Ip;
        case Format::IpPrefix: return ValueType::Prefix;
    }
    MIDONET_UNREACHABLE();
}

ValueType typeOf(const FieldSchema& field) {
    switch (field.field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_BOOL: return ValueType::Flag;
        case FieldDescriptor::CPPTYPE_ENUM: return ValueType::Text;
        case FieldDescriptor::CPPTYPE_STRING: return typeOf(field.format);
        case FieldDescriptor::CPPTYPE_MESSAGE: return ValueType::Object;
        case FieldDescriptor::CPPTYPE_DOUBLE:
        case FieldDescriptor::CPPTYPE_FLOAT: return ValueType::Number;
        case FieldDescriptor::CPPTYPE_INT32:
        case FieldDescriptor::CPPTYPE_INT64:
        case FieldDescriptor::CPPTYPE_UINT32:
        case FieldDescriptor::CPPTYPE_UINT64: return ValueType::Integer;
    }
    MIDONET_UNREACHABLE();
}

/// As model::writeFields() shows what is unset.
bool showsNull(const FieldSchema& field) {
    if (field.field->is_repeated()) return field.nullable;
    if (field.required || field.field->number() == 1) return false;
    if (field.field->has_presence()) return true;
    if (field.field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) return field.defaultValue.empty();
    return field.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && (field.nullable || field.format != Format::Plain);
}

std::vector<std::string> valuesOf(const FieldSchema& field) {
    std::vector<std::string> out;
    const auto* type = field.field->enum_type();
    for (int i = 0; type != nullptr && i < type->value_count(); ++i)
        if (const auto& spelling = type->value(i)->options().GetExtension(schema::spelling); !spelling.empty()) out.push_back(spelling);
    return out;
}

/// "DhcpHost.Option": without the package.
std::string nameOf(const google::protobuf::Descriptor& type) {
    return type.full_name().substr(type.file()->package().size() + 1);
}

std::string docOf(const FieldSchema& field) {
    std::string out = field.doc;
    const auto say = [&out](const std::string& what) { out += (out.empty() ? "" : " ") + what; };
    if (field.createOnly) say("Taken from POST, ignored in PUT.");
    if (field.keep) say("PUT without it keeps what is stored.");
    if (field.printable) say("No control characters.");
    if (!field.defaultValue.empty()) say("Default: " + field.defaultValue + ".");
    return out;
}

Property describe(const FieldSchema& field, Bodies& bodies) {
    Property out{.name = field.json, .type = typeOf(field), .list = field.field->is_repeated(), .nullable = showsNull(field),
                 .readOnly = field.readOnly, .required = field.required && field.defaultValue.empty(), .values = valuesOf(field),
                 .doc = docOf(field)};
    if (field.reference) out.of = model::Schema::get().of(field.reference->target).name;
    if (field.names.size() == 1) out.of = model::Schema::get().of(field.names.front()).name;
    if (out.type == ValueType::Integer && field.hasRange()) {
        out.min = field.min;
        out.max = field.max;
    }
    if (out.type == ValueType::Text && out.values.empty() && !out.list) out.maxLength = field.maxLength;
    if (out.type == ValueType::Object) {
        out.of = nameOf(*field.field->message_type());
        auto [body, fresh] = bodies.try_emplace(out.of);
        if (fresh) describe(field.embedded, body->second, bodies);
    }
    return out;
}

}  // namespace

void describe(const std::vector<FieldSchema>& fields, Properties& out, Bodies& bodies) {
    for (const auto& field : fields) {
        if (field.internal) continue;
        if (field.flat)
            describe(field.embedded, out, bodies);
        else
            out.push_back(describe(field, bodies));
    }
}

}  // namespace midonet::rest
