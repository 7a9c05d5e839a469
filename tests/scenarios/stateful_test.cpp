// Chains, connection tracking, translation and load balancing: the same whether both ends are on one host or on two, because
// the hosts tell each other.
#include <gtest/gtest.h>

#include <set>

#include "nat_fixture.h"

namespace midonet::scenarios {
namespace {

using namespace std::chrono_literals;
using namespace packet;
using flow::DropReason;
using model::Condition;
using model::Rule;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// One bridge over two hosts; b's port lets in answers only.
class FirewallTest : public ::testing::Test {
protected:
    World world;
    Network network{world};
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm a = network.machine(bridge, first, "10.0.0.1");
    const Vm b = network.machine(bridge, second, "10.0.0.2");

    Packet fromA(unsigned sourcePort = 80, unsigned port = 1000) const {
        return eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / tcp(sourcePort, port);
    }
    Packet fromB(unsigned sourcePort = 1000, unsigned port = 80) const {
        return eth(b.mac, a.mac) / ipv4("10.0.0.2", "10.0.0.1") / tcp(sourcePort, port);
    }
    void introduceAll() {
        for (const auto& vm : {a, b}) world.sendOnce(vm, (eth(vm.mac, net::Mac::broadcast()) / "hello").toBytes());
    }
    /// What leaves b's port for b: answers, and what else the rules say.
    ChainId answersOnly(std::vector<Rule> more = {}) {
        std::vector<Rule> rules = {when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_return_flow(true); })};
        rules.insert(rules.end(), more.begin(), more.end());
        rules.push_back(when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x0800); }));
        rules.push_back(when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x86dd); }));
        return network.chain(rules);
    }
};

TEST_F(FirewallTest, AnswersPassAndNothingElse) {
    introduceAll();
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
    EXPECT_THAT(world.send(a, fromA()), DeliversNothing()) << "nobody asked";
    EXPECT_THAT(world.send(b, fromB()), DeliversTo({a}, fromB()));
    EXPECT_THAT(world.send(a, fromA()), DeliversTo({b}, fromA())) << "the answer, at the other host";
    EXPECT_THAT(world.send(a, fromA(81)), DeliversNothing()) << "from another port";
}

/// The answer of a is at its host before the message about the connection that b opened.
class RaceTest : public FirewallTest {
protected:
    RaceTest() {
        introduceAll();
        network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
        world.holdStateMessages(true);
        EXPECT_THAT(world.sendOnce(b, fromB().toBytes()), SizeIs(1));
    }
};

TEST_F(RaceTest, AnswerThatOvertakesItsStateWaitsForIt) {
    EXPECT_THAT(world.sendOnce(a, fromA().toBytes()), IsEmpty());
    world.holdStateMessages(false);
    EXPECT_THAT(world.collect(), DeliversTo({b}, fromA()));
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 0U);
    EXPECT_THAT(world.send(a, fromA()), DeliversTo({b}, fromA()));
}

TEST_F(RaceTest, StateThatDoesNotComeIsNotWaitedFor) {
    EXPECT_THAT(world.sendOnce(a, fromA().toBytes()), IsEmpty());
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 0U);
    world.advance(10ms);
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 1U);
    world.holdStateMessages(false);
    EXPECT_THAT(world.collect(), IsEmpty()) << "too late for the first";
    EXPECT_THAT(world.send(a, fromA()), DeliversTo({b}, fromA()));
}

TEST_F(RaceTest, WhatOpensAConnectionIsDecidedAtOnce) {
    world.sendOnce(a, (eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / tcp(80, 1000).flags(tcpflag::kSyn)).toBytes());
    world.sendOnce(a, (eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / icmpEcho(3, 1)).toBytes());
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 2U);
}

