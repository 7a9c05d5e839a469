#include "model/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "net/ip_prefix.h"

namespace midonet::model {
namespace {

namespace json = boost::json;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

const json::value* find(const json::object& object, std::string_view key) {
    return object.if_contains({key.data(), key.size()});
}

/// Not given, whatever the type: absent or null. "" and "null" count for all but plain strings.
bool absent(const json::value* value) { return value == nullptr || value->is_null(); }
bool blank(const json::value* value) {
    if (absent(value)) return true;
    const auto* text = value->if_string();
    return text != nullptr && (text->empty() || view(*text) == "null");
}

/// Decimal text of a scalar, as clients mean it; Malformed for objects and arrays.
Result<std::string> toText(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string{view(*text)};
    if (const auto* number = value.if_int64()) return std::to_string(*number);
    if (const auto* number = value.if_uint64()) return std::to_string(*number);
    if (const auto* number = value.if_double()) return fmt::format("{}", *number);
    if (const auto* flag = value.if_bool()) return std::string{*flag ? "true" : "false"};
    return fail(ErrorCode::Malformed, "must be a string");
}

Result<std::int64_t> toInteger(const json::value& value) {
    if (const auto* number = value.if_int64()) return *number;
    if (const auto* number = value.if_double()) {
        constexpr double kLimit = 9007199254740992.0;  // beyond 2^53 doubles skip integers
        if (std::trunc(*number) == *number && std::fabs(*number) <= kLimit) return static_cast<std::int64_t>(*number);
    }
    if (const auto* text = value.if_string()) {
        std::int64_t number = 0;
        const auto whole = view(*text);
        const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
        if (error == std::errc{} && end == whole.data() + whole.size()) return number;
    }
    return fail(ErrorCode::Malformed, "must be a whole number");
}

Result<double> toDouble(const json::value& value) {
    if (value.is_number()) return value.to_number<double>();
    if (const auto* text = value.if_string()) {
        double number = 0;
        const auto whole = view(*text);
        const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
        if (error == std::errc{} && end == whole.data() + whole.size()) return number;
    }
    return fail(ErrorCode::Malformed, "must be a number");
}

Result<bool> toBoolean(const json::value& value) {
    if (const auto* flag = value.if_bool()) return *flag;
    auto word = toText(value).value_or("");
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (word == "true" || word == "1") return true;
    if (word == "false" || word == "0") return false;
    return fail(ErrorCode::Malformed, "must be true or false");
}

Result<Uuid> toUuid(const json::value& value) {
    if (const auto* text = value.if_string())
        if (auto uuid = Uuid::parse(view(*text))) return *uuid;
    return fail(ErrorCode::Malformed, "must be a UUID");
}

/// The stored form of a text field: canonical for addresses.
Result<std::string> toStored(const json::value& value, Format format) {
    TRY(text, toText(value));
    switch (format) {
        case Format::Plain: return text;
        case Format::Uuid: {
            TRY(uuid, toUuid(value));
            return bytesOf(uuid);
        }
        case Format::Mac:
            if (const auto mac = net::Mac::parse(text)) return mac->toString();
            return fail(ErrorCode::Malformed, "must be a MAC address");
        case Format::Ipv4:
            if (const auto address = net::Ipv4Address::parse(text)) return address->toString();
            return fail(ErrorCode::Malformed, "must be an IPv4 address");
        case Format::Ip:
            if (const auto address = net::IpAddress::parse(text)) return address->toString();
            return fail(ErrorCode::Malformed, "must be an IP address");
        case Format::IpPrefix:
            if (const auto prefix = net::IpPrefix::parse(text)) return prefix->toString();
            return fail(ErrorCode::Malformed, "must be an IP prefix, as 10.0.0.0/24");
    }
    MIDONET_UNREACHABLE();
}

/// How an enumerator is written in JSON; empty for the one that means "unset".
const std::string& spellingOf(const EnumValueDescriptor* value) {
    static const std::string kUnset;
    const auto& spelling = value->options().GetExtension(schema::spelling);
    if (!spelling.empty()) return spelling;
    return value->number() == 0 ? kUnset : value->name();
}

Result<int> toEnum(const json::value& value, const EnumDescriptor* type) {
    TRY(text, toText(value));
    std::string known;
    for (int i = 0; i < type->value_count(); ++i) {
        const auto& spelling = spellingOf(type->value(i));
        if (spelling.empty()) continue;
        if (spelling == text) return type->value(i)->number();
        known += (known.empty() ? "" : ", ") + spelling;
    }
    return fail(ErrorCode::Malformed, "must be one of {}", known);
}

template <class Int>
Result<Int> toInt(const json::value& value) {
    if constexpr (std::is_same_v<Int, std::uint64_t>)
        if (const auto* number = value.if_uint64()) return *number;
    TRY(number, toInteger(value));
    if (!std::in_range<Int>(number)) return fail(ErrorCode::Malformed, "is out of range");
    return static_cast<Int>(number);
}

class Reader {
public:
    Reader(Input input, Violations& violations) : input_(input), violations_(violations) {}

