#include "model/exact_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <utility>

#include "model/ids.h"
#include "model/json_values.h"

namespace midonet::model {
namespace {

namespace json = boost::json;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

/// In front of bytes that are no id.
constexpr std::string_view kHexMark = "0x";
constexpr std::size_t kIdSize = 16;

bool isBytes(const FieldSchema& s) { return s.field->type() == FieldDescriptor::TYPE_BYTES; }

bool isSet(const FieldSchema& s, const Message& message) {
    const auto& reflection = *message.GetReflection();
    return s.field->is_repeated() ? reflection.FieldSize(message, s.field) > 0 : reflection.HasField(message, s.field);
}

std::string unknownFieldsOf(const Message& message) {
    std::string bytes;
    message.GetReflection()->GetUnknownFields(message).SerializeToString(&bytes);
    return bytes;
}

class Writer final : public ValueWriter {
public:
    explicit Writer(JsonWriter& out) : ValueWriter(out) {}

    void fields(const std::vector<FieldSchema>& fields, const Message& from) override {
        for (const auto& s : fields) {
            if (!isSet(s, from)) continue;
            out_.key(s.name);
            field(s, from);
        }
        if (const auto unknown = unknownFieldsOf(from); !unknown.empty()) out_.key(kUnknownFields).string(toHex(unknown));
    }
    using ValueWriter::field;

private:
    void text(const FieldSchema& s, const std::string& stored) override {
        if (s.format == Format::Uuid && stored.size() == kIdSize)
            out_.string(uuidOf(stored).toString());
        else if (isBytes(s))
            out_.string(std::string(kHexMark) + toHex(stored));
        else
            out_.string(stored);
    }
    void enumerator(int number, const EnumValueDescriptor* value) override {
        const auto spelling = value == nullptr ? std::string{} : spellingOf(value);
        spelling.empty() ? out_.integer(number) : out_.string(spelling);
    }
};

class Reader final : public ValueReader {
public:
    explicit Reader(Violations& violations) : ValueReader(violations) {}

    void object(const json::object& from, const std::vector<FieldSchema>& fields, Message& to, const std::string& prefix) override {
        for (const auto& [key, value] : from) {
            const std::string_view name{key.data(), key.size()};
            const auto property = prefix + std::string(name);
            if (name == kUnknownFields) {
                unknownFields(value, to, property);
            } else if (const auto* s = byName(fields, name)) {
                field(value, *s, to, property);
            } else {
                violate(property, "is no field here");
            }
        }
    }

private:
    static const FieldSchema* byName(const std::vector<FieldSchema>& fields, std::string_view name) {
        for (const auto& s : fields)
            if (s.name == name) return &s;
        return nullptr;
    }

    void unknownFields(const json::value& value, Message& to, const std::string& property) {
        const auto bytes = toText(value).and_then([](const std::string& digits) { return fromHex(digits); });
        if (!bytes || !to.GetReflection()->MutableUnknownFields(&to)->ParseFromString(*bytes))
            violate(property, "must be the hex digits of a dump");
    }
    Result<int> enumerator(const json::value& value, const EnumDescriptor* type) const override {
        if (const auto* number = value.if_int64()) return static_cast<int>(*number);
        return toEnum(value, type);
    }
    Result<std::string> stored(const json::value& value, const FieldSchema& s) const override {
        if (!isBytes(s)) return toStored(value, s.format);
        TRY(text, toText(value));
        if (text.starts_with(kHexMark)) return fromHex(std::string_view(text).substr(kHexMark.size()));
        if (s.format == Format::Uuid) return toStored(value, s.format);
        return fail(ErrorCode::Malformed, "must be {} and hex digits", kHexMark);
    }
};

void collectFields(const std::vector<FieldSchema>& fields, const Message& from, const std::string& prefix,
                   std::map<std::string, std::string>& out);

void collectField(const FieldSchema& s, const Message& from, const std::string& path, std::map<std::string, std::string>& out) {
    const auto& reflection = *from.GetReflection();
    if (s.field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        JsonWriter text;
        Writer{text}.field(s, from);
        out.emplace(path, text.take());
    } else if (s.field->is_repeated()) {
        for (int i = 0; i < reflection.FieldSize(from, s.field); ++i)
            collectFields(s.embedded, reflection.GetRepeatedMessage(from, s.field, i), fmt::format("{}[{}].", path, i), out);
    } else {
        collectFields(s.embedded, reflection.GetMessage(from, s.field), path + ".", out);
    }
}

void collectFields(const std::vector<FieldSchema>& fields, const Message& from, const std::string& prefix,
                   std::map<std::string, std::string>& out) {
    for (const auto& s : fields)
        if (isSet(s, from)) collectField(s, from, prefix + s.name, out);
    if (const auto unknown = unknownFieldsOf(from); !unknown.empty()) out.emplace(prefix + kUnknownFields, toHex(unknown));
}

int digitOf(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

void writeExact(JsonWriter& json, const ClassSchema& schema, const Message& object) { Writer{json}.fields(schema.fields, object); }

Violations readExact(const JsonBody& body, const ClassSchema& schema, Message& object) {
    Violations violations;
    Reader{violations}.object(body.object(), schema.fields, object, "");
    return violations;
}

std::map<std::string, std::string> exactFields(const ClassSchema& schema, const Message& object) {
    std::map<std::string, std::string> out;
    collectFields(schema.fields, object, "", out);
    return out;
}

Result<std::string> exactText(const JsonBody& body, std::string_view key) {
    const auto* value = find(body.object(), key);
    if (value == nullptr || !value->is_string()) return fail(ErrorCode::Malformed, "{}: must be a string", key);
    return std::string(view(value->get_string()));
}

std::string toHex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    return out;
}

Result<std::string> fromHex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = digitOf(digits[i]), low = i + 1 < digits.size() ? digitOf(digits[i + 1]) : -1;
        if (high < 0 || low < 0) return fail(ErrorCode::Malformed, "must be pairs of hex digits");
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

}  // namespace midonet::model
