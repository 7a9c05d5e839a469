#include "model/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <utility>

#include "model/ids.h"
#include "model/json_values.h"

namespace midonet::model {
namespace {

namespace json = boost::json;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

/// Not given, whatever the type: absent or null. "" and "null" count for all but plain strings.
bool absent(const json::value* value) { return value == nullptr || value->is_null(); }
bool blank(const json::value* value) {
    if (absent(value)) return true;
    const auto* text = value->if_string();
    return text != nullptr && (text->empty() || view(*text) == "null");
}

class Reader final : public ValueReader {
public:
    Reader(Input input, Violations& violations) : ValueReader(violations), input_(input) {}

    void object(const json::object& from, const std::vector<FieldSchema>& fields, Message& to, const std::string& prefix) override {
        for (const auto& s : fields) {
            if (s.flat) {
                object(from, s.embedded, *to.GetReflection()->MutableMessage(&to, s.field), prefix);
                continue;
            }
            if (s.internal || s.readOnly || (s.createOnly && input_ == Input::Update)) {
                if (input_ == Input::Create) setDefault(s, to);
                continue;
            }
            const auto* value = find(from, s.json);
            const bool plain = s.field->type() == FieldDescriptor::TYPE_STRING && s.format == Format::Plain;
            const bool missing = plain && !s.keep ? absent(value) : blank(value);
            if (!missing)
                field(*value, s, to, prefix + s.json);
            else if (s.required)
                violate(prefix + s.json, "must be given");
            else if (!(s.keep && input_ == Input::Update))
                setDefault(s, to);
        }
    }

private:
    /// The schema checked at start that defaults parse.
    void setDefault(const FieldSchema& s, Message& to) {
        to.GetReflection()->ClearField(&to, s.field);
        if (!s.defaultValue.empty()) field(json::value(s.defaultValue), s, to, s.json);
    }

    Input input_;
};

class Writer final : public ValueWriter {
public:
    explicit Writer(JsonWriter& out) : ValueWriter(out) {}

    void fields(const std::vector<FieldSchema>& fields, const Message& from) override {
        for (const auto& s : fields) {
            if (s.internal) continue;
            if (s.flat) {
                this->fields(s.embedded, from.GetReflection()->GetMessage(from, s.field));
                continue;
            }
            out_.key(s.json);
            field(s, from);
        }
    }

private:
    void text(const FieldSchema& s, const std::string& stored) override {
        if (stored.empty() && (s.nullable || s.format != Format::Plain)) {
            out_.null();
        } else if (s.format == Format::Uuid) {
            out_.string(uuidOf(stored).toString());
        } else {
            out_.string(stored);
        }
    }
    void enumerator(int, const EnumValueDescriptor* value) override {
        out_.stringOrNull(value == nullptr ? std::string_view{} : spellingOf(value));
    }
};

}  // namespace

Result<JsonBody> JsonBody::parse(std::string_view text) {
    json::parser parser;
    boost::system::error_code error;
    // Stops at the end of the document: some clients send a NUL after it.
    parser.write_some(text.data(), text.size(), error);
    if (error) return fail(ErrorCode::Malformed, "the body is not JSON: {}", error.message());
    auto value = std::make_shared<const json::value>(parser.release());
    if (!value->is_object()) return fail(ErrorCode::Malformed, "the body is not a JSON object");
    return JsonBody{std::move(value)};
}

Result<JsonBody> JsonBody::parseWhole(std::string_view text) {
    boost::system::error_code error;
    auto value = std::make_shared<const json::value>(json::parse({text.data(), text.size()}, error));
    if (error) return fail(ErrorCode::Malformed, "not JSON: {}", error.message());
    if (!value->is_object()) return fail(ErrorCode::Malformed, "not a JSON object");
    return JsonBody{std::move(value)};
}

const json::object& JsonBody::object() const { return value_->get_object(); }

bool JsonBody::given(std::string_view key) const { return !absent(find(object(), key)); }

namespace {
template <class T, class Convert>
Result<std::optional<T>> readIf(const json::value* value, std::string_view key, Convert convert) {
    if (blank(value)) return std::optional<T>{};
    auto result = convert(*value);
    if (!result) return Unexpected{result.error().withContext(key)};
    return std::optional<T>{std::move(*result)};
}

/// Not given is empty.
template <class T, class Convert>
Result<std::vector<T>> readList(const json::value* value, std::string_view key, Convert convert) {
    std::vector<T> out;
    if (blank(value)) return out;
    const auto* array = value->if_array();
    if (array == nullptr) return fail(ErrorCode::Malformed, "{}: must be an array", key);
    for (const auto& element : *array) {
        auto item = convert(element);
        if (!item) return Unexpected{item.error().withContext(key)};
        out.push_back(std::move(*item));
    }
    return out;
}
}  // namespace

Result<std::optional<std::string>> JsonBody::text(std::string_view key) const {
    return readIf<std::string>(find(object(), key), key, toText);
}
Result<std::optional<std::int64_t>> JsonBody::integer(std::string_view key) const {
    return readIf<std::int64_t>(find(object(), key), key, toInteger);
}
Result<std::optional<bool>> JsonBody::boolean(std::string_view key) const {
    return readIf<bool>(find(object(), key), key, toBoolean);
}
Result<std::optional<Uuid>> JsonBody::uuid(std::string_view key) const {
    return readIf<Uuid>(find(object(), key), key, toUuid);
}
Result<std::optional<net::Mac>> JsonBody::mac(std::string_view key) const {
    return readIf<net::Mac>(find(object(), key), key, [](const json::value& value) -> Result<net::Mac> {
        TRY(text, toText(value));
        if (auto mac = net::Mac::parse(text)) return *mac;
        return fail(ErrorCode::Malformed, "must be a MAC address");
    });
}
Result<std::vector<Uuid>> JsonBody::uuids(std::string_view key) const {
    return readList<Uuid>(find(object(), key), key, toUuid);
}

Result<std::vector<std::string>> JsonBody::texts(std::string_view key) const {
    return readList<std::string>(find(object(), key), key, toText);
}

Result<std::vector<JsonBody>> JsonBody::objects(std::string_view key) const {
    return readList<JsonBody>(find(object(), key), key, [this](const json::value& element) -> Result<JsonBody> {
        if (!element.is_object()) return fail(ErrorCode::Malformed, "must be an object");
        return JsonBody{std::shared_ptr<const json::value>(value_, &element)};
    });
}

Result<JsonBody> JsonBody::inner(std::string_view key) const {
    const auto* value = find(object(), key);
    if (value == nullptr || !value->is_object()) return fail(ErrorCode::Malformed, "{}: must be an object", key);
    return JsonBody{std::shared_ptr<const json::value>(value_, value)};
}

Violations fromJson(const JsonBody& body, const ClassSchema& schema, Input input, Message& object) {
    return fromJson(body, schema.fields, input, object);
}

Violations fromJson(const JsonBody& body, const std::vector<FieldSchema>& fields, Input input, Message& object) {
    Violations violations;
    Reader{input, violations}.object(body.object(), fields, object, "");
    return violations;
}

void writeFields(JsonWriter& json, const ClassSchema& schema, const Message& object) {
    writeFields(json, schema.fields, object);
}

void writeFields(JsonWriter& json, const std::vector<FieldSchema>& fields, const Message& object) {
    Writer{json}.fields(fields, object);
}

}  // namespace midonet::model
