#include "simulation/nat.h"

#include <gtest/gtest.h>

#include <set>

#include "packet/builder.h"
#include "simulation/tests/rules_fixture.h"

namespace midonet::simulation::testing {
namespace {

using flowstate::Binding;
using flowstate::KeyKind;
using flowstate::StateEntry;
using flowstate::reverseOf;
using flowstate::StateKey;
using topology::Continuation;
using topology::NatTarget;
using topology::Translate;
using topology::Untranslate;

Rule source(NatTarget target) { return rule({}, Translate{Translate::Kind::Source, {target}, Continuation::Accept}); }
Rule destination(NatTarget target) { return rule({}, Translate{Translate::Kind::Destination, {target}, Continuation::Accept}); }
const Rule kUndoSource = rule({}, Untranslate{Translate::Kind::Source, Continuation::Accept});
const Rule kUndoDestination = rule({}, Untranslate{Translate::Kind::Destination, Continuation::Accept});
NatTarget range(const char* first, const char* last, std::uint16_t firstPort, std::uint16_t lastPort) {
    return {ip(first), ip(last), firstPort, lastPort};
}

/// ICMP "unreachable" from `from` to `to`, about a packet.
packet::Frame errorFrame(packet::Ipv4Literal from, packet::Ipv4Literal to, packet::Packet inside) {
    auto raw = inside.toBytes();
    raw.resize(28);
    return (packet::eth("02:00:00:00:00:01", "02:00:00:00:00:02") / packet::ipv4(from, to) / packet::icmp(3, 1) / std::move(raw)).toBytes();
}

class Nat : public ::testing::Test {
protected:
    /// The packet goes through one rule, with a drop behind it; what that makes is remembered.
    Ran apply(const Rule& nat, const flow::FlowKey& key, ByteView frame = {}) {
        SnapshotBuilder topology;
        topology.chain(chainId(1), {nat, rule({}, kDrop)});
        auto ran = runChain(*topology.build(), state, key, chainId(1), in, nullptr, frame);
        state.remember(ran.decision);
        return ran;
    }
    Ran applyToError(const Rule& nat, const char* from, const char* to, const packet::Packet& inside) {
        const auto frame = errorFrame(from, to, inside);
        auto ran = apply(nat, packetKey(1, from, 3, to, 1), frame);
        EXPECT_TRUE(ran.decision.onlyThisPacket);
        return ran;
    }
    static void expectPacket(const Ran& ran, const char* from, unsigned fromPort, const char* to, unsigned toPort) {
        EXPECT_EQ(ran.result.kind, Kind::Accept);
        EXPECT_EQ(ran.now.ipSource, ip(from));
        EXPECT_EQ(ran.now.ipDestination, ip(to));
        EXPECT_EQ(ran.now.l4Source, fromPort);
        EXPECT_EQ(ran.now.l4Destination, toPort);
    }
    static void expectInside(const Ran& ran, const char* from, unsigned fromPort, const char* to, unsigned toPort) {
        ASSERT_TRUE(ran.inside);
        EXPECT_EQ(ran.inside->source, ip(from));
        EXPECT_EQ(ran.inside->destination, ip(to));
        EXPECT_EQ(ran.inside->sourcePort, fromPort);
        EXPECT_EQ(ran.inside->destinationPort, toPort);
    }

