#pragma once

// Of this module alone: what the two kinds of JSON (json.h, exact_json.h) have in common, the values of fields.

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/json_writer.h"
#include "model/schema.h"
#include "model/validate.h"

namespace google::protobuf {
class EnumDescriptor;
class EnumValueDescriptor;
}  // namespace google::protobuf

namespace midonet::model {

inline std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }

inline const boost::json::value* find(const boost::json::object& object, std::string_view key) {
    return object.if_contains({key.data(), key.size()});
}

/// Decimal text of a scalar, as clients mean it; Malformed for objects and arrays.
Result<std::string> toText(const boost::json::value& value);
Result<std::int64_t> toInteger(const boost::json::value& value);
Result<bool> toBoolean(const boost::json::value& value);
Result<Uuid> toUuid(const boost::json::value& value);
/// The stored form of a text field: canonical for addresses.
Result<std::string> toStored(const boost::json::value& value, Format format);
Result<int> toEnum(const boost::json::value& value, const google::protobuf::EnumDescriptor* type);
/// How an enumerator is written in JSON; empty for the one that means "unset".
const std::string& spellingOf(const google::protobuf::EnumValueDescriptor* value);

/// Takes values into the fields of a message; who derives from it says which fields a JSON object holds, and how those
/// values are written that the two kinds of JSON differ in.
class ValueReader {
public:
    virtual ~ValueReader() = default;
    /// `prefix`: of the properties that violations name.
    virtual void object(const boost::json::object& from, const std::vector<FieldSchema>& fields, Message& to,
                        const std::string& prefix) = 0;

protected:
    explicit ValueReader(Violations& violations) : violations_(violations) {}

    virtual Result<int> enumerator(const boost::json::value& value, const google::protobuf::EnumDescriptor* type) const {
        return toEnum(value, type);
    }
    virtual Result<std::string> stored(const boost::json::value& value, const FieldSchema& s) const { return toStored(value, s.format); }

    void violate(const std::string& property, std::string message) { violations_.push_back({property, std::move(message)}); }
    void field(const boost::json::value& value, const FieldSchema& s, Message& to, const std::string& property);

private:
    void element(const boost::json::value& value, const FieldSchema& s, Message& to, const std::string& property, bool add);
    template <class T, class Set, class Add>
    void put(Result<T> value, Message& to, const google::protobuf::FieldDescriptor* f, const std::string& property, bool add, Set set,
             Add append);

    Violations& violations_;
};

/// The other way: who derives from it says which fields of a message are written.
class ValueWriter {
public:
    virtual ~ValueWriter() = default;
    virtual void fields(const std::vector<FieldSchema>& fields, const Message& from) = 0;

protected:
    explicit ValueWriter(JsonWriter& out) : out_(out) {}

    virtual void text(const FieldSchema& s, const std::string& stored) = 0;
    virtual void enumerator(int number, const google::protobuf::EnumValueDescriptor* value) = 0;

    /// The field's value; a list as an array.
    void field(const FieldSchema& s, const Message& from);

    JsonWriter& out_;

private:
    /// `index` -1: the field is not repeated.
    void value(const FieldSchema& s, const Message& from, int index);
};

}  // namespace midonet::model
