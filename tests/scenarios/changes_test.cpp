// The topology changes under flows: they end at once, and no others.
#include <gtest/gtest.h>

#include "matchers.h"
#include "model/topology.pb.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using flow::DropReason;
using ::testing::Not;

class ChangesTest : public ::testing::Test {
protected:
    World world;
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm a = world.vm(bridge, first);
    const Vm b = world.vm(bridge, first);
    const Vm c = world.vm(bridge, second);
    const Packet shout = eth(a.mac, net::Mac::broadcast()) / "x";
    const Packet toB = eth(a.mac, b.mac) / "x";
    const Packet toC = eth(a.mac, c.mac) / "x";

    void SetUp() override {
        for (const auto& vm : {a, b, c}) world.sendOnce(vm, (eth(vm.mac, net::Mac::broadcast()) / "hello").toBytes());
    }
};

TEST_F(ChangesTest, BridgeDownAndUp) {
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    world.setBridgeUp(bridge, false);
    EXPECT_THAT(world.send(a, toC), DeliversNothing());
    EXPECT_THAT(world.send(a, shout), DeliversNothing());
    EXPECT_GE(world.drops(first, DropReason::BridgeAdminDown), 1U);
    world.setBridgeUp(bridge, true);
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
}

TEST_F(ChangesTest, IngressPortDownAndUp) {
    EXPECT_THAT(world.send(a, toB), Delivers({{b, toB}}));
    world.setPortUp(a, false);
    EXPECT_THAT(world.send(a, toB), DeliversNothing());
    EXPECT_THAT(world.send(a, shout), DeliversNothing());
    world.setPortUp(a, true);
    EXPECT_THAT(world.send(a, toB), Delivers({{b, toB}}));
}

TEST_F(ChangesTest, EgressPortDownAndUpLocalAndRemote) {
    for (const auto& [vm, frame] : {std::pair{b, toB}, std::pair{c, toC}}) {
        EXPECT_THAT(world.send(a, frame), Delivers({{vm, frame}}));
        world.setPortUp(vm, false);
        EXPECT_THAT(world.send(a, frame), DeliversNothing());
        world.setPortUp(vm, true);
        EXPECT_THAT(world.send(a, frame), Delivers({{vm, frame}}));
    }
}

TEST_F(ChangesTest, OnePortDownDuringABroadcastLeavesTheOthers) {
    world.setPortUp(b, false);
    EXPECT_THAT(world.send(a, shout), DeliversTo({c}, shout));
    world.setPortUp(b, true);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
}

TEST_F(ChangesTest, ANewMachineGetsTheNextBroadcast) {
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
    const auto d = world.vm(bridge, second);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c, d}, shout));
}

TEST_F(ChangesTest, ANewMachineEndsFloodsOnly) {
    world.send(a, toB);
    world.send(a, shout);
    const auto before = world.stats(first).upcalls;
    world.vm(bridge, first);
    world.send(a, toB);
    EXPECT_EQ(world.stats(first).upcalls, before) << "the unicast flow stays";
    world.send(a, shout);
    EXPECT_EQ(world.stats(first).upcalls, before + 1);
}

TEST_F(ChangesTest, ChangesOfAnotherBridgeEndNothingHere) {
    const auto other = world.bridge();
    const auto d = world.vm(other, first);
    world.send(a, toB);
    world.send(a, shout);
    const auto before = world.stats(first).upcalls;
    world.setPortUp(d, false);
    world.setBridgeUp(other, false);
    world.removePort(d);
    world.send(a, toB);
    world.send(a, shout);
    EXPECT_EQ(world.stats(first).upcalls, before);
}

TEST_F(ChangesTest, InterfaceGoesAndComesBack) {
    for (const auto& [vm, frame] : {std::pair{b, toB}, std::pair{c, toC}}) {
        world.send(a, frame);
        world.setInterfacePresent(vm, false);
        EXPECT_THAT(world.send(a, frame), Not(DeliversTo({vm}, frame)));
        EXPECT_THAT(world.send(a, shout), DeliversTo({vm.port == b.port ? c : b}, shout));
        world.setInterfacePresent(vm, true);
        world.send(vm, eth(vm.mac, a.mac) / "back");
        EXPECT_THAT(world.send(a, frame), Delivers({{vm, frame}}));
    }
}

TEST_F(ChangesTest, UnboundPortIsCutOffAtOnce) {
    world.send(a, toC);
    world.unbind(c);
    EXPECT_THAT(world.send(a, toC), DeliversTo({b}, toC)) << "its port is gone: where it is now is unknown";
    world.advance(std::chrono::seconds{3});
    EXPECT_THAT(world.send(a, toC), DeliversTo({b}, toC));
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
    world.bind(c, second);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
}

