// What a router does with IPv4 packets (reference 4.2 to 4.8; the numbers are scenarios of its section 13).
#include "simulation/router.h"

#include <functional>
#include <set>

#include "simulation/tests/router_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RouterTest : public RouterFixture {};

TEST_F(RouterTest, RoutesBetweenBridges) {
    const auto result = sendAndGet<Forward>(1, fromVm1("10.0.2.5"));
    EXPECT_THAT(result.actions, ElementsAre(VirtualAction{flow::DecrementTtl{1}},
                                            VirtualAction{flow::SetEthernet{routerMac(12), vm(2)}}, VirtualAction{ToPort{portId(2)}}));
    EXPECT_EQ(result.flowClass, FlowClass::Normal);
    for (const auto tag : {FlowTag::device(router.uuid()), FlowTag::destination(router, ip("10.0.2.5")), FlowTag::routerMac(bridgeId(1), routerMac(11)),
                           FlowTag::bridgeArp(bridgeId(2), ip("10.0.2.5")), FlowTag::device(portId(12).uuid()), FlowTag::device(portId(22).uuid())})
        EXPECT_TRUE(tagged(result, tag)) << static_cast<int>(tag.kind());
    EXPECT_FALSE(tagged(result, FlowTag::arpEntry(router, ip("10.0.2.5")))) << "the bridge knew it";
    EXPECT_THAT(only<LearnMac>(result.effects), ElementsAre(LearnMac{bridgeId(1), {}, vm(1), portId(1)})) << "never the router's";
    EXPECT_FALSE(result.mask.has(Field::L4Source));
    EXPECT_FALSE(result.mask.has(Field::IpTtl));
    EXPECT_FALSE(result.mask.has(Field::IpProtocol));
}

TEST_F(RouterTest, ToTheGatewayOfTheDefaultRoute_3) {
    gatewayIsKnown();
    const auto result = sendAndGet<Forward>(1, fromVm1("198.51.100.7"));
    EXPECT_THAT(result.actions, ElementsAre(VirtualAction{flow::DecrementTtl{1}},
                                            VirtualAction{flow::SetEthernet{routerMac(13), vm(99)}}, VirtualAction{ToPort{portId(13)}}));
    EXPECT_TRUE(tagged(result, FlowTag::arpEntry(router, ip("192.0.2.1"))));
    EXPECT_THAT(only<UseArp>(result.effects), ElementsAre(UseArp{router, portId(13), ip("192.0.2.1")}));
    EXPECT_EQ(result.mask.destinationBits(), 28U) << "one flow for what one Destination tag stands for";
    EXPECT_EQ(result.mask.sourceBits(), 0U);
}

TEST_F(RouterTest, GatewayIsUsedThoughTheDestinationIsKnownToo_16) {
    gatewayIsKnown();
    topology.route(router, routeTo(5, "192.0.2.9/32", 13, "192.0.2.1"));
    state.setArp(router, ip("192.0.2.9"), vm(98), {});
    EXPECT_THAT(sendAndGet<Forward>(1, fromVm1("192.0.2.9")).actions, Contains(VirtualAction{flow::SetEthernet{routerMac(13), vm(99)}}));
}

TEST_F(RouterTest, WaitsForAnUnknownNeighbourAndAsks) {
    const auto park = send(1, fromVm1("198.51.100.7"));
    const auto& parked = std::get<Park>(park);
    EXPECT_EQ(parked.until, FlowTag::arpEntry(router, ip("192.0.2.1")));
    EXPECT_THAT(only<AskArp>(parked.events), ElementsAre(AskArp{router, portId(13), ip("192.0.2.1")}));
}

