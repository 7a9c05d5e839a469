#include "simulation/bridge.h"

#include "packet/parse.h"
#include "simulation/arp.h"
#include "simulation/router.h"

namespace midonet::simulation {
namespace {

using flow::DropReason;
using flow::FlowTag;
using topology::Bridge;
using topology::Port;

/// The MAC table that a frame is learned and looked up in: one for each VLAN that a port of the bridge
/// has, and the one of VLAN 0 for all others, which only pass between trunks.
net::VlanId macTableOf(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    if (!bridge.vlanAware()) return net::VlanId{};
    if (in.vlan.value() != 0) return in.vlan;
    const auto tag = walk.vlan();
    return tag.present() && bridge.hasVlan(tag.id()) ? tag.id() : net::VlanId{};
}

bool isTagged(PacketWalk& walk) { return walk.vlan().id().value() != 0; }

/// Changes the tag as the way between two ports of the bridge asks for (reference section 3.5); false: it may
/// not pass.
bool changeTag(PacketWalk& walk, const Port& in, const Port& out) {
    if (in.vlan == out.vlan) return true;
    if (in.vlan.value() != 0) {
        if (out.vlan.value() != 0) return false;
        walk.pushVlan(flow::VlanTci::tagged(in.vlan));
        return true;
    }
    const auto tag = walk.vlan();
    if (!tag.present() || tag.id() != out.vlan) return false;
    walk.popVlan();
    return true;
}

/// The chains of the bridge itself know no VLANs: a tagged frame passes.
FilterResult runBridgeChain(PacketWalk& walk, const ChainId& chain) {
    if (chain.isNil() || isTagged(walk)) return {};
    return runFilter(walk, chain);
}

/// Sends copies of one frame through ports of the bridge, and says what became of them together.
class Flood {
public:
    Flood(PacketWalk& walk, const Port& in) : walk_(walk), in_(in), start_(walk.branch()) {}

    void emitTo(const std::vector<PortId>& ports, bool withSameTag) {
        for (const auto& id : ports) {
            if (id == in_.id) continue;
            const auto* out = walk_.topology().port(id);
            if (out == nullptr || (out->vlan == in_.vlan) != withSameTag) continue;
            if (!out->adminUp || (out->exterior() && !out->active)) continue;
            if (changeTag(walk_, in_, *out)) note(leavePort(walk_, *out));
            walk_.restore(start_);
        }
    }
    Fate fate() {
        if (walk_.emitted()) return PacketWalk::forward();
        // Broadcast(bridge) is invalidated when a receiver comes, so this drop may live long.
        return last_ ? *last_ : walk_.drop(DropReason::NoReceivers);
    }

private:
    void note(const Fate& fate) {
        // What it waits for ends the flow that leaves this copy out.
        if (fate.kind == Fate::Kind::Parked) {
            walk_.shorten();
            walk_.tag(*fate.until);
        }
        // Each further packet is for whoever used up this copy too.
        if (fate.kind == Fate::Kind::Consumed) walk_.onlyThisPacket();
        if (!last_ || rank(fate) > rank(*last_)) last_ = fate;
    }
    static int rank(const Fate& fate) {
        switch (fate.kind) {
            case Fate::Kind::Dropped: return 0;
            case Fate::Kind::Forwarded: return 1;
            case Fate::Kind::Consumed: return 2;
            case Fate::Kind::Parked: return 3;
        }
        return 0;
    }

    PacketWalk& walk_;
    const Port& in_;
    const PacketWalk::Branch start_;
    std::optional<Fate> last_;  // the one of the copies so far that counts if none gets out
};

Fate flood(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    walk.tag(FlowTag::broadcast(bridge.id));
    walk.place.out = nullptr;
    const auto verdict = runBridgeChain(walk, bridge.outboundFilter);
    if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &in, verdict);
    if (!walk.enterFlood(bridge.id)) return walk.error(DropReason::TooManyDevices);
    if (walk.tracing()) walk.step(TraceStep::Kind::Bridge, bridge.id.uuid(), "floods");

    Flood copies(walk, in);
    // Copies with the tag as received go first: one that is put back has lost its TPID and drop eligibility.
    for (const bool sameTag : {true, false}) {
        if (!sameTag && !bridge.vlanAware()) break;
        copies.emitTo(bridge.exteriorPorts, sameTag);
        copies.emitTo(bridge.bridgeLinks, sameTag);
    }
    return copies.fate();
}

Fate toPort(PacketWalk& walk, const Bridge& bridge, const Port& in, const Port& out) {
    if (walk.tracing()) walk.step(TraceStep::Kind::Bridge, bridge.id.uuid(), "knows the destination");
    walk.place.out = &out;
    const auto verdict = runBridgeChain(walk, bridge.outboundFilter);
    if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &in, verdict);
    if (!changeTag(walk, in, out)) return walk.drop(DropReason::VlanMismatch);
    return leavePort(walk, out);
}