TEST_F(ChangesTest, RemovedPortAndBridge) {
    world.send(a, toC);
    world.removePort(c);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
    world.removeBridge(bridge);
    EXPECT_THAT(world.send(a, shout), DeliversNothing());
    EXPECT_EQ(world.flows(second).size(), 0U);
}

TEST_F(ChangesTest, LastPortOfAHostDropsItsInterestInTheBridge) {
    const auto other = world.bridge();
    const auto before = world.watchCount(second);
    world.vm(other, first);
    EXPECT_EQ(world.watchCount(second), before) << "a bridge that this host has nothing on is not followed";
    const auto e = world.vm(other, second);
    EXPECT_GT(world.watchCount(second), before);
    world.unbind(e);
    EXPECT_EQ(world.watchCount(second), before);
    EXPECT_FALSE(world.agent(second).snapshot()->bridges.contains(other));
    EXPECT_TRUE(world.agent(first).snapshot()->bridges.contains(other));
}

TEST_F(ChangesTest, PortThatChangesItsBridgeTakesNothingAlong) {
    const auto other = world.bridge();
    const auto d = world.vm(other, first);
    world.send(a, toB);
    world.changePort(b.port, [&](model::Port& port) { port.set_bridge_id(other.uuid().toBytes()); });
    EXPECT_THAT(world.send(a, shout), DeliversTo({c}, shout));
    const auto fromB = eth(b.mac, net::Mac::broadcast()) / "x";
    EXPECT_THAT(world.send(b, fromB), DeliversTo({d}, fromB));
    EXPECT_THAT(world.send(a, toB), Not(DeliversTo({b}, toB))) << "the old table may lead nowhere, never into the other bridge";
}

TEST_F(ChangesTest, ForwardingGoesOnWithoutTheStore) {
    world.cutFromStore(first, true);
    const net::Mac fresh{0x02bb00000001ULL};
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    const auto fromFresh = eth(fresh, b.mac) / "x";
    EXPECT_THAT(world.send(a, fromFresh), Delivers({{b, fromFresh}}));
    EXPECT_THAT(world.send(b, eth(b.mac, fresh) / "x"), DeliversTo({a}, eth(b.mac, fresh) / "x"));
    world.cutFromStore(first, false);
    world.advance(std::chrono::seconds{5});
    EXPECT_THAT(world.send(c, eth(c.mac, fresh) / "x"), DeliversTo({a}, eth(c.mac, fresh) / "x"))
        << "what was learned meanwhile is told when the store is back";
}

TEST_F(ChangesTest, RestartOfAnAgentIsNotNoticedByOthers) {
    world.send(a, toC);
    world.send(c, eth(c.mac, a.mac) / "x");
    const auto before = world.stats(first).upcalls;
    world.killAgent(second);
    world.advance(std::chrono::seconds{3});
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    EXPECT_EQ(world.stats(first).upcalls, before) << "the flow stays: a dead agent's datapath goes on";
    world.startAgent(second);
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    EXPECT_EQ(world.stats(first).upcalls, before);
    EXPECT_THAT(world.send(c, eth(c.mac, a.mac) / "x"), DeliversTo({a}, eth(c.mac, a.mac) / "x"));
    world.advance(std::chrono::seconds{40});
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
}

TEST_F(ChangesTest, PacketThatWaitedForTheNextAgentArrives) {
    world.killAgent(first);
    EXPECT_THAT(world.sendOnce(a, toC.toBytes()), DeliversNothing());
    world.startAgent(first);
    EXPECT_THAT(world.collect(), Delivers({{c, toC}}));
}

TEST_F(ChangesTest, PacketThatWaitedForTooLongIsDropped) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    world.killAgent(first);
    world.sendOnce(a, toC.toBytes());
    world.advance(std::chrono::hours{1});
    world.startAgent(first);
    EXPECT_THAT(world.collect(), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::WaitingTooLong), 1U);
}

TEST_F(ChangesTest, AgentThatStaysDeadIsForgotten) {
    world.send(a, shout);
    world.killAgent(second);
    world.advance(std::chrono::seconds{40});
    EXPECT_THAT(world.send(a, shout), DeliversTo({b}, shout));
    world.startAgent(second);
    EXPECT_THAT(world.send(a, shout), DeliversTo({b, c}, shout));
}

}  // namespace
}  // namespace midonet::scenarios