TEST_F(RouterTest, AsksOnALinkedBridgeThatDoesNotKnow) {
    state.removeBridgeArp(bridgeId(2), ip("10.0.2.5"));
    const auto park = send(1, fromVm1("10.0.2.5"));
    EXPECT_THAT(only<AskArp>(std::get<Park>(park).events), ElementsAre(AskArp{router, portId(12), ip("10.0.2.5")}));
    state.setArp(router, ip("10.0.2.5"), vm(2), {});
    const auto result = sendAndGet<Forward>(1, fromVm1("10.0.2.5"));
    EXPECT_TRUE(tagged(result, FlowTag::arpEntry(router, ip("10.0.2.5"))));
    EXPECT_TRUE(tagged(result, FlowTag::bridgeArp(bridgeId(2), ip("10.0.2.5")))) << "the bridge may come to know it";
}

TEST_F(RouterTest, RouterBehindRouterNeedsNoArp) {
    const auto second = routerId(2);
    topology.router(second).port(routerPort(14, router, "10.9.0.1/30")).routerPortWithRoutes(routerPort(31, second, "10.9.0.2/30"));
    topology.link(portId(14), portId(31)).route(router, routeTo(6, "10.8.0.0/16", 14, "10.9.0.2"));
    topology.routerPortWithRoutes(activeRouterPort(32, second, "10.8.0.1/16"));
    state.setArp(second, ip("10.8.0.7"), vm(8), {});
    const auto result = sendAndGet<Forward>(1, fromVm1("10.8.0.7"));
    EXPECT_THAT(result.actions, ElementsAre(VirtualAction{flow::DecrementTtl{2}},
                                            VirtualAction{flow::SetEthernet{routerMac(32), vm(8)}}, VirtualAction{ToPort{portId(32)}}));
    EXPECT_TRUE(tagged(result, FlowTag::destination(second, ip("10.8.0.7"))));

    const auto drop = dropped(1, fromVm1("10.8.0.7", 2), DropReason::TtlExceeded);
    EXPECT_THAT(toldThrough(drop, 31), EqualsPacket(eth(routerMac(31), routerMac(14)) / ipv4("10.9.0.2", "10.0.1.5") / icmp(11, 0) /
                                                    (ipv4("10.0.1.5", "10.8.0.7").ttl(1).totalLength(33).protocol(17) /
                                                     (udp(1000, 53).length(13).checksum(loadBe16(fromVm1("10.8.0.7").toBytes().data() + 40)))).toBytes()))
        << "quoted as it came to the second router";
}

struct UnroutedCase {
    const char* name;
    std::optional<Route::Type> route;  ///< For 203.0.113.0/24; nullopt: no default route either.
    DropReason reason;
    std::optional<unsigned> code;      ///< Of ICMP type 3.
};
class UnroutedTest : public RouterFixture, public ::testing::WithParamInterface<UnroutedCase> {};

