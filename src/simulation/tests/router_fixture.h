#pragma once

#include <gmock/gmock.h>

#include "packet/builder.h"
#include "packet/parse.h"
#include "packet/testing/packet_matchers.h"
#include "simulation/simulator.h"
#include "simulation/worker_state.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::simulation::testing {

using namespace packet;
using flow::DropReason;
using flow::Field;
using flow::FlowTag;
using packet::testing::EqualsPacket;
using topology::Route;
using topology::testing::activePort;
using topology::testing::activeRouterPort;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::routeId;
using topology::testing::routerId;
using topology::testing::routerPort;
using topology::testing::routeTo;
using topology::testing::SnapshotBuilder;

inline net::Ipv4Address ip(const char* text) { return Ipv4Literal(text).value; }
inline net::Mac vm(std::uint64_t n) { return net::Mac{0x020000000000ULL + n}; }
inline net::Mac routerMac(std::uint64_t port) { return net::Mac{0x02aa00000000ULL + port}; }

/// As a datapath would see the frame.
inline flow::FlowKey keyOf(ByteView frame) {
    const auto parsed = parse(frame).value();
    flow::FlowKey key;
    key.inPort = flow::PortNumber{7};
    key.ethSource = parsed.source;
    key.ethDestination = parsed.destination;
    key.etherType = parsed.etherType;
    if (parsed.vlanCount > 0) key.vlan = flow::VlanTci{static_cast<std::uint16_t>(parsed.vlanTags[0].tci | flow::VlanTci::kPresent)};
    key.ipSource = parsed.ipSource;
    key.ipDestination = parsed.ipDestination;
    key.ipProtocol = parsed.isArp() ? static_cast<std::uint8_t>(parsed.arpOperation) : parsed.ipProtocol;
    key.ipTos = parsed.tos;
    key.ipTtl = parsed.ttl;
    key.ipFragment = static_cast<flow::Fragment>(parsed.fragment);
    key.l4Source = parsed.sourcePort;
    key.l4Destination = parsed.destinationPort;
    key.icmpId = parsed.icmpId;
    return key;
}

template <class T, class Variants>
std::vector<T> only(const Variants& variants) {
    std::vector<T> out;
    for (const auto& v : variants)
        if (const auto* t = std::get_if<T>(&v)) out.push_back(*t);
    return out;
}

/// A router between bridge 1 (10.0.1.0/24, port 21 to the router's 11, machine 1 at 10.0.1.5 on port 1), bridge 2
/// (the same with 2) and an uplink (port 13, 192.0.2.2/24, default gateway 192.0.2.1). The bridges know their
/// machines; nobody has asked for the gateway yet.
class RouterFixture : public ::testing::Test {
protected:
    RouterFixture() {
        topology.router(router);
        for (std::uint64_t n = 1; n <= 2; ++n) {
            topology.bridge(bridgeId(n)).port(activePort(n, bridgeId(n)));
            auto link = activePort(20 + n, bridgeId(n));
            link.host = {};
            topology.port(link).routerPortWithRoutes(routerPort(10 + n, router, fmt::format("10.0.{}.1/24", n)));
            topology.link(portId(20 + n), portId(10 + n));
            state.setMac(bridgeId(n), {}, vm(n), portId(n));
            state.setBridgeArp(bridgeId(n), ip(n == 1 ? "10.0.1.5" : "10.0.2.5"), vm(n));
        }
        topology.routerPortWithRoutes(activeRouterPort(13, router, "192.0.2.2/24"));
        topology.route(router, routeTo(3, "0.0.0.0/0", 13, "192.0.2.1"));
    }

    void setPort(std::uint64_t number, auto change) {
        auto port = *topology.build()->port(portId(number));
        change(port);
        topology.port(port);
    }
    void addRoute(Route::Type type, const char* destination) {
        auto route = routeTo(4, destination, 13);
        route.type = type;
        topology.route(router, route);
    }
    void gatewayIsKnown() { state.setArp(router, ip("192.0.2.1"), vm(99), {}); }

    SimulationResult send(std::uint64_t port, const Packet& packet, Trace* trace = nullptr) {
        const auto frame = packet.toBytes();
        const auto key = keyOf(frame);
        return simulate({portId(port), key, frame}, *topology.build(), state, trace);
    }
    template <class Expected>
    Expected sendAndGet(std::uint64_t port, const Packet& packet) {
        auto result = send(port, packet);
        if (auto* expected = std::get_if<Expected>(&result)) return std::move(*expected);
        const auto* drop = std::get_if<Drop>(&result);
        ADD_FAILURE() << "result " << result.index() << " " << (drop ? toString(drop->reason) : "");
        return {};
    }
    /// ... is dropped for this reason, and the sender is told this, or nothing.
    Drop dropped(std::uint64_t port, const Packet& packet, DropReason reason) {
        auto drop = sendAndGet<Drop>(port, packet);
        EXPECT_EQ(toString(drop.reason), toString(reason));
        return drop;
    }
    static std::vector<std::uint8_t> toldThrough(const Decision& decision, std::uint64_t port) {
        const auto frames = only<SendFrame>(decision.events);
        EXPECT_EQ(frames.size(), 1U);
        if (frames.size() != 1) return {};
        EXPECT_EQ(frames[0].port, portId(port));
        EXPECT_TRUE(frames[0].isError);
        return frames[0].frame;
    }
    static bool tagged(const Decision& decision, FlowTag tag) {
        return std::find(decision.tags.begin(), decision.tags.end(), tag) != decision.tags.end();
    }
    static Packet fromVm1(const char* destination, std::uint8_t ttl = 64) {
        return eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", destination).ttl(ttl) / udp(1000, 53) / "hello";
    }

    const RouterId router = routerId(1);
    SnapshotBuilder topology;
    WorkerState state;
};

}  // namespace midonet::simulation::testing
