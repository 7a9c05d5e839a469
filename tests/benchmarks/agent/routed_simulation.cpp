// One packet from a bridge through a router to another bridge, with rules at all six ports on the way, in user space
// only. Budgets: 2.5 us with 10 rules per port, twice as much with 1,000, 4 us with source translation.
#include <memory>

#include "flowstate/nat_ports.h"
#include "flowstate/state_table.h"
#include "measure.h"
#include "packet/protocols.h"
#include "simulation/simulator.h"
#include "simulation/worker_state.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;
using topology::Rule;

constexpr std::uint64_t kMachines = 20;  // of each bridge
constexpr std::uint16_t kConnections = 500;  // of each machine
constexpr std::uint16_t kFirstKnown = 10'000, kFirstNew = 30'000;  // client ports
constexpr std::uint16_t kBusyPort = 80, kIdlePort = 443;           // of a server: with 500 connections, with none
constexpr std::uint64_t kRouter = 1, kBridge1 = 1, kBridge2 = 2;
constexpr std::uint64_t kBridgePort1 = 901, kBridgePort2 = 902, kRouterPort1 = 911, kRouterPort2 = 912;

/// Machines of bridge 1 have the numbers from 1 on, those of bridge 2 from 101 on; ports have the same.
net::Mac macOf(std::uint64_t machine) { return net::Mac{0x020000000000ULL + machine}; }
net::Ipv4Address addressOf(std::uint64_t machine) {
    const auto subnet = machine > 100 ? 0x0a000200U : 0x0a000100U;
    return net::Ipv4Address{subnet + 10 + static_cast<std::uint32_t>(machine % 100)};
}