TEST_P(UnroutedTest, IsDroppedShortlyAndTheSenderTold) {
    const auto& c = GetParam();
    SnapshotBuilder lonely;
    lonely.bridge(bridgeId(1)).port(activePort(1, bridgeId(1))).port([] {
        auto link = activePort(21, bridgeId(1));
        link.host = {};
        return link;
    }());
    lonely.router(router).routerPortWithRoutes(routerPort(11, router, "10.0.1.1/24")).link(portId(21), portId(11));
    topology = lonely;
    if (c.route) addRoute(*c.route, "203.0.113.0/24");
    const auto drop = dropped(1, fromVm1("203.0.113.9"), c.reason);
    EXPECT_EQ(drop.flowClass, FlowClass::Error);
    EXPECT_TRUE(tagged(drop, FlowTag::destination(router, ip("203.0.113.9"))));
    EXPECT_EQ(drop.mask.destinationBits(), 28U);
    EXPECT_FALSE(drop.mask.has(Field::L4Source));
    if (!c.code) {
        EXPECT_THAT(drop.events, IsEmpty());
        return;
    }
    const auto original = fromVm1("203.0.113.9").toBytes();
    EXPECT_THAT(toldThrough(drop, 11), EqualsPacket(eth(routerMac(11), vm(1)) / ipv4("10.0.1.1", "10.0.1.5") / icmp(3, *c.code) /
                                                    Frame(original.begin() + 14, original.begin() + 42)));
}
INSTANTIATE_TEST_SUITE_P(Scenarios5To7, UnroutedTest,
                         ::testing::Values(UnroutedCase{"BlackHole", Route::Type::BlackHole, DropReason::BlackHoleRoute, {}},
                                           UnroutedCase{"Reject", Route::Type::Reject, DropReason::RejectRoute, 13},
                                           UnroutedCase{"NoRoute", {}, DropReason::NoRoute, 0}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(RouterTest, NextHopOutsideTheSubnetOfItsPort_10) {
    topology.route(router, routeTo(5, "203.0.113.0/24", 13)).route(router, routeTo(6, "198.51.100.0/24", 13, "10.77.0.1"));
    EXPECT_EQ(toldThrough(dropped(1, fromVm1("203.0.113.9"), DropReason::NextHopUnknown), 11)[35], 1) << "host unreachable";
    EXPECT_EQ(toldThrough(dropped(1, fromVm1("198.51.100.9"), DropReason::NextHopUnknown), 11)[35], 0) << "network unreachable";
}

TEST_F(RouterTest, FramesThatAreNotForTheRouter_2_12_13) {
    const auto inner = ipv4("10.0.1.5", "198.51.100.7") / udp(1, 2);
    struct { Packet packet; DropReason reason; } cases[] = {
        {eth(vm(1), net::Mac::broadcast()) / inner, DropReason::NotForRouter},
        {eth(vm(1), "01:00:5e:00:00:01") / inner, DropReason::NotForRouter},
        {eth(vm(1), vm(77)) / inner, DropReason::NotForRouter},
        {eth(vm(1), routerMac(13)) / vlan(5) / inner, DropReason::NotForRouter},
        {eth(vm(1), routerMac(13)).type(0x88b5) / "x", DropReason::NotForRouter},
        {eth(vm(1), routerMac(13)) / ipv6("fd00::1", "fd00::2") / udp(1, 2), DropReason::RoutedIpv6},
    };
    for (const auto& c : cases) {
        const auto drop = dropped(13, c.packet, c.reason);
        EXPECT_THAT(drop.events, IsEmpty());
        EXPECT_EQ(drop.flowClass, FlowClass::Normal);
    }
}

TEST_F(RouterTest, OneFlowDropsAllIpv6OfAPort) {
    const auto drop = dropped(13, eth(vm(1), routerMac(13)) / ipv6("fd00::1", "fd00::2") / udp(1, 2), DropReason::RoutedIpv6);
    flow::FlowMask etherType;
    etherType.see(Field::EtherType);
    EXPECT_EQ(drop.mask, etherType);
}

TEST_F(RouterTest, PriorityTagIsTakenOff_13) {
    const auto result = sendAndGet<Forward>(13, eth(vm(99), routerMac(13)) / vlan(0) / ipv4("198.51.100.7", "10.0.2.5") / udp(1, 2));
    EXPECT_THAT(result.actions, Contains(VirtualAction{flow::PopVlan{}}));
    EXPECT_EQ(result.actions.back(), VirtualAction{ToPort{portId(2)}});
}

TEST_F(RouterTest, TtlThatEndsHereIsTold_20) {
    for (const std::uint8_t ttl : {0, 1}) {
        const auto drop = dropped(1, fromVm1("10.0.2.5", ttl), DropReason::TtlExceeded);
        EXPECT_TRUE(drop.mask.has(Field::IpTtl));
        EXPECT_TRUE(drop.mask.has(Field::L4Destination)) << "each probe of a traceroute is answered";
        const auto original = fromVm1("10.0.2.5", ttl).toBytes();
        EXPECT_THAT(toldThrough(drop, 11), EqualsPacket(eth(routerMac(11), vm(1)) / ipv4("10.0.1.1", "10.0.1.5") / icmp(11, 0) /
                                                        Frame(original.begin() + 14, original.begin() + 42)));
    }
}

TEST_F(RouterTest, ClassEIsRoutedLikeAnyOther) {
    gatewayIsKnown();
    EXPECT_EQ(sendAndGet<Forward>(1, fromVm1("240.1.2.3")).actions.back(), VirtualAction{ToPort{portId(13)}});
}

TEST_F(RouterTest, EchoToTheNearAndTheFarPortIsAnsweredByTheAddressAsked_8) {
    for (const char* address : {"10.0.1.1", "10.0.2.1", "192.0.2.2"}) {
        const auto result = sendAndGet<Consume>(1, eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", address) / icmpEcho(5, 9) / "data");
        const auto frames = only<SendFrame>(result.events);
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_EQ(frames[0].port, portId(11));
        EXPECT_FALSE(frames[0].isError);
        EXPECT_THAT(frames[0].frame, EqualsPacket(eth(routerMac(11), vm(1)) / ipv4(address, "10.0.1.5") / icmpEchoReply(5, 9) / "data"));
    }
}

TEST_F(RouterTest, EchoWaitsUntilTheAskersMacIsKnown) {
    state.removeBridgeArp(bridgeId(1), ip("10.0.1.5"));
    const auto result = send(1, eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "10.0.1.1") / icmpEcho(5, 9));
    EXPECT_EQ(std::get<Park>(result).until, FlowTag::arpEntry(router, ip("10.0.1.5")));
    EXPECT_THAT(only<AskArp>(std::get<Park>(result).events), ElementsAre(AskArp{router, portId(11), ip("10.0.1.5")}));
}

TEST_F(RouterTest, EchoOfSomebodyWhoCannotBeReachedIsNotAnswered) {
    setPort(13, [](auto& port) { port.active = false; });
    const auto result = sendAndGet<Consume>(1, eth(vm(1), routerMac(11)) / ipv4("198.51.100.7", "10.0.1.1") / icmpEcho(5, 9));
    EXPECT_THAT(result.events, IsEmpty());
}

TEST_F(RouterTest, NothingElseIsAnsweredByTheRouterItself) {
    const auto to = eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "10.0.1.1");
    for (const auto& packet : {to / udp(1, 2), to / tcp(1, 179), to / icmpEchoReply(1, 1), to / icmp(13, 0)}) {
        const auto drop = dropped(1, packet, DropReason::ToRouterItself);
        EXPECT_THAT(drop.events, IsEmpty());
        EXPECT_EQ(drop.flowClass, FlowClass::Error);
    }
}

TEST_F(RouterTest, DescribedPacketNeedsNoFrame) {
    const auto frame = (eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "10.0.1.1") / icmpEcho(5, 9)).toBytes();
    const auto key = keyOf(frame);
    const auto result = simulate({portId(1), key}, *topology.build(), state);
    EXPECT_THAT(std::get<Consume>(result).events, IsEmpty());
}

