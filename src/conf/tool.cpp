#include "conf/tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "conf/internal/commands.h"

namespace midonet::conf {
namespace {

constexpr std::string_view kLocal = "local";

struct Option {
    char letter;
    std::string_view name;
    bool takesValue;
};

/// -c has no name: it says "comments" to some commands and "clear" to others.
constexpr std::array<Option, 8> kOptions{{{'h', "--host", true},
                                          {'t', "--template", true},
                                          {'f', "--file", true},
                                          {'s', "--schema", false},
                                          {'H', "--host-only", false},
                                          {'j', "--json", false},
                                          {'c', "-c", false},
                                          {'a', "--all", false}}};

struct Refusal {
    ExitCode code;
    std::string message;
};
template <class T>
using Outcome = tl::expected<T, Refusal>;

tl::unexpected<Refusal> refuse(ExitCode code, std::string message) { return tl::unexpected<Refusal>{Refusal{code, std::move(message)}}; }
tl::unexpected<Refusal> refuse(ExitCode code, const Error& error) { return refuse(code, error.message); }

Result<Arguments> readArguments(const Command& command, const std::vector<std::string>& words) {
    Arguments out;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        if (!word->starts_with('-')) {
            out.words.push_back(*word);
            continue;
        }
        const auto option = std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& o) {
            return *word == o.name || (word->size() == 2 && word->back() == o.letter);
        });
        if (option == kOptions.end() || command.options.find(option->letter) == command.options.npos)
            return fail(ErrorCode::Invalid, "{} has no option {}", command.name, *word);
        if (!option->takesValue) {
            out.flags.insert(option->letter);
        } else if (++word == words.end()) {
            return fail(ErrorCode::Invalid, "{} wants a value", option->name);
        } else {
            out.values[option->letter] = *word;
        }
    }
    if (out.words.size() < command.leastWords || out.words.size() > command.mostWords)
        return fail(ErrorCode::Invalid, "write: {} {}", command.name, command.mostWords == 0 ? "without more words" : command.words);
    return out;
}

/// The host that is meant, if the command is about one.
Outcome<std::optional<HostId>> hostOf(const ToolWorld& world, const Command& command, const Arguments& arguments) {
    const auto* const name = arguments.value('h');
    if (!command.hostUnless) return std::nullopt;
    for (const char letter : *command.hostUnless) {
        if (!arguments.has(letter)) continue;
        if (name != nullptr) return refuse(ExitCode::Failed, fmt::format("-h or -{}: which of the two?", letter));
        return std::nullopt;
    }
    if (name != nullptr && *name != kLocal) {
        const auto id = Uuid::parse(*name);
        if (!id) return refuse(ExitCode::Failed, fmt::format("-h {}: a host is 'local' or the UUID of one", *name));
        return HostId{*id};
    }
    const auto id = world.localHost();
    if (!id) return refuse(ExitCode::NoHostId, id.error());
    return *id;
}

Outcome<std::unique_ptr<nsdb::Store>> openFor(const ToolWorld& world, Uses uses) {
    if (uses == Uses::Nothing) return nullptr;
    auto store = uses == Uses::NewStore ? world.openOrMake() : world.openExisting();
    if (!store) return refuse(ExitCode::NoStore, store.error());
    return std::move(*store);
}

Outcome<ExitCode> run(const ToolWorld& world, const std::vector<std::string>& words) {
    if (words.empty()) return refuse(ExitCode::NoCommand, "which command? Commands:\n" + toolUsage());
    const auto all = commands();
    const auto command = std::find_if(all.begin(), all.end(), [&](const Command& c) { return c.name == words.front(); });
    if (command == all.end())
        return refuse(ExitCode::NoCommand, fmt::format("there is no command {}. Commands:\n{}", words.front(), toolUsage()));
    const auto arguments = readArguments(*command, words);
    if (!arguments) return refuse(ExitCode::Failed, arguments.error());
    const auto host = hostOf(world, *command, *arguments);
    if (!host) return tl::unexpected<Refusal>{host.error()};
    const auto store = openFor(world, arguments->has('s') ? Uses::Nothing : command->uses);
    if (!store) return tl::unexpected<Refusal>{store.error()};
    const auto done = command->run({world, *arguments, *host, store->get()});
    if (!done) return refuse(done.error().code == ErrorCode::Unavailable ? ExitCode::NoStore : ExitCode::Failed, done.error());
    return *done;
}

/// "[-h HOST|local] [-c] KEY"
std::string usageOf(const Command& command) {
    std::string out(command.name);
    for (const char letter : command.options)
        out += fmt::format(" [-{}{}]", letter, letter == 'h' ? " HOST|local" : letter == 't' ? " TEMPLATE" : letter == 'f' ? " FILE" : "");
    return command.words.empty() ? out : fmt::format("{} {}", out, command.words);
}

}  // namespace

std::string toolUsage() {
    std::string out;
    for (const auto& command : commands()) out += fmt::format("  {}\n      {}\n", usageOf(command), command.purpose);
    return out;
}

ExitCode runTool(const ToolWorld& world, const std::vector<std::string>& words) {
    const auto done = run(world, words);
    world.out << std::flush;
    if (done) return *done;
    world.err << fmt::format("[{}] Failed: {}\n", world.name, done.error().message);
    return done.error().code;
}

}  // namespace midonet::conf
