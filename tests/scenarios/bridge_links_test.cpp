// Bridges that are linked, and trunks to physical switches.
#include <gtest/gtest.h>

#include "matchers.h"
#include "network.h"

namespace midonet::scenarios {
namespace {

using namespace packet;

TEST(BridgeLinksTest, FloodsReachWhatALinkLeadsToFromThenOn) {
    World world;
    Network network{world};
    const auto first = world.host();
    const auto second = world.host();
    const auto left = world.bridge();
    const auto right = world.bridge();
    const auto a = world.vm(left, first);
    const auto b = world.vm(left, second);
    const auto c = world.vm(right, second);
    const auto leftEnd = network.bridgePort(left);
    const auto rightEnd = network.bridgePort(right);
    const auto shout = eth(a.mac, net::Mac::broadcast()) / "is anybody here?";
    const auto toC = eth(a.mac, c.mac) / "to you";
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
    EXPECT_THAT(world.send(a, toC), DeliversTo({b}, toC)) << "unknown";
    network.link(leftEnd, rightEnd);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
    EXPECT_THAT(world.send(a, toC), DeliversTo({b, c}, toC));
    world.send(c, eth(c.mac, a.mac) / "I am here");
    EXPECT_THAT(world.send(a, toC), DeliversTo({c}, toC));
    network.unlink(leftEnd);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
}

/// A physical switch on VLAN 10, by two trunks on two hosts; one of them forwards at a time, as its spanning tree says.
class TrunkTest : public ::testing::Test {
protected:
    World world;
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm vm = world.vm(bridge, first, {.vlan = 10});
    const Vm trunk = world.vm(bridge, first);
    const Vm otherTrunk = world.vm(bridge, second);
    const net::Mac physical{0x02dd00000001ULL};  // a machine behind the switch

    Packet toPhysical() const { return eth(vm.mac, physical) / ipv4("10.0.0.1", "10.0.0.9") / icmpEcho(1, 1) / "out"; }
    Packet tagged() const { return eth(vm.mac, physical) / vlan(10) / ipv4("10.0.0.1", "10.0.0.9") / icmpEcho(1, 1) / "out"; }
    void speakThrough(const Vm& way) {
        const auto answer = [&](auto head) { return std::move(head) / ipv4("10.0.0.9", "10.0.0.1") / icmpEchoReply(1, 1) / "back"; };
        EXPECT_THAT(world.send(way, answer(eth(physical, vm.mac) / vlan(10))), Delivers({{vm, answer(Packet{eth(physical, vm.mac)})}}));
    }
    void expectThrough(const Vm& way) { EXPECT_THAT(world.send(vm, toPhysical()), Delivers({{way, tagged()}})); }
    void SetUp() override {
        world.send(vm, eth(vm.mac, net::Mac::broadcast()) / "hello to all of you");
        speakThrough(trunk);
        expectThrough(trunk);
    }
};

TEST_F(TrunkTest, FailsWithoutLosingItsLinkAndComesBack) {
    for (int round = 0; round < 3; ++round) {
        speakThrough(otherTrunk);
        expectThrough(otherTrunk);
        speakThrough(trunk);
        expectThrough(trunk);
    }
}

TEST_F(TrunkTest, FailsWithItsLinkAndComesBack) {
    world.setInterfacePresent(trunk, false);
    EXPECT_THAT(world.send(vm, toPhysical()), ::testing::Not(::testing::Contains(::testing::Field(&Delivery::vm, trunk.name))));
    speakThrough(otherTrunk);
    expectThrough(otherTrunk);
    world.setInterfacePresent(trunk, true);
    expectThrough(otherTrunk);
    speakThrough(trunk);
    expectThrough(trunk);
}

TEST_F(TrunkTest, ALoopThatPassesIsForgottenWithTheNextFrame) {
    // Both trunks forward for a moment: the machine's own frame comes back in.
    const auto echoed = eth(vm.mac, net::Mac::broadcast()) / vlan(10) / "hello to all of you";
    world.sendOnce(otherTrunk, echoed.toBytes());
    const auto answer = eth(physical, vm.mac) / vlan(10) / "now behind the other trunk";
    EXPECT_THAT(world.send(trunk, answer), DeliversTo({otherTrunk}, answer));
    world.send(vm, eth(vm.mac, net::Mac::broadcast()) / "hello to all of you");
    speakThrough(trunk);
    expectThrough(trunk);
}

}  // namespace
}  // namespace midonet::scenarios
