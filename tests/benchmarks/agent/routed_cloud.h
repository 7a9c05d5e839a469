#pragma once

#include <vector>

#include "flow/flow_key.h"
#include "flowstate/nat_ports.h"
#include "packet/protocols.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::benchmarks {

/// Two bridges with twenty machines each and a router between them, and a chain of its own at each of the six ports on
/// the way of a packet: that of its machine, both ends of both links, that of the other machine.
class RoutedCloud {
public:
    struct Options {
        std::uint64_t rulesPerPort = 10;
        bool tracks = false;      ///< The chains of machines know answers from what begins a connection.
        bool translates = false;  ///< The router gives what passes its own address.
        std::uint64_t hosts = 1;  ///< That have the machines in turns.
    };
    struct Machine {
        PortId port;
        BridgeId bridge;
        net::Mac mac;
        net::Ipv4Address address;
    };
    static constexpr std::uint64_t kMachines = 20;  // of each bridge

    explicit RoutedCloud(Options options) : options_(options) {
        using namespace topology::testing;
        topology::Router router;
        router.id = RoutedCloud::router();
        if (options.translates) {
            router.outboundFilter = chainId(1);
            builder_.chain(chainId(1), {sourceTranslation()});
        }
        builder_.router(router);
        for (std::uint64_t bridge : {1, 2}) {
            builder_.bridge(bridgeId(bridge));
            for (std::uint64_t n = 1; n <= kMachines; ++n) addMachine(n, bridge);
            addLink(bridge);
        }
        snapshot_ = builder_.build();
    }

    const topology::TopologySnapshotPtr& snapshot() const { return snapshot_; }
    /// The clients, those of the first bridge; behind them the servers, those of the other.
    const std::vector<Machine>& machines() const { return machines_; }
    static RouterId router() { return topology::testing::routerId(1); }
    /// Blocks of the ports that the router translates to.
    static std::vector<flowstate::NatBlockId> natBlocks(std::uint16_t count) {
        constexpr std::uint16_t kFirst = kFirstNatPort / flowstate::kNatBlockPorts;
        std::vector<flowstate::NatBlockId> blocks;
        for (std::uint16_t n = 0; n < count; ++n) blocks.push_back({router().uuid(), addressOfLink(2), static_cast<std::uint16_t>(kFirst + n)});
        return blocks;
    }

    /// Of a TCP packet from a client (by its place in machines()) to the server that is its partner.
    flow::FlowKey keyOf(std::uint64_t client, std::uint16_t clientPort, std::uint16_t serverPort) const {
        flow::FlowKey key;
        key.inPort = flow::PortNumber{static_cast<std::uint32_t>(client + 1)};
        key.ethSource = machines_[client].mac;
        key.ethDestination = snapshot_->port(routerPortOf(1))->mac;
        key.etherType = 0x0800;
        key.ipSource = machines_[client].address;
        key.ipDestination = machines_[kMachines + (client + 1) % kMachines].address;
        key.ipProtocol = packet::ipproto::kTcp;
        key.ipTtl = 64;
        key.l4Source = clientPort;
        key.l4Destination = serverPort;
        return key;
    }

private:
    static constexpr std::uint16_t kFirstNatPort = 1024;

    static PortId routerPortOf(std::uint64_t bridge) { return topology::testing::portId(910 + bridge); }
    static net::Ipv4Address addressOfLink(std::uint64_t bridge) {
        return net::Ipv4Address{0x0a000001U + (static_cast<std::uint32_t>(bridge) << 8)};
    }

    void addMachine(std::uint64_t n, std::uint64_t bridge) {
        using namespace topology::testing;
        const auto number = (bridge - 1) * 100 + n;
        const auto id = bridgeId(bridge);
        addPort(activePort(number, id, 1 + n % options_.hosts), options_.tracks);
        machines_.push_back({portId(number), id, net::Mac{0x020000000000ULL + number},
                             net::Ipv4Address{addressOfLink(bridge).toHostOrder() + 9 + static_cast<std::uint32_t>(n)}});
    }
    void addLink(std::uint64_t bridge) {
        using namespace topology::testing;
        topology::Port port;
        port.id = portId(900 + bridge);
        port.bridge = bridgeId(bridge);
        addPort(port, false);
        auto other = topology::testing::routerPort(910 + bridge, router(), addressOfLink(bridge).toString() + "/24");
        filter(other, false);
        builder_.routerPortWithRoutes(other).link(port.id, other.id);
    }
    void addPort(topology::Port port, bool tracks) {
        filter(port, tracks);
        builder_.port(port);
    }
    void filter(topology::Port& port, bool tracks) {
        const auto number = port.id.uuid().low();
        const auto chain = topology::testing::chainId(100 + number);
        port.inboundFilter = port.outboundFilter = chain;
        builder_.chain(chain, makeRules(number, tracks));
    }

    /// As a security group has them: each lets one block of clients reach one TCP port; the last lets all others pass.
    /// With `tracks` the first one lets answers pass.
    std::vector<topology::Rule> makeRules(std::uint64_t chain, bool tracks) const {
        std::vector<topology::Rule> rules;
        for (std::uint64_t n = 0; n < options_.rulesPerPort; ++n) {
            topology::Rule rule;
            rule.id = topology::testing::ruleId(chain * 10'000 + n);
            rule.action = topology::Verdict{};
            if (tracks && n == 0) rule.condition.returnFlow = true;
            else if (n + 1 < options_.rulesPerPort) rule.condition = oneServiceOf(static_cast<std::uint32_t>(n));
            rules.push_back(rule);
        }
        return rules;
    }
    static topology::Condition oneServiceOf(std::uint32_t n) {
        topology::Condition condition;
        condition.etherType.value = 0x0800;
        condition.protocol.value = packet::ipproto::kTcp;
        condition.source.value = net::IpPrefix{net::Ipv4Address{0xc0a80000U + n % 256 * 256}, 24};
        const auto port = static_cast<std::uint16_t>(2000 + n);
        condition.l4Destination.value = topology::PortRange{port, port};
        return condition;
    }
    /// Behind the rules of the router's way out: clients get its address there, and answers theirs back.
    static topology::Rule sourceTranslation() {
        topology::Rule rule;
        rule.id = topology::testing::ruleId(1);
        const auto address = addressOfLink(2);
        rule.action = topology::Translate{topology::Translate::Kind::Source, {{address, address, kFirstNatPort, 65535}},
                                          topology::Continuation::Accept};
        return rule;
    }

    const Options options_;
    topology::testing::SnapshotBuilder builder_;
    topology::TopologySnapshotPtr snapshot_;
    std::vector<Machine> machines_;
};

}  // namespace midonet::benchmarks