    const topology::Port in = routerPort(1);
    FakeState state;
};

TEST(ReverseOf, GoesBackAndForth) {
    const StateKey key{KeyKind::SourceNat, 6, 1000, 80, ip("10.0.0.1"), ip("8.8.8.8"), Uuid{1, 2}};
    const Binding binding{ip("1.2.3.4"), 5000};
    auto back = reverseOf(StateEntry{key, binding, 60});
    EXPECT_EQ(back, (StateEntry{{KeyKind::SourceUnnat, 6, 80, 5000, ip("8.8.8.8"), ip("1.2.3.4"), Uuid{1, 2}}, {ip("10.0.0.1"), 1000}, 60}));
    auto dnat = key;
    dnat.kind = KeyKind::DestinationNat;
    back = reverseOf(StateEntry{dnat, binding, 60});
    EXPECT_EQ(back, (StateEntry{{KeyKind::DestinationUnnat, 6, 5000, 1000, ip("1.2.3.4"), ip("10.0.0.1"), Uuid{1, 2}}, {ip("8.8.8.8"), 80}, 60}));
    for (const auto kind : {KeyKind::SourceNat, KeyKind::SourceUnnat, KeyKind::DestinationNat, KeyKind::DestinationUnnat, KeyKind::StickyNat,
                            KeyKind::StickyUnnat}) {
        auto any = key;
        any.kind = kind;
        const StateEntry entry{any, binding, 7};
        EXPECT_EQ(reverseOf(reverseOf(entry)), entry);
        EXPECT_NE(any.hash(), reverseOf(entry).key.hash());
    }
    EXPECT_EQ(key.toString(), "snat proto 6 10.0.0.1 port 1000 -> 8.8.8.8 port 80 at " + key.device.toString());
}

TEST_F(Nat, FixedRewritesOnlyAddressesOfItsFamily) {
    const auto in4 = range("10.0.0.5", "10.0.0.5", 0, 0);
    auto ran = apply(destination(in4), tcpKey("8.8.8.8", 1000, "1.2.3.4", 80));
    expectPacket(ran, "8.8.8.8", 1000, "10.0.0.5", 80);
    EXPECT_TRUE(ran.destinationRewritten);
    EXPECT_FALSE(ran.decision.mask.has(Field::L4Source));
    EXPECT_TRUE(ran.decision.events.empty());
    ran = apply(source(in4), packetKey(47, "10.0.0.1", 0, "8.8.8.8", 0));
    expectPacket(ran, "10.0.0.5", 0, "8.8.8.8", 0);
    EXPECT_FALSE(ran.destinationRewritten);
    EXPECT_EQ(apply(source(in4), tcpKey("2001:db8::1", 1, "2001:db8::2", 2)).result.kind, Kind::Drop);
    expectPacket(apply(source(range("2001:db8::9", "2001:db8::9", 0, 0)), tcpKey("2001:db8::1", 1, "2001:db8::2", 2)), "2001:db8::9", 1,
                 "2001:db8::2", 2);
    flow::FlowKey arp;
    arp.etherType = 0x0806;
    EXPECT_EQ(apply(source(in4), arp).result.kind, Kind::Drop) << "not applicable: the next rule";
}

TEST_F(Nat, FixedInsideErrors) {
    const auto inside = packet::ipv4("1.2.3.4", "8.8.8.8") / packet::udp(1000, 53);
    auto ran = applyToError(destination(range("10.0.0.5", "10.0.0.5", 0, 0)), "8.8.8.8", "1.2.3.4", inside);
    expectPacket(ran, "8.8.8.8", 3, "10.0.0.5", 1);
    expectInside(ran, "10.0.0.5", 1000, "8.8.8.8", 53);
    auto onlyInside = destination(range("10.0.0.5", "10.0.0.5", 0, 0));
    onlyInside.condition.icmpDataSource = {prefix("1.2.3.4/32"), false};
    ran = applyToError(onlyInside, "8.8.8.8", "10.0.0.7", inside);
    expectPacket(ran, "8.8.8.8", 3, "10.0.0.7", 1);
    expectInside(ran, "10.0.0.5", 1000, "8.8.8.8", 53);
    const auto reply = packet::ipv4("8.8.8.8", "10.0.0.5") / packet::udp(53, 1000);
    ran = applyToError(source(range("1.2.3.4", "1.2.3.4", 0, 0)), "10.0.0.5", "8.8.8.8", reply);
    expectPacket(ran, "1.2.3.4", 3, "8.8.8.8", 1);
    expectInside(ran, "8.8.8.8", 53, "1.2.3.4", 1000);
}

TEST_F(Nat, DynamicSourceThereAndBack) {
    state.natPorts = {{ip("1.2.3.4"), 5000}, {ip("1.2.3.4"), 5001}};
    const auto nat = source(range("1.2.3.4", "1.2.3.4", 4096, 9999));
    const auto first = tcpKey("10.0.0.1", 1000, "8.8.8.8", 80);
    auto ran = apply(nat, first);
    expectPacket(ran, "1.2.3.4", 5000, "8.8.8.8", 80);
    const StateEntry entry{{KeyKind::SourceNat, 6, 1000, 80, ip("10.0.0.1"), ip("8.8.8.8"), in.device()}, {ip("1.2.3.4"), 5000}};
    EXPECT_EQ(ran.decision.events, (Events{TakeNatPort{in.device(), entry.binding, {ip("8.8.8.8"), 80}}, AddState{entry}, AddState{reverseOf(entry)}}));
    EXPECT_EQ(ran.decision.effects, (Effects{UseState{entry.key}, UseState{reverseOf(entry).key}}));

    ran = apply(nat, first);
    expectPacket(ran, "1.2.3.4", 5000, "8.8.8.8", 80);
    EXPECT_TRUE(ran.decision.events.empty());
    EXPECT_EQ(ran.decision.effects, (Effects{UseState{entry.key}, UseState{reverseOf(entry).key}}));
    expectPacket(apply(nat, tcpKey("10.0.0.2", 1000, "8.8.8.8", 80)), "1.2.3.4", 5001, "8.8.8.8", 80);

    ran = apply(kUndoSource, tcpKey("8.8.8.8", 80, "1.2.3.4", 5000));
    expectPacket(ran, "8.8.8.8", 80, "10.0.0.1", 1000);
    EXPECT_TRUE(ran.destinationRewritten);
    EXPECT_EQ(ran.decision.effects.size(), 2U) << "answers keep both keys";
    EXPECT_EQ(apply(kUndoSource, tcpKey("8.8.8.8", 80, "1.2.3.4", 6000)).result.kind, Kind::Drop);
}

TEST_F(Nat, DynamicSourceWaitsForABlock) {
    auto ran = apply(source(range("1.2.3.4", "1.2.3.5", 1, 65535)), tcpKey("10.0.0.1", 1000, "8.8.8.8", 80));
    const std::vector<flowstate::NatRange> ranges{{ip("1.2.3.4"), ip("1.2.3.5"), 1, 65535}};
    EXPECT_EQ(ran.result.kind, Kind::Park);
    EXPECT_EQ(ran.result.until, natBlockTag(in.device(), ranges));
    EXPECT_EQ(ran.decision.events, (Events{LeaseNatBlock{in.device(), false, ranges}}));
    EXPECT_NE(natBlockTag(in.device(), ranges), natBlockTag(Uuid{9, 9}, ranges));
}

TEST_F(Nat, DynamicSourceAsksForTheNextBlockInTime) {
    state.natPorts = {{ip("1.2.3.4"), 5000}};
    state.natPortsLow = true;
    const auto ran = apply(source(range("1.2.3.4", "1.2.3.5", 1, 65535)), tcpKey("10.0.0.1", 1000, "8.8.8.8", 80));
    EXPECT_EQ(ran.result.kind, Kind::Accept);
    const LeaseNatBlock wanted{in.device(), false, {{ip("1.2.3.4"), ip("1.2.3.5"), 1, 65535}}};
    EXPECT_EQ(std::count(ran.decision.events.begin(), ran.decision.events.end(), Event{wanted}), 1);
}

TEST_F(Nat, DynamicDestinationIsChosenByTheConnection) {
    const auto nat = destination(range("10.0.0.5", "10.0.0.8", 8000, 8003));
    std::set<std::pair<net::IpAddress, unsigned>> used;
    for (unsigned port = 1; port <= 400; ++port) {
        const auto key = tcpKey("8.8.8.8", port, "1.2.3.4", 80);
        const auto ran = apply(nat, key);
        ASSERT_TRUE(ip("10.0.0.5") <= ran.now.ipDestination && ran.now.ipDestination <= ip("10.0.0.8"));
        ASSERT_TRUE(8000 <= ran.now.l4Destination && ran.now.l4Destination <= 8003);
        EXPECT_TRUE(ran.destinationRewritten);
        used.emplace(ran.now.ipDestination, ran.now.l4Destination);
        const auto back = apply(kUndoDestination, tcpKey(ran.now.ipDestination.toString().c_str(), ran.now.l4Destination, "8.8.8.8", port));
        expectPacket(back, "1.2.3.4", 80, "8.8.8.8", port);
        EXPECT_FALSE(back.destinationRewritten);
    }
    EXPECT_EQ(used.size(), 16U);
    const auto key = tcpKey("8.8.8.9", 1, "1.2.3.4", 80);
    const auto chosen = apply(nat, key).now;
    state.entries.clear();
    EXPECT_EQ(apply(nat, key).now, chosen) << "not at random";
}

TEST_F(Nat, EchoKeepsItsIdentifier) {
    const auto nat = source(range("1.2.3.4", "1.2.3.4", 1, 65535));
    auto ran = apply(nat, echoKey("10.0.0.1", "8.8.8.8", 77));
    expectPacket(ran, "1.2.3.4", 8, "8.8.8.8", 0);
    EXPECT_EQ(ran.now.icmpId, 77);
    expectPacket(apply(kUndoSource, echoKey("8.8.8.8", "1.2.3.4", 77, 0)), "8.8.8.8", 0, "10.0.0.1", 0);
    ran = apply(nat, echoKey("10.0.0.2", "8.8.8.8", 77));
    EXPECT_EQ(ran.result.kind, Kind::Drop);
    EXPECT_EQ(ran.result.reason, flow::DropReason::NatExhausted);
    EXPECT_EQ(apply(nat, echoKey("10.0.0.2", "8.8.8.8", 78)).result.kind, Kind::Accept);
    EXPECT_EQ(apply(source(range("1.2.3.4", "1.2.3.7", 1, 65535)), echoKey("10.0.0.3", "8.8.8.8", 77)).result.kind, Kind::Accept);

    ran = apply(destination(range("10.0.0.5", "10.0.0.5", 80, 80)), echoKey("8.8.8.8", "1.2.3.9", 5));
    expectPacket(ran, "8.8.8.8", 8, "10.0.0.5", 0);
    expectPacket(apply(kUndoDestination, echoKey("10.0.0.5", "8.8.8.8", 5, 0)), "1.2.3.9", 0, "8.8.8.8", 0);
}

TEST_F(Nat, ErrorsFollowTheirConnection) {
    state.natPorts = {{ip("1.2.3.4"), 5000}};
    const auto snat = source(range("1.2.3.4", "1.2.3.4", 1, 65535));
    apply(snat, tcpKey("10.0.0.1", 1000, "8.8.8.8", 80));
    // A router outside, about what we sent.
    auto ran = applyToError(kUndoSource, "9.9.9.9", "1.2.3.4", packet::ipv4("1.2.3.4", "8.8.8.8") / packet::tcp(5000, 80));
    expectPacket(ran, "9.9.9.9", 3, "10.0.0.1", 1);
    expectInside(ran, "10.0.0.1", 1000, "8.8.8.8", 80);
    EXPECT_TRUE(ran.destinationRewritten);
    // From inside about an answer: the VM itself, or a router before it.
    const auto answer = packet::ipv4("8.8.8.8", "10.0.0.1") / packet::tcp(80, 1000);
    ran = applyToError(snat, "10.0.0.1", "8.8.8.8", answer);
    expectPacket(ran, "1.2.3.4", 3, "8.8.8.8", 1);
    expectInside(ran, "8.8.8.8", 80, "1.2.3.4", 5000);
    ran = applyToError(snat, "10.0.0.254", "8.8.8.8", answer);
    expectPacket(ran, "10.0.0.254", 3, "8.8.8.8", 1);
    expectInside(ran, "8.8.8.8", 80, "1.2.3.4", 5000);

    const auto dnat = destination(range("10.0.0.5", "10.0.0.5", 8080, 8080));
    apply(dnat, tcpKey("8.8.8.8", 4000, "1.2.3.9", 80));
    ran = applyToError(kUndoDestination, "10.0.0.5", "8.8.8.8", packet::ipv4("8.8.8.8", "10.0.0.5") / packet::tcp(4000, 8080));
    expectPacket(ran, "1.2.3.9", 3, "8.8.8.8", 1);
    expectInside(ran, "8.8.8.8", 4000, "1.2.3.9", 80);
    ran = applyToError(dnat, "8.8.8.8", "1.2.3.9", packet::ipv4("1.2.3.9", "8.8.8.8") / packet::tcp(80, 4000));
    expectPacket(ran, "8.8.8.8", 3, "10.0.0.5", 1);
    expectInside(ran, "10.0.0.5", 8080, "8.8.8.8", 4000);

    apply(snat, echoKey("10.0.0.1", "8.8.8.8", 77));
    ran = applyToError(kUndoSource, "9.9.9.9", "1.2.3.4", packet::ipv4("1.2.3.4", "8.8.8.8") / packet::icmpEcho(77, 1));
    expectPacket(ran, "9.9.9.9", 3, "10.0.0.1", 1);
    expectInside(ran, "10.0.0.1", 77, "8.8.8.8", 77);
}

TEST_F(Nat, NotApplicableIsTheNextRule) {
    state.natPorts = {{ip("1.2.3.4"), 5000}};
    const auto snat = source(range("1.2.3.4", "1.2.3.4", 1, 65535));
    auto fragment = tcpKey("10.0.0.1", 0, "8.8.8.8", 0);
    fragment.ipFragment = flow::Fragment::Later;
    for (const auto& key : {packetKey(47, "10.0.0.1", 0, "8.8.8.8", 0), packetKey(1, "10.0.0.1", 13, "8.8.8.8", 0), fragment,
                            tcpKey("2001:db8::1", 1, "2001:db8::2", 2)}) {
        const auto ran = apply(snat, key);
        EXPECT_EQ(ran.result.kind, Kind::Drop) << key.toString();
        EXPECT_TRUE(ran.decision.events.empty());
    }
    const auto unknown = applyToError(snat, "10.0.0.1", "8.8.8.8", packet::ipv4("8.8.8.8", "10.0.0.1") / packet::tcp(80, 1000));
    EXPECT_EQ(unknown.result.kind, Kind::Drop) << "an error opens no connection";
}

}  // namespace
}  // namespace midonet::simulation::testing
