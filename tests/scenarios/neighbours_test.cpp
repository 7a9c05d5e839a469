// Neighbours of routers over time: who knows them, for how long, and what outlives the agent that heard them.
#include <gtest/gtest.h>

#include "matchers.h"
#include "network.h"

namespace midonet::scenarios {
namespace {

using namespace std::chrono_literals;
using namespace packet;
using ::testing::Contains;
using ::testing::Not;

class NeighboursTest : public ::testing::Test {
protected:
    World world;
    Network network{world};
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId left = world.bridge();
    const BridgeId right = world.bridge();
    const RouterId router = network.router();
    const RouterPort leftPort = network.attach(router, left, "10.0.1.1/24");
    const RouterPort rightPort = network.attach(router, right, "10.0.2.1/24");
    const Vm a = network.machine(left, first, "10.0.1.2");
    const Vm b = network.machine(right, second, "10.0.2.2");
    const Packet out = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2) / "x";
    const Packet atB = eth(rightPort.mac, b.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(63) / udp(1, 2) / "x";
};

TEST_F(NeighboursTest, WhatADeadAgentHeardHoldsUntilItsTimeIsOver) {
    world.send(a, out);
    const auto before = world.stats(first).simulations;
    world.killAgent(second);
    EXPECT_THAT(world.send(a, out), Delivers({{b, atB}}));
    EXPECT_EQ(world.stats(first).simulations, before) << "the flow goes on";
    world.startAgent(second);
    EXPECT_THAT(world.send(a, out), Delivers({{b, atB}}));
}

TEST_F(NeighboursTest, OneThatIsUsedIsAskedForAgainBeforeItIsTooOld) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    world.send(a, out);
    const auto before = world.stats(first).waitingPackets;
    for (int i = 0; i < 12; ++i) {
        world.advance(20s);
        EXPECT_THAT(world.send(a, out), Delivers({{b, atB}})) << i;
    }
    EXPECT_EQ(world.stats(first).waitingPackets, before) << "no packet ever waited again";
    EXPECT_EQ(world.drops(first, flow::DropReason::WaitingTooLong), 0U);
}

TEST_F(NeighboursTest, AStaleOneIsUsedWhileItIsAskedFor) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    const auto silent = world.vm(right, second);
    const auto toSilent = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(1, 2) / "x";
    const auto atSilent = eth(rightPort.mac, silent.mac) / ipv4("10.0.1.2", "10.0.2.9").ttl(63) / udp(1, 2) / "x";
    const Delivery arrived{silent.name, unpadded(atSilent.toBytes())};  // others may get it too: its bridge forgets it
    world.sendOnce(silent, (eth(silent.mac, rightPort.mac) / arpReply(silent.mac, "10.0.2.9", rightPort.mac, "10.0.2.1")).toBytes());
    world.collect();
    EXPECT_THAT(world.send(a, toSilent), Delivers({{silent, atSilent}}));
    const auto questions = world.stats(first).framesMade;
    for (int i = 0; i < 4; ++i) {
        world.advance(20s);
        EXPECT_THAT(world.send(a, toSilent), Contains(arrived)) << i;
    }
    EXPECT_GT(world.stats(first).framesMade, questions) << "it was asked for meanwhile, and did not answer";
    world.advance(20s);
    EXPECT_THAT(world.sendOnce(a, toSilent.toBytes()), Not(Contains(arrived))) << "after 90 s it is not known any more";
    EXPECT_EQ(world.stats(first).waitingPackets, 1U);
}

TEST_F(NeighboursTest, OneThatNobodyUsesIsForgotten) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    world.send(a, out);
    EXPECT_EQ(world.neighbours(first), 1U);
    world.advance(240s);
    EXPECT_EQ(world.neighbours(first), 0U);
    EXPECT_THAT(world.send(a, out), Delivers({{b, atB}})) << "asked for anew";
}

}  // namespace
}  // namespace midonet::scenarios
