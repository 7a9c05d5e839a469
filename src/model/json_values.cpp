#include "model/json_values.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "net/ip_prefix.h"
#include "net/mac.h"

namespace midonet::model {

namespace json = boost::json;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

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

namespace {

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

template <class Int>
Result<Int> toInt(const json::value& value) {
    if constexpr (std::is_same_v<Int, std::uint64_t>)
        if (const auto* number = value.if_uint64()) return *number;
    TRY(number, toInteger(value));
    if (!std::in_range<Int>(number)) return fail(ErrorCode::Malformed, "is out of range");
    return static_cast<Int>(number);
}

}  // namespace

void ValueReader::field(const json::value& value, const FieldSchema& s, Message& to, const std::string& property) {
    if (!s.field->is_repeated()) return element(value, s, to, property, false);
    to.GetReflection()->ClearField(&to, s.field);
    const auto* array = value.if_array();
    if (array == nullptr) return violate(property, "must be an array");
    for (std::size_t i = 0; i < array->size(); ++i)
        element((*array)[i], s, to, fmt::format("{}[{}]", property, i), true);
}

template <class T, class Set, class Add>
void ValueReader::put(Result<T> value, Message& to, const FieldDescriptor* f, const std::string& property, bool add, Set set,
                      Add append) {
    if (!value) return violate(property, value.error().message);
    const auto* reflection = to.GetReflection();
    add ? (reflection->*append)(&to, f, std::move(*value)) : (reflection->*set)(&to, f, std::move(*value));
}

void ValueReader::element(const json::value& value, const FieldSchema& s, Message& to, const std::string& property, bool add) {
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
            return put(enumerator(value, f->enum_type()), to, f, property, add, &Reflection::SetEnumValue, &Reflection::AddEnumValue);
        case FieldDescriptor::CPPTYPE_STRING:
            return put(stored(value, s), to, f, property, add, &Reflection::SetString, &Reflection::AddString);
        case FieldDescriptor::CPPTYPE_MESSAGE: {
            const auto* nested = value.if_object();
            if (nested == nullptr) return violate(property, "must be an object");
            if (!add) reflection->ClearField(&to, f);
            auto* target = add ? reflection->AddMessage(&to, f) : reflection->MutableMessage(&to, f);
            return object(*nested, s.embedded, *target, property + ".");
        }
    }
}

void ValueWriter::field(const FieldSchema& s, const Message& from) {
    if (!s.field->is_repeated()) return value(s, from, -1);
    const int size = from.GetReflection()->FieldSize(from, s.field);
    if (s.nullable && size == 0) {
        out_.null();
        return;
    }
    out_.beginArray();
    for (int i = 0; i < size; ++i) value(s, from, i);
    out_.endArray();
}

void ValueWriter::value(const FieldSchema& s, const Message& from, int index) {
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
            enumerator(number, f->enum_type()->FindValueByNumber(number));
            return;
        }
        case FieldDescriptor::CPPTYPE_STRING: {
            std::string scratch;
            text(s, index < 0 ? r.GetStringReference(from, f, &scratch) : r.GetRepeatedStringReference(from, f, index, &scratch));
            return;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
            out_.beginObject();
            fields(s.embedded, index < 0 ? r.GetMessage(from, f) : r.GetRepeatedMessage(from, f, index));
            out_.endObject();
            return;
    }
}

}  // namespace midonet::model
