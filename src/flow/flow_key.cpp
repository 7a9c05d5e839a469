#include "flow/flow_key.h"

#include <iterator>

namespace midonet::flow {

std::uint64_t FlowKey::hash() const {
    std::uint64_t h = combineHash((std::uint64_t{inPort.value()} << 32) | tunnelKey.value(),
                                  (std::uint64_t{tunnelSource.toHostOrder()} << 32) | tunnelDestination.toHostOrder());
    h = combineHash(h, ethSource.value() | (std::uint64_t{etherType} << 48));
    h = combineHash(h, ethDestination.value() | (std::uint64_t{vlan.raw()} << 48));
    h = combineHash(h, ipSource.hash());
    h = combineHash(h, ipDestination.hash());
    h = combineHash(h, (std::uint64_t{ipProtocol} << 56) | (std::uint64_t{ipTos} << 48) | (std::uint64_t{ipTtl} << 40) |
                           (static_cast<std::uint64_t>(ipFragment) << 32) | (std::uint64_t{l4Source} << 16) | l4Destination);
    return combineHash(h, icmpId);
}

std::string FlowKey::toString() const {
    std::string out;
    const auto add = [&](std::string_view name, const auto& value) {
        fmt::format_to(std::back_inserter(out), "{}{}={}", out.empty() ? "" : ",", name, value);
    };
    if (fromTunnel()) {
        add("tun_key", tunnelKey.value());
        add("tun_src", tunnelSource);
        add("tun_dst", tunnelDestination);
    } else {
        add("in_port", inPort.value());
    }
    add("eth_src", ethSource);
    add("eth_dst", ethDestination);
    add("eth_type", fmt::format("{:#06x}", etherType));
    if (vlan.present()) add("vlan", vlan.id().value());
    if (ipSource != net::IpAddress{} || ipDestination != net::IpAddress{}) {
        add("src", ipSource);
        add("dst", ipDestination);
    }
    if (ipProtocol != 0) add("proto", ipProtocol);
    if (ipTos != 0) add("tos", ipTos);
    if (ipTtl != 0) add("ttl", ipTtl);
    if (ipFragment != Fragment::None) add("frag", ipFragment == Fragment::First ? "first" : "later");
    if (l4Source != 0) add("tp_src", l4Source);
    if (l4Destination != 0) add("tp_dst", l4Destination);
    if (icmpId != 0) add("icmp_id", icmpId);
    return out;
}

void FlowMask::close() {
    const bool l4 = has(Field::L4Source) || has(Field::L4Destination) || has(Field::IcmpId);
    if (l4) {
        see(Field::IpProtocol);
        see(Field::IpFragment);
    }
    const bool l3 = looksAtAddresses() || has(Field::IpProtocol) || has(Field::IpTos) || has(Field::IpTtl) || has(Field::IpFragment);
    if (l3) see(Field::EtherType);
    see(Field::InPort);
    const bool onlyTunnel = has(Field::TunnelKey) && !has(Field::EthSource) && !has(Field::EthDestination) && !has(Field::EtherType);
    if (!onlyTunnel) see(Field::Vlan);
}

FlowKey FlowMask::apply(const FlowKey& key) const {
    FlowKey out;
    if (has(Field::InPort)) out.inPort = key.inPort;
    if (has(Field::TunnelKey)) out.tunnelKey = key.tunnelKey;
    if (has(Field::TunnelSource)) out.tunnelSource = key.tunnelSource;
    if (has(Field::TunnelDestination)) out.tunnelDestination = key.tunnelDestination;
    if (has(Field::EthSource)) out.ethSource = key.ethSource;
    if (has(Field::EthDestination)) out.ethDestination = key.ethDestination;
    if (has(Field::EtherType)) out.etherType = key.etherType;
    if (has(Field::Vlan)) out.vlan = key.vlan;
    const auto masked = [](const net::IpAddress& a, unsigned bits) { return bits >= a.bits() ? a : a.masked(bits); };
    if (has(Field::IpSource)) out.ipSource = masked(key.ipSource, sourceBits_);
    if (has(Field::IpDestination)) out.ipDestination = masked(key.ipDestination, destinationBits_);
    if (has(Field::IpProtocol)) out.ipProtocol = key.ipProtocol;
    if (has(Field::IpTos)) out.ipTos = key.ipTos;
    if (has(Field::IpTtl)) out.ipTtl = key.ipTtl;
    if (has(Field::IpFragment)) out.ipFragment = key.ipFragment;
    if (has(Field::L4Source)) out.l4Source = key.l4Source;
    if (has(Field::L4Destination)) out.l4Destination = key.l4Destination;
    if (has(Field::IcmpId)) out.icmpId = key.icmpId;
    return out;
}

std::string FlowMask::toString() const {
    static constexpr std::string_view kNames[kFieldCount] = {
        "in_port", "tun_key", "tun_src", "tun_dst", "eth_src", "eth_dst", "eth_type", "vlan",   "src",
        "dst",     "proto",   "tos",     "ttl",     "frag",    "tp_src",  "tp_dst",   "icmp_id"};
    std::string out;
    for (unsigned i = 0; i < kFieldCount; ++i) {
        if ((fields_ & (1U << i)) == 0) continue;
        if (!out.empty()) out += ',';
        out += kNames[i];
        const auto field = static_cast<Field>(i);
        if (field == Field::IpSource) out += fmt::format("/{}", sourceBits_);
        if (field == Field::IpDestination) out += fmt::format("/{}", destinationBits_);
    }
    return out;
}

}  // namespace midonet::flow