TEST_F(RaceTest, PacketInMidConnectionOfWhichNothingIsKnownWaits) {
    world.holdStateMessages(false);
    const auto router = network.router();
    const auto inside = network.attach(router, bridge, "10.0.0.254/24");
    const auto outside = network.uplink(router, first, "172.16.0.2/24", "172.16.0.1");
    network.route(router, "0.0.0.0/0", outside.port.port, "172.16.0.1");
    network.setRouterFilters(router, network.chain({unnat(Rule::REV_DNAT)}),
                             network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}));
    const auto onward = eth(a.mac, inside.mac) / ipv4("10.0.0.1", "198.51.100.7") / tcp(80, 5000).flags(tcpflag::kAck);
    world.holdStateMessages(true);
    EXPECT_THAT(world.sendOnce(a, onward.toBytes()), IsEmpty()) << "in mid-connection, and nothing is known of it";
    EXPECT_EQ(world.stats(first).earlyPackets, 1U);
    world.holdStateMessages(false);
    world.advance(10ms);
    EXPECT_THAT(world.collect(), SizeIs(1)) << "nobody told of it in time";
    EXPECT_THAT(world.send(a, onward), SizeIs(1));
}

TEST_F(RaceTest, AFloodIsDecidedAtOnceBeyondAFewPackets) {
    const auto before = world.stats(first).simulations;
    for (unsigned port = 1; port <= 200; ++port) world.sendOnce(a, fromA(port, 5000).toBytes());
    EXPECT_EQ(world.stats(first).earlyPackets, 64U);
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 200U - 64U);
    world.advance(10ms);
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 200U);
    EXPECT_EQ(world.stats(first).simulations - before, 200U + 64U);
    world.holdStateMessages(false);
}

TEST_F(FirewallTest, Ipv6AsIpv4) {
    introduceAll();
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
    const auto question = eth(b.mac, a.mac) / ipv6("fd00::2", "fd00::1") / udp(1000, 53) / "q";
    const auto answer = eth(a.mac, b.mac) / ipv6("fd00::1", "fd00::2") / udp(53, 1000) / "a";
    const auto ping = eth(b.mac, a.mac) / ipv6("fd00::2", "fd00::1") / icmpv6Echo(3, 1);
    const auto pong = eth(a.mac, b.mac) / ipv6("fd00::1", "fd00::2") / icmpv6EchoReply(3, 1);
    EXPECT_THAT(world.send(a, answer), DeliversNothing());
    EXPECT_THAT(world.send(b, question), DeliversTo({a}, question));
    EXPECT_THAT(world.send(a, answer), DeliversTo({b}, answer));
    EXPECT_THAT(world.send(a, pong), DeliversNothing());
    EXPECT_THAT(world.send(b, ping), DeliversTo({a}, ping));
    EXPECT_THAT(world.send(a, pong), DeliversTo({b}, pong));
}

TEST_F(FirewallTest, PingsHaveFlowsOfTheirOwn) {
    introduceAll();
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
    const auto ping = eth(b.mac, a.mac) / ipv4("10.0.0.2", "10.0.0.1") / icmpEcho(3, 1);
    const auto pong = eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / icmpEchoReply(3, 1);
    EXPECT_THAT(world.send(b, ping), DeliversTo({a}, ping));
    EXPECT_THAT(world.send(a, pong), DeliversTo({b}, pong));
    const auto before = world.stats(second).simulations;
    world.sendOnce(b, (eth(b.mac, a.mac) / ipv4("10.0.0.2", "10.0.0.1") / icmpEcho(3, 2)).toBytes());
    EXPECT_EQ(world.stats(second).simulations, before) << "the next ping of the same run";
    EXPECT_THAT(world.send(a, eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / icmpEchoReply(4, 1)), DeliversNothing());
}

TEST_F(FirewallTest, ConnectionIsForgottenAfterItsTime) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    introduceAll();
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
    world.send(b, fromB());
    EXPECT_THAT(world.send(a, fromA()), SizeIs(1));
    world.advance(200s);
    EXPECT_THAT(world.send(a, fromA()), DeliversNothing());
}

TEST_F(FirewallTest, ConnectionLivesAsLongAsEitherSideSpeaks) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    introduceAll();
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}), answersOnly());
    world.send(b, fromB());
    for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(world.send(a, fromA()), SizeIs(1)) << i;
        world.advance(30s);
    }
}

TEST_F(FirewallTest, EditedRulesHoldForTheNextPacket) {
    introduceAll();
    const auto chain = network.chain({});
    network.setPortFilters(b.port, {}, chain);
    EXPECT_THAT(world.send(a, fromA()), SizeIs(1));
    network.setRules(chain, {when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x0800); })});
    EXPECT_THAT(world.send(a, fromA()), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::RuleDropped), 1U);
    network.setRules(chain, {});
    EXPECT_THAT(world.send(a, fromA()), SizeIs(1));
}

