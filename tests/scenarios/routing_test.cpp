// Routers: between bridges, hosts and routers; what they answer and what they refuse.
#include <gtest/gtest.h>

#include "matchers.h"
#include "network.h"

namespace midonet::scenarios {
namespace {

using namespace std::chrono_literals;
using namespace packet;
using flow::DropReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// 10.0.1.0/24 with a (host 1) and c (host 2), 10.0.2.0/24 with b (host 2), one router.
class RoutingTest : public ::testing::Test {
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
    const Vm c = network.machine(left, second, "10.0.1.3");

    Packet toB(std::uint8_t ttl = 64, const char* text = "hello") const {
        return eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(ttl) / udp(1000, 53) / text;
    }
    Packet atB(std::uint8_t ttl = 63, const char* text = "hello") const {
        return eth(rightPort.mac, b.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(ttl) / udp(1000, 53) / text;
    }
    /// The one frame that came back to a, read.
    ParsedPacket answerTo(const Vm& vm, const Packet& sent) {
        const auto got = world.sendOnce(vm, sent.toBytes());
        EXPECT_THAT(got, SizeIs(1));
        if (got.size() != 1 || got[0].vm != vm.name) return {};
        return headersOf(got[0]);
    }
};

TEST_F(RoutingTest, BetweenTwoBridgesAcrossHosts) {
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
    const auto back = eth(b.mac, rightPort.mac) / ipv4("10.0.2.2", "10.0.1.2") / udp(53, 1000) / "answer";
    EXPECT_THAT(world.send(b, back), Delivers({{a, eth(leftPort.mac, a.mac) / ipv4("10.0.2.2", "10.0.1.2").ttl(63) / udp(53, 1000) / "answer"}}));
}

TEST_F(RoutingTest, OneFlowServesAllPacketsBetweenTheTwoSubnets) {
    world.send(a, toB());
    const auto before = world.stats(first).simulations;
    const auto other = [&](std::uint16_t port, std::uint8_t ttl) {
        return eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(ttl) / tcp(port, 80);
    };
    for (std::uint16_t port = 1; port < 20; ++port) world.sendOnce(a, other(port, static_cast<std::uint8_t>(10 + port)).toBytes());
    EXPECT_EQ(world.stats(first).simulations, before) << "neither ports nor TTL are looked at";
}

TEST_F(RoutingTest, BridgeAnswersArpForItsRouter) {
    const auto question = eth(a.mac, net::Mac::broadcast()) / arpRequest(a.mac, "10.0.1.2", "10.0.1.1");
    EXPECT_THAT(world.sendOnce(a, question.toBytes()),
                Delivers({{a, eth(leftPort.mac, a.mac) / arpReply(leftPort.mac, "10.0.1.1", a.mac, "10.0.1.2")}}));
}

TEST_F(RoutingTest, ArpForAnUnknownAddressIsFlooded) {
    const auto question = eth(a.mac, net::Mac::broadcast()) / arpRequest(a.mac, "10.0.1.2", "10.0.1.77");
    EXPECT_THAT(world.sendOnce(a, question.toBytes()), Delivers({{c, question}})) << "but not into the router";
}

TEST_F(RoutingTest, EchoToTheNearAndTheFarPort) {
    for (const char* address : {"10.0.1.1", "10.0.2.1"}) {
        const auto ping = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", address) / icmpEcho(7, 1) / "data";
        const auto got = world.sendOnce(a, ping.toBytes());
        ASSERT_THAT(got, SizeIs(1)) << address;
        const auto answer = headersOf(got[0]);
        EXPECT_EQ(answer.ipSource.toString(), address);
        EXPECT_EQ(answer.ipDestination.toString(), "10.0.1.2");
        EXPECT_EQ(answer.sourcePort, 0) << "echo reply";
        EXPECT_EQ(answer.icmpId, 7);
        EXPECT_EQ(answer.source, leftPort.mac);
        EXPECT_EQ(answer.destination, a.mac);
    }
}

TEST_F(RoutingTest, NoRoute) {
    const auto answer = answerTo(a, eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.1") / udp(1, 2) / "x");
    EXPECT_EQ(answer.sourcePort, 3) << "unreachable";
    EXPECT_EQ(answer.destinationPort, 0) << "net";
    EXPECT_EQ(answer.ipSource.toString(), "10.0.1.1");
    EXPECT_EQ(world.drops(first, DropReason::NoRoute), 1U);
}

TEST_F(RoutingTest, RejectAndBlackHole) {
    network.route(router, "192.0.2.0/25", model::Route::REJECT);
    network.route(router, "192.0.2.128/25", model::Route::BLACK_HOLE);
    const auto answer = answerTo(a, eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.1") / udp(1, 2) / "x");
    EXPECT_EQ(answer.sourcePort, 3);
    EXPECT_EQ(answer.destinationPort, 13) << "administratively prohibited";
    EXPECT_THAT(world.send(a, eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.200") / udp(1, 2) / "x"), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::RejectRoute), 1U);
    EXPECT_EQ(world.drops(first, DropReason::BlackHoleRoute), 1U);
}

TEST_F(RoutingTest, LastHopIsToldToTheSenderAndNeverForwarded) {
    world.send(a, toB());
    for (const std::uint8_t ttl : {std::uint8_t{1}, std::uint8_t{0}}) {
        const auto answer = answerTo(a, toB(ttl));
        EXPECT_EQ(answer.sourcePort, 11) << "time exceeded";
        EXPECT_EQ(answer.ipSource.toString(), "10.0.1.1");
    }
    EXPECT_THAT(world.send(a, toB(2)), Delivers({{b, atB(1)}}));
}

TEST_F(RoutingTest, NothingIsToldAboutErrorsBroadcastsAndLaterFragments) {
    const auto lost = [&](Packet ip) { return eth(a.mac, leftPort.mac) / std::move(ip); };
    const std::vector<Packet> silent = {
        lost(ipv4("10.0.1.2", "192.0.2.1") / icmp(3, 1) / std::vector<std::uint8_t>(28, 0)),
        lost(ipv4("10.0.1.2", "224.0.0.5") / udp(1, 2) / "x"),
        lost(ipv4("10.0.1.2", "192.0.2.1").fragment(1480, false) / "rest"),
        lost(ipv4("10.0.1.2", "255.255.255.255") / udp(1, 2) / "x"),
    };
    for (const auto& packet : silent) EXPECT_THAT(world.sendOnce(a, packet.toBytes()), IsEmpty());
}

TEST_F(RoutingTest, WhatARouterDoesNotTake) {
    const std::vector<Packet> frames = {
        eth(a.mac, leftPort.mac) / vlan(5) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2),
        eth(a.mac, leftPort.mac) / ipv6("fd00::1", "fd00::2") / udp(1, 2),
        eth(a.mac, leftPort.mac) / "no ip",
    };
    for (const auto& frame : frames) EXPECT_THAT(world.send(a, frame), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::RoutedIpv6), 1U) << "a flow keeps the second away";
    EXPECT_EQ(world.drops(first, DropReason::NotForRouter), 2U);
}

TEST_F(RoutingTest, PriorityTagIsTakenOff) {
    const auto tagged = eth(a.mac, leftPort.mac) / vlan(0) / ipv4("10.0.1.2", "10.0.2.2") / udp(1000, 53) / "hello";
    EXPECT_THAT(world.send(a, tagged), Delivers({{b, atB()}}));
}

TEST_F(RoutingTest, NextHopThatNeverAnswersIsAskedFor) {
    const auto silent = world.vm(right, first);
    const auto packet = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(1, 2) / "x";
    const auto question = eth(rightPort.mac, net::Mac::broadcast()) / arpRequest(rightPort.mac, "10.0.2.1", "10.0.2.9");
    EXPECT_THAT(world.sendOnce(a, packet.toBytes()), Delivers({{b, question}, {silent, question}}));
    EXPECT_THAT(world.sendOnce(a, packet.toBytes()), IsEmpty()) << "one question for all that wait";
    world.advance(6s);
    EXPECT_EQ(world.drops(first, DropReason::WaitingTooLong), 2U);
    const auto sent = packet.toBytes();
    const auto told = eth(leftPort.mac, a.mac) / ipv4("10.0.1.1", "10.0.1.2") / icmp(3, 1) / Frame(sent.begin() + 14, sent.begin() + 14 + 28);
    EXPECT_THAT(world.collect(), Delivers({{a, told}, {a, told}})) << "host unreachable, to each of them";
}

TEST_F(RoutingTest, SilentNeighboursAreToldOfAtALimitedRate) {
    for (unsigned port = 1; port <= 60; ++port)
        world.sendOnce(a, (eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(port, 2)).toBytes());
    world.advance(6s);
    EXPECT_EQ(world.drops(first, DropReason::WaitingTooLong), 60U);
    EXPECT_THAT(world.collect(), SizeIs(50));
    EXPECT_EQ(world.stats(first).errorsWithheld, 10U);
}

TEST_F(RoutingTest, WaitingPacketGoesWhenTheAnswerComes) {
    const auto late = world.vm(right, first);
    const auto packet = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(1, 2) / "x";
    world.sendOnce(a, packet.toBytes());
    const auto answer = eth(late.mac, rightPort.mac) / arpReply(late.mac, "10.0.2.9", rightPort.mac, "10.0.2.1");
    EXPECT_THAT(world.sendOnce(late, answer.toBytes()),
                Delivers({{late, eth(rightPort.mac, late.mac) / ipv4("10.0.1.2", "10.0.2.9").ttl(63) / udp(1, 2) / "x"}}));
}

TEST_F(RoutingTest, WaitingPacketGoesWhenAnotherHostHearsTheAnswer) {
    const auto late = world.vm(right, second);
    const auto packet = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(1, 2) / "x";
    world.sendOnce(a, packet.toBytes());
    EXPECT_EQ(world.stats(first).waitingPackets, 1U);
    const auto answer = eth(late.mac, rightPort.mac) / arpReply(late.mac, "10.0.2.9", rightPort.mac, "10.0.2.1");
    auto got = world.sendOnce(late, answer.toBytes());
    if (got.empty()) got = world.collect();
    EXPECT_THAT(got, Delivers({{late, eth(rightPort.mac, late.mac) / ipv4("10.0.1.2", "10.0.2.9").ttl(63) / udp(1, 2) / "x"}}));
}

TEST_F(RoutingTest, NeighbourLearnedByOneHostIsKnownToTheOthers) {
    world.send(a, toB());
    const auto questions = world.stats(second).framesMade;
    const auto fromC = eth(c.mac, leftPort.mac) / ipv4("10.0.1.3", "10.0.2.2") / udp(1, 2) / "x";
    EXPECT_THAT(world.send(c, fromC), DeliversTo({b}, eth(rightPort.mac, b.mac) / ipv4("10.0.1.3", "10.0.2.2").ttl(63) / udp(1, 2) / "x"));
    EXPECT_EQ(world.stats(second).framesMade, questions) << "no question of its own";
}

TEST_F(RoutingTest, NeighbourThatChangesItsMacIsFollowed) {
    const auto fromC = eth(c.mac, leftPort.mac) / ipv4("10.0.1.3", "10.0.2.2") / udp(1, 2) / "x";
    world.send(a, toB());
    world.send(c, fromC);
    auto changed = b;
    changed.mac = net::Mac{0x02cc00000001ULL};
    const auto told = eth(changed.mac, rightPort.mac) / arpReply(changed.mac, "10.0.2.2", rightPort.mac, "10.0.2.1");
    world.sendOnce(b, told.toBytes());
    world.collect();
    for (const auto& host : {first, second})
        for (const auto& flow : world.flows(host))
            for (const auto& action : flow.actions) {
                const auto* set = std::get_if<flow::SetEthernet>(&action);
                EXPECT_FALSE(set != nullptr && set->destination == b.mac) << "a flow of " << host;
            }
    EXPECT_THAT(world.send(c, fromC), Delivers({{b, eth(rightPort.mac, changed.mac) / ipv4("10.0.1.3", "10.0.2.2").ttl(63) / udp(1, 2) / "x"}}));
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, eth(rightPort.mac, changed.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(63) / udp(1000, 53) / "hello"}}));
}

TEST_F(RoutingTest, RouteComesAndGoes) {
    const auto packet = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.1") / udp(1, 2) / "x";
    EXPECT_EQ(answerTo(a, packet).sourcePort, 3);
    const auto id = network.route(router, "192.0.2.0/24", rightPort.port, "10.0.2.2");
    EXPECT_THAT(world.send(a, packet), Delivers({{b, eth(rightPort.mac, b.mac) / ipv4("10.0.1.2", "192.0.2.1").ttl(63) / udp(1, 2) / "x"}}));
    network.remove<model::Route>(id.uuid());
    EXPECT_EQ(answerTo(a, packet).sourcePort, 3);
}

TEST_F(RoutingTest, ARouteMovesOnlyTheFlowsItIsFor) {
    world.send(a, toB());
    const auto before = world.stats(first).invalidations;
    network.route(router, "192.0.2.0/24", rightPort.port, "10.0.2.2");
    network.route(router, "10.0.0.0/16", rightPort.port, "10.0.2.2");
    EXPECT_EQ(world.stats(first).invalidations, before) << "neither is for 10.0.2.2: it has a longer one";
    network.route(router, "10.0.2.2/32", rightPort.port);
    EXPECT_GT(world.stats(first).invalidations, before);
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
}

TEST_F(RoutingTest, RoutesOfAPortThatIsDownOrUnlinkedAreWithdrawn) {
    world.send(a, toB());
    const auto setUp = [&](bool up) { world.changePort(rightPort.port, [&](model::Port& p) { p.set_admin_state_up(up); }); };
    setUp(false);
    EXPECT_EQ(answerTo(a, toB()).sourcePort, 3) << "no route";
    setUp(true);
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
    network.unlink(rightPort.port);
    EXPECT_EQ(answerTo(a, toB()).sourcePort, 3);
}

TEST_F(RoutingTest, PortThatIsDeletedRoutesNoMore) {
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
    network.remove<model::Port>(rightPort.port.uuid());
    EXPECT_EQ(answerTo(a, toB()).sourcePort, 3) << "no route";
    EXPECT_THAT(world.sendOnce(b, (eth(b.mac, rightPort.mac) / ipv4("10.0.2.2", "10.0.1.2") / udp(1, 2) / "x").toBytes()), IsEmpty());
}

TEST_F(RoutingTest, FragmentsOfPingsAndUdpPass) {
    const auto whole = (eth(a.mac, b.mac) / ipv4("10.0.1.2", "10.0.2.2") / udp(1000, 53) / Frame(64, 'u')).toBytes();
    const auto ping = (eth(a.mac, b.mac) / ipv4("10.0.1.2", "10.0.2.2") / icmpEcho(7, 1) / Frame(64, 'p')).toBytes();
    for (const auto& [frame, protocol] : {std::pair{whole, ipproto::kUdp}, std::pair{ping, ipproto::kIcmp}}) {
        for (const unsigned offset : {0U, 40U}) {
            const Frame piece(frame.begin() + 34 + offset, offset == 0 ? frame.begin() + 34 + 40 : frame.end());
            const auto at = [&](const net::Mac& from, const net::Mac& to, std::uint8_t ttl) {
                return eth(from, to) / ipv4("10.0.1.2", "10.0.2.2").ttl(ttl).protocol(protocol).fragment(offset, offset == 0) / piece;
            };
            EXPECT_THAT(world.send(a, at(a.mac, leftPort.mac, 64)), Delivers({{b, at(rightPort.mac, b.mac, 63)}})) << protocol << " from " << offset;
        }
    }
}

TEST_F(RoutingTest, WhatARouterAnswersAndSaysItselfLeavesNoFlow) {
    const std::vector<Packet> answered = {
        eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.1.1") / icmpEcho(7, 1),
        eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.1") / icmpEcho(7, 1),
        eth(a.mac, net::Mac::broadcast()) / arpRequest(a.mac, "10.0.1.2", "10.0.1.1"),
        toB(1),
        eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.1") / udp(1, 2) / "x",
    };
    for (const auto& packet : answered) {
        EXPECT_THAT(world.sendOnce(a, packet.toBytes()), SizeIs(1));
        EXPECT_THAT(world.flows(first), IsEmpty()) << packet::describe(packet.toBytes());
    }
    // A question to a machine of the other host leaves a flow there that takes it out of its tunnel, and none here.
    world.sendOnce(a, (eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.0.2.9") / udp(1, 2) / "x").toBytes());
    EXPECT_THAT(world.flows(first), IsEmpty());
}

TEST_F(RoutingTest, RouterThatIsDownSaysSo) {
    world.send(a, toB());
    const auto setUp = [&](bool up) { network.change<model::Router>(router.uuid(), [&](model::Router& r) { r.set_admin_state_up(up); }); };
    setUp(false);
    const auto answer = answerTo(a, toB());
    EXPECT_EQ(answer.sourcePort, 3);
    EXPECT_EQ(answer.destinationPort, 13);
    EXPECT_EQ(world.drops(first, DropReason::RouterAdminDown), 1U);
    setUp(true);
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
}

TEST_F(RoutingTest, ExteriorPortToTheWorldOutside) {
    const auto outside = network.uplink(router, second, "172.16.0.2/30", "172.16.0.1");
    network.route(router, "0.0.0.0/0", outside.port.port, "172.16.0.1");
    const auto out = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "198.51.100.7") / udp(1, 2) / "x";
    EXPECT_THAT(world.send(a, out),
                Delivers({{outside.machine, eth(outside.port.mac, outside.machine.mac) / ipv4("10.0.1.2", "198.51.100.7").ttl(63) / udp(1, 2) / "x"}}));
    const auto in = eth(outside.machine.mac, outside.port.mac) / ipv4("198.51.100.7", "10.0.1.2") / udp(2, 1) / "y";
    EXPECT_THAT(world.send(outside.machine, in), Delivers({{a, eth(leftPort.mac, a.mac) / ipv4("198.51.100.7", "10.0.1.2").ttl(63) / udp(2, 1) / "y"}}));
    const auto question = eth(outside.machine.mac, net::Mac::broadcast()) / arpRequest(outside.machine.mac, "172.16.0.1", "172.16.0.2");
    EXPECT_THAT(world.sendOnce(outside.machine, question.toBytes()),
                Delivers({{outside.machine, eth(outside.port.mac, outside.machine.mac) / arpReply(outside.port.mac, "172.16.0.2", outside.machine.mac, "172.16.0.1")}}));

    world.setInterfacePresent(outside.machine, false);
    EXPECT_EQ(answerTo(a, out).sourcePort, 3) << "its routes are withdrawn";
    world.setInterfacePresent(outside.machine, true);
    EXPECT_THAT(world.send(a, out), SizeIs(1));
}

TEST_F(RoutingTest, ThroughTwoRouters) {
    const auto provider = network.router();
    const auto [up, down] = network.connect(router, "169.254.1.1/30", provider, "169.254.1.2/30");
    const auto far = world.bridge();
    const auto farPort = network.attach(provider, far, "10.9.0.1/24");
    const auto d = network.machine(far, second, "10.9.0.2");
    network.route(router, "0.0.0.0/0", up.port, "169.254.1.2");
    network.route(provider, "10.0.0.0/16", down.port, "169.254.1.1");
    const auto out = eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.9.0.2") / udp(1, 2) / "x";
    EXPECT_THAT(world.send(a, out), Delivers({{d, eth(farPort.mac, d.mac) / ipv4("10.0.1.2", "10.9.0.2").ttl(62) / udp(1, 2) / "x"}}));
    const auto back = eth(d.mac, farPort.mac) / ipv4("10.9.0.2", "10.0.1.2") / udp(2, 1) / "y";
    EXPECT_THAT(world.send(d, back), Delivers({{a, eth(leftPort.mac, a.mac) / ipv4("10.9.0.2", "10.0.1.2").ttl(62) / udp(2, 1) / "y"}}));
    EXPECT_EQ(answerTo(a, eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "10.9.0.2").ttl(2) / udp(1, 2) / "x").ipSource.toString(), "169.254.1.2")
        << "the second router has no hop left";
}

TEST_F(RoutingTest, EqualRoutesShareTheFlowsAndOneThatGoesMovesOnlyItsOwn) {
    std::vector<Network::Uplink> uplinks;
    std::vector<RouteId> routes;
    for (int i = 0; i < 3; ++i) {
        uplinks.push_back(network.uplink(router, second, fmt::format("172.16.{}.2/30", i), fmt::format("172.16.{}.1", i)));
        routes.push_back(network.route(router, "0.0.0.0/0", uplinks.back().port.port, fmt::format("172.16.{}.1", i)));
    }
    const auto wayOf = [&](std::uint16_t port) {
        const auto got = world.sendOnce(a, (eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "198.51.100.7") / udp(port, 80) / "x").toBytes());
        return got.size() == 1 ? got[0].vm : std::string{};
    };
    std::map<std::uint16_t, std::string> before;
    std::map<std::string, int> shares;
    for (std::uint16_t port = 1; port <= 60; ++port) ++shares[before[port] = wayOf(port)];
    EXPECT_THAT(shares, SizeIs(3)) << "all are used";
    network.remove<model::Route>(routes[1].uuid());
    for (const auto& [port, way] : before)
        if (way != uplinks[1].machine.name) {
            EXPECT_EQ(wayOf(port), way) << port;
        }
}

TEST_F(RoutingTest, ClassEAddressesAreRouted) {
    const auto bridge = world.bridge();
    const auto port = network.attach(router, bridge, "255.0.0.1/24");
    const auto d = network.machine(bridge, second, "255.0.0.2");
    EXPECT_THAT(world.send(a, eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "255.0.0.2") / udp(1, 2) / "x"),
                Delivers({{d, eth(port.mac, d.mac) / ipv4("10.0.1.2", "255.0.0.2").ttl(63) / udp(1, 2) / "x"}}));
}