    void object(const json::object& from, const std::vector<FieldSchema>& fields, Message& to, const std::string& prefix) {
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
                violations_.push_back({prefix + s.json, "must be given"});
            else if (!(s.keep && input_ == Input::Update))
                setDefault(s, to);
        }
    }

private:
    void violate(const std::string& property, const Error& error) { violations_.push_back({property, error.message}); }

    void field(const json::value& value, const FieldSchema& s, Message& to, const std::string& property) {
        if (!s.field->is_repeated()) return element(value, s, to, property, false);
        to.GetReflection()->ClearField(&to, s.field);
        const auto* array = value.if_array();
        if (array == nullptr) return violate(property, {ErrorCode::Malformed, "must be an array"});
        for (std::size_t i = 0; i < array->size(); ++i)
            element((*array)[i], s, to, fmt::format("{}[{}]", property, i), true);
    }

    template <class T, class Set, class Add>
    void put(Result<T> value, Message& to, const FieldDescriptor* f, const std::string& property, bool add, Set set, Add append) {
        if (!value) return violate(property, value.error());
        const auto* reflection = to.GetReflection();
        add ? (reflection->*append)(&to, f, std::move(*value)) : (reflection->*set)(&to, f, std::move(*value));
    }

    void element(const json::value& value, const FieldSchema& s, Message& to, const std::string& property, bool add) {
        const auto* f = s.field;
        const auto* reflection = to.GetReflection();
        switch (f->cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT32:
                return put(toInt<std::int32_t>(value), to, f, property, add, &Reflection::SetInt32, &Reflection::AddInt32);
            case FieldDescriptor::CPPTYPE_INT64:
                return put(toInt<std::int64_t>(value), to, f, property, add, &Reflection::SetInt64, &Reflection::AddInt64);
            case FieldDescriptor::CPPTYPE_UINT32:
                return put(toInt<std::uint32_t>(value), to, f, property, add, &Reflection::SetUInt32, &Reflection::AddUInt32);
            case FieldDescriptor::CPPTYPE_UINT64:
                return put(toInt<std::uint64_t>(value), to, f, property, add, &Reflection::SetUInt64, &Reflection::AddUInt64);
            case FieldDescriptor::CPPTYPE_DOUBLE:
                return put(toDouble(value), to, f, property, add, &Reflection::SetDouble, &Reflection::AddDouble);
            case FieldDescriptor::CPPTYPE_FLOAT:
                return put(toDouble(value).map([](double d) { return static_cast<float>(d); }), to, f, property, add,
                           &Reflection::SetFloat, &Reflection::AddFloat);
            case FieldDescriptor::CPPTYPE_BOOL:
                return put(toBoolean(value), to, f, property, add, &Reflection::SetBool, &Reflection::AddBool);
            case FieldDescriptor::CPPTYPE_ENUM:
                return put(toEnum(value, f->enum_type()), to, f, property, add, &Reflection::SetEnumValue, &Reflection::AddEnumValue);
            case FieldDescriptor::CPPTYPE_STRING:
                return put(toStored(value, s.format), to, f, property, add, &Reflection::SetString, &Reflection::AddString);
            case FieldDescriptor::CPPTYPE_MESSAGE: {
                const auto* nested = value.if_object();
                if (nested == nullptr) return violate(property, {ErrorCode::Malformed, "must be an object"});
                if (!add) reflection->ClearField(&to, f);
                auto* target = add ? reflection->AddMessage(&to, f) : reflection->MutableMessage(&to, f);
                return object(*nested, s.embedded, *target, property + ".");
            }
        }
    }

