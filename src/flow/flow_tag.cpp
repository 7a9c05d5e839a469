#include "flow/flow_tag.h"

namespace midonet::flow {
namespace {

std::uint64_t hashOf(const Uuid& id) { return combineHash(id.high(), id.low()); }

}  // namespace

FlowTag FlowTag::device(const Uuid& id) { return {Kind::Device, hashOf(id)}; }

FlowTag FlowTag::vlanFlood(BridgeId bridge, net::VlanId vlan, net::Mac destination) {
    return {Kind::VlanFlood, combineHash(hashOf(bridge.uuid()), destination.value() | (std::uint64_t{vlan.value()} << 48))};
}

FlowTag FlowTag::vlanPort(BridgeId bridge, net::VlanId vlan, net::Mac mac, PortId port) {
    const auto h = combineHash(hashOf(bridge.uuid()), mac.value() | (std::uint64_t{vlan.value()} << 48));
    return {Kind::VlanPort, combineHash(h, hashOf(port.uuid()))};
}

FlowTag FlowTag::broadcast(BridgeId bridge) { return {Kind::Broadcast, hashOf(bridge.uuid())}; }

FlowTag FlowTag::datapathPort(PortNumber port) { return {Kind::DatapathPort, mixHash(port.value())}; }

FlowTag FlowTag::tunnelRoute(net::Ipv4Address local, net::Ipv4Address remote) {
    return {Kind::TunnelRoute, combineHash(local.toHostOrder(), remote.toHostOrder())};
}

FlowTag FlowTag::tunnelKey(net::TunnelKey key) { return {Kind::TunnelKey, mixHash(key.value())}; }

FlowTag FlowTag::routerMac(BridgeId bridge, net::Mac mac) {
    return {Kind::RouterPort, combineHash(hashOf(bridge.uuid()), mac.value())};
}

FlowTag FlowTag::destination(RouterId router, const net::IpAddress& address) {
    return {Kind::Destination, combineHash(hashOf(router.uuid()), address.masked(address.bits() - 4).hash())};
}

FlowTag FlowTag::arpEntry(RouterId router, const net::IpAddress& address) {
    return {Kind::ArpEntry, combineHash(hashOf(router.uuid()), address.hash())};
}

FlowTag FlowTag::bridgeArp(BridgeId bridge, const net::IpAddress& address) {
    return {Kind::BridgeArp, combineHash(hashOf(bridge.uuid()), address.hash())};
}

FlowTag FlowTag::statePeers(const Uuid& portOrGroup) { return {Kind::StatePeers, hashOf(portOrGroup)}; }

FlowTag FlowTag::portRx(const PortId& port) { return {Kind::PortRx, hashOf(port.uuid())}; }

FlowTag FlowTag::portTx(const PortId& port) { return {Kind::PortTx, hashOf(port.uuid())}; }

FlowTag FlowTag::user(std::string_view meter) { return {Kind::User, mixHash(std::hash<std::string_view>{}(meter))}; }

FlowTag FlowTag::state(std::uint64_t keyHash) { return {Kind::State, mixHash(keyHash)}; }

}  // namespace midonet::flow
