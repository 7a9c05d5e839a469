#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/tool.h"

namespace midonet::conf {

/// What follows the name of a command; options by their letter.
struct Arguments {
    std::map<char, std::string> values;
    std::set<char> flags;
    std::vector<std::string> words;

    bool has(char letter) const { return flags.contains(letter) || values.contains(letter); }
    const std::string* value(char letter) const {
        const auto found = values.find(letter);
        return found == values.end() ? nullptr : &found->second;
    }
};

/// A command on its way.
struct Call {
    const ToolWorld& world;
    const Arguments& arguments;
    std::optional<HostId> host;  ///< Of -h, or this machine's where the command wants one.
    nsdb::Store* store;          ///< nullptr for Uses::Nothing.

    Repository repository() const { return Repository{*store}; }
    Holder holder() const {
        if (const auto* name = arguments.value('t')) return TemplateName{*name};
        return *host;
    }
};

enum class Uses : std::uint8_t { Nothing, Store, NewStore };

struct Command {
    std::string_view name;
    std::string_view options;  ///< Letters of those it knows.
    /// nullopt: not about a host. Else it is, by default this one, unless one of these options is given.
    std::optional<std::string_view> hostUnless;
    std::string_view words;    ///< As usage shows them.
    std::size_t leastWords;
    std::size_t mostWords;
    std::string_view purpose;
    Uses uses;
    Result<ExitCode> (*run)(const Call&);
};

std::span<const Command> commands();

}  // namespace midonet::conf
