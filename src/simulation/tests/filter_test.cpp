#include "simulation/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "flow/testing/key_blend.h"
#include "simulation/tests/rules_fixture.h"

namespace midonet::simulation::testing {
namespace {

using topology::FragmentPolicy;
using topology::Jump;
using topology::PortRange;
using topology::Translate;

const FakeState kNoState;

/// The verdict on a packet of a chain that drops what the condition holds for.
bool holds(const Condition& condition, const flow::FlowKey& key, Ran* ran = nullptr) {
    SnapshotBuilder topology;
    topology.chain(chainId(1), {rule(condition, kDrop)});
    topology.ipAddrGroup(ipAddrGroupId(1), {ip("10.0.0.1"), ip("10.0.0.9"), ip("2001:db8::1")});
    const auto got = runChain(*topology.build(), kNoState, key, chainId(1), routerPort(1));
    if (ran != nullptr) *ran = got;
    return got.result.kind == Kind::Drop;
}

struct FieldCase {
    const char* name;
    void (*set)(Condition&, bool inverted);
    flow::FlowKey inside, outside;
    std::optional<bool> absent;  // whether the test holds for a frame that is not IP
};

flow::FlowKey frameOf(std::uint16_t etherType) {
    flow::FlowKey key;
    key.etherType = etherType;
    return key;
}

const flow::FlowKey kTcp4 = tcpKey("10.0.0.1", 1000, "10.0.1.1", 80);
const flow::FlowKey kUdp6 = packetKey(17, "2001:db8::1", 1000, "2001:db8:1::1", 53);

flow::FlowKey with(flow::FlowKey key, void (*change)(flow::FlowKey&)) {
    change(key);
    return key;
}

const std::vector<FieldCase> kFieldCases{
    {"ethertype", [](Condition& c, bool i) { c.etherType = {0x0800, i}; }, kTcp4, kUdp6, false},
    {"protocol", [](Condition& c, bool i) { c.protocol = {6, i}; }, kTcp4, kUdp6, false},
    {"protocol of ARP", [](Condition& c, bool i) { c.protocol = {2, i}; },
     with(frameOf(0x0806), [](auto& k) { k.ipProtocol = 2; }), with(frameOf(0x0806), [](auto& k) { k.ipProtocol = 1; }), false},
    {"source", [](Condition& c, bool i) { c.source = {prefix("10.0.0.0/24"), i}; }, kTcp4, tcpKey("10.0.1.0", 1, "10.0.0.1", 2), false},
    {"source of the other family", [](Condition& c, bool i) { c.source = {prefix("2001:db8::/64"), i}; }, kUdp6, kTcp4, false},
    {"destination", [](Condition& c, bool i) { c.destination = {prefix("10.0.1.1/32"), i}; }, kTcp4, tcpKey("10.0.1.1", 1, "10.0.1.2", 2), false},
    {"source group", [](Condition& c, bool i) { c.sourceGroup = {ipAddrGroupId(1), i}; }, kUdp6, tcpKey("10.0.0.2", 1, "10.0.0.1", 2), false},
    {"destination group", [](Condition& c, bool i) { c.destinationGroup = {ipAddrGroupId(1), i}; }, tcpKey("10.0.0.2", 1, "10.0.0.9", 2), kTcp4, false},
    {"tos", [](Condition& c, bool i) { c.tos = {8, i}; }, with(kTcp4, [](auto& k) { k.ipTos = 8; }), kTcp4, false},
    {"source port", [](Condition& c, bool i) { c.l4Source = {PortRange{1000, 1001}, i}; }, kTcp4, tcpKey("10.0.0.1", 1002, "10.0.1.1", 80), true},
    {"destination port", [](Condition& c, bool i) { c.l4Destination = {PortRange{53, 53}, i}; }, kUdp6, kTcp4, true},
    {"ICMPv6 type", [](Condition& c, bool i) { c.l4Source = {PortRange{128, 128}, i}; }, packetKey(58, "::1", 128, "::2", 0),
     packetKey(58, "::1", 129, "::2", 0), true},
    {"source MAC", [](Condition& c, bool i) { c.ethSource = {topology::MaskedMac{net::Mac{0x02ffffffff01ULL}, 0xff00000000ffULL}, i}; }, kTcp4,
     with(kTcp4, [](auto& k) { k.ethSource = net::Mac{0x030000000001ULL}; }), std::nullopt},
    {"destination MAC", [](Condition& c, bool i) { c.ethDestination = {topology::MaskedMac{net::Mac{0x020000000002ULL}}, i}; }, kTcp4,
     with(kTcp4, [](auto& k) { k.ethDestination = net::Mac{0x020000000003ULL}; }), std::nullopt},
    {"VLAN", [](Condition& c, bool i) { c.vlan = {10, i}; },
     with(kTcp4, [](auto& k) { k.vlan = flow::VlanTci::tagged(net::VlanId{10}, 5); }), kTcp4, false},
};

TEST(Condition, EachFieldAndItsInversion) {
    for (const auto& c : kFieldCases) {
        for (const bool inverted : {false, true}) {
            SCOPED_TRACE(std::string{c.name} + (inverted ? " inverted" : ""));
            Condition condition;
            c.set(condition, inverted);
            EXPECT_EQ(holds(condition, c.inside), !inverted);
            EXPECT_EQ(holds(condition, c.outside), inverted);
            if (c.absent) {
                EXPECT_EQ(holds(condition, frameOf(0x88b5)), *c.absent != inverted);
            }
            condition.inverted = true;
            EXPECT_EQ(holds(condition, c.inside), inverted);
            EXPECT_EQ(holds(condition, c.outside), !inverted);
        }
    }
}

TEST(Condition, PortsOfLaterFragmentsCountAsInside) {
    auto key = kTcp4;
    key.ipFragment = flow::Fragment::Later;
    key.l4Source = key.l4Destination = 0;
    Condition condition;
    condition.l4Destination = {PortRange{443, 443}, false};
    EXPECT_TRUE(holds(condition, key));
    condition.l4Destination.inverted = true;
    EXPECT_FALSE(holds(condition, key));
}

TEST(Condition, FragmentPolicyIsOutsideOfTheInversion) {
    using flow::Fragment;
    const struct {
        FragmentPolicy policy;
        bool none, first, later;
    } cases[] = {{FragmentPolicy::Any, true, true, true},
                 {FragmentPolicy::NonHeader, false, false, true},
                 {FragmentPolicy::Header, true, true, false},
                 {FragmentPolicy::Unfragmented, true, false, false}};
    for (const auto& c : cases) {
        const auto check = [&](Fragment fragment, bool expected) {
            auto key = kTcp4;
            key.ipFragment = fragment;
            Condition condition;
            condition.fragments = c.policy;
            EXPECT_EQ(holds(condition, key), expected);
            condition.inverted = true;
            condition.protocol = {17, false};
            EXPECT_EQ(holds(condition, key), expected);
        };
        check(Fragment::None, c.none);
        check(Fragment::First, c.first);
        check(Fragment::Later, c.later);
    }
}

TEST(Condition, UntaggedAndBothFlowDirections) {
    Condition untagged;
    untagged.untagged = true;
    EXPECT_TRUE(holds(untagged, kTcp4));
    EXPECT_FALSE(holds(untagged, with(kTcp4, [](auto& k) { k.vlan = flow::VlanTci::tagged(net::VlanId{0}); })));
    Condition both;
    both.forwardFlow = both.returnFlow = true;
    EXPECT_FALSE(holds(both, kTcp4));
    both.inverted = true;
    EXPECT_TRUE(holds(both, kTcp4));
}

TEST(Condition, UnknownGroupsNeverMatch) {
    Condition c;
    c.sourceGroup = {ipAddrGroupId(7), false};
    Ran ran;
    EXPECT_FALSE(holds(c, kTcp4, &ran));
    EXPECT_TRUE(ran.tagged(FlowTag::device(ipAddrGroupId(7).uuid())));
    c.sourceGroup.inverted = true;
    EXPECT_TRUE(holds(c, kTcp4));
    Condition p;
    p.inPortGroup = {portGroupId(7), false};
    EXPECT_FALSE(holds(p, kTcp4, &ran));
    EXPECT_TRUE(ran.tagged(FlowTag::device(portGroupId(7).uuid())));
}

TEST(Condition, PlacesAskNothingOfThePacket) {
    auto in = routerPort(1), out = routerPort(2);
    in.groups = {portGroupId(1)};
    const auto ask = [&](Condition condition, const topology::Port* to) {
        SnapshotBuilder topology;
        topology.portGroup(portGroupId(1), {portId(1)}).portGroup(portGroupId(2), {});
        topology.chain(chainId(1), {rule(std::move(condition), kDrop)});
        const auto ran = runChain(*topology.build(), kNoState, kTcp4, chainId(1), in, to);
        EXPECT_EQ(ran.decision.mask.fields(), 0U);
        return ran.result.kind == Kind::Drop;
    };
    const auto when = [](auto member, auto value, bool inverted = false) {
        Condition c;
        (c.*member).value = value;
        (c.*member).inverted = inverted;
        return c;
    };
    EXPECT_TRUE(ask(when(&Condition::ingressGroup, portGroupId(1)), nullptr));
    EXPECT_FALSE(ask(when(&Condition::ingressGroup, portGroupId(2)), nullptr));
    EXPECT_TRUE(ask(when(&Condition::inPortGroup, portGroupId(1)), nullptr));
    EXPECT_FALSE(ask(when(&Condition::outPortGroup, portGroupId(1)), &out));
    EXPECT_TRUE(ask(when(&Condition::outPortGroup, portGroupId(1), true), &out));
    EXPECT_TRUE(ask(when(&Condition::inPorts, std::vector{portId(1), portId(3)}), nullptr));
    EXPECT_FALSE(ask(when(&Condition::inPorts, std::vector{portId(2)}), nullptr));
    EXPECT_TRUE(ask(when(&Condition::inPorts, std::vector<PortId>{}, true), nullptr));
    EXPECT_FALSE(ask(when(&Condition::outPorts, std::vector{portId(2)}), nullptr));
    EXPECT_TRUE(ask(when(&Condition::outPorts, std::vector{portId(2)}, true), nullptr));
    EXPECT_TRUE(ask(when(&Condition::outPorts, std::vector{portId(2)}), &out));
    EXPECT_TRUE(ask(when(&Condition::traversedDevice, chainId(1).uuid()), nullptr));
    EXPECT_FALSE(ask(when(&Condition::traversedDevice, chainId(2).uuid()), nullptr));
}

TEST(Condition, OnlyTheBitsThatDecideAreSeen) {
    Condition c;
    c.source = {prefix("10.0.0.0/24"), false};
    Ran ran;
    holds(c, kTcp4, &ran);
    EXPECT_EQ(ran.decision.mask.sourceBits(), 24U);
    holds(c, tcpKey("192.168.0.1", 1, "10.0.0.1", 2), &ran);
    EXPECT_EQ(ran.decision.mask.sourceBits(), 1U);
    EXPECT_FALSE(ran.decision.mask.has(Field::L4Source));
    Condition group;
    group.sourceGroup = {ipAddrGroupId(1), false};
    holds(group, tcpKey("10.0.0.2", 1, "10.0.0.1", 2), &ran);
    EXPECT_EQ(ran.decision.mask.sourceBits(), 31U);
}

// --- chains ---------------------------------------------------------------------------------------

Kind verdict(const std::vector<std::vector<Rule>>& chains, Ran* ran = nullptr) {
    SnapshotBuilder topology;
    for (std::size_t i = 0; i < chains.size(); ++i) topology.chain(chainId(i + 1), chains[i]);
    const auto got = runChain(*topology.build(), kNoState, kTcp4, chainId(1), routerPort(1));
    if (ran != nullptr) *ran = got;
    return got.result.kind;
}
Rule jump(std::uint64_t chain) { return rule({}, Jump{chainId(chain)}); }

TEST(Filter, VerdictsJumpsAndReturns) {
    EXPECT_EQ(verdict({{}}), Kind::Accept);
    EXPECT_EQ(verdict({{rule({}, kAccept), rule({}, kDrop)}}), Kind::Accept);
    EXPECT_EQ(verdict({{rule({}, kReject), rule({}, kDrop)}}), Kind::Reject);
    EXPECT_EQ(verdict({{rule({}, kReturn), rule({}, kDrop)}}), Kind::Accept) << "at the top the end";
    EXPECT_EQ(verdict({{jump(2)}, {rule({}, kDrop)}}), Kind::Drop);
    EXPECT_EQ(verdict({{jump(2), rule({}, kDrop)}, {rule({}, kReturn), rule({}, kReject)}}), Kind::Drop);
    EXPECT_EQ(verdict({{jump(2), rule({}, kDrop)}, {rule({}, kAccept)}}), Kind::Accept) << "of all chains";
    EXPECT_EQ(verdict({{jump(2), rule({}, kDrop)}, {}}), Kind::Drop);
    EXPECT_EQ(verdict({{jump(9), rule({}, kDrop)}}), Kind::Drop) << "a chain that is gone is passed over";
    EXPECT_EQ(verdict({{rule({}, Jump{}), rule({}, kDrop)}}), Kind::Drop);
}

TEST(Filter, OnlyRecursionIsPassedOver) {
    Ran ran;
    EXPECT_EQ(verdict({{jump(1), rule({}, kDrop)}}), Kind::Drop);
    EXPECT_EQ(verdict({{jump(2), rule({}, kDrop)}, {jump(1)}}), Kind::Drop);
    // Shared: the second jump leads to a chain that sees the packet differently now.
    Condition rewritten;
    rewritten.destinationRewritten = true;
    const Translate toVm{Translate::Kind::Destination, {{ip("10.9.9.9"), ip("10.9.9.9"), 0, 0}}, topology::Continuation::Continue};
    EXPECT_EQ(verdict({{jump(2), rule({}, toVm), jump(2)}, {rule(rewritten, kReject)}}, &ran), Kind::Reject);
    EXPECT_EQ(ran.now.ipDestination, ip("10.9.9.9"));
}

TEST(Filter, DeepAndWideJumpsEnd) {
    std::vector<std::vector<Rule>> chains;
    for (std::uint64_t n = 1; n < 60; ++n) chains.push_back({jump(n + 1), jump(n + 1), jump(n + 1)});
    chains.push_back({rule({}, kDrop)});
    EXPECT_EQ(verdict(chains), Kind::Accept);
}

TEST(Filter, NilAcceptsAndUnknownParks) {
    const auto topology = SnapshotBuilder{}.build();
    EXPECT_EQ(runChain(*topology, kNoState, kTcp4, ChainId{}, routerPort(1)).result.kind, Kind::Accept);
    const auto parked = runChain(*topology, kNoState, kTcp4, chainId(1), routerPort(1)).result;
    EXPECT_EQ(parked.kind, Kind::Park);
    EXPECT_EQ(parked.until, FlowTag::device(chainId(1).uuid()));
}

TEST(Filter, TagsChainsAndTellsItsSteps) {
    SnapshotBuilder topology;
    topology.chain(chainId(1), {jump(2), rule({}, kDrop)}).chain(chainId(2), {});
    Trace trace;
    const auto ran = runChain(*topology.build(), kNoState, kTcp4, chainId(1), routerPort(1), nullptr, {}, &trace);
    EXPECT_TRUE(ran.tagged(FlowTag::device(chainId(1).uuid())));
    EXPECT_TRUE(ran.tagged(FlowTag::device(chainId(2).uuid())));
    ASSERT_EQ(trace.steps.size(), 4U);
    EXPECT_EQ(trace.steps[3].detail, "matches: drop");
}

/// Also of a rule that matches and then has nothing to do.
TEST(Filter, TagsTheMetersOfTheRulesThatMatch) {
    Condition tcp, udp;
    tcp.protocol = {6, false};
    udp.protocol = {17, false};
    const auto metered = [](Rule rule, const char* meter) {
        rule.meter = FlowTag::user(meter);
        return rule;
    };
    SnapshotBuilder topology;
    topology.chain(chainId(1), {metered(rule(udp, kDrop), "udp"), metered(rule(tcp, topology::Untranslate{Translate::Kind::Source}), "undo"),
                                metered(rule(tcp, Jump{chainId(2)}), "jump"), metered(rule({}, kAccept), "after")});
    topology.chain(chainId(2), {metered(rule(tcp, kDrop), "drop"), metered(rule({}, kDrop), "never")});
    const auto ran = runChain(*topology.build(), kNoState, kTcp4, chainId(1), routerPort(1));
    EXPECT_EQ(ran.result.kind, Kind::Drop);
    for (const auto* meter : {"undo", "jump", "drop"}) EXPECT_TRUE(ran.tagged(FlowTag::user(meter))) << meter;
    for (const auto* meter : {"udp", "after", "never"}) EXPECT_FALSE(ran.tagged(FlowTag::user(meter))) << meter;
}

TEST(Filter, ReturnFlowIsKnownByItsKey) {
    Condition answers;
    answers.returnFlow = true;
    SnapshotBuilder topology;
    const auto in = routerPort(1);
    topology.port(in).chain(chainId(1), {rule(answers, kAccept), rule({}, kDrop)});
    FakeState state;
    const auto ask = [&] { return runChain(*topology.build(), state, kTcp4, chainId(1), in); };
    const flowstate::StateKey key{flowstate::KeyKind::ConnTrack, 6, 1000, 80, ip("10.0.0.1"), ip("10.0.1.1"), in.device()};
    auto ran = ask();
    EXPECT_EQ(ran.result.kind, Kind::Drop);
    EXPECT_TRUE(ran.tagged(FlowTag::state(key.hash())));
    state.entries[key] = {};
    ran = ask();
    EXPECT_EQ(ran.result.kind, Kind::Accept);
    EXPECT_EQ(ran.decision.effects, (Effects{UseState{key}}));
}

TEST(Filter, PacketToItselfIsNoAnswer) {
    Condition answers;
    answers.returnFlow = true;
    SnapshotBuilder topology;
    const auto in = routerPort(1);
    topology.port(in).chain(chainId(1), {rule(answers, kAccept), rule({}, kDrop)});
    FakeState state;
    state.entries[{flowstate::KeyKind::ConnTrack, 6, 1000, 1000, ip("10.0.0.1"), ip("10.0.0.1"), in.device()}] = {};
    const auto ran = runChain(*topology.build(), state, tcpKey("10.0.0.1", 1000, "10.0.0.1", 1000), chainId(1), in);
    EXPECT_EQ(ran.result.kind, Kind::Drop) << "or the first packet would let the others in";
}

// --- properties -----------------------------------------------------------------------------------

template <class T>
T oneOf(std::initializer_list<T> values) {
    return *rc::gen::elementOf(std::vector<T>(values));
}
net::IpAddress someAddress(bool v6) {
    const auto n = *rc::gen::inRange<std::uint32_t>(0, 16);
    if (v6) return net::Ipv6Address{0x20010db800000000ULL + n / 4, n % 4};
    return net::Ipv4Address{0x0a000000U + (n / 4) * 256 + n % 4};
}
std::uint16_t someEtherType() { return oneOf<std::uint16_t>({0x0800, 0x0800, 0x86dd, 0x0806, 0x88b5}); }
/// As a datapath makes them: what a frame of the type cannot have is zero.
flow::FlowKey someKey(std::uint16_t etherType) {
    flow::FlowKey key = frameOf(etherType);
    key.ethSource = net::Mac{*rc::gen::inRange<std::uint64_t>(0, 3)};
    key.vlan = oneOf({flow::VlanTci{}, flow::VlanTci::tagged(net::VlanId{10})});
    if (etherType == 0x88b5) return key;
    key.ipSource = someAddress(etherType == 0x86dd);
    key.ipDestination = someAddress(etherType == 0x86dd);
    key.ipProtocol = oneOf<std::uint8_t>({1, 6, 17, 47, 58});
    if (etherType == 0x0806) return key;
    key.ipTos = oneOf<std::uint8_t>({0, 8});
    key.ipFragment = oneOf({flow::Fragment::None, flow::Fragment::First, flow::Fragment::Later});
    if (key.ipFragment == flow::Fragment::Later || key.ipProtocol == 47) return key;
    key.l4Source = *rc::gen::inRange<std::uint16_t>(0, 6);
    key.l4Destination = *rc::gen::inRange<std::uint16_t>(0, 6);
    return key;
}
/// Set with a chance of one in four.
template <class T, class Make>
void maybe(topology::Test<T>& test, const Make& make) {
    if (*rc::gen::inRange(0, 4) != 0) return;
    test = {make(), *rc::gen::inRange(0, 3) == 0};
}
Condition someCondition() {
    Condition c;
    c.inverted = *rc::gen::inRange(0, 6) == 0;
    c.fragments = oneOf({FragmentPolicy::Any, FragmentPolicy::Any, FragmentPolicy::Header, FragmentPolicy::NonHeader});
    const auto prefixes = [] {
        const bool v6 = *rc::gen::inRange(0, 3) == 0;
        return net::IpPrefix{someAddress(v6), *rc::gen::inRange(0U, v6 ? 129U : 33U)};
    };
    const auto ports = [] {
        const auto first = *rc::gen::inRange<std::uint16_t>(0, 5);
        return PortRange{first, static_cast<std::uint16_t>(first + *rc::gen::inRange(0, 2))};
    };
    const auto groups = [] { return ipAddrGroupId(*rc::gen::inRange<std::uint64_t>(1, 4)); };
    maybe(c.etherType, [] { return oneOf<std::uint16_t>({0x0800, 0x86dd, 0x0806}); });
    maybe(c.protocol, [] { return oneOf<std::uint8_t>({1, 6, 17}); });
    maybe(c.source, prefixes);
    maybe(c.destination, prefixes);
    maybe(c.sourceGroup, groups);
    maybe(c.destinationGroup, groups);
    maybe(c.l4Source, ports);
    maybe(c.l4Destination, ports);
    maybe(c.tos, [] { return std::uint8_t{8}; });
    maybe(c.vlan, [] { return std::uint16_t{10}; });
    return c;
}
std::vector<Rule> someRules(std::size_t most) {
    std::vector<Rule> out;
    const auto count = *rc::gen::inRange<std::size_t>(0, most);
    const Translate nat{Translate::Kind::Destination, {{ip("10.0.1.3"), ip("10.0.1.3"), 0, 0}}, topology::Continuation::Continue};
    for (std::size_t i = 0; i < count; ++i) {
        auto action = oneOf<decltype(Rule::action)>({kAccept, kDrop, kReturn, Jump{chainId(2)}, nat});
        out.push_back(rule(someCondition(), std::move(action)));
    }
    return out;
}

RC_GTEST_PROP(FilterProperty, IndexAgreesWithTheWalkAndMasksAreHonest, ()) {
    SnapshotBuilder builder;
    builder.ipAddrGroup(ipAddrGroupId(1), {someAddress(false), someAddress(false), someAddress(true)});
    builder.ipAddrGroup(ipAddrGroupId(2), {someAddress(false)});
    builder.chain(chainId(1), someRules(40)).chain(chainId(2), someRules(12));
    const auto indexed = builder.build();
    auto linear = *indexed;
    indexed->chains.forEach([&](const ChainId& id, const topology::ChainPtr& chain) {
        auto plain = std::make_shared<topology::Chain>(*chain);
        plain->index = nullptr;
        linear.chains.set(id, std::move(plain));
    });
    const auto in = routerPort(1);
    const auto key = someKey(someEtherType());
    const auto byIndex = runChain(*indexed, kNoState, key, chainId(1), in);
    const auto byWalk = runChain(linear, kNoState, key, chainId(1), in);
    RC_ASSERT(byIndex.result.kind == byWalk.result.kind);
    RC_ASSERT(byIndex.now == byWalk.now);

    for (const auto& [topology, ran] : {std::pair{indexed.get(), &byIndex}, std::pair{const_cast<const topology::TopologySnapshot*>(&linear), &byWalk}}) {
        auto mask = ran->decision.mask;
        mask.close();
        const auto twin = flow::testing::blend(mask, key, someKey(mask.has(Field::EtherType) ? key.etherType : someEtherType()));
        const auto again = runChain(*topology, kNoState, twin, chainId(1), in);
        RC_ASSERT(again.result.kind == ran->result.kind);
        RC_ASSERT(again.decision.mask.toString() == ran->decision.mask.toString());
        RC_ASSERT((again.now.ipDestination == twin.ipDestination) == (ran->now.ipDestination == key.ipDestination));
    }
}

}  // namespace
}  // namespace midonet::simulation::testing
