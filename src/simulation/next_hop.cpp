#include "simulation/next_hop.h"

namespace midonet::simulation {
namespace {

using flow::FlowTag;
using topology::Port;
using topology::Router;

/// What a linked bridge knows without asking anybody.
std::optional<net::Mac> askBridge(PacketWalk& walk, const topology::Bridge& bridge, net::Ipv4Address address) {
    walk.tag(FlowTag::bridgeArp(bridge.id, address));
    if (const auto* peer = bridge.routerWithAddress(address)) return peer->mac;
    return walk.state().bridgeArp(bridge.id, address);
}

NextHop askNeighbour(PacketWalk& walk, const Router& router, const Port& out, net::Ipv4Address address) {
    if (!out.subnet.contains(address)) return {};
    walk.tag(FlowTag::arpEntry(router.id, address));
    if (const auto mac = walk.state().arp(router.id, address)) {
        walk.effect(UseArp{router.id, out.id, address});
        return {mac, {}};
    }
    walk.event(AskArp{router.id, out.id, address});
    return {{}, PacketWalk::park(FlowTag::arpEntry(router.id, address))};
}

NextHop find(PacketWalk& walk, const Router& router, const Port& out, net::Ipv4Address address) {
    if (!out.interior()) return askNeighbour(walk, router, out, address);
    walk.tag(FlowTag::device(out.peer.uuid()));
    const auto* peer = walk.topology().port(out.peer);
    if (peer == nullptr) return {{}, PacketWalk::park(FlowTag::device(out.peer.uuid()))};
    if (peer->isRouterPort()) return {peer->mac, {}};
    const auto* bridge = walk.topology().bridge(peer->bridge);
    if (bridge == nullptr) return {{}, PacketWalk::park(FlowTag::device(peer->bridge.uuid()))};
    if (const auto mac = askBridge(walk, *bridge, address)) return {mac, {}};
    return askNeighbour(walk, router, out, address);
}

}  // namespace

std::optional<net::Ipv4Address> gatewayOf(const topology::Route& route) {
    if (!route.gateway || !route.gateway->isV4()) return std::nullopt;
    const auto gateway = route.gateway->v4();
    if (gateway.isUnspecified() || gateway.isBroadcast()) return std::nullopt;
    return gateway;
}

NextHop resolveNextHop(PacketWalk& walk, const Router& router, const Port& out, net::Ipv4Address address) {
    auto found = find(walk, router, out, address);
    if (walk.tracing())
        walk.step(TraceStep::Kind::Arp, router.id.uuid(),
                  found.mac    ? fmt::format("{} is at {}", address, *found.mac)
                  : found.wait ? fmt::format("waits for {}", address)
                               : fmt::format("{} is out of reach", address));
    return found;
}

}  // namespace midonet::simulation
