// Bridges linked with each other, plain and VLAN-aware, and what floods do there (reference 3.5, 3.7, 3.8).
#include "simulation/packet_walk.h"
#include "simulation/tests/router_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::ElementsAre;

flow::VlanTci tag(std::uint16_t id) { return flow::VlanTci::tagged(net::VlanId{id}); }

class BridgeLinkTest : public RouterFixture {
protected:
    /// Ports `a` and `b` of two bridges, linked; `vlan` is that of b.
    void link(std::uint64_t a, const BridgeId& bridgeA, std::uint64_t b, const BridgeId& bridgeB, std::uint16_t vlan = 0) {
        for (const auto& [number, bridge, id] : {std::tuple{a, bridgeA, std::uint16_t{0}}, std::tuple{b, bridgeB, vlan}}) {
            auto port = activePort(number, bridge);
            port.host = {};
            port.vlan = net::VlanId{id};
            topology.port(port);
        }
        topology.link(portId(a), portId(b));
    }
    void plainBridge(std::uint64_t number, std::uint64_t port) { topology.bridge(bridgeId(number)).port(activePort(port, bridgeId(number))); }
    static Packet toAll(std::uint64_t from) { return eth(vm(from), net::Mac::broadcast()) / ipv4("10.0.1.5", "255.255.255.255") / udp(1, 2); }
    static VirtualAction to(std::uint64_t port) { return ToPort{portId(port)}; }
};

TEST_F(BridgeLinkTest, FloodCrossesAPlainLinkBothWays) {
    plainBridge(3, 30);
    link(41, bridgeId(1), 43, bridgeId(3));
    const auto result = sendAndGet<Forward>(1, toAll(1));
    EXPECT_THAT(result.actions, ElementsAre(to(30)));
    EXPECT_THAT(only<LearnMac>(result.effects), ElementsAre(LearnMac{bridgeId(1), {}, vm(1), portId(1)}, LearnMac{bridgeId(3), {}, vm(1), portId(43)}));
    EXPECT_THAT(sendAndGet<Forward>(30, toAll(30)).actions, ElementsAre(to(1)));
}

TEST_F(BridgeLinkTest, MacLearnedBehindALinkIsReachedThroughIt) {
    plainBridge(3, 30);
    plainBridge(4, 40);
    link(41, bridgeId(1), 43, bridgeId(3));
    link(42, bridgeId(1), 44, bridgeId(4));
    state.setMac(bridgeId(1), {}, vm(30), portId(41));
    state.setMac(bridgeId(3), {}, vm(30), portId(30));
    EXPECT_THAT(sendAndGet<Forward>(1, eth(vm(1), vm(30)) / ipv4("10.0.1.5", "10.0.1.6") / udp(1, 2)).actions, ElementsAre(to(30)));
}

TEST_F(BridgeLinkTest, RouterBehindAFurtherBridgeIsReachedByFloodThenByLearning) {
    plainBridge(3, 30);
    link(43, bridgeId(3), 41, bridgeId(1));
    const Packet packet = eth(vm(30), routerMac(11)) / ipv4("10.0.1.30", "10.0.2.5") / udp(1, 2);
    EXPECT_THAT(only<ToPort>(sendAndGet<Forward>(30, packet).actions), ElementsAre(ToPort{portId(2)}));
    state.setMac(bridgeId(3), {}, routerMac(11), portId(43));
    const auto learned = sendAndGet<Forward>(30, packet);
    EXPECT_THAT(only<ToPort>(learned.actions), ElementsAre(ToPort{portId(2)}));
    EXPECT_FALSE(tagged(learned, FlowTag::broadcast(bridgeId(3))));
}

TEST_F(BridgeLinkTest, VlanAwareBridgeBetweenTrunkAndTenant) {
    topology.bridge(bridgeId(9)).port(activePort(90, bridgeId(9))).port(activePort(91, bridgeId(9)));
    plainBridge(3, 30);
    plainBridge(4, 40);
    link(43, bridgeId(3), 93, bridgeId(9), 10);
    link(44, bridgeId(4), 94, bridgeId(9), 20);
    EXPECT_THAT(sendAndGet<Forward>(30, toAll(30)).actions, ElementsAre(VirtualAction{flow::PushVlan{tag(10)}}, to(90), to(91)));
    const auto fromTrunk = eth(vm(7), net::Mac::broadcast()) / vlan(20) / ipv4("10.0.1.5", "255.255.255.255") / udp(1, 2);
    EXPECT_THAT(sendAndGet<Forward>(90, fromTrunk).actions, ElementsAre(to(91), VirtualAction{flow::PopVlan{}}, to(40)));
    const auto otherVlan = eth(vm(7), net::Mac::broadcast()) / vlan(77) / ipv4("10.0.1.5", "255.255.255.255") / udp(1, 2);
    EXPECT_THAT(sendAndGet<Forward>(90, otherVlan).actions, ElementsAre(to(91)));
}

