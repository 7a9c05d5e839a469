// What a bridge knows of addresses: router ports linked to it and its ARP table (reference 3.2, 3.6).
#include "simulation/tests/router_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Bridge 1 has a second machine, on port 3.
class BridgeArpTest : public RouterFixture {
protected:
    BridgeArpTest() { topology.port(activePort(3, bridgeId(1))); }
    static Packet ask(const char* target) { return eth(vm(1), net::Mac::broadcast()) / arpRequest(vm(1), "10.0.1.5", target); }
    static VirtualAction to(std::uint64_t port) { return ToPort{portId(port)}; }
};

TEST_F(BridgeArpTest, AnswersForRouterPortsAndForItsTable_27_28) {
    state.setBridgeArp(bridgeId(1), ip("10.0.1.9"), vm(9));
    const std::pair<const char*, net::Mac> cases[] = {{"10.0.1.1", routerMac(11)}, {"10.0.1.9", vm(9)}};
    for (const auto& [address, mac] : cases) {
        const auto result = sendAndGet<Consume>(1, ask(address));
        const auto frames = only<SendFrame>(result.events);
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_EQ(frames[0].port, portId(1));
        EXPECT_THAT(frames[0].frame, EqualsPacket(eth(mac, vm(1)) / arpReply(mac, address, vm(1), "10.0.1.5")));
    }
}

TEST_F(BridgeArpTest, UnknownAddressIsFloodedNeverIntoTheRouter_29) {
    const auto result = sendAndGet<Forward>(1, ask("10.0.1.77"));
    EXPECT_THAT(result.actions, ElementsAre(to(3)));
    EXPECT_TRUE(tagged(result, FlowTag::bridgeArp(bridgeId(1), ip("10.0.1.77"))));
    EXPECT_TRUE(tagged(result, FlowTag::broadcast(bridgeId(1))));
    EXPECT_FALSE(tagged(result, FlowTag::device(router.uuid())));
    EXPECT_FALSE(result.onlyThisPacket);
}

TEST_F(BridgeArpTest, TaggedRequestIsNotAnswered) {
    const auto result = sendAndGet<Forward>(1, eth(vm(1), net::Mac::broadcast()) / vlan(9) / arpRequest(vm(1), "10.0.1.5", "10.0.1.1"));
    EXPECT_THAT(result.actions, ElementsAre(to(3)));
}

TEST_F(BridgeArpTest, OwnerThatAsksForItsOwnAddressHearsTheOthersOnly) {
    const auto probe = eth(vm(1), net::Mac::broadcast()) / arpRequest(vm(1), "0.0.0.0", "10.0.1.5");
    EXPECT_THAT(sendAndGet<Forward>(1, probe).actions, ElementsAre(to(3)));
}

TEST_F(BridgeArpTest, GratuitousArpIsLearnedAndFloodedEachTime_103) {
    for (const auto& arp : {arpRequest(vm(1), "10.0.1.50", "10.0.1.50"), arpReply(vm(1), "10.0.1.50", vm(1), "10.0.1.50")}) {
        const auto result = sendAndGet<Forward>(1, eth(vm(1), net::Mac::broadcast()) / arp);
        EXPECT_THAT(result.actions, ElementsAre(to(3)));
        EXPECT_THAT(result.events, ElementsAre(Event{LearnBridgeArp{bridgeId(1), ip("10.0.1.50"), vm(1)}}));
        EXPECT_TRUE(result.onlyThisPacket);
        EXPECT_TRUE(tagged(result, FlowTag::bridgeArp(bridgeId(1), ip("10.0.1.50"))));
    }
}

TEST_F(BridgeArpTest, GratuitousArpTellsTheMacInside) {
    const net::Mac virtualMac{0x00005e000101ULL};
    const auto result = sendAndGet<Forward>(1, eth(vm(1), net::Mac::broadcast()) / arpReply(virtualMac, "10.0.1.50", virtualMac, "10.0.1.50"));
    EXPECT_THAT(result.events, ElementsAre(Event{LearnBridgeArp{bridgeId(1), ip("10.0.1.50"), virtualMac}}));
}

TEST_F(BridgeArpTest, GratuitousArpWithAnImpossibleMacTeachesNothing) {
    for (const auto mac : {net::Mac{}, net::Mac::broadcast()})
        EXPECT_THAT(sendAndGet<Forward>(1, eth(vm(1), net::Mac::broadcast()) / arpReply(mac, "10.0.1.50", mac, "10.0.1.50")).events, IsEmpty());
}

TEST_F(BridgeArpTest, GratuitousArpForARouterPortsAddressGoesToThatPortOnly) {
    const auto result = send(1, eth(vm(1), net::Mac::broadcast()) / arpRequest(vm(1), "10.0.1.1", "10.0.1.1"));
    const auto& drop = std::get<Drop>(result);
    EXPECT_EQ(drop.reason, DropReason::ArpIgnored) << "the router keeps its own address";
    EXPECT_THAT(drop.events, IsEmpty());
    EXPECT_TRUE(tagged(drop, FlowTag::device(portId(11).uuid())));
}

TEST_F(BridgeArpTest, GratuitousArpOfTheRouterItselfIsFlooded) {
    const auto frame = (eth(routerMac(11), net::Mac::broadcast()) / arpRequest(routerMac(11), "10.0.1.1", "10.0.1.1")).toBytes();
    const auto key = keyOf(frame);
    const auto result = simulate({portId(11), key, frame, true}, *topology.build(), state);
    EXPECT_THAT(std::get<Forward>(result).actions, ElementsAre(to(1), to(3)));
    EXPECT_THAT(std::get<Forward>(result).events, IsEmpty());
}

TEST_F(BridgeArpTest, MacOfARouterIsNeverLearnedWhoeverUsesIt) {
    const auto result = sendAndGet<Forward>(3, eth(routerMac(11), vm(1)) / ipv4("10.0.1.1", "10.0.1.5") / udp(1, 2));
    EXPECT_THAT(result.actions, ElementsAre(to(1)));
    EXPECT_THAT(result.effects, IsEmpty());
    EXPECT_TRUE(tagged(result, FlowTag::routerMac(bridgeId(1), routerMac(11))));
}

TEST_F(BridgeArpTest, TableEntryForARoutersMacDoesNotCount) {
    state.setMac(bridgeId(1), {}, routerMac(11), portId(3));
    const auto result = sendAndGet<Forward>(1, fromVm1("10.0.2.5"));
    EXPECT_THAT(only<ToPort>(result.actions), ElementsAre(ToPort{portId(2)}));
}

TEST_F(BridgeArpTest, RouterSendingToItselfOverTheBridgeIsAHairpin) {
    const auto frame = (eth(vm(8), routerMac(11)) / ipv4("10.0.1.1", "10.0.1.5") / udp(1, 2)).toBytes();
    const auto key = keyOf(frame);
    const auto result = simulate({portId(11), key, frame, true}, *topology.build(), state);
    EXPECT_EQ(std::get<Drop>(result).reason, DropReason::Hairpin);
}

}  // namespace
}  // namespace midonet::simulation::testing