TEST_F(FirewallTest, SharedChainIsEnteredAgain) {
    introduceAll();
    const auto shared = network.chain({when(rule(Rule::RETURN), [](Condition& c) { c.set_nw_proto(6); })});
    const auto main = network.chain({jump(shared), jump(shared), when(rule(Rule::DROP), [](Condition& c) { c.mutable_tp_dst()->set_start(1000), c.mutable_tp_dst()->set_end(1000); })});
    network.setPortFilters(b.port, {}, main);
    EXPECT_THAT(world.send(a, fromA()), DeliversNothing());
    EXPECT_THAT(world.send(a, fromA(80, 1001)), SizeIs(1));
}

TEST_F(FirewallTest, GroupsOfAddressesAndPorts) {
    introduceAll();
    std::vector<std::string> addresses;
    for (int i = 0; i < 300; ++i) addresses.push_back(fmt::format("10.1.{}.{}", i / 250, i % 250));
    const auto group = network.ipAddrGroup(addresses);
    const auto ports = network.portGroup({a.port});
    const auto chain = network.chain({when(rule(Rule::ACCEPT), [&](Condition& c) {
                                          c.set_ip_addr_group_src(model::bytesOf(group.uuid()));
                                          c.set_port_group(model::bytesOf(ports.uuid()));
                                      }),
                                      when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x0800); })});
    network.setPortFilters(b.port, {}, chain);
    const auto from = [&](const char* source) { return eth(a.mac, b.mac) / ipv4(*net::Ipv4Address::parse(source), "10.0.0.2") / udp(1, 2); };
    EXPECT_THAT(world.send(a, from("10.1.1.3")), SizeIs(1));
    EXPECT_THAT(world.send(a, from("10.1.1.77")), DeliversNothing());
    network.change<model::IpAddrGroup>(group.uuid(), [](model::IpAddrGroup& g) { g.add_addresses("10.1.1.77"); });
    EXPECT_THAT(world.send(a, from("10.1.1.77")), SizeIs(1));
    network.remove<model::PortGroup>(ports.uuid());
    EXPECT_THAT(world.send(a, from("10.1.1.3")), DeliversNothing()) << "a group that is gone matches nothing";
}

TEST_F(FirewallTest, EthernetTypesAndPartsOfMacs) {
    introduceAll();
    const auto inPart = [](Condition& c, const char* mac, bool source) {
        source ? c.set_dl_src(mac) : c.set_dl_dst(mac);
        c.set_dl_src_mask("ffff.0000.0000");
        c.set_dl_dst_mask("ffff.0000.0000");
    };
    const auto chain = network.chain({when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x86dd); })});
    network.setPortFilters(b.port, {}, chain);
    const auto v4 = fromA();
    const auto v6 = eth(a.mac, b.mac) / ipv6("fd00::1", "fd00::2") / udp(1, 2) / "x";
    EXPECT_THAT(world.send(a, v4), DeliversTo({b}, v4));
    EXPECT_THAT(world.send(a, v6), DeliversNothing());
    const auto disguised = eth("02:99:00:00:00:01", b.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x";
    network.setRules(chain, {when(rule(Rule::DROP), [&](Condition& c) { inPart(c, "02:99:12:34:56:78", true); })});
    EXPECT_THAT(world.send(a, v6), DeliversTo({b}, v6));
    EXPECT_THAT(world.send(a, disguised), DeliversNothing()) << "the first two bytes are those";
    network.setRules(chain, {when(rule(Rule::DROP), [&](Condition& c) { inPart(c, "02:00:12:34:56:78", false); })});
    EXPECT_THAT(world.send(a, disguised), DeliversNothing()) << "and now those of the destination";
    EXPECT_THAT(world.send(b, fromB()), DeliversTo({a}, fromB())) << "the chain is about what leaves b's port";
}

