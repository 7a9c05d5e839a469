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

net::IpAddress anyAddress() {
    if (any<bool>()) return net::Ipv4Address{any<std::uint32_t>()};
    return net::Ipv6Address{any<std::uint64_t>(), any<std::uint64_t>()};
}

/// From a small world, so that lookups hit often.
net::Mac someMac() {
    const auto n = *rc::gen::inRange(0, 8);
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
    key.etherType = any<std::uint16_t>();
    key.vlan = someTci();
    key.ipSource = anyAddress();
    key.ipDestination = anyAddress();
    key.ipProtocol = any<std::uint8_t>();
    key.ipTos = any<std::uint8_t>();
    key.ipTtl = any<std::uint8_t>();
    key.ipFragment = static_cast<flow::Fragment>(*rc::gen::inRange(0, 3));
    key.l4Source = any<std::uint16_t>();
    key.l4Destination = any<std::uint16_t>();
    key.icmpId = any<std::uint16_t>();
    return key;
}

struct RandomWorld {
    topology::TopologySnapshotPtr snapshot;
    MacTables macs;
};
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
    RandomWorld world{topology.build(), {}};
    const auto entries = *rc::gen::inRange(0, 12);
    for (int i = 0; i < entries; ++i)
        world.macs.set(bridge, net::VlanId{static_cast<std::uint16_t>(*rc::gen::inRange(0, 3) * 10)},
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
    const auto in = portId(*rc::gen::inRange<std::uint64_t>(1, 6));
    const auto key = someKey();
    const auto first = simulate({in, key}, *world.snapshot, world.macs);

    auto mask = decisionOf(first).mask;
    mask.close();
    const auto twin = flow::testing::blend(mask, key, someKey());
    RC_ASSERT(mask.apply(twin) == mask.apply(key));
    const auto second = simulate({in, twin}, *world.snapshot, world.macs);

    RC_ASSERT(first.index() == second.index());
    RC_ASSERT(decisionOf(first).mask == decisionOf(second).mask);
    RC_ASSERT(decisionOf(first).tags == decisionOf(second).tags);
    RC_ASSERT(decisionOf(first).effects == decisionOf(second).effects);
    if (const auto* forward = std::get_if<Forward>(&first)) {
        RC_ASSERT(forward->actions == std::get<Forward>(second).actions);
    }
    if (const auto* drop = std::get_if<Drop>(&first)) {
        RC_ASSERT(drop->reason == std::get<Drop>(second).reason);
    }
}

RC_GTEST_PROP(MaskProperty, NoCopyGoesBackOrTwiceToOnePort, ()) {
    const auto world = someWorld();
    const auto in = portId(*rc::gen::inRange<std::uint64_t>(1, 6));
    const auto key = someKey();
    const auto result = simulate({in, key}, *world.snapshot, world.macs);
    if (const auto* forward = std::get_if<Forward>(&result)) {
        std::vector<PortId> reached;
        for (const auto& action : forward->actions)
            if (const auto* to = std::get_if<ToPort>(&action)) reached.push_back(to->port);
        RC_ASSERT(!reached.empty());
        std::sort(reached.begin(), reached.end());
        RC_ASSERT(std::adjacent_find(reached.begin(), reached.end()) == reached.end());
        RC_ASSERT(!std::binary_search(reached.begin(), reached.end(), in));
    }
}

}  // namespace
}  // namespace midonet::simulation::testing
