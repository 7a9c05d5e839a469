#include "datapath/ebpf/key_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/assert.h"

namespace midonet::datapath::ebpf {
namespace {

std::uint16_t wire16(std::uint16_t host) {
    std::uint8_t bytes[2];
    storeBe16(bytes, host);
    std::uint16_t out;
    std::memcpy(&out, bytes, 2);
    return out;
}
std::uint16_t host16(std::uint16_t wire) {
    std::uint8_t bytes[2];
    std::memcpy(bytes, &wire, 2);
    return loadBe16(bytes);
}
std::uint32_t wire32(net::Ipv4Address address) {
    std::uint32_t out;
    address.toWire(reinterpret_cast<std::uint8_t*>(&out));
    return out;
}
net::Ipv4Address host32(std::uint32_t wire) { return net::Ipv4Address::fromWire(reinterpret_cast<const std::uint8_t*>(&wire)); }

void leadingBits(std::uint8_t* bytes, unsigned size, unsigned bits) {
    for (unsigned i = 0; i < size; ++i) {
        const unsigned here = bits <= i * 8 ? 0 : std::min(8U, bits - i * 8);
        bytes[i] = static_cast<std::uint8_t>(0xff00U >> here);
    }
}

unsigned onesIn(const void* bytes, std::size_t size) {
    const auto* at = static_cast<const std::uint8_t*>(bytes);
    return std::accumulate(at, at + size, 0U,
                           [](unsigned sum, std::uint8_t byte) { return sum + static_cast<unsigned>(std::popcount(byte)); });
}

}  // namespace

mn_wide_key encodeKey(const flow::FlowKey& key) {
    mn_wide_key out{};
    mn_key& k = out.base;
    k.in_port = key.inPort.value();
    k.tun_key = key.tunnelKey.value();
    k.tun_src = wire32(key.tunnelSource);
    k.tun_dst = wire32(key.tunnelDestination);
    key.ethDestination.toWire(k.eth_dst);
    key.ethSource.toWire(k.eth_src);
    k.eth_type = wire16(key.etherType);
    k.vlan_tci = key.vlan.raw();
    if (key.ipSource.isV4()) k.ip_src = wire32(key.ipSource.v4());
    if (key.ipDestination.isV4()) k.ip_dst = wire32(key.ipDestination.v4());
    if (key.ipSource.isV6()) key.ipSource.v6().toWire(out.ip6_src);
    if (key.ipDestination.isV6()) key.ipDestination.v6().toWire(out.ip6_dst);
    k.proto = key.ipProtocol;
    k.tos = key.ipTos;
    k.ttl = key.ipTtl;
    k.frag = static_cast<std::uint8_t>(key.ipFragment);
    k.sport = wire16(key.l4Source);
    k.dport = wire16(key.l4Destination);
    k.icmp_id = wire16(key.icmpId);
    return out;
}

flow::FlowKey decodeKey(const mn_wide_key& wide) {
    const mn_key& k = wide.base;
    flow::FlowKey out;
    out.inPort = flow::PortNumber{k.in_port};
    out.tunnelKey = net::TunnelKey{k.tun_key};
    out.tunnelSource = host32(k.tun_src);
    out.tunnelDestination = host32(k.tun_dst);
    out.ethDestination = net::Mac::fromWire(k.eth_dst);
    out.ethSource = net::Mac::fromWire(k.eth_src);
    out.etherType = host16(k.eth_type);
    out.vlan = flow::VlanTci{k.vlan_tci};
    if (out.isIpv6()) {
        out.ipSource = net::Ipv6Address::fromWire(wide.ip6_src);
        out.ipDestination = net::Ipv6Address::fromWire(wide.ip6_dst);
    } else {
        out.ipSource = host32(k.ip_src);
        out.ipDestination = host32(k.ip_dst);
    }
    out.ipProtocol = k.proto;
    out.ipTos = k.tos;
    out.ipTtl = k.ttl;
    out.ipFragment = static_cast<flow::Fragment>(k.frag <= 2 ? k.frag : 0);
    out.l4Source = host16(k.sport);
    out.l4Destination = host16(k.dport);
    out.icmpId = host16(k.icmp_id);
    return out;
}

mn_wide_key encodeMask(const flow::FlowMask& mask, bool ipv6) {
    using flow::Field;
    mn_wide_key out{};
    mn_key& k = out.base;
    const auto fill = [](auto& field) { std::memset(&field, 0xff, sizeof(field)); };
    if (mask.has(Field::InPort)) fill(k.in_port);
    if (mask.has(Field::TunnelKey)) fill(k.tun_key);
    if (mask.has(Field::TunnelSource)) fill(k.tun_src);
    if (mask.has(Field::TunnelDestination)) fill(k.tun_dst);
    if (mask.has(Field::EthSource)) fill(k.eth_src);
    if (mask.has(Field::EthDestination)) fill(k.eth_dst);
    if (mask.has(Field::EtherType)) fill(k.eth_type);
    if (mask.has(Field::Vlan)) fill(k.vlan_tci);
    if (ipv6) {
        if (mask.has(Field::IpSource)) leadingBits(out.ip6_src, 16, mask.sourceBits());
        if (mask.has(Field::IpDestination)) leadingBits(out.ip6_dst, 16, mask.destinationBits());
    } else {
        if (mask.has(Field::IpSource)) leadingBits(reinterpret_cast<std::uint8_t*>(&k.ip_src), 4, mask.sourceBits());
        if (mask.has(Field::IpDestination)) leadingBits(reinterpret_cast<std::uint8_t*>(&k.ip_dst), 4, mask.destinationBits());
    }
    if (mask.has(Field::IpProtocol)) fill(k.proto);
    if (mask.has(Field::IpTos)) fill(k.tos);
    if (mask.has(Field::IpTtl)) fill(k.ttl);
    if (mask.has(Field::IpFragment)) fill(k.frag);
    if (mask.has(Field::L4Source)) fill(k.sport);
    if (mask.has(Field::L4Destination)) fill(k.dport);
    if (mask.has(Field::IcmpId)) fill(k.icmp_id);
    return out;
}

flow::FlowMask decodeMask(const mn_wide_key& bits) {
    using flow::Field;
    const mn_key& k = bits.base;
    flow::FlowMask out;
    const auto see = [&out](Field field, const auto& part) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&part);
        if (std::any_of(bytes, bytes + sizeof(part), [](std::uint8_t byte) { return byte != 0; })) out.see(field);
    };
    see(Field::InPort, k.in_port);
    see(Field::TunnelKey, k.tun_key);
    see(Field::TunnelSource, k.tun_src);
    see(Field::TunnelDestination, k.tun_dst);
    see(Field::EthSource, k.eth_src);
    see(Field::EthDestination, k.eth_dst);
    see(Field::EtherType, k.eth_type);
    see(Field::Vlan, k.vlan_tci);
    out.seePrefix(Field::IpSource, onesIn(&k.ip_src, 4) + onesIn(bits.ip6_src, 16));
    out.seePrefix(Field::IpDestination, onesIn(&k.ip_dst, 4) + onesIn(bits.ip6_dst, 16));
    see(Field::IpProtocol, k.proto);
    see(Field::IpTos, k.tos);
    see(Field::IpTtl, k.ttl);
    see(Field::IpFragment, k.frag);
    see(Field::L4Source, k.sport);
    see(Field::L4Destination, k.dport);
    see(Field::IcmpId, k.icmp_id);
    return out;
}

