// ARP at the ports of a router (reference 4.5).
#include "simulation/arp.h"

#include "simulation/tests/router_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// At the uplink: 192.0.2.2/24.
class ArpTest : public RouterFixture {
protected:
    Packet broadcast(Arp arp) const { return eth(arp.senderMac, net::Mac::broadcast()) / arp; }
    Packet unicast(Arp arp) const { return eth(arp.senderMac, routerMac(13)) / arp; }
};

TEST_F(ArpTest, RequestForThePortsAddressIsAnsweredAndLearnedFrom) {
    for (const auto& request : {broadcast(arpRequest(vm(9), "192.0.2.9", "192.0.2.2")), unicast(arpRequest(vm(9), "192.0.2.9", "192.0.2.2"))}) {
        const auto result = sendAndGet<Consume>(13, request);
        const auto frames = only<SendFrame>(result.events);
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_EQ(frames[0].port, portId(13));
        EXPECT_FALSE(frames[0].isError);
        EXPECT_THAT(frames[0].frame, EqualsPacket(eth(routerMac(13), vm(9)) / arpReply(routerMac(13), "192.0.2.2", vm(9), "192.0.2.9")));
        EXPECT_THAT(only<LearnArp>(result.events), ElementsAre(LearnArp{router, ip("192.0.2.9"), vm(9)}));
    }
}

struct ArpCase {
    const char* name;
    Arp arp;
    bool learned;
    bool hasFlow = false;  ///< Ignored by what a flow can match.
};
class ArpAcceptanceTest : public RouterFixture, public ::testing::WithParamInterface<ArpCase> {};