TEST_F(RoutingTest, ALoopOfRoutersEnds) {
    const auto other = network.router();
    const auto [up, down] = network.connect(router, "169.254.1.1/30", other, "169.254.1.2/30");
    network.route(router, "0.0.0.0/0", up.port, "169.254.1.2");
    network.route(other, "0.0.0.0/0", down.port, "169.254.1.1");
    world.sendOnce(a, (eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", "192.0.2.1") / udp(1, 2) / "x").toBytes());
    EXPECT_EQ(world.drops(first, DropReason::TooManyDevices), 1U);
}

TEST_F(RoutingTest, TwoTenantsWithTheSameAddressesAreApart) {
    const auto router2 = network.router();
    const auto left2 = world.bridge();
    const auto right2 = world.bridge();
    const auto leftPort2 = network.attach(router2, left2, "10.0.1.1/24");
    const auto rightPort2 = network.attach(router2, right2, "10.0.2.1/24");
    const auto a2 = network.machine(left2, first, "10.0.1.2");
    const auto b2 = network.machine(right2, second, "10.0.2.2");
    EXPECT_THAT(world.send(a, toB()), Delivers({{b, atB()}}));
    EXPECT_THAT(world.send(a2, eth(a2.mac, leftPort2.mac) / ipv4("10.0.1.2", "10.0.2.2") / udp(1000, 53) / "mine"),
                Delivers({{b2, eth(rightPort2.mac, b2.mac) / ipv4("10.0.1.2", "10.0.2.2").ttl(63) / udp(1000, 53) / "mine"}}));
}

TEST_F(RoutingTest, ErrorsAreLimitedUnderAFlood) {
    for (unsigned i = 0; i < 500; ++i)
        world.sendOnce(a, (eth(a.mac, leftPort.mac) / ipv4("10.0.1.2", net::Ipv4Address{0xc0000200U + i}) / udp(1, 2) / "x").toBytes());
    const auto stats = world.stats(first);
    EXPECT_GT(stats.errorsWithheld, 0U);
    EXPECT_LT(stats.framesMade, 100U);
}

}  // namespace
}  // namespace midonet::scenarios
