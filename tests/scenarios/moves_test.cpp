// Addresses and machines move.
#include <gtest/gtest.h>

#include "matchers.h"

namespace midonet::scenarios {
namespace {

using namespace packet;

class MovesTest : public ::testing::Test {
protected:
    World world{{.workers = 2}};
    const HostName first = world.host();
    const HostName second = world.host();
    const HostName third = world.host();
    const BridgeId bridge = world.bridge();
    const Vm a = world.vm(bridge, first);
    const Vm b = world.vm(bridge, first);
    const Vm c = world.vm(bridge, second);
    const Vm d = world.vm(bridge, third);
    const net::Mac virtualMac{0x00005e000101ULL};

    void claim(const Vm& vm) {
        world.sendOnce(vm, (eth(virtualMac, net::Mac::broadcast()) / arpReply(virtualMac, "10.0.0.100", virtualMac, "10.0.0.100")).toBytes());
    }
    void expectAt(const Vm& owner) {
        for (const auto& from : {a, b, c, d}) {
            if (from.port == owner.port) continue;
            const auto frame = eth(from.mac, virtualMac) / "x";
            EXPECT_THAT(world.send(from, frame), Delivers({{owner, frame}})) << "from " << from.name;
        }
    }
};

TEST_F(MovesTest, MacFollowsBetweenPortsOfOneHost) {
    claim(a);
    expectAt(a);
    claim(b);
    expectAt(b);
    claim(a);
    expectAt(a);
}

TEST_F(MovesTest, MacFollowsBetweenHosts) {
    claim(a);
    expectAt(a);
    claim(c);
    expectAt(c);
    claim(d);
    expectAt(d);
    claim(a);
    expectAt(a);
}

TEST_F(MovesTest, MacThatIsHeardAtTwoPlacesIsAtTheLast) {
    for (int round = 0; round < 5; ++round) {
        claim(a);
        claim(c);
        expectAt(c);
        claim(b);
        expectAt(b);
    }
}

TEST_F(MovesTest, MacIsForgottenAfterItsLastFlow) {
    if (!world.flowsExpire()) GTEST_SKIP() << "this datapath keeps its own time";
    claim(c);
    expectAt(c);
    // Flows last 60 s without traffic (looked at every 60 s), the entry 15 s longer.
    world.advance(std::chrono::seconds{150});
    EXPECT_EQ(world.stats(second).learnedMacs, 0U);
    const auto frame = eth(a.mac, virtualMac) / "x";
    EXPECT_THAT(world.send(a, frame), DeliversTo({b, c, d}, frame)) << "unknown again";
}

TEST_F(MovesTest, MacThatKeepsSpeakingIsKept) {
    claim(c);
    for (int i = 0; i < 30; ++i) {
        world.advance(std::chrono::seconds{10});
        world.sendOnce(c, (eth(virtualMac, a.mac) / "still here").toBytes());
    }
    expectAt(c);
}

TEST_F(MovesTest, MacThatOnlyListensIsForgottenByAll) {
    if (!world.flowsExpire()) GTEST_SKIP() << "this datapath keeps its own time";
    claim(c);
    for (int i = 0; i < 20; ++i) {
        world.advance(std::chrono::seconds{10});
        world.sendOnce(a, (eth(a.mac, virtualMac) / "to you").toBytes());
    }
    const auto frame = eth(a.mac, virtualMac) / "x";
    EXPECT_THAT(world.send(a, frame), DeliversTo({b, c, d}, frame));
}

TEST_F(MovesTest, MachineMovesToAnotherHost) {
    world.send(c, eth(c.mac, net::Mac::broadcast()) / "hello");
    const auto toC = eth(a.mac, c.mac) / "x";
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    world.unbind(c);
    world.bind(c, third);
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}})) << "it has not spoken yet, but its port is known";
    world.advance(std::chrono::seconds{3});
    EXPECT_THAT(world.send(a, toC), DeliversTo({b, c, d}, toC)) << "flooded, not lost";
    world.send(c, eth(c.mac, net::Mac::broadcast()) / "hello again");
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    EXPECT_THAT(world.send(d, eth(d.mac, c.mac) / "x"), DeliversTo({c}, eth(d.mac, c.mac) / "x")) << "now on the same host";
}

TEST_F(MovesTest, MachineMovesHomeAndAway) {
    world.unbind(c);
    world.bind(c, first);
    world.send(c, eth(c.mac, net::Mac::broadcast()) / "hello");
    const auto toC = eth(a.mac, c.mac) / "x";
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    world.unbind(c);
    world.bind(c, second);
    world.send(c, eth(c.mac, net::Mac::broadcast()) / "hello");
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
}

TEST_F(MovesTest, SecondAddressBehindAPortThatLeavesGoesWithIt) {
    claim(a);
    world.send(b, eth(virtualMac, c.mac) / "it moved to b meanwhile");
    world.unbind(a);
    const auto frame = eth(c.mac, virtualMac) / "x";
    EXPECT_THAT(world.send(c, frame), Delivers({{b, frame}})) << "a's port takes only what is still behind it";
}

}  // namespace
}  // namespace midonet::scenarios
