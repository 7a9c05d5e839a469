#include "model/validate.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace midonet::model {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

/// Characters, not bytes: continuation bytes of UTF-8 do not count.
std::size_t length(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Those of ASCII, DEL, and U+0080 to U+009F, which in UTF-8 are 0xc2 and one byte.
bool hasControlCharacters(const std::string& text) {
    constexpr unsigned kSpace = 0x20, kDelete = 0x7f, kLead = 0xc2, kAfter = 0xa0;
    unsigned before = 0;
    return std::any_of(text.begin(), text.end(), [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < kSpace || byte == kDelete || (std::exchange(before, byte) == kLead && byte < kAfter);
    });
}

std::optional<std::int64_t> integerOf(const Message& m, const Reflection& r, const FieldDescriptor* f) {
    switch (f->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32: return r.GetInt32(m, f);
        case FieldDescriptor::CPPTYPE_INT64: return r.GetInt64(m, f);
        case FieldDescriptor::CPPTYPE_UINT32: return r.GetUInt32(m, f);
        case FieldDescriptor::CPPTYPE_UINT64:
            return static_cast<std::int64_t>(std::min<std::uint64_t>(r.GetUInt64(m, f), INT64_MAX));
        case FieldDescriptor::CPPTYPE_DOUBLE:
        case FieldDescriptor::CPPTYPE_FLOAT:
        case FieldDescriptor::CPPTYPE_BOOL:
        case FieldDescriptor::CPPTYPE_ENUM:
        case FieldDescriptor::CPPTYPE_STRING:
        case FieldDescriptor::CPPTYPE_MESSAGE: return std::nullopt;
    }
    return std::nullopt;
}

/// Only types whose zero cannot be meant: an empty name, an enumerator that is none.
bool missing(const Message& m, const Reflection& r, const FieldDescriptor* f) {
    if (f->is_repeated()) return r.FieldSize(m, f) == 0;
    if (f->has_presence()) return !r.HasField(m, f);
    std::string scratch;
    if (f->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return r.GetStringReference(m, f, &scratch).empty();
    if (f->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) return r.GetEnumValue(m, f) == 0;
    return false;
}

void check(const std::vector<FieldSchema>& fields, const Message& object, const std::string& prefix, Violations& out);

void checkField(const FieldSchema& s, const Message& object, const std::string& prefix, Violations& out) {
    const auto& reflection = *object.GetReflection();
    const auto* f = s.field;
    const auto property = prefix + s.json;
    if (s.required && missing(object, reflection, f)) {
        out.push_back({property, "must be given"});
        return;
    }
    if (f->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        if (s.embedded.empty()) return;
        if (!f->is_repeated()) {
            if (reflection.HasField(object, f)) check(s.embedded, reflection.GetMessage(object, f), s.flat ? prefix : property + ".", out);
            return;
        }
        for (int i = 0; i < reflection.FieldSize(object, f); ++i)
            check(s.embedded, reflection.GetRepeatedMessage(object, f, i), fmt::format("{}[{}].", property, i), out);
        return;
    }
    if (f->is_repeated()) return;
    if (f->has_presence() && !reflection.HasField(object, f)) return;
    if (f->type() == FieldDescriptor::TYPE_STRING && s.format == Format::Plain) {
        std::string scratch;
        const auto& text = reflection.GetStringReference(object, f, &scratch);
        if (length(text) > s.maxLength) out.push_back({property, fmt::format("must not be longer than {} characters", s.maxLength)});
        if (s.printable && hasControlCharacters(text)) out.push_back({property, "must not contain control characters, as tabs and line ends"});
    }
    if (const auto value = integerOf(object, reflection, f); value && s.hasRange() && (*value < s.min || *value > s.max))
        out.push_back({property, fmt::format("must be from {} to {}, is {}", s.min, s.max, *value)});
}

void check(const std::vector<FieldSchema>& fields, const Message& object, const std::string& prefix, Violations& out) {
    for (const auto& field : fields)
        if (!field.internal && !field.readOnly) checkField(field, object, prefix, out);
}

}  // namespace

Violations validate(const ClassSchema& schema, const Message& object) { return validate(schema.fields, object); }

Violations validate(const std::vector<FieldSchema>& fields, const Message& object) {
    Violations out;
    check(fields, object, "", out);
    return out;
}

}  // namespace midonet::model