TEST_F(FirewallTest, ChainsOfABridgeDoNotHoldTaggedFramesBack) {
    introduceAll();
    const auto dropAll = network.chain({rule(Rule::DROP)});
    const auto tagged = eth(a.mac, b.mac) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x";
    EXPECT_THAT(world.send(a, fromA()), DeliversTo({b}, fromA()));
    for (const bool inbound : {true, false}) {
        network.setBridgeFilters(bridge, inbound ? dropAll : ChainId{}, inbound ? ChainId{} : dropAll);
        EXPECT_THAT(world.send(a, fromA()), DeliversNothing()) << inbound;
        EXPECT_THAT(world.send(a, tagged), DeliversTo({b}, tagged)) << inbound;
    }
    network.setBridgeFilters(bridge, {}, {});
    EXPECT_THAT(world.send(a, fromA()), DeliversTo({b}, fromA()));
}

TEST_F(NatTest, SourceTranslationAndItsAnswers) {
    translateSources();
    const auto seen = outsideOf(a, out(a, addressOfA(), tcp(1000, 80)));
    EXPECT_EQ(seen.ipSource.toString(), "172.16.0.2");
    EXPECT_GE(seen.sourcePort, 20000);
    EXPECT_LE(seen.sourcePort, 29999);
    EXPECT_EQ(seen.ttl, 63);
    EXPECT_THAT(world.send(outside.machine, in("172.16.0.2", tcp(80, seen.sourcePort))), Delivers({{a, atA(tcp(80, 1000))}}));
    EXPECT_EQ(outsideOf(a, out(a, addressOfA(), tcp(1000, 80).flags(tcpflag::kAck))).sourcePort, seen.sourcePort) << "the same connection";
    EXPECT_NE(outsideOf(a, out(a, addressOfA(), tcp(1001, 80))).sourcePort, seen.sourcePort) << "another one to the same server";
}

TEST_F(NatTest, HostsNeverTakeTheSamePort) {
    translateSources();
    std::set<std::uint16_t> used;
    for (unsigned port = 1; port <= 40; ++port) {
        EXPECT_TRUE(used.insert(outsideOf(a, out(a, addressOfA(), tcp(port, 80))).sourcePort).second);
        EXPECT_TRUE(used.insert(outsideOf(b, out(b, *net::Ipv4Address::parse("10.0.0.3"), tcp(port, 80))).sourcePort).second);
    }
}

TEST_F(NatTest, ABurstToOneServerWaitsForItsFirstBlockOnly) {
    translateSources();
    outsideOf(a, out(a, addressOfA(), tcp(1, 80)));
    std::set<std::uint16_t> used;
    for (unsigned port = 2; port <= 640; ++port) {
        const auto got = world.sendOnce(a, out(a, addressOfA(), tcp(port, 80)).toBytes());
        ASSERT_THAT(got, SizeIs(1)) << "connection " << port << " waits";
        ASSERT_TRUE(used.insert(headersOf(got[0]).sourcePort).second);
        world.collect();  // what was leased meanwhile comes in
    }
    EXPECT_EQ(world.drops(first, DropReason::WaitingRoomFull), 0U);
}

TEST_F(NatTest, PingThroughSourceTranslation) {
    translateSources();
    const auto seen = outsideOf(a, out(a, addressOfA(), icmpEcho(77, 1)));
    EXPECT_EQ(seen.ipSource.toString(), "172.16.0.2");
    EXPECT_EQ(seen.icmpId, 77);
    EXPECT_THAT(world.send(outside.machine, in("172.16.0.2", icmpEchoReply(77, 1))), Delivers({{a, atA(icmpEchoReply(77, 1))}}));
}

