// Between hosts: zones, keys, routes that come and go.
#include <gtest/gtest.h>

#include "matchers.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using flow::DropReason;

class TunnelTypesTest : public ::testing::TestWithParam<datapath::TunnelType> {};

TEST_P(TunnelTypesTest, MachinesOfThreeHostsReachEachOther) {
    World world{{.tunnels = GetParam()}};
    const auto bridge = world.bridge();
    std::vector<Vm> vms;
    for (int i = 0; i < 3; ++i) vms.push_back(world.vm(bridge, world.host()));
    for (const auto& from : vms) {
        const auto shout = eth(from.mac, net::Mac::broadcast()) / "x";
        std::vector<Vm> others;
        for (const auto& vm : vms)
            if (vm.port != from.port) others.push_back(vm);
        EXPECT_THAT(world.send(from, shout), DeliversTo(others, shout));
    }
    const auto frame = eth(vms[0].mac, vms[2].mac) / "x";
    EXPECT_THAT(world.send(vms[0], frame), Delivers({{vms[2], frame}}));
}

INSTANTIATE_TEST_SUITE_P(All, TunnelTypesTest, ::testing::Values(datapath::TunnelType::Gre, datapath::TunnelType::Vxlan),
                         [](const auto& test) { return test.param == datapath::TunnelType::Gre ? "Gre" : "Vxlan"; });

class TunnelsTest : public ::testing::Test {
protected:
    World world;
    const HostName first = world.host();
    const HostName second = world.hostWithoutTunnels();
    const BridgeId bridge = world.bridge();
    const Vm a = world.vm(bridge, first);
    const Vm b = world.vm(bridge, first);
    const Vm c = world.vm(bridge, second);
    const Packet shout = eth(a.mac, net::Mac::broadcast()) / "x";
    const Packet toC = eth(a.mac, c.mac) / "x";
};

TEST_F(TunnelsTest, HostWithoutTunnelIsLeftOutOfFloodsUntilItHasOne) {
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
    world.joinTunnelZone(second);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout)) << "the flood flow ended with the new route";
    world.leaveTunnelZone(second);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
}

TEST_F(TunnelsTest, NoRouteIsADropThatEndsWithTheRoute) {
    world.send(c, eth(c.mac, net::Mac::broadcast()) / "known through the store");
    EXPECT_THAT(world.send(a, toC), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::NoTunnelRoute), 1U);
    world.joinTunnelZone(second);
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
}

TEST_F(TunnelsTest, UnknownTunnelKeyIsDroppedAndCounted) {
    world.joinTunnelZone(second);
    const auto frame = (eth(c.mac, a.mac) / "x").toBytes();
    const net::TunnelKey unknown{net::kLocalTunnelKeyType | 0xabcde};
    EXPECT_THAT(world.sendTunnelled(second, first, unknown, frame), DeliversNothing());
    EXPECT_THAT(world.sendTunnelled(second, first, unknown, frame), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::UnknownTunnelKey), 1U) << "the second takes the drop flow";
}

TEST_F(TunnelsTest, KeyStandsForItsPortWhateverTheFrameSays) {
    world.joinTunnelZone(second);
    net::TunnelKey key;
    for (const auto& [k, port] : world.agent(first).map()->keys)
        if (port == b.port) key = k;
    // Addressed to a, under b's key: the ingress host has decided.
    const auto frame = eth(c.mac, a.mac) / "x";
    EXPECT_THAT(world.sendTunnelled(second, first, key, frame.toBytes()), Delivers({{b, frame}}));
}

TEST_F(TunnelsTest, OneFlowUntunnelsEverythingForAPort) {
    world.joinTunnelZone(second);
    world.send(c, eth(c.mac, a.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2));
    world.send(a, eth(a.mac, c.mac) / "x");
    const auto before = world.stats(first).upcalls;
    for (unsigned i = 0; i < 5; ++i)
        world.sendOnce(c, (eth(c.mac, a.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(i, i)).toBytes());
    EXPECT_EQ(world.stats(first).upcalls, before);
}

TEST_F(TunnelsTest, UntunnelledFrameIsNotSentOnToAThirdHost) {
    world.joinTunnelZone(second);
    const auto third = world.host();
    const auto d = world.vm(bridge, third);
    const auto fromC = eth(c.mac, net::Mac::broadcast()) / "x";
    EXPECT_THAT(world.send(c, fromC), DeliversTo({a, b, d}, fromC)) << "each exactly once";
}

}  // namespace
}  // namespace midonet::scenarios
