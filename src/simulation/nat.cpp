#include "simulation/nat.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "packet/protocols.h"

namespace midonet::simulation {
namespace {

using flowstate::Binding;
using flowstate::KeyKind;
using flowstate::NatRange;
using flowstate::StateEntry;
using flowstate::StateKey;
using topology::NatTarget;
using topology::Translate;
using Kind = NatResult::Kind;
using Ranges = boost::container::small_vector<NatRange, 2>;

constexpr unsigned kEchoTries = 16;

bool isEcho(const StateKey& key) {
    return key.protocol == packet::ipproto::kIcmp || key.protocol == packet::ipproto::kIcmpv6;
}

/// Which end of the packet a binding of this kind is for.
bool changesSource(KeyKind kind) {
    return kind == KeyKind::SourceNat || kind == KeyKind::DestinationUnnat || kind == KeyKind::StickyUnnat;
}

void traceChange(PacketWalk& walk, bool ofSource, const net::IpAddress& address, std::uint16_t port) {
    if (walk.tracing())
        walk.step(TraceStep::Kind::Translation, walk.device(),
                  fmt::format("{} becomes {} port {}", ofSource ? "source" : "destination", address, port));
}

/// Only the addresses: floating IPs.
NatResult translateFixed(PacketWalk& walk, const Translate& rule, bool onlyIcmpData) {
    if (!walk.isIp()) return {};
    const auto family = walk.isIpv4() ? net::IpFamily::V4 : net::IpFamily::V6;
    if (rule.targets.empty() || rule.targets.front().firstAddress.family() != family) return {};
    const auto& target = rule.targets.front().firstAddress;
    const bool ofSource = rule.kind == Translate::Kind::Source;

    const auto before = ofSource ? walk.ipSource() : walk.ipDestination();
    if (auto data = walk.icmpData()) {
        // The packet inside went the other way.
        auto& inside = ofSource ? data->destination : data->source;
        if (onlyIcmpData || inside == before) {
            inside = target;
            walk.setIcmpData(*data);
        }
    }
    if (ofSource) {
        walk.setIpSource(target);
    } else if (!onlyIcmpData) {
        walk.setIpDestination(target);
        walk.place.destinationRewritten = true;
    }
    traceChange(walk, ofSource, target, 0);
    return {Kind::Applied, {}};
}

/// An address of the range by a hash; counting from the first one.
net::IpAddress addressIn(const NatTarget& range, std::uint64_t hash) {
    if (range.firstAddress.isV4()) {
        const auto first = range.firstAddress.v4().toHostOrder();
        const auto count = std::uint64_t{range.lastAddress.v4().toHostOrder()} - first + 1;
        return net::Ipv4Address{static_cast<std::uint32_t>(first + hash % count)};
    }
    const auto first = range.firstAddress.v6(), last = range.lastAddress.v6();
    // More than the low word: as many as fit into that.
    const auto span = first.high() == last.high() ? last.low() - first.low() : ~first.low();
    const auto offset = span == ~0ULL ? hash : hash % (span + 1);
    return net::Ipv6Address{first.high(), first.low() + offset};
}

using Targets = boost::container::small_vector<const NatTarget*, 2>;

/// The targets that the connection can be translated to.
Targets targetsFor(const Translate& rule, const StateKey& key) {
    Targets out;
    for (const auto& target : rule.targets)
        if (target.firstAddress.family() == key.source.family() && !(target.lastAddress < target.firstAddress) &&
            (isEcho(key) || target.lastPort != 0) && target.firstPort <= target.lastPort)
            out.push_back(&target);
    return out;
}

NatResult addTranslation(PacketWalk& walk, const StateEntry& entry) {
    addPair(walk, entry);
    applyBinding(walk, entry.key, entry.binding);
    return {Kind::Applied, {}};
}

NatResult translateDestination(PacketWalk& walk, const StateKey& key, const Targets& targets) {
    const auto hash = key.hash();
    const auto& target = *targets[hash % targets.size()];
    const auto ports = static_cast<unsigned>(target.lastPort - target.firstPort) + 1U;
    const auto port = static_cast<std::uint16_t>(target.firstPort + combineHash(hash, 2) % ports);
    return addTranslation(walk, {key, {addressIn(target, combineHash(hash, 1)), isEcho(key) ? key.destinationPort : port}});
}

/// The identifier stays, so two clients with the same one need two addresses.
NatResult translateEchoSource(PacketWalk& walk, const StateKey& key, const Targets& targets) {
    for (unsigned i = 0; i < kEchoTries; ++i) {
        const auto hash = key.hash() + i;
        const auto& target = *targets[hash % targets.size()];
        const StateEntry entry{key, {addressIn(target, hash / targets.size()), key.sourcePort}};
        const auto reverse = reverseOf(entry);
        const auto user = walk.state(reverse.key);
        if (!user || *user == reverse.binding) return addTranslation(walk, entry);
    }
    return {Kind::Exhausted, {}};
}

NatResult translateSource(PacketWalk& walk, const StateKey& key, const Targets& targets) {
    if (isEcho(key)) return translateEchoSource(walk, key, targets);
    Ranges ranges;
    for (const auto* t : targets) ranges.push_back({t->firstAddress, t->lastAddress, t->firstPort, t->lastPort});
    const Binding remote{key.destination, key.destinationPort};
    const auto free = walk.state().freeNatPort(key.device, ranges, remote, key.hash());
    if (!free || walk.state().natPortsRunLow(key.device, ranges, remote, *free)) {
        const auto* port = walk.place.in != nullptr ? walk.place.in : walk.place.out;
        walk.event(LeaseNatBlock{key.device, port != nullptr && !port->isRouterPort(), {ranges.begin(), ranges.end()}});
    }
    if (!free) return {Kind::Park, natBlockTag(key.device, ranges)};
    walk.event(TakeNatPort{key.device, *free, remote});
    return addTranslation(walk, {key, *free});
}

}  // namespace

flow::FlowTag natBlockTag(const Uuid& device, std::span<const NatRange> ranges) {
    const auto first = ranges.empty() ? 0 : ranges.front().firstAddress.hash();
    return flow::FlowTag::state(combineHash(std::hash<Uuid>{}(device), first));
}

std::optional<StateKey> connectionKey(PacketWalk& walk, KeyKind kind) {
    if (walk.isIcmpError()) {
        const auto data = walk.icmpData();
        if (!data) return std::nullopt;
        return StateKey{kind, data->protocol, data->destinationPort, data->sourcePort,
                        data->destination, data->source, walk.device()};
    }
    if (!walk.hasConnection()) return std::nullopt;
    StateKey key{kind, walk.protocol(), 0, 0, walk.ipSource(), walk.ipDestination(), walk.device()};
    key.sourcePort = isEcho(key) ? walk.icmpId() : walk.l4Source();
    key.destinationPort = isEcho(key) ? key.sourcePort : walk.l4Destination();
    return key;
}

void applyBinding(PacketWalk& walk, const StateKey& key, const Binding& binding) {
    const bool ofSource = changesSource(key.kind);
    const auto data = walk.icmpData();
    if (data) {
        auto changed = *data;
        (ofSource ? changed.destination : changed.source) = binding.address;
        if (!isEcho(key)) (ofSource ? changed.destinationPort : changed.sourcePort) = binding.port;
        walk.setIcmpData(changed);
    }
    if (!data && !isEcho(key)) ofSource ? walk.setL4Source(binding.port) : walk.setL4Destination(binding.port);
    // Any router on the way may have sent the error.
    const bool outside = !data || (ofSource ? walk.ipSource() == key.source : walk.ipDestination() == key.destination);
    if (outside) {
        ofSource ? walk.setIpSource(binding.address) : walk.setIpDestination(binding.address);
        if (!ofSource) walk.place.destinationRewritten = true;
    }
    traceChange(walk, ofSource, binding.address, binding.port);
}

void usePair(PacketWalk& walk, const StateEntry& entry) {
    walk.useState(entry.key);
    walk.useState(reverseOf(entry).key);
}

void addPair(PacketWalk& walk, const StateEntry& entry) {
    walk.addState(entry);
    walk.addState(reverseOf(entry));
}

NatResult translate(PacketWalk& walk, const Translate& rule, bool onlyIcmpData) {
    if (rule.isFixed()) return translateFixed(walk, rule, onlyIcmpData);
    const bool ofSource = rule.kind == Translate::Kind::Source;
    const auto key = connectionKey(walk, ofSource ? KeyKind::SourceNat : KeyKind::DestinationNat);
    if (!key) return {};
    if (const auto binding = walk.state(*key)) {
        usePair(walk, {*key, *binding});
        applyBinding(walk, *key, *binding);
        return {Kind::Applied, {}};
    }
    // Errors and the frames of virtual devices open no connection.
    if (walk.isIcmpError() || walk.packet().leaves) return {};
    const auto targets = targetsFor(rule, *key);
    if (targets.empty()) return {};
    return ofSource ? translateSource(walk, *key, targets) : translateDestination(walk, *key, targets);
}

NatResult untranslate(PacketWalk& walk, const topology::Untranslate& rule) {
    const auto key = connectionKey(walk, rule.kind == Translate::Kind::Source ? KeyKind::SourceUnnat : KeyKind::DestinationUnnat);
    if (!key) return {};
    const auto binding = walk.state(*key);
    if (!binding) return {};
    usePair(walk, {*key, *binding});
    applyBinding(walk, *key, *binding);
    return {Kind::Applied, {}};
}

}  // namespace midonet::simulation