/// What a router says that is reached through a translation: its address is the provider's, behind the tenant's router.
TEST_F(NatTest, RoutersBehindTheTranslationAnswer) {
    const auto provider = network.router();
    const auto downlink = network.port(provider, "172.17.0.1/24"), uplink = network.port(router, "172.17.0.2/24");
    network.link(downlink.port, uplink.port);
    network.route(router, "198.18.0.0/15", uplink.port, "172.17.0.1");
    const auto beyond = network.uplink(provider, gateway, "172.18.0.1/24", "172.18.0.2");
    network.route(provider, "198.18.0.0/16", beyond.port.port, "172.18.0.2");
    const auto onlyOut = [&](Condition& c) { c.add_out_ports(model::bytesOf(uplink.port.uuid())); };
    const auto onlyIn = [&](Condition& c) { c.add_in_ports(model::bytesOf(uplink.port.uuid())); };
    network.setRouterFilters(router, network.chain({when(unnat(Rule::REV_SNAT), onlyIn)}),
                             network.chain({when(nat(Rule::SNAT, "172.17.0.2", "172.17.0.2", 20000, 29999), onlyOut)}));
    network.route(router, "172.17.0.0/24", uplink.port);
    const auto ask = [&](std::string_view destination, std::uint8_t ttl, packet::Packet l4) {
        const auto frame = eth(a.mac, inside.mac) / ipv4("10.0.0.2", *net::Ipv4Address::parse(destination)).ttl(ttl) / std::move(l4);
        auto got = world.sendOnce(a, frame.toBytes());
        if (got.empty()) got = world.collect();
        EXPECT_THAT(got, SizeIs(1)) << "nobody answers";
        return got.size() == 1 ? headersOf(got[0]) : packet::ParsedPacket{};
    };
    const auto pong = ask("172.17.0.1", 64, icmpEcho(77, 1));
    EXPECT_EQ(pong.ipSource.toString(), "172.17.0.1");
    EXPECT_EQ(pong.ipDestination.toString(), "10.0.0.2");
    const auto hop = ask("198.18.0.1", 2, udp(1000, 33434) / "probe");
    EXPECT_EQ(hop.sourcePort, 11) << "time exceeded";
    EXPECT_EQ(hop.ipDestination.toString(), "10.0.0.2");
    const auto unreachable = ask("198.19.0.1", 64, udp(1001, 53) / "question");
    EXPECT_EQ(unreachable.sourcePort, 3) << "the provider has no route";
    EXPECT_EQ(unreachable.ipDestination.toString(), "10.0.0.2");
}

TEST_F(NatTest, ErrorAboutATranslatedPacketFindsItsSender) {
    translateSources();
    const auto seen = outsideOf(a, out(a, addressOfA(), udp(1000, 53) / "question"));
    const auto quoted = [](net::Ipv4Address source, unsigned port, std::uint8_t ttl) {
        const auto whole = (eth(net::Mac{1}, net::Mac{2}) / ipv4(source, "198.51.100.7").ttl(ttl) / udp(port, 53) / "question").toBytes();
        return Frame(whole.begin() + 14, whole.begin() + 14 + 28);
    };
    const auto error = eth(outside.machine.mac, outside.port.mac) / ipv4("172.16.0.9", "172.16.0.2") / icmp(3, 1) / quoted(seen.ipSource.v4(), seen.sourcePort, 63);
    const auto flows = world.flows(gateway).size();
    const auto got = world.sendOnce(outside.machine, error.toBytes());
    EXPECT_THAT(world.flows(gateway), SizeIs(flows)) << "what is looked at inside has no flow";
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(got[0].vm, a.name);
    const auto answer = headersOf(got[0]);
    EXPECT_EQ(answer.ipDestination.toString(), "10.0.0.2");
    const auto* inner = got[0].frame.data() + answer.payloadOffset;
    EXPECT_EQ(net::Ipv4Address::fromWire(inner + 12).toString(), "10.0.0.2");
    EXPECT_EQ(loadBe16(inner + 20), 1000);
}

TEST_F(NatTest, DestinationTranslationToAPort) {
    const auto toService = [](Condition& c) {
        c.set_nw_dst_address("172.16.0.2"), c.set_nw_dst_length(32), c.set_nw_proto(6);
        c.mutable_tp_dst()->set_start(8080), c.mutable_tp_dst()->set_end(8080);
    };
    network.setRouterFilters(router, network.chain({when(nat(Rule::DNAT, "10.0.0.2", "10.0.0.2", 80, 80), toService)}),
                             network.chain({unnat(Rule::REV_DNAT)}));
    EXPECT_THAT(world.send(outside.machine, in("172.16.0.2", tcp(5000, 8080))), Delivers({{a, atA(tcp(5000, 80))}}));
    EXPECT_THAT(world.send(a, out(a, addressOfA(), tcp(80, 5000))),
                Delivers({{outside.machine, eth(outside.port.mac, outside.machine.mac) / ipv4("172.16.0.2", "198.51.100.7").ttl(63) / tcp(8080, 5000)}}));
}