TEST_F(RouterTest, EquallyGoodRoutesAreChosenByConnectionAndSticky_1) {
    topology.routerPortWithRoutes(activeRouterPort(14, router, "192.0.3.2/24")).route(router, routeTo(7, "0.0.0.0/0", 14, "192.0.3.1"));
    gatewayIsKnown();
    state.setArp(router, ip("192.0.3.1"), vm(97), {});
    std::set<PortId> used;
    for (unsigned source = 1; source <= 64; ++source) {
        const Packet packet = eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "198.51.100.7") / udp(source, 53);
        const auto first = sendAndGet<Forward>(1, packet), second = sendAndGet<Forward>(1, packet);
        EXPECT_EQ(first.actions, second.actions);
        EXPECT_TRUE(first.mask.has(Field::L4Source));
        used.insert(only<ToPort>(first.actions).at(0).port);
    }
    EXPECT_EQ(used, (std::set{portId(13), portId(14)}));
}

TEST_F(RouterTest, AllFragmentsOfADatagramTakeOneOfTheEqualRoutes) {
    topology.routerPortWithRoutes(activeRouterPort(14, router, "192.0.3.2/24")).route(router, routeTo(7, "0.0.0.0/0", 14, "192.0.3.1"));
    gatewayIsKnown();
    state.setArp(router, ip("192.0.3.1"), vm(97), {});
    for (unsigned source = 1; source <= 16; ++source) {
        const auto head = eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "198.51.100.7").fragment(0, true) / udp(source, 53) / "12345678";
        const auto tail = eth(vm(1), routerMac(11)) / ipv4("10.0.1.5", "198.51.100.7").fragment(16, false).protocol(17) / "rest";
        EXPECT_EQ(sendAndGet<Forward>(1, head).actions, sendAndGet<Forward>(1, tail).actions);
    }
}

