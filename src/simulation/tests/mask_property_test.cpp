// The mask of a result is honest: whatever a packet has in the fields that were not looked at, it
// gets the same result. This is what makes one installed flow right for all packets it matches.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "flow/testing/key_blend.h"
#include "simulation/tests/bridge_fixture.h"

namespace midonet::simulation::testing {
namespace {

template <class T>
T any() {
    return *rc::gen::arbitrary<T>();
}

/// Often one that the router of the world has a route or a neighbour for.
net::Ipv4Address someAddress() {
    const auto host = *rc::gen::inRange<std::uint32_t>(0, 4);
    const auto net = *rc::gen::inRange<std::uint32_t>(0, 4);
    if (net == 0) return net::Ipv4Address{any<std::uint32_t>()};
    return net::Ipv4Address{0x0a000000 + (net << 16) + host};
}
net::IpAddress addressOf(std::uint16_t etherType) {
    if (etherType == 0x0800 || etherType == 0x0806) return someAddress();
    if (etherType == 0x86dd) return net::Ipv6Address{any<std::uint64_t>(), any<std::uint64_t>()};
    return {};
}

/// From a small world, so that lookups hit often.
net::Mac someMac() {
    const auto n = *rc::gen::inRange(0, 8);
    if (n == 5) return net::Mac{0x02aa00000000ULL + *rc::gen::inRange<std::uint64_t>(11, 13)};
    if (n == 6) return net::Mac::broadcast();
    if (n == 7) return net::Mac{0x01005e000001ULL};
    return mac(static_cast<std::uint64_t>(n));
}
flow::VlanTci someTci() {
    const auto n = *rc::gen::inRange(0, 4);
    if (n == 0) return {};
    return flow::VlanTci::tagged(net::VlanId{static_cast<std::uint16_t>((n - 1) * 10)}, any<std::uint8_t>() & 7);
}

flow::FlowKey someKey() {
    flow::FlowKey key;
    key.inPort = flow::PortNumber{*rc::gen::inRange(1U, 5U)};
    key.ethSource = someMac();
    key.ethDestination = someMac();
    key.etherType = *rc::gen::element<std::uint16_t>(0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x88b5);
    key.vlan = someTci();
    key.ipSource = addressOf(key.etherType);
    key.ipDestination = addressOf(key.etherType);
    key.ipProtocol = *rc::gen::element<std::uint8_t>(1, 2, 6, 17);
    key.ipTos = any<std::uint8_t>();
    key.ipTtl = *rc::gen::element<std::uint8_t>(0, 1, 2, 64, 255);
    key.ipFragment = static_cast<flow::Fragment>(*rc::gen::inRange(0, 3));
    key.l4Source = any<bool>() ? 8 : any<std::uint16_t>();
    key.l4Destination = any<std::uint16_t>();
    key.icmpId = any<std::uint16_t>();
    return key;
}

struct RandomWorld {
    topology::TopologySnapshotPtr snapshot;
    WorkerState state;
};
/// A router with port 12 bound and port 11, perhaps, on the bridge; random routes.
WorkerState addRouter(SnapshotBuilder& topology) {
    using topology::testing::routeTo;
    const auto router = topology::testing::routerId(1);
    topology.router(router, *rc::gen::inRange(0, 10) != 0);
    topology.routerPortWithRoutes(topology::testing::routerPort(11, router, "10.1.0.1/16"));
    topology.routerPortWithRoutes(topology::testing::activeRouterPort(12, router, "10.2.0.1/16"));
    auto link = activePort(6, bridgeId(1));
    link.host = {};
    topology.port(link);
    if (any<bool>()) topology.link(portId(6), portId(11));
    static constexpr const char* kDestinations[] = {"0.0.0.0/0", "10.3.0.0/16", "10.3.0.2/31", "10.0.0.0/8"};
    for (std::uint64_t n = 0, count = *rc::gen::inRange<std::uint64_t>(0, 5); n < count; ++n) {
        auto route = routeTo(n, kDestinations[*rc::gen::inRange(0, 4)], 11 + n % 2, any<bool>() ? "10.2.0.2" : "");
        route.type = *rc::gen::element(topology::Route::Type::Normal, topology::Route::Type::Normal, topology::Route::Type::BlackHole,
                                       topology::Route::Type::Reject);
        if (any<bool>()) route.source = net::IpPrefix::parse("10.1.0.0/16").value();
        topology.route(router, route);
    }
    WorkerState state;
    for (std::uint32_t host = 0; host < 4; ++host)
        if (any<bool>()) state.setArp(router, net::Ipv4Address{0x0a020000 + host}, mac(host), {});
    if (any<bool>()) state.setBridgeArp(bridgeId(1), net::Ipv4Address{0x0a010002}, mac(2));
    return state;
}
/// A port of the bridge, or the router's bound one.
PortId somePort() { return portId(*rc::gen::element<std::uint64_t>(1, 2, 3, 4, 5, 12, 12)); }

RandomWorld someWorld() {
    const auto bridge = bridgeId(1);
    SnapshotBuilder topology;
    topology.bridge(bridge, *rc::gen::inRange(0, 10) != 0);
    for (std::uint64_t n = 1; n <= 5; ++n) {
        auto port = activePort(n, bridge, any<bool>() ? 1 : 2);
        port.adminUp = *rc::gen::inRange(0, 6) != 0;
        port.active = *rc::gen::inRange(0, 6) != 0;
        if (any<bool>()) port.vlan = net::VlanId{static_cast<std::uint16_t>(*rc::gen::inRange(0, 3) * 10)};
        if (*rc::gen::inRange(0, 8) == 0) port.host = {};
        topology.port(port);
    }
    const auto arps = addRouter(topology);
    RandomWorld world{topology.build(), arps};
    const auto entries = *rc::gen::inRange(0, 12);
    for (int i = 0; i < entries; ++i)
        world.state.setMac(bridge, net::VlanId{static_cast<std::uint16_t>(*rc::gen::inRange(0, 3) * 10)},
                       mac(*rc::gen::inRange<std::uint64_t>(0, 6)), portId(*rc::gen::inRange<std::uint64_t>(1, 7)));
    return world;
}

Decision decisionOf(const SimulationResult& result) {
    if (const auto* forward = std::get_if<Forward>(&result)) return *forward;
    if (const auto* drop = std::get_if<Drop>(&result)) return *drop;
    return {};
}

RC_GTEST_PROP(MaskProperty, ResultDependsOnTheFieldsOfTheMaskOnly, ()) {
    const auto world = someWorld();
    const auto in = somePort();
    const auto key = someKey();
    const auto first = simulate({in, key}, *world.snapshot, world.state);

    const bool hasFlow = std::holds_alternative<Forward>(first) || std::holds_alternative<Drop>(first);
    if (!hasFlow || decisionOf(first).onlyThisPacket) return;
    auto mask = decisionOf(first).mask;
    mask.close();
    const auto twin = flow::testing::possibleBlend(mask, key, someKey());
    RC_ASSERT(mask.apply(twin) == mask.apply(key));
    const auto second = simulate({in, twin}, *world.snapshot, world.state);

    RC_ASSERT(first.index() == second.index());
    RC_ASSERT(decisionOf(first).mask == decisionOf(second).mask);
    RC_ASSERT(decisionOf(first).tags == decisionOf(second).tags);
    RC_ASSERT(decisionOf(first).effects == decisionOf(second).effects);
    if (const auto* forward = std::get_if<Forward>(&first)) {
        RC_ASSERT(forward->actions == std::get<Forward>(second).actions);
    }
    RC_ASSERT(decisionOf(first).flowClass == decisionOf(second).flowClass);
    if (const auto* drop = std::get_if<Drop>(&first)) {
        RC_ASSERT(drop->reason == std::get<Drop>(second).reason);
    }
}

RC_GTEST_PROP(MaskProperty, NoCopyGoesBackOrTwiceToOnePort, ()) {
    const auto world = someWorld();
    const auto in = portId(*rc::gen::inRange<std::uint64_t>(1, 6));
    const auto key = someKey();
    const auto result = simulate({in, key}, *world.snapshot, world.state);
    if (const auto* forward = std::get_if<Forward>(&result)) {
        std::vector<PortId> reached;
        for (const auto& action : forward->actions)
            if (const auto* to = std::get_if<ToPort>(&action)) reached.push_back(to->port);
        RC_ASSERT(!reached.empty());
        std::sort(reached.begin(), reached.end());
        RC_ASSERT(std::adjacent_find(reached.begin(), reached.end()) == reached.end());
        // A router sends on also to where the packet came from.
        const bool routed = std::any_of(forward->actions.begin(), forward->actions.end(),
                                        [](const auto& action) { return std::holds_alternative<flow::DecrementTtl>(action); });
        RC_ASSERT(routed || !std::binary_search(reached.begin(), reached.end(), in));
    }
}

}  // namespace
}  // namespace midonet::simulation::testing
