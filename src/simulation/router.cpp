#include "simulation/router.h"

#include <bit>

#include "packet/protocols.h"
#include "simulation/arp.h"
#include "simulation/icmp.h"
#include "simulation/load_balancer.h"
#include "simulation/next_hop.h"

namespace midonet::simulation {
namespace {

using flow::DropReason;
using flow::Field;
using flow::FlowTag;
using topology::Port;
using topology::Route;
using topology::Router;

void sendError(PacketWalk& walk, const Port& from, IcmpMessage message) {
    auto frame = icmpError(walk.packet().frame, walk.arrived, from, message);
    if (!frame || walk.packet().leaves) return;
    if (walk.tracing())
        walk.step(TraceStep::Kind::Router, from.router.uuid(), fmt::format("tells the sender: ICMP {}/{}", message.type, message.code));
    walk.event(SendFrame{from.id, std::move(*frame), true});
}

/// The flow is a short one: others behind it are told soon too.
Fate tell(PacketWalk& walk, const Port& from, IcmpMessage message, DropReason reason) {
    sendError(walk, from, message);
    return walk.error(reason);
}

/// Nobody answered this packet; the next one asks again.
Fate giveUp(PacketWalk& walk, const Port& from) {
    walk.onlyThisPacket();
    return tell(walk, from, kHostUnreachable, DropReason::WaitingTooLong);
}

FilterResult runChains(PacketWalk& walk, const ChainId& first, const ChainId& second) {
    const auto result = runFilter(walk, first);
    return result.kind == FilterResult::Kind::Accept ? runFilter(walk, second) : result;
}

/// What the routes are chosen by when several are equally good: the connection, as far as all its packets have it.
std::uint64_t connectionHash(PacketWalk& walk) {
    auto hash = combineHash(walk.ipSource().hash(), walk.ipDestination().hash());
    const auto protocol = walk.protocol();
    hash = combineHash(hash, protocol);
    if (walk.fragment() != flow::Fragment::None) return hash;
    if (protocol == packet::ipproto::kIcmp) return combineHash(hash, walk.icmpId());
    if (protocol != packet::ipproto::kTcp && protocol != packet::ipproto::kUdp) return hash;
    return combineHash(hash, (std::uint64_t{walk.l4Source()} << 16) | walk.l4Destination());
}

/// nullptr: there is none.
const Route* findRoute(PacketWalk& walk, const Router& router) {
    const auto source = walk.peek().ipSource, destination = walk.peek().ipDestination;
    const auto found = router.routes->find(source, destination);
    // A flow that is wider than what its tag stands for would outlive a new route.
    constexpr unsigned kTagBits = 28;
    walk.tag(FlowTag::destination(router.id, destination));
    walk.seePrefix(Field::IpSource, found.sourceBits);
    walk.seePrefix(Field::IpDestination, std::max(found.destinationBits, kTagBits));
    const auto prefixLength = found.routes.empty() ? 0U : found.routes.front()->destination.length();
    walk.effect(UseRoute{router.id, destination.masked(destination.bits() - 4), static_cast<std::uint8_t>(prefixLength)});
    if (found.routes.empty()) return nullptr;
    const auto* route = found.routes.size() == 1 ? found.routes.front() : &topology::chooseRoute(found.routes, connectionHash(walk));
    if (walk.tracing()) {
        const auto gateway = route->gateway ? fmt::format(" gateway {}", *route->gateway) : std::string{};
        walk.step(TraceStep::Kind::Route, route->id.uuid(), fmt::format("{} by port {}{}", route->destination, route->port.uuid().toString(), gateway));
    }
    return route;
}

/// Whether the packet is for this address, recorded with as few bits as tell.
bool isFor(PacketWalk& walk, net::Ipv4Address address) {
    const auto differing = walk.peek().ipDestination.v4().toHostOrder() ^ address.toHostOrder();
    walk.seePrefix(Field::IpDestination, std::min(32U, static_cast<unsigned>(std::countl_zero(differing)) + 1));
    return differing == 0;
}

/// The router itself answers, by its own routes and filters, as if the answer had come to it (reference section 4.8).
Fate answerEcho(PacketWalk& walk, const Router& router) {
    if (walk.packet().frame.empty()) return PacketWalk::consume();
    flow::FlowKey key;
    key.etherType = packet::ethertype::kIpv4;
    key.ipSource = walk.ipDestination();
    key.ipDestination = walk.ipSource();
    key.ipProtocol = packet::ipproto::kIcmp;
    key.ipTos = walk.tos();
    key.ipTtl = 64;
    key.l4Source = packet::icmptype::kEchoReply;
    key.icmpId = walk.icmpId();
    const PacketContext context{walk.packet().port, key, {}, true};
    PacketWalk answer(context, walk.topology(), walk.state(), nullptr);
    answer.setDevice(router.id.uuid());

    const auto* route = findRoute(answer, router);
    if (route == nullptr || route->type != Route::Type::Normal) return PacketWalk::consume();
    const auto* out = walk.topology().port(route->port);
    if (out == nullptr || !out->address || egressRefused(answer, *out)) return PacketWalk::consume();
    answer.place.out = out;
    const auto verdict = runChains(answer, router.forwardChain, router.outboundFilter);
    const auto source = answer.peek().ipSource, destination = answer.peek().ipDestination;
    const auto mac = resolveNextHop(walk, router, *out, gatewayOf(*route).value_or(destination.v4()));

    auto recorded = answer.result(PacketWalk::consume());
    for (auto& event : std::get<Consume>(recorded).events) walk.event(std::move(event));
    if (verdict.kind == FilterResult::Kind::Park) return PacketWalk::park(*verdict.until);
    if (verdict.kind != FilterResult::Kind::Accept) return PacketWalk::consume();
    if (mac.wait) return *mac.wait;
    if (!mac.mac) return PacketWalk::consume();
    auto frame = echoReply(walk.packet().frame, {out->mac, *mac.mac, source.v4(), destination.v4()});
    if (frame) walk.event(SendFrame{out->id, std::move(*frame), false});
    if (walk.tracing()) walk.step(TraceStep::Kind::Router, router.id.uuid(), "answers the echo request");
    return PacketWalk::consume();
}

Fate toRouterItself(PacketWalk& walk, const Router& router) {
    const bool isEcho = walk.protocol() == packet::ipproto::kIcmp && walk.fragment() == flow::Fragment::None &&
                        walk.l4Source() == packet::icmptype::kEchoRequest;
    return isEcho ? answerEcho(walk, router) : walk.error(DropReason::ToRouterItself);
}

/// Out through the port of the route: hop count, translation back, filters, neighbour.
Fate forward(PacketWalk& walk, const Router& router, const Port& in, const Route& route) {
    const auto* out = walk.topology().port(route.port);
    if (out == nullptr) return walk.error(DropReason::UnpluggedPort);
    walk.tag(FlowTag::device(out->id.uuid()));
    if (!walk.decrementTtl()) {
        // Each probe of a traceroute is a connection of its own, and wants its own answer.
        connectionHash(walk);
        return tell(walk, in, kTtlExceeded, DropReason::TtlExceeded);
    }
    if (!out->address) return walk.drop(DropReason::NextHopUnknown);
    if (isFor(walk, *out->address)) return walk.drop(DropReason::ToRouterItself);
    walk.place.out = out;
    if (const auto refused = egressRefused(walk, *out)) return *refused;

    const auto restored = unbalance(walk, router);
    if (restored.kind == LoadBalancerResult::Kind::Drop) return walk.drop(restored.reason);
    if (restored.kind == LoadBalancerResult::Kind::Continue) {
        const auto verdict = runChains(walk, router.forwardChain, router.outboundFilter);
        if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &in, verdict);
    }

