#include "topology/snapshot.h"

#include <algorithm>

namespace midonet::topology {
namespace {

template <class T>
bool same(const T& a, const T& b) {
    return a == b;
}
bool same(const Chain& a, const Chain& b) { return a.sameRules(b); }

template <class Map>
bool sameContents(const Map& a, const Map& b) {
    if (a.size() != b.size()) return false;
    return std::all_of(a.begin(), a.end(), [&](const auto& entry) {
        const auto other = b.find(entry.first);
        return other != b.end() && same(*other->second, *entry.second);
    });
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
           sameContents(portGroups, other.portGroups) && sameContents(ipAddrGroups, other.ipAddrGroups);
}

}  // namespace midonet::topology
