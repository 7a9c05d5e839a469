#include "hosttools/meter_tool.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <ostream>

namespace midonet::hosttools {
namespace {

namespace json = boost::json;

struct Count {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};
using Meters = std::map<std::string, Count>;

Result<std::uint64_t> readNumber(const json::object& object, const char* name) {
    const auto* const value = object.if_contains(name);
    const auto number = value == nullptr ? json::result<std::uint64_t>{} : json::try_value_to<std::uint64_t>(*value);
    if (value == nullptr || !number) return fail(ErrorCode::Malformed, "the agent's meters have no number '{}'", name);
    return *number;
}

Result<Meters> readMeters(const MeterWorld& world) {
    TRY(text, world.readMeters());
    boost::system::error_code error;
    const auto page = json::parse(text, error);
    if (error || !page.is_object()) return fail(ErrorCode::Malformed, "the agent's meters are not JSON");
    Meters out;
    for (const auto& [name, value] : page.get_object()) {
        if (!value.is_object()) return fail(ErrorCode::Malformed, "the agent's meters are not objects");
        TRY(packets, readNumber(value.get_object(), "packets"));
        TRY(bytes, readNumber(value.get_object(), "bytes"));
        out.emplace(name, Count{packets, bytes});
    }
    return out;
}

struct Command {
    bool list = false;
    bool json = false;
    std::string name;
    std::optional<std::uint64_t> delay;  ///< Seconds; none: one line.
    std::optional<std::uint64_t> count;  ///< Lines; none: without end.
};

Result<std::uint64_t> readCount(const std::string& text) {
    std::uint64_t out = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (wrong != std::errc{} || end != text.data() + text.size() || out == 0 || out > 1'000'000'000)
        return fail(ErrorCode::Malformed, "{}: write a whole number from 1", text);
    return out;
}

Result<Command> readCommand(const std::vector<std::string>& words) {
    Command command;
    std::string act;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (word == "-n" || word == "--meter-name") {
            if (++i == words.size()) return fail(ErrorCode::Malformed, "{} wants the name of a meter", word);
            command.name = words[i];
        } else if (word == "--json") {
            command.json = true;
        } else if (word == "-h" || word == "-p") {
            return fail(ErrorCode::Unsupported, "{}: an agent shows its meters on its own host only; run mm-meter there", word);
        } else if (act.empty() && (word == "list" || word == "get")) {
            act = word;
        } else if (act == "get" && !command.count) {
            TRY(number, readCount(word));
            (command.delay ? command.count : command.delay) = number;
        } else {
            return fail(ErrorCode::Malformed, "what is {}? Commands:\n{}", word, meterUsage());
        }
    }
    if (act.empty()) return fail(ErrorCode::Malformed, "which command? Commands:\n{}", meterUsage());
    command.list = act == "list";
    if (command.list == !command.name.empty()) return fail(ErrorCode::Malformed, "{}: write 'list', or 'get -n NAME'", act);
    return command;
}

Result<Count> find(const MeterWorld& world, const std::string& name) {
    TRY(meters, readMeters(world));
    const auto found = meters.find(name);
    if (found == meters.end()) return fail(ErrorCode::NotFound, "there is no meter {}: see mm-meter list", name);
    return found->second;
}

void print(const MeterWorld& world, const Command& command, const Count& count) {
    if (command.json)
        world.out << fmt::format(R"({{"packets":{},"bytes":{}}})", count.packets, count.bytes) << '\n' << std::flush;
    else
        world.out << fmt::format("{:>12} {:>12}\n", count.packets, count.bytes) << std::flush;
}

/// A meter begins anew with its agent.
std::uint64_t since(std::uint64_t before, std::uint64_t now) { return now >= before ? now - before : now; }

Result<void> get(const MeterWorld& world, const Command& command) {
    TRY(before, find(world, command.name));
    if (!command.json) world.out << fmt::format("{:>12} {:>12}\n", "packets", "bytes");
    print(world, command, before);
    for (std::uint64_t line = 1; command.delay && (!command.count || line < *command.count); ++line) {
        world.sleep(std::chrono::seconds{*command.delay});
        TRY(now, find(world, command.name));
        print(world, command, {since(before.packets, now.packets), since(before.bytes, now.bytes)});
        before = now;
    }
    return {};
}

Result<void> list(const MeterWorld& world, const Command& command) {
    TRY(meters, readMeters(world));
    if (!command.json) {
        for (const auto& [name, count] : meters) world.out << name << '\n';
        return {};
    }
    json::object out;
    for (const auto& [name, count] : meters) out[name] = json::object{{"packets", count.packets}, {"bytes", count.bytes}};
    world.out << json::serialize(out) << '\n';
    return {};
}

Result<void> run(const MeterWorld& world, const std::vector<std::string>& words) {
    TRY(command, readCommand(words));
    return command.list ? list(world, command) : get(world, command);
}

}  // namespace

std::string meterUsage() {
    return "  list\n      prints the names of all meters; --json: with what they counted\n"
           "  get -n NAME [DELAY [COUNT]]\n      prints what a meter counted, then what it counted in each DELAY seconds, until COUNT "
           "lines are there\n"
           "  --json\n      prints as JSON\n";
}

int runMeterTool(const MeterWorld& world, const std::vector<std::string>& words) {
    const auto done = run(world, words);
    world.out << std::flush;
    if (done) return 0;
    world.err << "[mm-meter] Failed: " << done.error().message << '\n';
    return 1;
}

}  // namespace midonet::hosttools
