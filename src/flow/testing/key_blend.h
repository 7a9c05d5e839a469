#pragma once

#include "flow/flow_key.h"

/// For tests: packets that one flow cannot tell apart.
namespace midonet::flow::testing {

namespace detail {
constexpr std::uint64_t bitsOf(std::uint64_t leading, std::uint64_t rest, unsigned length) {
    const auto mask = length == 0 ? 0 : length >= 64 ? ~0ULL : ~0ULL << (64 - length);
    return (leading & mask) | (rest & ~mask);
}
/// The first `length` bits of `leading`, the others of `rest` where that is of the same family.
inline net::IpAddress blendAddress(const net::IpAddress& leading, const net::IpAddress& rest, unsigned length) {
    if (length >= leading.bits() || leading.family() != rest.family()) return leading;
    if (leading.isV4())
        return net::Ipv4Address{static_cast<std::uint32_t>(
            bitsOf(std::uint64_t{leading.v4().toHostOrder()} << 32, std::uint64_t{rest.v4().toHostOrder()} << 32, length) >> 32)};
    return net::Ipv6Address{bitsOf(leading.v6().high(), rest.v6().high(), length),
                            bitsOf(leading.v6().low(), rest.v6().low(), length < 64 ? 0 : length - 64)};
}
}  // namespace detail

/// `seen` in what the mask looks at, `other` in everything else: matches a flow made of (seen, mask).
inline FlowKey blend(const FlowMask& mask, const FlowKey& seen, const FlowKey& other) {
    FlowKey out = other;
    if (mask.has(Field::InPort)) out.inPort = seen.inPort;
    if (mask.has(Field::TunnelKey)) out.tunnelKey = seen.tunnelKey;
    if (mask.has(Field::TunnelSource)) out.tunnelSource = seen.tunnelSource;
    if (mask.has(Field::TunnelDestination)) out.tunnelDestination = seen.tunnelDestination;
    if (mask.has(Field::EthSource)) out.ethSource = seen.ethSource;
    if (mask.has(Field::EthDestination)) out.ethDestination = seen.ethDestination;
    if (mask.has(Field::EtherType)) out.etherType = seen.etherType;
    if (mask.has(Field::Vlan)) out.vlan = seen.vlan;
    // A type that is seen says of which family the addresses are, looked at or not.
    if (mask.has(Field::EtherType) || mask.looksAtAddresses()) {
        out.ipSource = detail::blendAddress(seen.ipSource, other.ipSource, mask.sourceBits());
        out.ipDestination = detail::blendAddress(seen.ipDestination, other.ipDestination, mask.destinationBits());
    }
    if (mask.has(Field::IpProtocol)) out.ipProtocol = seen.ipProtocol;
    if (mask.has(Field::IpTos)) out.ipTos = seen.ipTos;
    if (mask.has(Field::IpTtl)) out.ipTtl = seen.ipTtl;
    if (mask.has(Field::IpFragment)) out.ipFragment = seen.ipFragment;
    if (mask.has(Field::L4Source)) out.l4Source = seen.l4Source;
    if (mask.has(Field::L4Destination)) out.l4Destination = seen.l4Destination;
    if (mask.has(Field::IcmpId)) out.icmpId = seen.icmpId;
    return out;
}

/// As blend(), and possible: addresses of the family of the Ethernet type, and a TTL that a flow which did not look at it carries
/// (the datapath sends the others up).
inline FlowKey possibleBlend(const FlowMask& mask, const FlowKey& seen, const FlowKey& other) {
    auto twin = blend(mask, seen, other);
    if (twin.etherType == seen.etherType) {
        if (twin.ipSource.family() != seen.ipSource.family()) twin.ipSource = seen.ipSource;
        if (twin.ipDestination.family() != seen.ipDestination.family()) twin.ipDestination = seen.ipDestination;
    }
    if (!mask.has(Field::IpTtl)) twin.ipTtl = 255;
    return twin;
}

}  // namespace midonet::flow::testing
