#include "topology/snapshot.h"

namespace midonet::topology {
namespace {

template <class T>
bool same(const T& a, const T& b) {
    return a == b;
}
bool same(const Chain& a, const Chain& b) { return a.sameRules(b); }

template <class Id, class T>
bool sameContents(const SharedMap<Id, T>& a, const SharedMap<Id, T>& b) {
    bool allSame = true;
    SharedMap<Id, T>::forEachDifference(a, b, [&](const T* one, const T* other) {
        allSame = allSame && one != nullptr && other != nullptr && same(*one, *other);
    });
    return allSame;
}

}  // namespace

bool Router::sameConfiguration(const Router& other) const {
    const bool sameLoadBalancer = loadBalancer == other.loadBalancer ||
                                  (loadBalancer && other.loadBalancer && *loadBalancer == *other.loadBalancer);
    return id == other.id && adminUp == other.adminUp && inboundFilter == other.inboundFilter &&
           outboundFilter == other.outboundFilter && forwardChain == other.forwardChain &&
           localRedirectChain == other.localRedirectChain && sameLoadBalancer;
}

bool operator==(const Router& a, const Router& b) { return a.sameConfiguration(b) && *a.routes == *b.routes; }

bool TopologySnapshot::sameDevices(const TopologySnapshot& other) const {
    return sameContents(ports, other.ports) && sameContents(bridges, other.bridges) &&
           sameContents(routers, other.routers) && sameContents(chains, other.chains) &&
           sameContents(portGroups, other.portGroups) && sameContents(ipAddrGroups, other.ipAddrGroups) &&
           sameContents(hosts, other.hosts);
}

}  // namespace midonet::topology
