#pragma once

#include <gmock/gmock.h>

#include <variant>
#include <vector>

#include "simulation/worker_state.h"
#include "simulation/simulator.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::simulation::testing {

using flow::DropReason;
using flow::Field;
using flow::FlowTag;
using topology::testing::activePort;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::SnapshotBuilder;

inline net::Mac mac(std::uint64_t n) { return net::Mac{0x020000000000ULL + n}; }

/// One bridge with ports 1, 2, 3 on host 1 and port 4 on host 2.
class BridgeFixture : public ::testing::Test {
protected:
    BridgeFixture() {
        topology.bridge(bridge);
        for (std::uint64_t n = 1; n <= 3; ++n) topology.port(activePort(n, bridge));
        topology.port(activePort(4, bridge, 2));
    }

    static flow::FlowKey frame(net::Mac source, net::Mac destination) {
        flow::FlowKey key;
        key.inPort = flow::PortNumber{7};
        key.ethSource = source;
        key.ethDestination = destination;
        key.etherType = 0x0800;
        return key;
    }
    SimulationResult simulateFrom(std::uint64_t port, const flow::FlowKey& key) {
        return simulate({portId(port), key}, *topology.build(), state);
    }
    /// The same, and it has to be forwarded.
    Forward forwardFrom(std::uint64_t port, const flow::FlowKey& key) {
        auto result = simulateFrom(port, key);
        if (auto* forward = std::get_if<Forward>(&result)) return std::move(*forward);
        const auto* drop = std::get_if<Drop>(&result);
        ADD_FAILURE() << "not forwarded: " << (drop ? toString(drop->reason) : "parked or consumed");
        return {};
    }
    Drop dropFrom(std::uint64_t port, const flow::FlowKey& key) {
        auto result = simulateFrom(port, key);
        if (auto* drop = std::get_if<Drop>(&result)) return std::move(*drop);
        ADD_FAILURE() << "not dropped";
        return {};
    }
    static VirtualActions toPorts(std::initializer_list<std::uint64_t> ports) {
        VirtualActions out;
        for (const auto n : ports) out.push_back(ToPort{portId(n)});
        return out;
    }
    static std::vector<FlowTag> tags(const Decision& decision) { return {decision.tags.begin(), decision.tags.end()}; }
    LearnMac learned(net::Mac address, std::uint64_t port, std::uint16_t vlan = 0) const {
        return {bridge, net::VlanId{vlan}, address, portId(port)};
    }
    FlowTag vlanPort(net::Mac address, std::uint64_t port, std::uint16_t vlan = 0) const {
        return FlowTag::vlanPort(bridge, net::VlanId{vlan}, address, portId(port));
    }
    FlowTag vlanFlood(net::Mac address, std::uint16_t vlan = 0) const {
        return FlowTag::vlanFlood(bridge, net::VlanId{vlan}, address);
    }

    const BridgeId bridge = bridgeId(1);
    SnapshotBuilder topology;
    WorkerState state;
};

}  // namespace midonet::simulation::testing
