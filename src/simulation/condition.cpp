#include "simulation/condition.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "packet/protocols.h"
#include "topology/address_ranges.h"

namespace midonet::simulation {
namespace {

using flow::Field;
using flow::Fragment;
using topology::Condition;
using topology::Port;
using topology::Test;

const net::IpAddress& addressOf(const PacketWalk& walk, Field field) {
    return field == Field::IpSource ? walk.peek().ipSource : walk.peek().ipDestination;
}

// --- where the packet is --------------------------------------------------------------------------

bool inGroup(PacketWalk& walk, const Test<PortGroupId>& test, const Port* port) {
    if (!test.value) return true;
    walk.tag(flow::FlowTag::device(test.value->uuid()));
    const bool member = port != nullptr && walk.topology().portGroup(*test.value) != nullptr &&
                        std::binary_search(port->groups.begin(), port->groups.end(), *test.value);
    return member != test.inverted;
}

bool isOneOf(const Test<std::vector<PortId>>& test, const Port* port) {
    if (!test.value || test.value->empty()) return true;
    return (port != nullptr && std::binary_search(test.value->begin(), test.value->end(), port->id)) != test.inverted;
}

bool placePasses(PacketWalk& walk, const Condition& c) {
    const auto& place = walk.place;
    if (c.forwardFlow && c.returnFlow) return false;
    if (c.destinationRewritten && !place.destinationRewritten) return false;
    if (!isOneOf(c.inPorts, place.in) || !isOneOf(c.outPorts, place.out)) return false;
    if (c.traversedDevice.value && walk.traversed(*c.traversedDevice.value) == c.traversedDevice.inverted) return false;
    return inGroup(walk, c.inPortGroup, place.in) && inGroup(walk, c.outPortGroup, place.out) &&
           inGroup(walk, c.ingressGroup, place.ingress);
}

// --- what the packet is ---------------------------------------------------------------------------

bool addressPasses(PacketWalk& walk, Field field, const Test<net::IpPrefix>& test) {
    return (hasAddresses(walk) && isIn(walk, field, *test.value)) != test.inverted;
}

bool groupPasses(PacketWalk& walk, Field field, const Test<IpAddrGroupId>& test) {
    walk.tag(flow::FlowTag::device(test.value->uuid()));
    const auto* group = walk.topology().ipAddrGroup(*test.value);
    return (group != nullptr && hasAddresses(walk) && isIn(walk, field, *group)) != test.inverted;
}

/// A test of one field: whether the condition has it, and whether the packet passes.
struct FieldTest {
    Field field;
    bool (*isSet)(const Condition&);
    bool (*passes)(PacketWalk&, const Condition&);
};

/// Cheapest first: what most flows look at anyhow, then what tells most flows apart.
constexpr std::array kFieldTests{
    FieldTest{Field::EtherType, [](const Condition& c) { return c.etherType.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return (w.etherType() == *c.etherType.value) != c.etherType.inverted; }},
    FieldTest{Field::Vlan, [](const Condition& c) { return c.untagged; },
              [](PacketWalk& w, const Condition&) { return !w.vlan().present(); }},
    FieldTest{Field::Vlan, [](const Condition& c) { return c.vlan.value.has_value(); },
              [](PacketWalk& w, const Condition& c) {
                  const auto tag = w.vlan();
                  return (tag.present() && tag.id().value() == *c.vlan.value) != c.vlan.inverted;
              }},
    FieldTest{Field::IpProtocol, [](const Condition& c) { return c.protocol.value.has_value(); },
              [](PacketWalk& w, const Condition& c) {
                  return (hasAddresses(w) && w.protocol() == *c.protocol.value) != c.protocol.inverted;
              }},
    FieldTest{Field::EthSource, [](const Condition& c) { return c.ethSource.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return c.ethSource.value->contains(w.ethSource()) != c.ethSource.inverted; }},
    FieldTest{Field::EthDestination, [](const Condition& c) { return c.ethDestination.value.has_value(); },
              [](PacketWalk& w, const Condition& c) {
                  return c.ethDestination.value->contains(w.ethDestination()) != c.ethDestination.inverted;
              }},
    FieldTest{Field::IpDestination, [](const Condition& c) { return c.destination.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return addressPasses(w, Field::IpDestination, c.destination); }},
    FieldTest{Field::IpSource, [](const Condition& c) { return c.source.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return addressPasses(w, Field::IpSource, c.source); }},
    FieldTest{Field::IpDestination, [](const Condition& c) { return c.destinationGroup.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return groupPasses(w, Field::IpDestination, c.destinationGroup); }},
    FieldTest{Field::IpSource, [](const Condition& c) { return c.sourceGroup.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return groupPasses(w, Field::IpSource, c.sourceGroup); }},
    FieldTest{Field::IpTos, [](const Condition& c) { return c.tos.value.has_value(); },
              [](PacketWalk& w, const Condition& c) { return (w.isIp() && w.tos() == *c.tos.value) != c.tos.inverted; }},
    FieldTest{Field::L4Destination, [](const Condition& c) { return c.l4Destination.value.has_value(); },
              [](PacketWalk& w, const Condition& c) {
                  return (!hasL4Fields(w) || c.l4Destination.value->contains(w.l4Destination())) != c.l4Destination.inverted;
              }},
    FieldTest{Field::L4Source, [](const Condition& c) { return c.l4Source.value.has_value(); },
              [](PacketWalk& w, const Condition& c) {
                  return (!hasL4Fields(w) || c.l4Source.value->contains(w.l4Source())) != c.l4Source.inverted;
              }},
};

/// A bit for each test that is set. (Unrolled: most are not, and a call for each to find out takes long.)
template <std::size_t... I>
std::uint32_t testsOf(const Condition& c, std::index_sequence<I...>) {
    return ((std::uint32_t{kFieldTests[I].isSet(c)} << I) | ...);
}

bool fieldsPass(PacketWalk& walk, const Condition& c) {
    std::uint32_t later = 0;
    for (auto tests = testsOf(c, std::make_index_sequence<kFieldTests.size()>{}); tests != 0; tests &= tests - 1) {
        const auto& test = kFieldTests[static_cast<std::size_t>(std::countr_zero(tests))];
        if (!walk.isSeen(test.field))
            later |= tests & -tests;
        else if (!test.passes(walk, c))
            return false;
    }
    for (; later != 0; later &= later - 1)
        if (!kFieldTests[static_cast<std::size_t>(std::countr_zero(later))].passes(walk, c)) return false;
    return true;
}

bool connectionPasses(PacketWalk& walk, const Condition& c) {
    if (!c.forwardFlow && !c.returnFlow) return true;
    return walk.isForwardFlow() == c.forwardFlow;
}

bool icmpDataPasses(PacketWalk& walk, const Condition& c) {
    if (!c.icmpDataSource.value && !c.icmpDataDestination.value) return true;
    const auto data = walk.icmpData();
    const auto passes = [&](const Test<net::IpPrefix>& test, net::IpAddress PacketWalk::IcmpData::*address) {
        return !test.value || (data && test.value->contains((*data).*address)) != test.inverted;
    };
    return passes(c.icmpDataSource, &PacketWalk::IcmpData::source) &&
           passes(c.icmpDataDestination, &PacketWalk::IcmpData::destination);
}

bool fragmentPasses(PacketWalk& walk, topology::FragmentPolicy policy) {
    switch (policy) {
        case topology::FragmentPolicy::Any: return true;
        case topology::FragmentPolicy::NonHeader: return walk.fragment() == Fragment::Later;
        case topology::FragmentPolicy::Header: return walk.fragment() != Fragment::Later;
        case topology::FragmentPolicy::Unfragmented: return walk.fragment() == Fragment::None;
    }
    return false;
}

}  // namespace

bool matches(PacketWalk& walk, const Condition& c) {
    const bool all = placePasses(walk, c) && fieldsPass(walk, c) && connectionPasses(walk, c) && icmpDataPasses(walk, c);
    return all != c.inverted && fragmentPasses(walk, c.fragments);
}

bool canMatchHere(PacketWalk& walk, const Condition& c) { return c.inverted || placePasses(walk, c); }

bool hasL4Fields(PacketWalk& walk) {
    if (!walk.isIp() || walk.fragment() == Fragment::Later) return false;
    switch (walk.protocol()) {
        case packet::ipproto::kTcp:
        case packet::ipproto::kUdp:
        case packet::ipproto::kSctp:
        case packet::ipproto::kIcmp:
        case packet::ipproto::kIcmpv6: return true;
        default: return false;
    }
}

bool isIn(PacketWalk& walk, Field field, const net::IpPrefix& block) {
    const auto& address = addressOf(walk, field);
    if (address.family() != block.address().family()) return false;
    const auto common = topology::commonBits(address, block.address());
    const bool inside = common >= block.length();
    walk.seePrefix(field, inside ? block.length() : common + 1);
    return inside;
}

bool isIn(PacketWalk& walk, Field field, const topology::IpAddrGroup& group) {
    const auto& address = addressOf(walk, field);
    const auto& members = group.addresses();
    const auto next = std::lower_bound(members.begin(), members.end(), address);
    if (next != members.end() && *next == address) {
        walk.seePrefix(field, address.bits());
        return true;
    }
    // Its neighbours have most in common with it.
    const auto tellApart = [&](const net::IpAddress& member) {
        if (member.family() == address.family()) walk.seePrefix(field, topology::commonBits(address, member) + 1);
    };
    if (next != members.end()) tellApart(*next);
    if (next != members.begin()) tellApart(*(next - 1));
    return false;
}

}  // namespace midonet::simulation
