#include "hosttools/datapath_tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <ostream>

#include "hosttools/flow_text.h"

namespace midonet::hosttools {
namespace {

namespace json = boost::json;
using datapath::DatapathContents;
using datapath::InstalledFlow;

/// The one datapath of a host; its name is that of the original.
constexpr const char* kName = "midonet";
constexpr std::chrono::seconds kPatience{3};

enum class Act : std::uint8_t { List, Show, Dump };

struct Command {
    Act act = Act::List;
    std::string name = kName;
    bool sorted = true;
    bool json = false;
    event::Duration patience = kPatience;
};

Unexpected refused(std::string_view what) {
    return fail(ErrorCode::Unsupported,
                "{}: the agent alone changes the datapath; bind ports with mm-ctl, and end its flows with POST /flows/flush of the agent",
                what);
}

Result<event::Duration> readSeconds(const std::string& text) {
    unsigned seconds = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (wrong != std::errc{} || end != text.data() + text.size() || seconds == 0)
        return fail(ErrorCode::Malformed, "--timeout {}: write a number of seconds", text);
    return event::Duration{std::chrono::seconds{seconds}};
}

/// Reads words one after another.
class Words {
public:
    explicit Words(const std::vector<std::string>& words) : words_(words) {}
    bool atEnd() const { return next_ == words_.size(); }
    std::string take() { return words_[next_++]; }
    Result<std::string> value(std::string_view of) {
        if (atEnd()) return fail(ErrorCode::Malformed, "{} wants a value", of);
        return take();
    }

private:
    const std::vector<std::string>& words_;
    std::size_t next_ = 0;
};

/// What a word asks for, in either spelling; nullopt: it is no act.
std::optional<Act> actOf(const std::string& word) {
    if (word == "--list" || word == "-l" || word == "--list-dps") return Act::List;
    if (word == "--show" || word == "-s" || word == "--show-dp") return Act::Show;
    if (word == "--dump" || word == "--dump-dp") return Act::Dump;
    return std::nullopt;
}

bool changes(const std::string& word) {
    static constexpr std::array<std::string_view, 7> kChanging{"--add", "-a", "--delete", "-d", "-D", "--add-dp", "--delete-dp"};
    return std::find(kChanging.begin(), kChanging.end(), word) != kChanging.end();
}

Result<Command> readCommand(const std::vector<std::string>& all) {
    Words words(all);
    Command command;
    std::optional<Act> act;
    while (!words.atEnd()) {
        const auto word = words.take();
        if (word == "interface" || word == "flows" || word == "rebind") return refused(word);
        if (word == "datapath") continue;
        if (const auto wanted = actOf(word)) {
            if (act) return fail(ErrorCode::Malformed, "{}: one command at a time", word);
            act = wanted;
            if (*act == Act::List) continue;
            TRY(name, words.value(word));
            command.name = name;
        } else if (changes(word)) {
            return refused("datapath " + word);
        } else if (word == "--timeout") {
            TRY(text, words.value(word));
            TRY(patience, readSeconds(text));
            command.patience = patience;
        } else if (word == "--json") {
            command.json = true;
        } else if (word == "-n") {
            command.sorted = false;
        } else {
            return fail(ErrorCode::Malformed, "there is no {}; commands:\n{}", word, datapathUsage());
        }
    }
    if (!act) return fail(ErrorCode::Malformed, "which command? Commands:\n{}", datapathUsage());
    command.act = *act;
    return command;
}

std::uint64_t sumOf(const DatapathContents& contents, std::initializer_list<std::string_view> names) {
    std::uint64_t sum = 0;
    for (const auto& counter : contents.counters)
        if (std::find(names.begin(), names.end(), counter.name) != names.end()) sum += counter.value;
    return sum;
}

struct Totals {
    std::uint64_t flows, hits, lost, misses;
};
Totals totalsOf(const DatapathContents& contents) {
    return {contents.flows.size(), sumOf(contents, {"hits_exact", "hits_masked"}),
            sumOf(contents, {"upcalls_lost", "throttled", "pending_dropped"}), sumOf(contents, {"misses"})};
}

const char* typeOf(const datapath::InstalledTunnel& tunnel) { return tunnel.spec.type == datapath::TunnelType::Gre ? "Gre" : "VXLan"; }

void printPort(const DatapathWorld& world, std::uint32_t number, std::string_view name, std::string_view type, const InterfaceStats& s) {
    world.out << fmt::format(
        "Port #{} '{}' {} Stats{{rxPackets={}, txPackets={}, rxBytes={}, txBytes={}, rxErrors={}, txErrors={}, rxDropped={}, "
        "txDropped={}}}\n",
        number, name, type, s.rxPackets, s.txPackets, s.rxBytes, s.txBytes, s.rxErrors, s.txErrors, s.rxDropped, s.txDropped);
}

void show(const DatapathWorld& world, const DatapathContents& contents) {
    const auto totals = totalsOf(contents);
    world.out << fmt::format("Name: {}\nIndex: {}\nSupports megaflows: yes\nStats:\n  Flows: {}\n  Hits: {}\n  Lost: {}\n  Misses: {}\n",
                             kName, world.tapIndex, totals.flows, totals.hits, totals.lost, totals.misses);
    printPort(world, 0, kName, "Internal", world.statsOf(world.tapName));
    for (const auto& port : contents.ports) printPort(world, port.number.value(), port.interface, "NetDev", world.statsOf(port.interface));
    for (const auto& tunnel : contents.tunnels)
        world.out << fmt::format("Tunnel #{} {} {} -> {}\n", tunnel.id.value(), typeOf(tunnel), tunnel.spec.local, tunnel.spec.remote);
}

json::object statsJson(const InterfaceStats& s) {
    return {{"rxPackets", s.rxPackets}, {"txPackets", s.txPackets}, {"rxBytes", s.rxBytes},     {"txBytes", s.txBytes},
            {"rxErrors", s.rxErrors},   {"txErrors", s.txErrors},   {"rxDropped", s.rxDropped}, {"txDropped", s.txDropped}};
}

json::object showJson(const DatapathWorld& world, const DatapathContents& contents) {
    const auto totals = totalsOf(contents);
    json::array ports{
        json::object{{"number", 0}, {"name", kName}, {"type", "Internal"}, {"stats", statsJson(world.statsOf(world.tapName))}}};
    for (const auto& port : contents.ports)
        ports.push_back(json::object{{"number", port.number.value()}, {"name", port.interface}, {"type", "NetDev"},
                                     {"stats", statsJson(world.statsOf(port.interface))}});
    json::array tunnels;
    for (const auto& tunnel : contents.tunnels)
        tunnels.push_back(json::object{{"number", tunnel.id.value()}, {"type", typeOf(tunnel)}, {"local", tunnel.spec.local.toString()},
                                       {"remote", tunnel.spec.remote.toString()}});
    return {{"name", kName}, {"index", world.tapIndex},
            {"stats", {{"flows", totals.flows}, {"hits", totals.hits}, {"lost", totals.lost}, {"misses", totals.misses}}},
            {"ports", std::move(ports)}, {"tunnels", std::move(tunnels)}};
}

std::int64_t idleMs(const InstalledFlow& flow) { return std::chrono::duration_cast<std::chrono::milliseconds>(flow.stats.idle).count(); }

void printFlow(std::ostream& out, const InstalledFlow& flow) {
    std::string match;
    for (const auto& [name, value] : matchOf(flow.key, flow.mask)) match += fmt::format("{}{}={}", match.empty() ? "" : ", ", name, value);
    out << "  Flow\n    Match: FlowMatch[" << match << "]\n    Mask:  " << flow.mask.toString() << '\n';
    if (flow.actions.empty()) {
        out << "    Actions: []\n";
    } else {
        out << "    Actions: \n";
        for (const auto& action : flow.actions) out << "        " << flow::toString(action) << '\n';
    }
    out << fmt::format("    Stats: FlowStats{{packets={}, bytes={}}}\n    TCP flags: {}\n    Last used: {} ms ago\n", flow.stats.packets,
                       flow.stats.bytes, flow.stats.closing ? "FIN or RST" : "none kept", idleMs(flow));
}

json::object flowJson(const InstalledFlow& flow) {
    json::object match;
    for (const auto& [name, value] : matchOf(flow.key, flow.mask)) match[name] = value;
    json::array actions;
    for (const auto& action : flow.actions) actions.push_back(json::value(flow::toString(action)));
    return {{"match", std::move(match)},         {"mask", flow.mask.toString()},     {"actions", std::move(actions)},
            {"packets", flow.stats.packets},     {"bytes", flow.stats.bytes},        {"closing", flow.stats.closing},
            {"idleMilliseconds", idleMs(flow)}};
}

void dump(const DatapathWorld& world, const std::vector<InstalledFlow>& flows) {
    world.out << flows.size() << (flows.size() == 1 ? " flow\n" : " flows\n");
    for (const auto& flow : flows) printFlow(world.out, flow);
}

json::object dumpJson(const std::vector<InstalledFlow>& flows) {
    json::array out;
    for (const auto& flow : flows) out.push_back(flowJson(flow));
    return {{"flows", std::move(out)}};
}

void list(const DatapathWorld& world, const Command& command, bool found) {
    if (command.json)
        world.out << json::serialize(found ? json::array{json::value(kName)} : json::array{}) << '\n';
    else if (found)
        world.out << "Found 1 datapath\n  " << kName << '\n';
    else
        world.out << "Could not find any installed datapath\n";
}

Result<void> run(const DatapathWorld& world, const std::vector<std::string>& words) {
    TRY(command, readCommand(words));
    if (command.act != Act::List && command.name != kName)
        return fail(ErrorCode::NotFound, "no datapath '{}': the one of this host is named '{}'", command.name, kName);
    auto contents = world.read(command.patience);
    if (command.act == Act::List && (contents || contents.error().code == ErrorCode::NotFound)) {
        list(world, command, contents.has_value());
        return {};
    }
    if (!contents) return Unexpected{contents.error()};
    // The latest used last.
    if (command.sorted)
        std::stable_sort(contents->flows.begin(), contents->flows.end(),
                         [](const auto& a, const auto& b) { return a.stats.idle > b.stats.idle; });
    if (command.json)
        world.out << json::serialize(command.act == Act::Show ? showJson(world, *contents) : dumpJson(contents->flows)) << '\n';
    else if (command.act == Act::Show)
        show(world, *contents);
    else
        dump(world, contents->flows);
    return {};
}

}  // namespace

std::string datapathUsage() {
    return "  datapath --list\n      prints the name of the datapath of this host\n"
           "  datapath --show NAME\n      prints its figures, its ports with theirs, and its tunnels\n"
           "  datapath --dump NAME [-n]\n      prints its flows, the latest used last; -n: as they come\n"
           "  --list-dps, --show-dp NAME, --dump-dp NAME\n      the same\n"
           "  --json\n      prints as JSON\n"
           "  --timeout SECONDS\n      gives up reading after this time (default 3)\n";
}

int runDatapathTool(const DatapathWorld& world, const std::vector<std::string>& words) {
    const auto done = run(world, words);
    world.out << std::flush;
    if (done) return 0;
    world.err << "[mm-dpctl] Error: " << done.error().message << '\n';
    return 1;
}

}  // namespace midonet::hosttools
