#pragma once

#include <gmock/gmock.h>

#include <utility>
#include <vector>

#include "simulation/filter.h"
#include "simulation/testing/fake_state.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::simulation::testing {

using flow::Field;
using flow::FlowTag;
using topology::Condition;
using topology::Rule;
using topology::testing::chainId;
using topology::testing::ipAddrGroupId;
using topology::testing::portGroupId;
using topology::testing::portId;
using topology::testing::ruleId;
using topology::testing::SnapshotBuilder;
using Kind = FilterResult::Kind;

inline net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
inline net::IpPrefix prefix(const char* text) { return *net::IpPrefix::parse(text); }

inline flow::FlowKey packetKey(std::uint8_t protocol, const char* source, unsigned sourcePort, const char* destination,
                               unsigned destinationPort) {
    flow::FlowKey key;
    key.inPort = flow::PortNumber{7};
    key.ethSource = net::Mac{0x020000000001ULL};
    key.ethDestination = net::Mac{0x020000000002ULL};
    key.ipSource = ip(source);
    key.ipDestination = ip(destination);
    key.etherType = key.ipSource.isV4() ? 0x0800 : 0x86dd;
    key.ipProtocol = protocol;
    key.ipTtl = 64;
    key.l4Source = static_cast<std::uint16_t>(sourcePort);
    key.l4Destination = static_cast<std::uint16_t>(destinationPort);
    return key;
}
inline flow::FlowKey tcpKey(const char* source, unsigned sourcePort, const char* destination, unsigned destinationPort) {
    return packetKey(6, source, sourcePort, destination, destinationPort);
}
inline flow::FlowKey echoKey(const char* source, const char* destination, std::uint16_t id, unsigned type = 8) {
    auto key = packetKey(1, source, type, destination, 0);
    key.icmpId = id;
    return key;
}

inline Rule rule(Condition condition, decltype(Rule::action) action) { return {RuleId{}, std::move(condition), std::move(action)}; }
inline const topology::Verdict kAccept{topology::Verdict::Kind::Accept}, kDrop{topology::Verdict::Kind::Drop},
    kReject{topology::Verdict::Kind::Reject}, kReturn{topology::Verdict::Kind::Return};

/// A packet at a port of a router, and what a filter made of it.
struct Ran {
    FilterResult result;
    flow::FlowKey now;
    std::optional<PacketWalk::IcmpData> inside;
    bool destinationRewritten = false;
    Decision decision;

    bool tagged(FlowTag tag) const { return std::find(decision.tags.begin(), decision.tags.end(), tag) != decision.tags.end(); }
};

inline topology::Port routerPort(std::uint64_t number) {
    topology::Port port;
    port.id = portId(number);
    port.router = RouterId{Uuid{0x72, 1}};
    return port;
}

inline Ran runChain(const topology::TopologySnapshot& topology, const StateView& state, const flow::FlowKey& key, const ChainId& chain,
                    const topology::Port& in, const topology::Port* out = nullptr, ByteView frame = {}, Trace* trace = nullptr) {
    const PacketContext packet{in.id, key, frame};
    PacketWalk walk(packet, topology, state, trace);
    walk.place = {&in, out, &in, false};
    Ran ran;
    ran.result = runFilter(walk, chain);
    ran.now = walk.peek();
    ran.destinationRewritten = walk.place.destinationRewritten;
    if (!frame.empty()) ran.inside = walk.icmpData();
    ran.decision = std::get<Consume>(walk.result(PacketWalk::consume()));
    return ran;
}

}  // namespace midonet::simulation::testing