TEST_F(NatTest, ATranslationLivesAsLongAsEitherSideSpeaks) {
    if (!world.flowsExpire()) GTEST_SKIP() << "the kernel keeps its own time";
    const auto toService = [](Condition& c) {
        c.set_nw_dst_address("172.16.0.2"), c.set_nw_dst_length(32), c.set_nw_proto(6);
    };
    network.setRouterFilters(router, network.chain({when(nat(Rule::DNAT, "10.0.0.2", "10.0.0.2", 80, 89), toService)}),
                             network.chain({unnat(Rule::REV_DNAT)}));
    const auto question = in("172.16.0.2", tcp(5000, 8080));
    const auto member = world.sendOnce(outside.machine, question.toBytes());
    ASSERT_THAT(member, SizeIs(1));
    const auto port = headersOf(member[0]).destinationPort;
    const auto answer = out(a, addressOfA(), tcp(port, 5000));
    for (int i = 0; i < 5; ++i) {
        world.advance(50s);
        EXPECT_THAT(world.send(a, answer), SizeIs(1)) << i << ": its state lives by the answers";
    }
    for (int i = 0; i < 5; ++i) {
        world.advance(50s);
        // The machine is silent, so its MAC is forgotten and the packet flooded.
        const Delivery arrived{a.name, unpadded(atA(tcp(5000, port)).toBytes())};
        EXPECT_THAT(world.send(outside.machine, question), Contains(arrived)) << i << ": and by the questions";
    }
    EXPECT_GT(world.agent(gateway).states().size(), 0U);
    world.advance(300s);
    EXPECT_EQ(world.agent(gateway).states().size(), 0U);
    EXPECT_EQ(world.agent(first).states().size(), 0U) << "on the host of the answers too";
}

TEST_F(NatTest, AnswersComeBackThroughTheOtherGateway) {
    const auto third = world.host();
    const auto other = network.uplink(router, third, "172.17.0.2/24", "172.17.0.1");
    network.portGroup({outside.port.port, other.port.port}, true);
    network.setRouterFilters(router, network.chain({unnat(Rule::REV_SNAT)}),
                             network.chain({when(nat(Rule::SNAT, "192.0.2.1", "192.0.2.1", 20000, 29999), [&](Condition& c) {
                                                c.add_out_ports(model::bytesOf(outside.port.port.uuid()));
                                                c.add_out_ports(model::bytesOf(other.port.port.uuid()));
                                            })}));
    const auto seen = outsideOf(a, out(a, addressOfA(), tcp(1000, 80)));
    const auto answer = eth(other.machine.mac, other.port.mac) / ipv4("198.51.100.7", seen.ipSource.v4()) / tcp(80, seen.sourcePort);
    EXPECT_THAT(world.send(other.machine, answer), Delivers({{a, atA(tcp(80, 1000))}}));
    world.killAgent(gateway);
    EXPECT_THAT(world.send(other.machine, answer), Delivers({{a, atA(tcp(80, 1000))}}));
    world.startAgent(gateway);
}

TEST_F(NatTest, TranslationsOutliveARestartOfTheAgent) {
    translateSources();
    const auto seen = outsideOf(a, out(a, addressOfA(), tcp(1000, 80)));
    world.killAgent(first);
    world.startAgent(first);
    EXPECT_EQ(outsideOf(a, out(a, addressOfA(), tcp(1000, 80))).sourcePort, seen.sourcePort);
    EXPECT_THAT(world.send(outside.machine, in("172.16.0.2", tcp(80, seen.sourcePort))), Delivers({{a, atA(tcp(80, 1000))}}));
}

/// A machine with a guarded port, behind a source translation, moves to another host while it has a connection.
class MigrationTest : public NatTest {
protected:
    const HostName third = world.host();
    ParsedPacket seen;

    MigrationTest() {
        const auto forward = network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })});
        const auto answers = network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_return_flow(true); }),
                                            when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x0800); })});
        network.setPortFilters(a.port, forward, answers);
        translateSources();
        seen = outsideOf(a, question());
        EXPECT_THAT(world.send(outside.machine, answer()), Delivers({{a, atA(tcp(80, 1000))}}));
    }
    void migrate(event::Duration pause = {}) {
        world.unbind(a);
        world.advance(pause);
        world.bind(a, third);
    }
    Packet question() const { return out(a, addressOfA(), tcp(1000, 80)); }
    Packet answer() const { return in("172.16.0.2", tcp(80, seen.sourcePort)); }
    void expectQuestionPasses() {
        const auto got = world.send(a, question());
        ASSERT_THAT(got, SizeIs(1));
        EXPECT_EQ(got[0].vm, outside.machine.name);
        EXPECT_EQ(headersOf(got[0]).sourcePort, seen.sourcePort) << "the same connection";
    }
    void expectAnswerPasses() { EXPECT_THAT(world.send(outside.machine, answer()), Delivers({{a, atA(tcp(80, 1000))}})); }
};

