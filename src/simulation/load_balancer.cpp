#include "simulation/load_balancer.h"

#include <algorithm>
#include <cmath>

#include "base/scope_guard.h"
#include "packet/protocols.h"
#include "simulation/condition.h"
#include "simulation/nat.h"

namespace midonet::simulation {
namespace {

using flowstate::Binding;
using flowstate::KeyKind;
using flowstate::StateEntry;
using flowstate::StateKey;
using topology::LoadBalancer;
using topology::Pool;
using topology::PoolMember;
using topology::Vip;
using Kind = LoadBalancerResult::Kind;

bool isUp(const Pool& pool) {
    return pool.adminUp && std::any_of(pool.members.begin(), pool.members.end(), [](const PoolMember& m) { return m.isActive(); });
}

const Vip* vipAt(const LoadBalancer& balancer, const net::IpAddress& address, std::uint16_t port) {
    const auto found = std::find_if(balancer.vips.begin(), balancer.vips.end(), [&](const Vip& vip) {
        return vip.adminUp && net::IpAddress{vip.address} == address && vip.port == port;
    });
    return found == balancer.vips.end() ? nullptr : &*found;
}

/// Whether a connection may stay with the member it has. One that is switched off, or takes no new ones (weight 0),
/// finishes what it has; a sticky client moves on.
bool mayStay(const Pool& pool, const Binding& backend, bool sticky) {
    return std::any_of(pool.members.begin(), pool.members.end(), [&](const PoolMember& m) {
        if (net::IpAddress{m.address} != backend.address || m.port != backend.port) return false;
        return sticky ? m.isActive() : !m.adminUp || m.healthy;
    });
}

/// Weighted rendezvous hashing: each member draws a number, and those with more weight draw higher ones. A member that
/// comes or goes moves no connection but those it wins or had. The pool is up.
const PoolMember& choose(const Pool& pool, std::uint64_t hash) {
    const PoolMember* best = nullptr;
    double bestScore = 0;
    for (const auto& member : pool.members) {
        if (!member.isActive()) continue;
        const auto drawn = combineHash(hash, std::hash<PoolMemberId>{}(member.id)) >> 11;  // 53 bits: what a double holds
        const double uniform = (static_cast<double>(drawn) + 0.5) / 9007199254740992.0;
        const double score = -static_cast<double>(member.weight) / std::log(uniform);
        if (best != nullptr && score <= bestScore) continue;
        best = &member;
        bestScore = score;
    }
    return *best;
}

/// Looks only as far as needed to know that the packet is for none of its addresses.
bool isForSomeVip(PacketWalk& walk, const LoadBalancer& balancer) {
    bool any = false;
    for (const auto& vip : balancer.vips)
        if (vip.adminUp && isIn(walk, flow::Field::IpDestination, {vip.address, 32})) any = true;
    return any;
}

std::optional<StateKey> tcpKey(PacketWalk& walk, KeyKind kind) {
    if (walk.protocol() != packet::ipproto::kTcp && !walk.isIcmpError()) return std::nullopt;
    const auto key = connectionKey(walk, kind);
    return key && key->protocol == packet::ipproto::kTcp ? key : std::nullopt;
}

LoadBalancerResult dropped(PacketWalk& walk, const LoadBalancer& balancer, const char* why) {
    if (walk.tracing()) walk.step(TraceStep::Kind::LoadBalancer, balancer.id.uuid(), why);
    return {Kind::Drop, flow::DropReason::PoolDown};
}

void apply(PacketWalk& walk, const LoadBalancer& balancer, const StateEntry& entry) {
    if (walk.tracing())
        walk.step(TraceStep::Kind::LoadBalancer, balancer.id.uuid(),
                  fmt::format("{} port {}", entry.binding.address, entry.binding.port));
    applyBinding(walk, entry.key, entry.binding);
}

LoadBalancerResult toMember(PacketWalk& walk, const LoadBalancer& balancer) {
    auto key = tcpKey(walk, KeyKind::DestinationNat);
    if (!key) return {};
    const auto* vip = vipAt(balancer, key->destination, key->destinationPort);
    if (vip == nullptr) return {};
    const auto& pool = balancer.pools[vip->pool];
    walk.tag(flow::FlowTag::device(pool.id.uuid()));
    if (vip->stickySource) {
        key->kind = KeyKind::StickyNat;
        key->sourcePort = 0;
    }
    const bool up = isUp(pool);
    if (!up && vip->stickySource) return dropped(walk, balancer, "its pool is down");
    if (const auto binding = walk.state(*key)) {
        const StateEntry entry{*key, *binding};
        if (mayStay(pool, *binding, vip->stickySource)) {
            usePair(walk, entry);
            apply(walk, balancer, entry);
            return {Kind::Accept};
        }
        walk.event(RemoveState{entry.key});
        walk.event(RemoveState{reverseOf(entry).key});
    }
    if (!up) return dropped(walk, balancer, "its pool is down");
    if (walk.isIcmpError()) return {};  // about no connection that is known
    const auto& member = choose(pool, key->hash());
    const StateEntry entry{*key, {member.address, member.port}, vip->stickySource ? vip->stickySeconds : StateEntry{}.idleSeconds};
    addPair(walk, entry);
    apply(walk, balancer, entry);
    return {Kind::Accept};
}

LoadBalancerResult fromMember(PacketWalk& walk, const LoadBalancer& balancer) {
    auto key = tcpKey(walk, KeyKind::DestinationUnnat);
    if (!key) return {};
    const auto has = [&](bool sticky) {
        return std::any_of(balancer.vips.begin(), balancer.vips.end(), [&](const Vip& vip) { return vip.stickySource == sticky; });
    };
    std::optional<Binding> binding;
    bool sticky = false;
    if (has(false)) binding = walk.state(*key);
    if (!binding && has(true)) {
        sticky = true;
        key->kind = KeyKind::StickyUnnat;
        key->destinationPort = 0;
        binding = walk.state(*key);
    }
    if (!binding) return {};
    if (!balancer.adminUp) return dropped(walk, balancer, "it is switched off");
    const auto* vip = vipAt(balancer, binding->address, binding->port);
    if (vip == nullptr || vip->stickySource != sticky) return dropped(walk, balancer, "its VIP is gone");
    const auto& pool = balancer.pools[vip->pool];
    walk.tag(flow::FlowTag::device(pool.id.uuid()));
    if (!mayStay(pool, {key->source, key->sourcePort}, sticky)) return dropped(walk, balancer, "the member may not answer");
    usePair(walk, {*key, *binding});
    apply(walk, balancer, {*key, *binding});
    return {Kind::Accept};
}

}  // namespace

LoadBalancerResult balance(PacketWalk& walk, const topology::Router& router) {
    if (!router.loadBalancer || !walk.isIpv4()) return {};
    const auto& balancer = *router.loadBalancer;
    walk.tag(flow::FlowTag::device(balancer.id.uuid()));
    if (!balancer.adminUp || !isForSomeVip(walk, balancer)) return {};
    walk.setDevice(balancer.id.uuid());
    const ScopeGuard back([&] { walk.setDevice(std::nullopt); });
    return toMember(walk, balancer);
}

LoadBalancerResult unbalance(PacketWalk& walk, const topology::Router& router) {
    if (!router.loadBalancer || !walk.isIpv4()) return {};
    const auto& balancer = *router.loadBalancer;
    walk.tag(flow::FlowTag::device(balancer.id.uuid()));
    if (balancer.vips.empty()) return {};
    walk.setDevice(balancer.id.uuid());
    const ScopeGuard back([&] { walk.setDevice(std::nullopt); });
    return fromMember(walk, balancer);
}

}  // namespace midonet::simulation
