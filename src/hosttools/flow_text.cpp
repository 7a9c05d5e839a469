#include "hosttools/flow_text.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace midonet::hosttools {
namespace {

using flow::Field;

std::string prefix(const net::IpAddress& address, unsigned bits) {
    return bits >= address.bits() ? address.toString() : fmt::format("{}/{}", address, bits);
}

std::string_view fragmentText(flow::Fragment fragment) {
    switch (fragment) {
        case flow::Fragment::None: return "none";
        case flow::Fragment::First: return "first";
        case flow::Fragment::Later: return "later";
    }
    MIDONET_UNREACHABLE();
}

std::string vlanText(flow::VlanTci vlan) { return vlan.present() ? fmt::format("{}", vlan.id().value()) : "none"; }

}  // namespace

std::vector<std::pair<std::string, std::string>> matchOf(const flow::FlowKey& key, const flow::FlowMask& mask) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto add = [&](Field field, std::string_view name, std::string value) {
        if (mask.has(field)) out.emplace_back(name, std::move(value));
    };
    add(Field::InPort, "in_port", key.fromTunnel() ? "tunnel" : fmt::format("{}", key.inPort.value()));
    add(Field::TunnelKey, "tun_key", fmt::format("{}", key.tunnelKey.value()));
    add(Field::TunnelSource, "tun_src", key.tunnelSource.toString());
    add(Field::TunnelDestination, "tun_dst", key.tunnelDestination.toString());
    add(Field::EthSource, "eth_src", key.ethSource.toString());
    add(Field::EthDestination, "eth_dst", key.ethDestination.toString());
    add(Field::EtherType, "eth_type", fmt::format("{:#06x}", key.etherType));
    add(Field::Vlan, "vlan", vlanText(key.vlan));
    add(Field::IpSource, "src", prefix(key.ipSource, mask.sourceBits()));
    add(Field::IpDestination, "dst", prefix(key.ipDestination, mask.destinationBits()));
    add(Field::IpProtocol, "proto", fmt::format("{}", key.ipProtocol));
    add(Field::IpTos, "tos", fmt::format("{}", key.ipTos));
    add(Field::IpTtl, "ttl", fmt::format("{}", key.ipTtl));
    add(Field::IpFragment, "frag", std::string{fragmentText(key.ipFragment)});
    add(Field::L4Source, "tp_src", fmt::format("{}", key.l4Source));
    add(Field::L4Destination, "tp_dst", fmt::format("{}", key.l4Destination));
    add(Field::IcmpId, "icmp_id", fmt::format("{}", key.icmpId));
    // A flow of one tunnel looks at nothing inside.
    if (key.fromTunnel() || !mask.has(Field::TunnelKey)) return out;
    std::erase_if(out, [](const auto& field) { return field.first.starts_with("tun_"); });
    return out;
}

}  // namespace midonet::hosttools