TEST_F(MigrationTest, ConnectionGoesOnWhenTheMachineSpeaksFirst) {
    migrate();
    expectQuestionPasses();
    expectAnswerPasses();
}

TEST_F(MigrationTest, ConnectionGoesOnWhenTheOtherSideSpeaksFirst) {
    migrate();
    expectAnswerPasses();
    expectQuestionPasses();
}

TEST_F(MigrationTest, ConnectionGoesOnAfterAPause) {
    migrate(30s);
    expectQuestionPasses();
    expectAnswerPasses();
}

TEST_F(MigrationTest, ConnectionGoesOnThoughTheHostOfBeforeIsGone) {
    world.unbind(a);
    world.killAgent(first);
    world.bind(a, third);
    expectQuestionPasses();
    expectAnswerPasses();
    world.startAgent(first);
}

TEST_F(MigrationTest, ItsNatPortIsNotGivenToAnotherConnection) {
    migrate();
    const auto other = network.machine(bridge, first, "10.0.0.9");
    for (int i = 0; i < 20; ++i) {
        expectQuestionPasses();
        expectAnswerPasses();
        world.advance(10s);
    }
    for (unsigned port = 1; port <= 64; ++port)
        EXPECT_NE(outsideOf(other, out(other, *net::Ipv4Address::parse("10.0.0.9"), tcp(port, 80))).sourcePort, seen.sourcePort);
}

TEST_F(MigrationTest, AGuardedServerGoesOnAnswering) {
    // b opens a connection to a through a's guard, a answers from its new host.
    const auto open = network.chain({});
    network.setPortFilters(b.port, network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_forward_flow(true); })}),
                           network.chain({when(rule(Rule::ACCEPT), [](Condition& c) { c.set_match_return_flow(true); }),
                                          when(rule(Rule::DROP), [](Condition& c) { c.set_dl_type(0x0800); })}));
    network.setPortFilters(a.port, open, open);
    const auto ask = eth(b.mac, a.mac) / ipv4("10.0.0.3", "10.0.0.2") / tcp(5000, 22);
    const auto tell = eth(a.mac, b.mac) / ipv4("10.0.0.2", "10.0.0.3") / tcp(22, 5000);
    world.sendOnce(b, ask.toBytes());
    EXPECT_THAT(world.send(a, tell), Delivers({{b, tell}}));
    migrate();
    EXPECT_THAT(world.send(a, tell), Delivers({{b, tell}}));
}

class BalancingTest : public NatTest {
protected:
    const Vm c = network.machine(bridge, gateway, "10.0.0.4");
    /// The member that a connection of this client port was given.
    std::string memberOf(unsigned port, std::string_view client = "198.51.100.7") {
        const auto packet = eth(outside.machine.mac, outside.port.mac) / ipv4(*net::Ipv4Address::parse(client), "172.16.0.50") / tcp(port, 80);
        const auto got = world.sendOnce(outside.machine, packet.toBytes());
        return got.size() == 1 ? got[0].vm : std::string{};
    }
    Network::Balanced balanced(bool sticky = false) {
        return network.balance(router, "172.16.0.50", 80, {{{}, "10.0.0.2", 8080, 1}, {{}, "10.0.0.3", 8080, 1}, {{}, "10.0.0.4", 8080, 2}}, sticky);
    }
};

TEST_F(BalancingTest, ConnectionsAreSharedAndAnswersComeFromTheVip) {
    balanced();
    std::map<std::string, unsigned> shares;
    for (unsigned port = 1; port <= 100; ++port) ++shares[memberOf(port)];
    EXPECT_EQ(shares.count(""), 0U);
    EXPECT_THAT(shares, SizeIs(3));
    EXPECT_GT(shares[c.name], shares[b.name]) << "twice the weight";
    unsigned port = 1;
    while (port < 200 && memberOf(port) != a.name) ++port;
    EXPECT_THAT(world.send(a, out(a, addressOfA(), tcp(8080, port))),
                Delivers({{outside.machine, eth(outside.port.mac, outside.machine.mac) / ipv4("172.16.0.50", "198.51.100.7").ttl(63) / tcp(80, port)}}));
}