const char* mapName(Table table) {
    switch (table) {
        case Table::Exact: return "mn_exact";
        case Table::ExactWide: return "mn_exact_wide";
        case Table::Masked: return "mn_masked";
        case Table::MaskedWide: return "mn_masked_wide";
    }
    MIDONET_UNREACHABLE();
}

std::size_t keySizeOf(Table table) {
    switch (table) {
        case Table::Exact: return sizeof(mn_key);
        case Table::ExactWide: return sizeof(mn_wide_key);
        case Table::Masked: return sizeof(mn_masked_key);
        case Table::MaskedWide: return sizeof(mn_wide_masked_key);
    }
    MIDONET_UNREACHABLE();
}

mn_wide_key wideKeyOf(Table table, std::span<const std::uint8_t> key) {
    mn_wide_key out{};
    std::memcpy(&out, key.data(), isWide(table) ? sizeof(mn_wide_key) : sizeof(mn_key));
    return out;
}

std::uint8_t maskIdOf(std::span<const std::uint8_t> key) { return static_cast<std::uint8_t>(key[key.size() - 8] % MN_MAX_MASKS); }

Table tableFor(const flow::FlowKey& key, const flow::FlowMask& mask) {
    const bool ipv6 = key.isIpv6();
    const unsigned bits = ipv6 ? 128 : 32;
    const bool exact = mask.fields() == flow::FlowMask::exact().fields() && mask.sourceBits() >= bits && mask.destinationBits() >= bits;
    if (exact) return ipv6 ? Table::ExactWide : Table::Exact;
    return ipv6 && mask.looksAtAddresses() ? Table::MaskedWide : Table::Masked;
}

}  // namespace midonet::datapath::ebpf