TEST_F(BridgeLinkTest, LoopOfBridgesSendsOneCopyAndAShortFlow_82) {
    plainBridge(3, 30);
    link(41, bridgeId(1), 43, bridgeId(3));
    link(42, bridgeId(1), 44, bridgeId(3));
    const auto result = sendAndGet<Forward>(1, toAll(1));
    EXPECT_THAT(only<ToPort>(result.actions), ElementsAre(ToPort{portId(30)}));
    EXPECT_EQ(result.flowClass, FlowClass::Error);
}

TEST_F(BridgeLinkTest, LoopOfLearnedMacsEnds_82) {
    plainBridge(3, 30);
    link(41, bridgeId(1), 43, bridgeId(3));
    link(42, bridgeId(1), 44, bridgeId(3));
    state.setMac(bridgeId(1), {}, vm(9), portId(41));
    state.setMac(bridgeId(3), {}, vm(9), portId(44));
    EXPECT_EQ(dropped(1, eth(vm(1), vm(9)) / ipv4("10.0.1.5", "10.0.1.6") / udp(1, 2), DropReason::TooManyDevices).flowClass, FlowClass::Error);
}

TEST_F(BridgeLinkTest, AChainOfTwelveBridgesIsTheLongest) {
    for (std::uint64_t n = 100; n < 113; ++n) {
        plainBridge(n, 1000 + n);
        if (n > 100) link(2000 + n, bridgeId(n - 1), 3000 + n, bridgeId(n));
    }
    const auto result = sendAndGet<Forward>(1100, toAll(1));
    EXPECT_EQ(result.actions.size(), 11U) << "those of the twelve bridges but the ingress";
    EXPECT_EQ(result.flowClass, FlowClass::Error) << "one copy went astray";
}

TEST_F(BridgeLinkTest, BranchesThatAreDownLeaveTheOthersAlone_37) {
    plainBridge(3, 30);
    plainBridge(4, 40);
    link(41, bridgeId(1), 43, bridgeId(3));
    link(42, bridgeId(1), 44, bridgeId(4));
    topology.bridge(bridgeId(3), false);
    const auto result = sendAndGet<Forward>(1, toAll(1));
    EXPECT_THAT(result.actions, ElementsAre(to(40)));
    EXPECT_EQ(result.flowClass, FlowClass::Normal) << "the bridge's return ends the flow";
    EXPECT_TRUE(tagged(result, FlowTag::device(bridgeId(3).uuid())));
}

TEST_F(BridgeLinkTest, BranchThatWaitsShortensTheFlowOfTheOthers) {
    topology.port(activePort(3, bridgeId(1)));
    plainBridge(3, 30);
    link(41, bridgeId(1), 43, bridgeId(3));
    const auto waiting = [&](SnapshotBuilder& builder) {
        auto snapshot = std::make_shared<topology::TopologySnapshot>(*builder.build());
        snapshot->bridges.erase(bridgeId(3));
        return snapshot;
    };
    const auto frame = toAll(1).toBytes();
    const auto key = keyOf(frame);
    const auto result = simulate({portId(1), key, frame}, *waiting(topology), state);
    EXPECT_THAT(std::get<Forward>(result).actions, ElementsAre(to(3)));
    EXPECT_EQ(std::get<Forward>(result).flowClass, FlowClass::Error);
    topology.withoutPort(portId(3));
    const auto alone = simulate({portId(1), key, frame}, *waiting(topology), state);
    EXPECT_EQ(std::get<Park>(alone).until, FlowTag::device(bridgeId(3).uuid()));
}

TEST_F(BridgeLinkTest, ArpAnsweredBehindALinkIsAnsweredEachTime) {
    topology.port(activePort(3, bridgeId(1)));
    plainBridge(3, 30);
    link(41, bridgeId(1), 43, bridgeId(3));
    state.setBridgeArp(bridgeId(3), ip("10.0.1.30"), vm(30));
    const auto result = sendAndGet<Forward>(1, eth(vm(1), net::Mac::broadcast()) / arpRequest(vm(1), "10.0.1.5", "10.0.1.30"));
    EXPECT_THAT(result.actions, ElementsAre(to(3)));
    EXPECT_TRUE(result.onlyThisPacket) << "or the flow would keep the next question from the bridge that knows";
    const auto frames = only<SendFrame>(result.events);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].port, portId(43));
}

TEST_F(BridgeLinkTest, WorkForOneFloodIsBounded) {
    SnapshotBuilder wide;
    wide.bridge(bridgeId(1));
    for (std::uint64_t n = 1; n <= PacketWalk::kMaxVisits + 100; ++n) wide.port(activePort(n, bridgeId(1)));
    topology = wide;
    const auto result = sendAndGet<Forward>(1, toAll(1));
    EXPECT_EQ(result.actions.size(), PacketWalk::kMaxVisits - 1) << "entering the first port counts too";
    EXPECT_EQ(result.flowClass, FlowClass::Error);
}

}  // namespace
}  // namespace midonet::simulation::testing