TEST_P(ArpAcceptanceTest, AsTheRulesSay) {
    const auto& c = GetParam();
    for (const auto destination : {net::Mac::broadcast(), routerMac(13)}) {
        const auto packet = eth(vm(9), destination) / c.arp;
        if (c.learned) {
            const auto result = sendAndGet<Consume>(13, packet);
            EXPECT_THAT(result.events, ElementsAre(Event{LearnArp{router, c.arp.senderIp, c.arp.senderMac}}));
        } else {
            const auto drop = dropped(13, packet, DropReason::ArpIgnored);
            EXPECT_THAT(drop.events, IsEmpty());
            EXPECT_EQ(drop.onlyThisPacket, !c.hasFlow);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(
    Reference45, ArpAcceptanceTest,
    ::testing::Values(
        ArpCase{"GratuitousRequest", arpRequest(vm(9), "192.0.2.9", "192.0.2.9"), true},
        ArpCase{"GratuitousRequestWithTargetMac", arp(1, vm(9), "192.0.2.9", vm(9), "192.0.2.9"), false},
        ArpCase{"RequestForSomebodyElse", arpRequest(vm(9), "192.0.2.9", "192.0.2.8"), false, true},
        ArpCase{"RequestFromOutsideTheSubnet", arpRequest(vm(9), "198.51.100.9", "192.0.2.2"), false, true},
        ArpCase{"Probe", arpRequest(vm(9), "0.0.0.0", "192.0.2.2"), false, true},
        ArpCase{"RequestInThePortsOwnName", arpRequest(vm(9), "192.0.2.2", "192.0.2.2"), false, true},
        ArpCase{"Reply", arpReply(vm(9), "192.0.2.9", routerMac(13), "192.0.2.2"), true},
        ArpCase{"ReplyToAnotherMac", arpReply(vm(9), "192.0.2.9", vm(8), "192.0.2.2"), false},
        ArpCase{"ReplyToAnotherAddress", arpReply(vm(9), "192.0.2.9", routerMac(13), "192.0.2.8"), false, true},
        ArpCase{"ReplyFromOutsideTheSubnet_102", arpReply(vm(9), "198.51.100.9", routerMac(13), "192.0.2.2"), false, true},
        ArpCase{"GratuitousReply_102", arpReply(vm(9), "192.0.2.9", vm(9), "192.0.2.9"), true},
        ArpCase{"GratuitousReplyOfAnotherMac", arpReply(vm(9), "192.0.2.9", vm(8), "192.0.2.9"), false},
        ArpCase{"MulticastSender", arpReply(net::Mac{0x01005e000001ULL}, "192.0.2.9", routerMac(13), "192.0.2.2"), false},
        ArpCase{"NoSender", arpReply(net::Mac{}, "192.0.2.9", routerMac(13), "192.0.2.2"), false},
        ArpCase{"UnknownOperation", arp(8, vm(9), "192.0.2.9", routerMac(13), "192.0.2.2"), false, true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(ArpTest, PortWithoutAddressIgnoresArp) {
    setPort(13, [](auto& port) { port.address.reset(); });
    dropped(13, broadcast(arpRequest(vm(9), "192.0.2.9", "192.0.2.2")), DropReason::ArpIgnored);
}

TEST_F(ArpTest, UnicastArpForAnotherMacIsNotForTheRouter) {
    dropped(13, eth(vm(9), vm(8)) / arpRequest(vm(9), "192.0.2.9", "192.0.2.2"), DropReason::NotForRouter);
}

TEST_F(ArpTest, RouterThatIsDownDoesNotAnswer) {
    topology.router(router, false);
    EXPECT_THAT(dropped(13, broadcast(arpRequest(vm(9), "192.0.2.9", "192.0.2.2")), DropReason::RouterAdminDown).events, IsEmpty());
}

TEST_F(ArpTest, DescribedArpIsUsedUpSilently) {
    const auto frame = broadcast(arpRequest(vm(9), "192.0.2.9", "192.0.2.2")).toBytes();
    const auto key = keyOf(frame);
    const auto result = simulate({portId(13), key}, *topology.build(), state);
    EXPECT_THAT(std::get<Consume>(result).events, IsEmpty());
}

TEST_F(ArpTest, RequestOfARouterPort) {
    EXPECT_THAT(arpRequestFrame(activeRouterPort(13, router, "192.0.2.2/24"), ip("192.0.2.1")),
                EqualsPacket(eth(routerMac(13), net::Mac::broadcast()) / arpRequest(routerMac(13), "192.0.2.2", "192.0.2.1")));
}

TEST_F(ArpTest, QuestionAndAnswerCrossALinkedBridge) {
    // The question as the agent sends it: out of the router's port.
    const auto question = arpRequestFrame(*topology.build()->port(portId(12)), ip("10.0.2.77"));
    const auto key = keyOf(question);
    const auto asked = simulate({portId(12), key, question, true}, *topology.build(), state);
    EXPECT_THAT(std::get<Forward>(asked).actions, ElementsAre(VirtualAction{ToPort{portId(2)}}));
    EXPECT_THAT(only<LearnMac>(std::get<Forward>(asked).effects), IsEmpty());

    const auto answered = sendAndGet<Consume>(2, eth(vm(2), routerMac(12)) / arpReply(vm(2), "10.0.2.77", routerMac(12), "10.0.2.1"));
    EXPECT_THAT(answered.events, ElementsAre(Event{LearnArp{router, ip("10.0.2.77"), vm(2)}}));
}

TEST(ArpReplyFrameTest, OnlyRequestsAreAnswered) {
    EXPECT_FALSE(arpReplyFrame({}, ip("10.0.0.1"), vm(1)));
    EXPECT_FALSE(arpReplyFrame((eth(vm(1), vm(2)) / arpReply(vm(1), "10.0.0.1", vm(2), "10.0.0.2")).toBytes(), ip("10.0.0.1"), vm(1)));
    EXPECT_FALSE(arpReplyFrame((eth(vm(1), vm(2)) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)).toBytes(), ip("10.0.0.1"), vm(1)));
}

}  // namespace
}  // namespace midonet::simulation::testing
