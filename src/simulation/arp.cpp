#include "simulation/arp.h"

#include "packet/parse.h"

namespace midonet::simulation {
namespace {

using flow::DropReason;
using packet::ParsedPacket;
using topology::Port;

bool isNeighbour(net::Mac mac) { return !mac.isZero() && !mac.isMulticast(); }

/// What is beyond the flow key: the MACs that the packet speaks of. So no flow can stand for such a decision.
Fate ignored(PacketWalk& walk) {
    walk.onlyThisPacket();
    return walk.drop(DropReason::ArpIgnored);
}

Fate learn(PacketWalk& walk, const topology::Router& router, const ParsedPacket& arp) {
    walk.event(LearnArp{router.id, arp.ipSource.v4(), arp.arpSenderMac});
    if (walk.tracing())
        walk.step(TraceStep::Kind::Arp, router.id.uuid(), fmt::format("learns {} at {}", arp.ipSource.v4(), arp.arpSenderMac));
    return PacketWalk::consume();
}

Fate request(PacketWalk& walk, const topology::Router& router, const Port& in, const ParsedPacket& arp) {
    const bool gratuitous = arp.ipSource == arp.ipDestination;
    if (gratuitous) return arp.arpTargetMac.isZero() ? learn(walk, router, arp) : ignored(walk);
    if (auto reply = arpReplyFrame(walk.packet().frame, *in.address, in.mac)) walk.event(SendFrame{in.id, std::move(*reply), false});
    if (walk.tracing()) walk.step(TraceStep::Kind::Arp, in.id.uuid(), fmt::format("answers for {}", *in.address));
    return learn(walk, router, arp);
}

Fate reply(PacketWalk& walk, const topology::Router& router, const Port& in, const ParsedPacket& arp) {
    const bool toPort = arp.arpTargetMac == in.mac && arp.ipDestination == *in.address;
    const bool gratuitous = arp.ipSource == arp.ipDestination && arp.arpTargetMac == arp.arpSenderMac;
    return toPort || gratuitous ? learn(walk, router, arp) : ignored(walk);
}

}  // namespace

Fate processRouterArp(PacketWalk& walk, const topology::Router& router, const Port& in) {
    // What can be told by the key alone is a drop with a flow: a port on a busy network hears much of this.
    if (!in.address) return walk.drop(DropReason::ArpIgnored);
    const auto operation = walk.protocol();
    if (operation != packet::arpop::kRequest && operation != packet::arpop::kReply) return walk.drop(DropReason::ArpIgnored);
    const auto sender = walk.ipSource(), target = walk.ipDestination();
    if (!in.subnet.contains(sender) || sender == *in.address) return walk.drop(DropReason::ArpIgnored);
    if (target != *in.address && target != sender) return walk.drop(DropReason::ArpIgnored);

    if (walk.packet().frame.empty()) return PacketWalk::consume();
    const auto arp = packet::parse(walk.packet().frame);
    if (!arp || !arp->isArp() || !isNeighbour(arp->arpSenderMac)) return ignored(walk);
    return operation == packet::arpop::kRequest ? request(walk, router, in, *arp) : reply(walk, router, in, *arp);
}

std::vector<std::uint8_t> arpRequestFrame(const Port& port, net::Ipv4Address address) {
    return (packet::eth(port.mac, net::Mac::broadcast()) / packet::arpRequest(port.mac, *port.address, address)).toBytes();
}

std::optional<packet::Frame> arpReplyFrame(ByteView request, net::Ipv4Address address, net::Mac mac) {
    const auto arp = packet::parse(request);
    if (!arp || !arp->isArp() || arp->arpOperation != packet::arpop::kRequest) return std::nullopt;
    return (packet::eth(mac, arp->arpSenderMac) / packet::arpReply(mac, address, arp->arpSenderMac, arp->ipSource.v4())).toBytes();
}

}  // namespace midonet::simulation
