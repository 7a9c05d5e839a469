#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/object_model.h"

namespace midonet::cli {

/// How people call the object that a Reference names: an alias, or its id again.
using NameOf = std::function<std::string(const Field& field, std::string_view id)>;
/// The id that a word for a Reference means; nullopt when it is none.
using IdOf = std::function<std::optional<std::string>(std::string_view word)>;

/// The id itself, for sessions without aliases.
std::string idAsName(const Field& field, std::string_view id);
/// UUIDs mean themselves, nothing else means anything.
std::optional<std::string> uuidOnly(std::string_view word);

/// The value of a field as it is printed; nullopt when it is unset or the object's JSON has none.
std::optional<std::string> valueText(const Field& field, const boost::json::object& body, const NameOf& nameOf);

/// Sets a field in an object's JSON to what `text` says. Invalid: the text is no value of this kind; PermissionDenied: read-only.
Result<void> assign(const Field& field, boost::json::object& body, std::string_view text, const IdOf& idOf);

/// Makes a field unset. Unsupported when it cannot be.
Result<void> clear(const Field& field, boost::json::object& body);

/// The words a value may be; empty for kinds without.
std::vector<std::string_view> wordsOf(const Field& field);

/// The ids that a Reference field holds.
std::vector<std::string> referredIds(const Field& field, const boost::json::object& body);

/// True when the field's value is what `word` says: as printed, or the object it names.
bool matches(const Field& field, const boost::json::object& body, std::string_view word, const IdOf& idOf);

/// `a,b` -> a, b. Nothing for an empty text.
std::vector<std::string_view> splitAt(std::string_view text, char separator);

}  // namespace midonet::cli
