#pragma once

#include <map>
#include <string>

#include "model/json.h"

namespace midonet::model {

// Objects as JSON that loses nothing, for dumps of the store. json.h is what clients of REST see; here every field that is
// set stands under its name in the schema ("tunnel_key"), what is not set is left out, embedded messages are objects,
// and what a newer program wrote into fields this one does not know is kept, as hex digits below kUnknownFields.

/// No field has this name.
inline constexpr const char* kUnknownFields = "+unknown";

/// Writes the fields into the open object of `json`, in order of declaration.
void writeExact(JsonWriter& json, const ClassSchema& schema, const Message& object);

/// Takes the fields from what writeExact() wrote, or a person changed; `object` is empty. Strict: a name that is no
/// field is a violation. The violations name fields by their path, "rules[2].type".
Violations readExact(const JsonBody& body, const ClassSchema& schema, Message& object);

/// The values writeExact() would write, each under its path; of embedded messages the values inside.
std::map<std::string, std::string> exactFields(const ClassSchema& schema, const Message& object);

/// The string under `key`, whatever it says; Malformed when there is none.
Result<std::string> exactText(const JsonBody& body, std::string_view key);

/// Bytes as hex digits, and back; Malformed when they are none.
std::string toHex(std::string_view bytes);
Result<std::string> fromHex(std::string_view digits);

}  // namespace midonet::model
