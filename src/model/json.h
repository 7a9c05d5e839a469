#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/json_writer.h"
#include "model/schema.h"
#include "model/validate.h"
#include "net/mac.h"

namespace boost::json {
class object;
class value;
}  // namespace boost::json

namespace midonet::model {

/// The JSON object a client sent. Reading is tolerant as clients need it (docs/rest-api.md): numbers
/// and booleans may be strings, null, "" and "null" mean "not given" for all but plain strings, whatever
/// follows the document is ignored. Reads give nullopt when not given, Malformed when it cannot be
/// meant. Cheap to copy; immutable.
class JsonBody {
public:
    /// Malformed when the text does not begin with a JSON object.
    static Result<JsonBody> parse(std::string_view text);
    /// The same of a text of our own: nothing may follow the object.
    static Result<JsonBody> parseWhole(std::string_view text);

    bool given(std::string_view key) const;
    Result<std::optional<std::string>> text(std::string_view key) const;
    Result<std::optional<std::int64_t>> integer(std::string_view key) const;
    Result<std::optional<bool>> boolean(std::string_view key) const;
    Result<std::optional<Uuid>> uuid(std::string_view key) const;
    Result<std::optional<net::Mac>> mac(std::string_view key) const;
    Result<std::vector<Uuid>> uuids(std::string_view key) const;
    Result<std::vector<std::string>> texts(std::string_view key) const;
    Result<std::vector<JsonBody>> objects(std::string_view key) const;
    /// The object that is the value of `key`; Malformed when it is none, or not given.
    Result<JsonBody> inner(std::string_view key) const;

    const boost::json::object& object() const;

private:
    explicit JsonBody(std::shared_ptr<const boost::json::value> value) : value_(std::move(value)) {}
    std::shared_ptr<const boost::json::value> value_;
};

/// What a body is for: POST or PUT.
enum class Input : std::uint8_t { Create, Update };

/// Takes the fields of an object from a body, as the schema says: `object` is empty for Create, the
/// stored object for Update. What is not given becomes the default, or stays where the schema
/// says so; unknown keys are ignored. The violations name properties as in REST; with any,
/// `object` is not to be used. Ranges and lengths: validate().
Violations fromJson(const JsonBody& body, const ClassSchema& schema, Input input, Message& object);
/// The same of an embedded message that has a body of its own.
Violations fromJson(const JsonBody& body, const std::vector<FieldSchema>& fields, Input input, Message& object);

/// Writes the fields the schema shows in REST into the open object of `json`.
void writeFields(JsonWriter& json, const ClassSchema& schema, const Message& object);
void writeFields(JsonWriter& json, const std::vector<FieldSchema>& fields, const Message& object);

}  // namespace midonet::model
