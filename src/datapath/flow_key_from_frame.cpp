#include "datapath/flow_key_from_frame.h"

#include "packet/parse.h"

namespace midonet::datapath {

flow::FlowKey flowKeyFromFrame(const Ingress& ingress, ByteView frame) {
    flow::FlowKey key;
    key.inPort = ingress.port;
    key.tunnelKey = ingress.tunnelKey;
    key.tunnelSource = ingress.tunnelSource;
    key.tunnelDestination = ingress.tunnelDestination;
    const auto parsed = packet::parse(frame);
    if (!parsed) return key;
    key.ethSource = parsed->source;
    key.ethDestination = parsed->destination;
    key.etherType = parsed->etherType < packet::ethertype::kFirst ? std::uint16_t{0} : parsed->etherType;
    if (parsed->vlanCount > 0) {
        const unsigned tci = parsed->vlanTags[0].tci;
        key.vlan = flow::VlanTci{static_cast<std::uint16_t>((tci & 0xefffU) | flow::VlanTci::kPresent)};
    }
    if (key.isIpv6()) key.ipSource = key.ipDestination = net::Ipv6Address{};
    if (parsed->layer == packet::Layer::Ethernet) return key;
    key.ipSource = parsed->ipSource;
    key.ipDestination = parsed->ipDestination;
    if (parsed->isArp()) {
        key.ipProtocol = static_cast<std::uint8_t>(parsed->arpOperation < 256 ? parsed->arpOperation : 0);
        return key;
    }
    key.ipProtocol = parsed->ipProtocol;
    key.ipTos = parsed->tos;
    key.ipTtl = parsed->ttl;
    key.ipFragment = static_cast<flow::Fragment>(parsed->fragment);
    key.l4Source = parsed->sourcePort;
    key.l4Destination = parsed->destinationPort;
    key.icmpId = parsed->icmpId;
    return key;
}

}  // namespace midonet::datapath
