#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace midonet::cli {

enum class Verb : std::uint8_t { Show, List, Create, Delete, Set, Clear, Describe, Trace, Debug, SetTenant, ClearTenant, Help, Exit };

/// What stands at a place of a form.
enum class Part : std::uint8_t {
    Verb,
    Path,        ///< COLLECTION ID {COLLECTION ID}; from where the command is at that point.
    Select,      ///< COLLECTION FIELD VALUE {FIELD VALUE}: the only element that matches.
    Collection,  ///< The name of a collection.
    Filter,      ///< FIELD VALUE {FIELD VALUE}, compared.
    Values,      ///< FIELD VALUE {FIELD VALUE}, assigned.
    Packet,      ///< FIELD VALUE {FIELD VALUE}, of a packet.
    Field,
    Fields,      ///< FIELD {FIELD}
    Single,      ///< The name of an object that is not in a collection.
    Word,
    Switch,      ///< on or off
};

struct Place {
    Part part;
    bool optional = false;
    bool repeated = false;  ///< Any number of times, also none.
};

/// A command of the language.
struct VerbForms {
    Verb verb;
    std::vector<std::string_view> spellings;
    std::size_t least;  ///< Shortest abbreviation of the first spelling; 0: none.
    bool follows;       ///< A path may lead through fields that refer to an object.
    std::string_view purpose;
    std::vector<std::string_view> forms;  ///< As `help` shows them: [PART] optional, {PART} any number.

    bool isSpelled(std::string_view word) const;
};

/// All commands, in the order in which they are tried and listed.
const std::vector<VerbForms>& grammar();

/// The places of a form.
std::vector<Place> placesOf(std::string_view form);

}  // namespace midonet::cli