TEST_F(RouterTest, PacketWhoseNeighbourIsTheRoutersOwnPortComesStraightBack_17) {
    topology.route(router, routeTo(8, "203.0.113.0/24", 12, "10.0.2.1"));
    const auto result = send(1, fromVm1("203.0.113.9"));
    const auto& drop = std::get<Drop>(result);
    EXPECT_EQ(drop.reason, DropReason::TooManyDevices) << "the same route again and again";
    EXPECT_FALSE(tagged(drop, FlowTag::device(bridgeId(2).uuid()))) << "it never entered the bridge";
}

struct DownCase {
    const char* name;
    std::uint64_t in;
    std::function<void(SnapshotBuilder&)> change;
    DropReason reason;
    std::optional<std::uint64_t> toldThrough;
};
class RouterDownTest : public RouterFixture, public ::testing::WithParamInterface<DownCase> {};

void portDown(SnapshotBuilder& topology, std::uint64_t number) {
    auto port = *topology.build()->port(portId(number));
    port.adminUp = false;
    topology.port(port);
}

TEST_P(RouterDownTest, DropsAndSaysSo) {
    const auto& c = GetParam();
    c.change(topology);
    const auto drop = dropped(c.in, c.in == 1 ? fromVm1("198.51.100.7") : eth(vm(99), routerMac(13)) / ipv4("198.51.100.7", "10.0.2.5") / udp(1, 2), c.reason);
    if (!c.toldThrough) {
        EXPECT_THAT(drop.events, IsEmpty());
        return;
    }
    const auto told = toldThrough(drop, *c.toldThrough);
    ASSERT_GT(told.size(), 36U);
    EXPECT_EQ(told[34], 3);
    EXPECT_EQ(told[35], 13);
}
INSTANTIATE_TEST_SUITE_P(
    Scenario38, RouterDownTest,
    ::testing::Values(DownCase{"Router", 1, [](auto& t) { t.router(routerId(1), false); }, DropReason::RouterAdminDown, 11},
                      DownCase{"InteriorPortIn", 1, [](auto& t) { portDown(t, 11); }, DropReason::PortAdminDown, 11},
                      DownCase{"ExteriorPortIn", 13, [](auto& t) { portDown(t, 13); }, DropReason::PortAdminDown, 13},
                      DownCase{"InteriorPortOut", 13, [](auto& t) { portDown(t, 12); }, DropReason::PortAdminDown, 13},
                      DownCase{"ExteriorPortOut", 1, [](auto& t) { portDown(t, 13); }, DropReason::PortAdminDown, 11},
                      DownCase{"BridgeBehind", 13, [](auto& t) { t.bridge(bridgeId(2), false); }, DropReason::BridgeAdminDown, {}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(RouterTest, OutPortThatIsGoneUnlinkedOrInactive) {
    setPort(13, [](auto& port) { port.active = false; });
    EXPECT_EQ(dropped(1, fromVm1("198.51.100.7"), DropReason::EgressPortInactive).flowClass, FlowClass::Error);
    setPort(13, [](auto& port) { port.host = {}; });
    dropped(1, fromVm1("198.51.100.7"), DropReason::UnpluggedPort);
    setPort(13, [](auto& port) { port.address.reset(); });
    dropped(1, fromVm1("198.51.100.7"), DropReason::NextHopUnknown);
    topology.withoutPort(portId(13));
    dropped(1, fromVm1("198.51.100.7"), DropReason::UnpluggedPort);
}

TEST_F(RouterTest, WaitsForARouterAndAPeerThatAreNotLoaded) {
    topology.port(activeRouterPort(50, routerId(9), "10.5.0.1/24"));
    EXPECT_EQ(std::get<Park>(send(50, fromVm1("1.2.3.4"))).until, FlowTag::device(routerId(9).uuid()));
    topology.withoutPort(portId(22));
    EXPECT_EQ(std::get<Park>(send(1, fromVm1("10.0.2.5"))).until, FlowTag::device(portId(22).uuid()));
}

TEST_F(RouterTest, RoutingDecisionLooksAtNoMoreOfTheSourceThanTheRoutesDo) {
    auto fromSubnet = routeTo(9, "198.51.0.0/16", 12);
    fromSubnet.source = net::IpPrefix::parse("10.0.0.0/8").value();
    topology.route(router, fromSubnet);
    gatewayIsKnown();
    const auto result = sendAndGet<Forward>(13, eth(vm(99), routerMac(13)) / ipv4("172.16.0.1", "198.51.100.7") / udp(1, 2));
    EXPECT_EQ(result.mask.sourceBits(), 1U) << "172 is told from 10 by its first bit";
}

TEST_F(RouterTest, TraceTellsTheWay) {
    Trace trace;
    gatewayIsKnown();
    send(1, fromVm1("198.51.100.7"), &trace);
    const auto text = trace.toString();
    for (const char* step : {"enters", "knows the destination", "takes the packet", "0.0.0.0/0 by port", "gateway 192.0.2.1", "192.0.2.1 is at",
                             "leaves the virtual network"})
        EXPECT_THAT(text, HasSubstr(step));
    trace.steps.clear();
    send(1, fromVm1("10.0.2.5", 1), &trace);
    EXPECT_THAT(trace.toString(), HasSubstr("tells the sender: ICMP 11/0"));
    EXPECT_THAT(trace.toString(), HasSubstr("drop: ttl_exceeded"));
}

class RefuseTest : public RouterFixture {
protected:
    Drop refused(std::uint64_t port, const Packet& packet, FilterResult::Kind kind) {
        const auto frame = packet.toBytes();
        const auto key = keyOf(frame);
        const PacketContext context{portId(port), key, frame};
        const auto snapshot = topology.build();
        PacketWalk walk(context, *snapshot, state, nullptr);
        walk.arrived = key;
        return std::get<Drop>(walk.result(refuse(walk, snapshot->port(portId(port)), {kind, DropReason::RuleDropped, {}})));
    }
    const Packet whole = eth(vm(99), routerMac(13)) / ipv4("198.51.100.7", "10.0.2.5") / udp(1, 2);
    const Packet first = eth(vm(99), routerMac(13)) / ipv4("198.51.100.7", "10.0.2.5").fragment(0, true) / udp(1, 2) / "12345678";
    const Packet later = eth(vm(99), routerMac(13)) / ipv4("198.51.100.7", "10.0.2.5").fragment(16, false).protocol(17) / "12345678";
};

TEST_F(RefuseTest, RejectIsToldByRoutersOnly) {
    EXPECT_EQ(toldThrough(refused(13, whole, FilterResult::Kind::Reject), 13)[35], 13);
    const auto silent = refused(1, whole, FilterResult::Kind::Reject);
    EXPECT_EQ(silent.reason, DropReason::RuleRejected);
    EXPECT_THAT(silent.events, IsEmpty());
}

TEST_F(RefuseTest, DroppedFirstFragmentIsToldByRoutersOnly_69) {
    const auto told = refused(13, first, FilterResult::Kind::Drop);
    EXPECT_EQ(toldThrough(told, 13)[35], 13);
    EXPECT_EQ(told.flowClass, FlowClass::Error);
    for (const auto& packet : {whole, later}) EXPECT_THAT(refused(13, packet, FilterResult::Kind::Drop).events, IsEmpty());
    EXPECT_THAT(refused(1, first, FilterResult::Kind::Drop).events, IsEmpty());
}

}  // namespace
}  // namespace midonet::simulation::testing