    /// The schema checked at start that defaults parse.
    void setDefault(const FieldSchema& s, Message& to) {
        to.GetReflection()->ClearField(&to, s.field);
        if (!s.defaultValue.empty()) field(json::value(s.defaultValue), s, to, s.json);
    }

    Input input_;
    Violations& violations_;
};

class Writer {
public:
    explicit Writer(JsonWriter& out) : out_(out) {}

    void fields(const std::vector<FieldSchema>& fields, const Message& from) {
        for (const auto& s : fields) {
            if (s.internal) continue;
            if (s.flat) {
                this->fields(s.embedded, from.GetReflection()->GetMessage(from, s.field));
                continue;
            }
            out_.key(s.json);
            if (s.field->is_repeated()) {
                out_.beginArray();
                for (int i = 0; i < from.GetReflection()->FieldSize(from, s.field); ++i) value(s, from, i);
                out_.endArray();
            } else {
                value(s, from, -1);
            }
        }
    }

private:
    /// `index` -1: the field is not repeated.
    void value(const FieldSchema& s, const Message& from, int index) {
        const auto* f = s.field;
        const auto& r = *from.GetReflection();
        if (index < 0 && f->has_presence() && !r.HasField(from, f)) {
            out_.null();
            return;
        }
        switch (f->cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT32:
                out_.integer(index < 0 ? r.GetInt32(from, f) : r.GetRepeatedInt32(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_INT64:
                out_.integer(index < 0 ? r.GetInt64(from, f) : r.GetRepeatedInt64(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_UINT32:
                out_.unsignedInteger(index < 0 ? r.GetUInt32(from, f) : r.GetRepeatedUInt32(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_UINT64:
                out_.unsignedInteger(index < 0 ? r.GetUInt64(from, f) : r.GetRepeatedUInt64(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_DOUBLE:
                out_.number(index < 0 ? r.GetDouble(from, f) : r.GetRepeatedDouble(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_FLOAT:
                out_.number(static_cast<double>(index < 0 ? r.GetFloat(from, f) : r.GetRepeatedFloat(from, f, index)));
                return;
            case FieldDescriptor::CPPTYPE_BOOL:
                out_.boolean(index < 0 ? r.GetBool(from, f) : r.GetRepeatedBool(from, f, index));
                return;
            case FieldDescriptor::CPPTYPE_ENUM: {
                const int number = index < 0 ? r.GetEnumValue(from, f) : r.GetRepeatedEnumValue(from, f, index);
                const auto* enumerator = f->enum_type()->FindValueByNumber(number);
                out_.stringOrNull(enumerator == nullptr ? std::string_view{} : spellingOf(enumerator));
                return;
            }
            case FieldDescriptor::CPPTYPE_STRING: return text(s, r, from, index);
            case FieldDescriptor::CPPTYPE_MESSAGE:
                out_.beginObject();
                fields(s.embedded, index < 0 ? r.GetMessage(from, f) : r.GetRepeatedMessage(from, f, index));
                out_.endObject();
                return;
        }
    }

    void text(const FieldSchema& s, const Reflection& r, const Message& from, int index) {
        std::string scratch;
        const auto& stored = index < 0 ? r.GetStringReference(from, s.field, &scratch)
                                       : r.GetRepeatedStringReference(from, s.field, index, &scratch);
        if (stored.empty() && (s.nullable || s.format != Format::Plain)) {
            out_.null();
        } else if (s.format == Format::Uuid) {
            out_.string(uuidOf(stored).toString());
        } else {
            out_.string(stored);
        }
    }

    JsonWriter& out_;
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