Fate toRouter(PacketWalk& walk, const Bridge& bridge, const Port& in, const Bridge::RouterPeer& peer) {
    if (peer.port == in.id) return walk.drop(DropReason::Hairpin);
    walk.tag(FlowTag::device(peer.port.uuid()));
    const auto* out = walk.topology().port(peer.port);
    return out == nullptr ? walk.error(DropReason::UnpluggedPort) : toPort(walk, bridge, in, *out);
}

Fate unicast(PacketWalk& walk, const Bridge& bridge, const Port& in, net::VlanId vlan) {
    const auto destination = walk.ethDestination();
    walk.tag(FlowTag::routerMac(bridge.id, destination));
    if (const auto* peer = bridge.routerWithMac(destination)) return toRouter(walk, bridge, in, *peer);
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
    if (out == nullptr || (!out->exterior() && !out->interior()) || out->bridge != bridge.id) return flood(walk, bridge, in);
    return toPort(walk, bridge, in, *out);
}

/// Somebody says that the address is its own: known from now on, here and to all others.
Fate gratuitousArp(PacketWalk& walk, const Bridge& bridge, const Port& in, net::Ipv4Address address) {
    walk.tag(FlowTag::bridgeArp(bridge.id, address));
    const auto* peer = bridge.routerWithAddress(address);
    if (peer != nullptr && peer->port != in.id) return toRouter(walk, bridge, in, *peer);
    // Each of them counts, and the MAC that it speaks of is in no flow key.
    walk.onlyThisPacket();
    const auto arp = packet::parse(walk.packet().frame);
    const bool valid = arp && arp->isArp() && !arp->arpSenderMac.isZero() && !arp->arpSenderMac.isMulticast();
    if (peer == nullptr && valid) walk.event(LearnBridgeArp{bridge.id, address, arp->arpSenderMac});
    return flood(walk, bridge, in);
}

/// Broadcast ARP (reference section 3.6): the bridge answers what it knows.
Fate broadcastArp(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    const auto operation = walk.protocol();
    const auto sender = walk.ipSource().v4(), target = walk.ipDestination().v4();
    if (sender == target && !target.isUnspecified()) return gratuitousArp(walk, bridge, in, target);
    if (operation != packet::arpop::kRequest || isTagged(walk)) return flood(walk, bridge, in);

    walk.tag(FlowTag::bridgeArp(bridge.id, target));
    const auto* peer = bridge.routerWithAddress(target);
    const auto mac = peer != nullptr ? std::optional{peer->mac} : walk.state().bridgeArp(bridge.id, target);
    // The owner itself asks: whether somebody else has its address too.
    if (!mac || *mac == walk.ethSource()) return flood(walk, bridge, in);
    if (walk.tracing()) walk.step(TraceStep::Kind::Arp, bridge.id.uuid(), fmt::format("answers: {} is at {}", target, *mac));
    if (auto reply = arpReplyFrame(walk.packet().frame, target, *mac)) walk.event(SendFrame{in.id, std::move(*reply), false});
    return PacketWalk::consume();
}

/// A router's MAC is where the router is, whoever uses it.
void learnSource(PacketWalk& walk, const Bridge& bridge, const Port& in, net::VlanId vlan, net::Mac source) {
    if (bridge.routerWithMac(source) != nullptr) return walk.tag(FlowTag::routerMac(bridge.id, source));
    walk.effect(LearnMac{bridge.id, vlan, source, in.id});
    walk.tag(FlowTag::vlanPort(bridge.id, vlan, source, in.id));
}

}  // namespace

Fate processBridge(PacketWalk& walk, const Bridge& bridge, const Port& in) {
    walk.tag(FlowTag::device(bridge.id.uuid()));
    if (!bridge.adminUp) return walk.drop(DropReason::BridgeAdminDown);
    const auto source = walk.ethSource();
    if (source.isMulticast()) return walk.drop(DropReason::MulticastSource);

    const auto verdict = runBridgeChain(walk, bridge.inboundFilter);
    if (verdict.kind == FilterResult::Kind::Park) return refuse(walk, &in, verdict);
    const auto vlan = macTableOf(walk, bridge, in);
    learnSource(walk, bridge, in, vlan, source);
    if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &in, verdict);

    const auto destination = walk.ethDestination();
    if (destination.isBroadcast() && walk.isArp()) return broadcastArp(walk, bridge, in);
    if (destination.isMulticast()) return flood(walk, bridge, in);
    return unicast(walk, bridge, in, vlan);
}

}  // namespace midonet::simulation
