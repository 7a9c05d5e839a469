#include "topology/topology_update.h"

#include <algorithm>
#include <set>

namespace midonet::topology {
namespace {

using flow::FlowTag;

/// Collects each thing once, in a stable order.
struct Wrong {
    std::set<FlowTag> tags;
    std::set<RouteChange> routes;
};

template <class Id, class T, class Differ>
void forEachDifference(const SharedMap<Id, T>& before, const SharedMap<Id, T>& after, Differ differ) {
    SharedMap<Id, T>::forEachDifference(before, after, differ);
}

HostId hostOf(const Port* port) { return port == nullptr ? HostId{} : port->host; }

void portChanged(const Port* before, const Port* after, Wrong& wrong) {
    const auto& id = (after != nullptr ? after : before)->id;
    wrong.tags.insert(FlowTag::device(id.uuid()));
    if (hostOf(before) != hostOf(after)) wrong.tags.insert(FlowTag::statePeers(id.uuid()));
    for (const auto* port : {before, after})
        if (port != nullptr && !port->isRouterPort()) wrong.tags.insert(FlowTag::broadcast(port->bridge));
}

/// What flows took a MAC or an address to be, before there was such a peer or while there was.
void routerPeerChanged(const Bridge& bridge, const Bridge::RouterPeer& peer, Wrong& wrong) {
    wrong.tags.insert(FlowTag::routerMac(bridge.id, peer.mac));
    if (peer.address) wrong.tags.insert(FlowTag::bridgeArp(bridge.id, *peer.address));
}

void routerPeersChanged(const Bridge& from, const Bridge& to, Wrong& wrong) {
    for (const auto& peer : from.routerPeers)
        if (std::find(to.routerPeers.begin(), to.routerPeers.end(), peer) == to.routerPeers.end())
            routerPeerChanged(from, peer, wrong);
}

void bridgeChanged(const Bridge* before, const Bridge* after, Wrong& wrong) {
    const auto& id = (after != nullptr ? after : before)->id;
    const bool otherwiseSame = before != nullptr && after != nullptr && before->adminUp == after->adminUp &&
                               before->vlans == after->vlans && before->inboundFilter == after->inboundFilter &&
                               before->outboundFilter == after->outboundFilter;
    if (!otherwiseSame) {
        wrong.tags.insert(FlowTag::device(id.uuid()));
        return;
    }
    // A change of the flood set alone leaves unicast flows as they are.
    if (before->exteriorPorts != after->exteriorPorts || before->bridgeLinks != after->bridgeLinks)
        wrong.tags.insert(FlowTag::broadcast(id));
    routerPeersChanged(*before, *after, wrong);
    routerPeersChanged(*after, *before, wrong);
}

void loadBalancerChanged(const Router& before, const Router& after, Wrong& wrong) {
    if (before.loadBalancer == after.loadBalancer) return;
    for (const auto& balancer : {before.loadBalancer, after.loadBalancer})
        if (balancer) wrong.tags.insert(FlowTag::device(balancer->id.uuid()));
}

void routesChanged(const Router& before, const Router& after, Wrong& wrong) {
    if (before.routes == after.routes) return;
    const auto& from = before.routes->routes();
    const auto& to = after.routes->routes();
    const auto byId = [](const Route& a, const Route& b) { return a.id < b.id; };
    const auto missing = [&](const std::vector<Route>& routes, const std::vector<Route>& others) {
        for (const auto& route : routes) {
            const auto same = std::lower_bound(others.begin(), others.end(), route, byId);
            if (same == others.end() || *same != route) wrong.routes.insert({after.id, route.destination});
        }
    };
    missing(from, to);
    missing(to, from);
}

void routerChanged(const Router* before, const Router* after, Wrong& wrong) {
    const auto& id = (after != nullptr ? after : before)->id;
    if (before == nullptr || after == nullptr) {
        wrong.tags.insert(FlowTag::device(id.uuid()));
        return;
    }
    if (!before->sameConfiguration(*after)) wrong.tags.insert(FlowTag::device(id.uuid()));
    loadBalancerChanged(*before, *after, wrong);
    routesChanged(*before, *after, wrong);
}

void portGroupChanged(const PortGroup* before, const PortGroup* after, Wrong& wrong) {
    const auto& id = (after != nullptr ? after : before)->id;
    wrong.tags.insert(FlowTag::device(id.uuid()));
    const auto none = std::vector<HostId>{};
    if ((before ? before->hosts : none) != (after ? after->hosts : none)) wrong.tags.insert(FlowTag::statePeers(id.uuid()));
}

}  // namespace

TopologyUpdate updateBetween(const TopologySnapshot& before, TopologySnapshotPtr after) {
    Wrong wrong;
    forEachDifference(before.ports, after->ports, [&](auto* a, auto* b) { portChanged(a, b, wrong); });
    forEachDifference(before.bridges, after->bridges, [&](auto* a, auto* b) { bridgeChanged(a, b, wrong); });
    forEachDifference(before.routers, after->routers, [&](auto* a, auto* b) { routerChanged(a, b, wrong); });
    // An index that was made anew stands for address groups that changed: the same rules say something else.
    forEachDifference(before.chains, after->chains,
                      [&](auto* a, auto* b) { wrong.tags.insert(FlowTag::device((b != nullptr ? b : a)->id.uuid())); });
    forEachDifference(before.portGroups, after->portGroups, [&](auto* a, auto* b) { portGroupChanged(a, b, wrong); });
    forEachDifference(before.ipAddrGroups, after->ipAddrGroups,
                      [&](auto* a, auto* b) { wrong.tags.insert(FlowTag::device((b != nullptr ? b : a)->id().uuid())); });
    bool hostsChanged = false;
    forEachDifference(before.hosts, after->hosts, [&](auto*, auto*) { hostsChanged = true; });
    return {std::move(after), {wrong.tags.begin(), wrong.tags.end()}, {wrong.routes.begin(), wrong.routes.end()}, hostsChanged};
}

}  // namespace midonet::topology