    const auto gateway = gatewayOf(route);
    const auto neighbour = resolveNextHop(walk, router, *out, gateway ? *gateway : walk.ipDestination().v4());
    if (neighbour.wait) return walk.packet().lastTry ? giveUp(walk, in) : *neighbour.wait;
    if (!neighbour.mac) return tell(walk, in, gateway ? kNetUnreachable : kHostUnreachable, DropReason::NextHopUnknown);
    walk.setEthernet(out->mac, *neighbour.mac);
    return leavePort(walk, *out);
}

Fate routeIpv4(PacketWalk& walk, const Router& router, const Port& in) {
    walk.place.out = nullptr;
    const auto balanced = balance(walk, router);
    if (balanced.kind == LoadBalancerResult::Kind::Drop) return walk.drop(balanced.reason);
    if (balanced.kind == LoadBalancerResult::Kind::Continue) {
        const auto verdict = runChains(walk, router.localRedirectChain, router.inboundFilter);
        if (verdict.kind != FilterResult::Kind::Accept) return refuse(walk, &in, verdict);
    }
    const auto* route = findRoute(walk, router);
    if (route == nullptr) return tell(walk, in, kNetUnreachable, DropReason::NoRoute);
    switch (route->type) {
        case Route::Type::Normal: return forward(walk, router, in, *route);
        case Route::Type::Local: return toRouterItself(walk, router);
        case Route::Type::BlackHole: return walk.error(DropReason::BlackHoleRoute);
        case Route::Type::Reject: return tell(walk, in, kProhibited, DropReason::RejectRoute);
    }
    MIDONET_UNREACHABLE();
}

}  // namespace

Fate processRouter(PacketWalk& walk, const Router& router, const Port& in) {
    if (walk.tracing()) walk.step(TraceStep::Kind::Router, router.id.uuid(), "takes the packet");
    if (const auto tag = walk.vlan(); tag.present()) {
        if (tag.id().value() != 0) return walk.drop(DropReason::NotForRouter);
        walk.popVlan();
    }
    if (!walk.isArp() && !walk.isIpv4()) return walk.drop(DropReason::NotForRouter);
    if (!router.adminUp) {
        walk.tag(FlowTag::device(router.id.uuid()));
        return tell(walk, in, kProhibited, DropReason::RouterAdminDown);
    }
    // From here on a switched-off router changes the decision only where its tag is.
    const auto destination = walk.ethDestination();
    if (destination.isBroadcast()) return walk.isArp() ? processRouterArp(walk, router, in) : walk.drop(DropReason::NotForRouter);
    walk.tag(FlowTag::device(router.id.uuid()));
    if (destination != in.mac) return walk.drop(DropReason::NotForRouter);
    if (walk.isArp()) return processRouterArp(walk, router, in);
    if (!in.address) return walk.drop(DropReason::NotForRouter);
    return routeIpv4(walk, router, in);
}

void sendProhibited(PacketWalk& walk, const Port& from) { sendError(walk, from, kProhibited); }

Fate refuse(PacketWalk& walk, const Port* in, const FilterResult& result) {
    const bool tells = in != nullptr && in->isRouterPort();
    switch (result.kind) {
        case FilterResult::Kind::Accept: break;
        case FilterResult::Kind::Park: return PacketWalk::park(*result.until);
        case FilterResult::Kind::Reject:
            return tells ? tell(walk, *in, kProhibited, DropReason::RuleRejected) : walk.drop(DropReason::RuleRejected);
        case FilterResult::Kind::Drop:
            if (tells && walk.fragment() == flow::Fragment::First) return tell(walk, *in, kProhibited, result.reason);
            return walk.drop(result.reason);
    }
    MIDONET_UNREACHABLE();
}

}  // namespace midonet::simulation