/// As a security group has them: each lets one block of clients reach one TCP port; the last lets all others pass.
std::vector<Rule> makeRules(std::uint64_t count, std::uint64_t chain) {
    std::vector<Rule> rules;
    for (std::uint64_t n = 0; n < count; ++n) {
        Rule rule;
        rule.id = ruleId(chain * 10'000 + n);
        rule.action = topology::Verdict{};
        if (n + 1 < count) {
            const net::Ipv4Address block{0xc0a80000U + static_cast<std::uint32_t>(n % 256) * 256};
            rule.condition.etherType.value = 0x0800;
            rule.condition.protocol.value = packet::ipproto::kTcp;
            rule.condition.source.value = net::IpPrefix{block, 24};
            const auto port = static_cast<std::uint16_t>(2000 + n);
            rule.condition.l4Destination.value = topology::PortRange{port, port};
        }
        rules.push_back(rule);
    }
    return rules;
}

/// Behind the rules of the router's way out: clients get its address there, and answers theirs back.
Rule sourceTranslation() {
    Rule rule;
    rule.id = ruleId(1);
    const auto address = net::Ipv4Address::parse("10.0.2.1").value();
    rule.action = topology::Translate{topology::Translate::Kind::Source, {{address, address, 1024, 65535}}, topology::Continuation::Accept};
    return rule;
}

class Cloud {
public:
    Cloud(std::uint64_t rulesPerPort, bool translates) : rules_(rulesPerPort) {
        topology::Router router;
        router.id = routerId(kRouter);
        if (translates) {
            router.outboundFilter = chainId(1);
            builder_.chain(chainId(1), {sourceTranslation()});
        }
        builder_.router(router).bridge(bridgeId(kBridge1)).bridge(bridgeId(kBridge2));
        for (std::uint64_t n = 1; n <= kMachines; ++n) {
            addMachine(n, kBridge1);
            addMachine(100 + n, kBridge2);
        }
        addLink(kBridge1, kBridgePort1, kRouterPort1, "10.0.1.1/24");
        addLink(kBridge2, kBridgePort2, kRouterPort2, "10.0.2.1/24");
        snapshot_ = builder_.build();
    }

    simulation::SimulationResult send(std::uint64_t machine, std::uint16_t clientPort, std::uint16_t serverPort) const {
        flow::FlowKey key;
        key.inPort = flow::PortNumber{1};
        key.ethSource = macOf(machine);
        key.ethDestination = snapshot_->port(portId(kRouterPort1))->mac;
        key.etherType = 0x0800;
        key.ipSource = addressOf(machine);
        key.ipDestination = addressOf(101 + machine % kMachines);
        key.ipProtocol = packet::ipproto::kTcp;
        key.ipTtl = 64;
        key.l4Source = clientPort;
        key.l4Destination = serverPort;
        return simulation::simulate({portId(machine), key}, *snapshot_, state_);
    }

    /// Opens the connections that are known later, and leases the ports for them and as many again.
    void connect() {
        const auto now = event::SteadyClock{}.now();
        const auto address = net::Ipv4Address::parse("10.0.2.1").value();
        constexpr std::uint16_t kFirstBlock = 1024 / flowstate::kNatBlockPorts;
        constexpr std::uint16_t kBlocks = 2 * (kConnections / flowstate::kNatBlockPorts + 1);
        for (std::uint16_t n = 0; n < kBlocks; ++n)
            ports_.addBlock({routerId(kRouter).uuid(), address, static_cast<std::uint16_t>(kFirstBlock + n)});
        for (std::uint64_t machine = 1; machine <= kMachines; ++machine)
            for (std::uint16_t n = 0; n < kConnections; ++n) {
                const auto result = send(machine, static_cast<std::uint16_t>(kFirstKnown + n), kBusyPort);
                for (const auto& event : forwarded(result).events) {
                    if (const auto* added = std::get_if<simulation::AddState>(&event)) table_->put(added->entry, now);
                    if (const auto* taken = std::get_if<simulation::TakeNatPort>(&event))
                        ports_.take(taken->device, taken->port, taken->remote);
                }
            }
    }

    /// A benchmark of packets that are dropped would look fast.
    static const simulation::Forward& forwarded(const simulation::SimulationResult& result) {
        const auto* forward = std::get_if<simulation::Forward>(&result);
        if (forward != nullptr) return *forward;
        fmt::print(stderr, "routed_simulation: the packet does not reach its machine\n");
        std::exit(1);
    }

private:
    void addMachine(std::uint64_t n, std::uint64_t bridge) {
        addPort(activePort(n, bridgeId(bridge), 1 + n % 2), n);
        state_.setMac(bridgeId(bridge), {}, macOf(n), portId(n));
        state_.setArp(routerId(kRouter), addressOf(n), macOf(n), event::SteadyClock{}.now() + std::chrono::hours{1});
    }
    void addLink(std::uint64_t bridge, std::uint64_t bridgePort, std::uint64_t routerPort, std::string_view address) {
        topology::Port port;
        port.id = portId(bridgePort);
        port.bridge = bridgeId(bridge);
        addPort(port, bridgePort);
        auto other = topology::testing::routerPort(routerPort, routerId(kRouter), address);
        filter(other, routerPort);
        builder_.routerPortWithRoutes(other).link(port.id, other.id);
    }
    void addPort(topology::Port port, std::uint64_t number) {
        filter(port, number);
        builder_.port(port);
    }
    void filter(topology::Port& port, std::uint64_t number) {
        const auto chain = chainId(100 + number);
        port.inboundFilter = port.outboundFilter = chain;
        builder_.chain(chain, makeRules(rules_, number));
    }

    const std::uint64_t rules_;
    SnapshotBuilder builder_;
    topology::TopologySnapshotPtr snapshot_;
    std::shared_ptr<flowstate::StateTable> table_ = std::make_shared<flowstate::StateTable>();
    flowstate::NatPorts ports_;
    simulation::WorkerState state_{table_.get(), &ports_};
};

/// One packet of each connection in turn.
class Packets {
public:
    Packets(const Cloud& cloud, std::uint16_t firstPort, std::uint16_t serverPort = kBusyPort)
        : cloud_(cloud), firstPort_(firstPort), serverPort_(serverPort) {
        Cloud::forwarded(next());
    }
    double nanoseconds() {
        return benchmarks::nanosecondsOnce([this] { benchmarks::keep(next()); });
    }

private:
    simulation::SimulationResult next() {
        const auto machine = 1 + count_ % kMachines;
        const auto port = static_cast<std::uint16_t>(firstPort_ + count_ / kMachines % kConnections);
        ++count_;
        return cloud_.send(machine, port, serverPort_);
    }
    const Cloud& cloud_;
    const std::uint16_t firstPort_;
    const std::uint16_t serverPort_;
    std::uint64_t count_ = 0;
};

}  // namespace

int main() {
    const Cloud few{10, false}, many{1000, false};
    Cloud translating{10, true};
    translating.connect();

    struct Case {
        const char* figure;
        Packets packets;
        std::vector<double> samples;
    };
    Case cases[] = {{"routed_10_rules", {few, kFirstKnown}, {}},
                    {"routed_1000_rules", {many, kFirstKnown}, {}},
                    {"snat_established", {translating, kFirstKnown}, {}},
                    {"snat_new", {translating, kFirstNew, kIdlePort}, {}},
                    {"snat_new_to_a_busy_server", {translating, kFirstNew}, {}}};
    // They take turns: ratios of one repetition do not drift with the machine.
    for (int i = 0; i < benchmarks::repetitions(); ++i)
        for (auto& one : cases) one.samples.push_back(one.packets.nanoseconds());
    for (const auto& one : cases) {
        std::optional<benchmarks::Yardstick> yardstick;
        if (&one != &cases[0]) yardstick.emplace(benchmarks::Yardstick{cases[0].figure, cases[0].samples});
        benchmarks::report("routed_simulation", one.figure, one.samples, "ns", yardstick);
    }
    return 0;
}