TEST_F(BalancingTest, ADisabledMemberKeepsItsConnections) {
    const auto made = balanced();
    unsigned port = 1;
    while (port < 200 && memberOf(port) != a.name) ++port;
    network.change<model::PoolMember>(made.members[0].uuid(), [](model::PoolMember& m) { m.set_admin_state_up(false); });
    EXPECT_EQ(memberOf(port), a.name) << "established";
    for (unsigned other = 200; other < 240; ++other) EXPECT_NE(memberOf(other), a.name) << "new ones go elsewhere";
}

TEST_F(BalancingTest, AMemberThatIsGoneLosesItsConnectionsToOthers) {
    const auto made = balanced();
    unsigned port = 1;
    while (port < 200 && memberOf(port) != a.name) ++port;
    network.change<model::PoolMember>(made.members[0].uuid(), [](model::PoolMember& m) { m.set_status(model::PoolMember::INACTIVE); });
    EXPECT_THAT(memberOf(port), ::testing::AnyOf(b.name, c.name));
}

TEST_F(BalancingTest, StickyClientsStay) {
    balanced(true);
    const auto member = memberOf(1);
    for (unsigned port = 2; port < 40; ++port) EXPECT_EQ(memberOf(port), member);
    std::set<std::string> members;
    for (int i = 1; i < 40; ++i) members.insert(memberOf(1, fmt::format("198.51.100.{}", i)));
    EXPECT_GT(members.size(), 1U) << "another client may get another one";
}

TEST_F(BalancingTest, WithoutAMemberNothingPasses) {
    const auto made = balanced();
    for (const auto& member : made.members)
        network.change<model::PoolMember>(member.uuid(), [](model::PoolMember& m) { m.set_admin_state_up(false); });
    EXPECT_EQ(memberOf(1), "");
    EXPECT_EQ(world.drops(gateway, DropReason::PoolDown), 1U);
}

/// The VIP is an address of nobody then.
class NotBalancedTest : public BalancingTest {
protected:
    const Network::Balanced made = balanced();
    bool reachesAMember(Packet l4) {
        const auto got = world.sendOnce(outside.machine, in("172.16.0.50", std::move(l4)).toBytes());
        return std::any_of(got.begin(), got.end(), [&](const Delivery& d) { return d.vm != outside.machine.name; });
    }
    void expectRoutedInVain(Packet l4) {
        const auto before = world.drops(gateway, DropReason::WaitingTooLong);
        EXPECT_FALSE(reachesAMember(std::move(l4)));
        world.advance(6s);
        EXPECT_EQ(world.drops(gateway, DropReason::WaitingTooLong), before + 1) << "nobody answers for the address";
    }
};

TEST_F(NotBalancedTest, OtherPortsAndUdp) {
    EXPECT_TRUE(reachesAMember(tcp(1, 80)));
    expectRoutedInVain(tcp(1, 81));
    expectRoutedInVain(udp(1, 80));
}

TEST_F(NotBalancedTest, ByALoadBalancerThatIsDownOrGone) {
    EXPECT_TRUE(reachesAMember(tcp(1, 80)));
    const auto setUp = [&](bool up) {
        network.change<model::LoadBalancer>(made.loadBalancer.uuid(), [&](model::LoadBalancer& l) { l.set_admin_state_up(up); });
    };
    setUp(false);
    expectRoutedInVain(tcp(1, 80));
    expectRoutedInVain(tcp(2, 80));
    setUp(true);
    EXPECT_TRUE(reachesAMember(tcp(1, 80)));
    network.change<model::Router>(router.uuid(), [](model::Router& r) { r.clear_load_balancer_id(); });
    expectRoutedInVain(tcp(1, 80));
}

TEST_F(NotBalancedTest, ToAVipThatIsDown) {
    EXPECT_TRUE(reachesAMember(tcp(1, 80)));
    network.change<model::Vip>(made.vip.uuid(), [](model::Vip& v) { v.set_admin_state_up(false); });
    expectRoutedInVain(tcp(1, 80));
}

}  // namespace
}  // namespace midonet::scenarios
