#include "simulation/bridge.h"

#include <optional>

namespace midonet::simulation {
namespace {

using flow::DropReason;
using flow::FlowTag;
using topology::Bridge;
using topology::Port;
using VlanEdit = PacketWalk::VlanEdit;

/// The MAC table that a frame is learned and looked up in: one for each VLAN that a port of the bridge
/// has, and the one of VLAN 0 for all others, which only pass between trunks.
net::VlanId macTableOf(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    if (!bridge.vlanAware()) return net::VlanId{};
    if (in.vlan.value() != 0) return in.vlan;
    const auto tag = walk.vlan();
    return tag.present() && bridge.hasVlan(tag.id()) ? tag.id() : net::VlanId{};
}

/// How the tag has to change between two ports (reference section 3.5); nullopt: it may not pass.
struct TagChange {
    VlanEdit edit = VlanEdit::AsReceived;
    flow::VlanTci pushed;
};
std::optional<TagChange> tagChange(PacketWalk& walk, const Port& in, const Port& out) {
    if (in.vlan == out.vlan) return TagChange{};
    if (in.vlan.value() != 0) {
        if (out.vlan.value() != 0) return std::nullopt;
        return TagChange{VlanEdit::Pushed, flow::VlanTci::tagged(in.vlan)};
    }
    const auto tag = walk.vlan();
    if (!tag.present() || tag.id() != out.vlan) return std::nullopt;
    return TagChange{VlanEdit::Popped, {}};
}

SimulationResult flood(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    walk.tag(FlowTag::broadcast(bridge.id));
    const auto emitTo = [&](auto&& wanted) {
        for (const auto& id : bridge.exteriorPorts) {
            if (id == in.id) continue;
            const auto* out = walk.topology().port(id);
            if (out == nullptr || !out->adminUp || !out->active) continue;
            const auto change = tagChange(walk, in, *out);
            if (change && wanted(change->edit)) walk.emit(id, change->edit, change->pushed);
        }
    };
    // Copies with the tag as received go first: one that is put back has lost its TPID and drop eligibility.
    emitTo([](VlanEdit edit) { return edit == VlanEdit::AsReceived; });
    if (bridge.vlanAware()) emitTo([](VlanEdit edit) { return edit != VlanEdit::AsReceived; });
    // Broadcast(bridge) is invalidated when a receiver comes, so this drop may live long.
    return walk.emitted() ? walk.forward() : walk.drop(DropReason::NoReceivers);
}

SimulationResult unicast(PacketWalk& walk, const Bridge& bridge, const Port& in, net::VlanId vlan) {
    const auto destination = walk.ethDestination();
    // The table may not know the source yet, but it is about to.
    const auto port = destination == walk.ethSource() ? in.id : walk.state().macPort(bridge.id, vlan, destination);
    if (!port) {
        walk.tag(FlowTag::vlanFlood(bridge.id, vlan, destination));
        return flood(walk, bridge, in);
    }
    walk.tag(FlowTag::vlanPort(bridge.id, vlan, destination, *port));
    if (*port == in.id) return walk.drop(DropReason::Hairpin);
    walk.tag(FlowTag::device(port->uuid()));
    const auto* out = walk.topology().port(*port);
    // A table lags behind when a machine is plugged in elsewhere, or was written by hand: a port that is gone
    // says nothing about where the MAC is now, and one of another bridge is never entered.
    if (out == nullptr || !out->exterior() || out->bridge != bridge.id) return flood(walk, bridge, in);
    if (!out->adminUp) return walk.drop(DropReason::PortAdminDown);
    if (!out->active) return walk.drop(DropReason::EgressPortInactive, FlowClass::Error);
    const auto change = tagChange(walk, in, *out);
    if (!change) return walk.drop(DropReason::VlanMismatch);
    walk.emit(*port, change->edit, change->pushed);
    return walk.forward();
}

}  // namespace

SimulationResult processBridge(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    walk.tag(FlowTag::device(bridge.id.uuid()));
    if (!bridge.adminUp) return walk.drop(DropReason::BridgeAdminDown);
    const auto source = walk.ethSource();
    if (source.isMulticast()) return walk.drop(DropReason::MulticastSource);

    const auto vlan = macTableOf(walk, bridge, in);
    walk.effect(LearnMac{bridge.id, vlan, source, in.id});
    walk.tag(FlowTag::vlanPort(bridge.id, vlan, source, in.id));

    if (walk.ethDestination().isMulticast()) return flood(walk, bridge, in);
    return unicast(walk, bridge, in, vlan);
}

}  // namespace midonet::simulation
