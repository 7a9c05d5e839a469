#include "simulation/simulator.h"

#include "simulation/bridge.h"
#include "simulation/filter.h"
#include "simulation/packet_walk.h"
#include "simulation/router.h"

namespace midonet::simulation {
namespace {

using flow::DropReason;
using flow::FlowTag;
using topology::Port;

/// The port is switched off: a router says so to the sender of the packet, a bridge is silent.
Fate portDown(PacketWalk& walk, const Port* in) {
    if (in != nullptr && in->isRouterPort()) sendProhibited(walk, *in);
    return walk.drop(DropReason::PortAdminDown);
}

Fate processDevice(PacketWalk& walk, const Port& port) {
    if (port.isRouterPort()) {
        const auto* router = walk.topology().router(port.router);
        return router == nullptr ? PacketWalk::park(FlowTag::device(port.router.uuid())) : processRouter(walk, *router, port);
    }
    const auto* bridge = walk.topology().bridge(port.bridge);
    return bridge == nullptr ? PacketWalk::park(FlowTag::device(port.bridge.uuid())) : processBridge(walk, *bridge, port);
}

}  // namespace

Fate enterPort(PacketWalk& walk, const Port& port) {
    walk.tag(FlowTag::device(port.id.uuid()));
    if (++walk.devices > PacketWalk::kMaxDevices || !walk.visitPort()) return walk.error(DropReason::TooManyDevices);
    if (walk.tracing()) walk.step(TraceStep::Kind::Port, port.id.uuid(), "enters");
    walk.place = {&port, nullptr, port.exterior() ? &port : walk.place.ingress, false};
    walk.setDevice(std::nullopt);
    if (port.isRouterPort()) walk.arrived = walk.peek();
    if (!port.adminUp) return portDown(walk, &port);
    // Before the filter looks at more: one flow is for all IPv6 from there.
    if (port.isRouterPort() && walk.isIpv6()) return walk.drop(DropReason::RoutedIpv6);
    const auto verdict = runFilter(walk, port.inboundFilter);
    if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &port, verdict);
    return processDevice(walk, port);
}

std::optional<Fate> egressRefused(PacketWalk& walk, const Port& port) {
    if (!port.adminUp) return portDown(walk, walk.place.in);
    if (port.exterior()) return port.active ? std::nullopt : std::optional{walk.error(DropReason::EgressPortInactive)};
    return port.interior() ? std::nullopt : std::optional{walk.drop(DropReason::UnpluggedPort)};
}

Fate leavePort(PacketWalk& walk, const Port& port) {
    walk.tag(FlowTag::device(port.id.uuid()));
    if (!walk.visitPort()) return walk.error(DropReason::TooManyDevices);
    walk.place.out = &port;
    if (walk.tracing()) walk.step(TraceStep::Kind::Port, port.id.uuid(), "leaves its device");
    if (const auto refused = egressRefused(walk, port)) return *refused;
    const auto verdict = runFilter(walk, port.outboundFilter);
    if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, walk.place.in, verdict);
    // A neighbour of a router's port that is that port itself: the packet comes straight back.
    if (port.isRouterPort() && walk.ethSource() == walk.ethDestination()) return enterPort(walk, port);
    if (port.exterior()) {
        walk.emit(port);
        return PacketWalk::forward();
    }
    const auto* peer = walk.topology().port(port.peer);
    if (peer == nullptr) return PacketWalk::park(FlowTag::device(port.peer.uuid()));
    return enterPort(walk, *peer);
}

SimulationResult simulate(const PacketContext& packet, const topology::TopologySnapshot& topology, const StateView& state,
                          Trace* trace) {
    PacketWalk walk(packet, topology, state, trace);
    const auto* port = topology.port(packet.port);
    if (port == nullptr) return walk.result(PacketWalk::park(FlowTag::device(packet.port.uuid())));
    if (!packet.leaves) return walk.result(enterPort(walk, *port));
    return walk.result(leavePort(walk, *port));
}

}  // namespace midonet::simulation
