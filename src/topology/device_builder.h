#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "topology/object_cache.h"
#include "topology/snapshot.h"

/// Devices of the snapshot made of objects of the NSDB. Everything is read through the ObjectCache, so it is
/// watched from then on; nullptr when the object does not exist. What cannot be read in an object is
/// left out, with a warning that names the object.
namespace midonet::topology {

/// A port that is bound to this host: what the binding wants.
struct WantedBinding {
    PortId port;
    std::string interface;
    friend auto operator<=>(const WantedBinding&, const WantedBinding&) = default;
};

/// A bridge without what follows from its ports, and these ports, ordered.
struct BridgeParts {
    Bridge bridge;
    std::vector<PortId> ports;
    friend bool operator==(const BridgeParts&, const BridgeParts&) = default;
};

/// A router without its load balancer and routes, and where these are found.
struct RouterParts {
    Router router;
    std::vector<PortId> ports;      ///< Ordered.
    std::vector<RouteId> routes;    ///< Ordered.
    LoadBalancerId loadBalancer;    ///< Nil: none.
    friend bool operator==(const RouterParts& a, const RouterParts& b) {
        return a.router.sameConfiguration(b.router) && a.ports == b.ports && a.routes == b.routes && a.loadBalancer == b.loadBalancer;
    }
};

/// A chain, and what its rules name.
struct ChainParts {
    Chain chain;
    std::vector<IpAddrGroupPtr> addressGroups;  ///< Those that exist. The index is made of them.
    std::vector<PortGroupId> portGroups;        ///< Ordered, each once; the same for `jumps`.
    std::vector<ChainId> jumps;
    std::vector<IpAddrGroupId> addressGroupIds() const;  ///< Ordered.
    friend bool operator==(const ChainParts& a, const ChainParts& b) {
        return a.chain.sameRules(b.chain) && a.addressGroups == b.addressGroups;
    }
};
using AddressGroupLookup = std::function<IpAddrGroupPtr(const IpAddrGroupId&)>;

/// The ports that are bound to a host, ordered.
std::shared_ptr<const std::vector<WantedBinding>> readBindings(ObjectCache& cache, const HostId& host);
/// All but `active` and `tunnelKey`.
std::shared_ptr<Port> readPort(ObjectCache& cache, const PortId& id);
std::shared_ptr<const BridgeParts> readBridge(ObjectCache& cache, const BridgeId& id);
std::shared_ptr<const RouterParts> readRouter(ObjectCache& cache, const RouterId& id);
std::shared_ptr<const Route> readRoute(ObjectCache& cache, const RouteId& id);
std::shared_ptr<const ChainParts> readChain(ObjectCache& cache, const ChainId& id, const AddressGroupLookup& addressGroup);
PortGroupPtr readPortGroup(ObjectCache& cache, const PortGroupId& id);
IpAddrGroupPtr readIpAddrGroup(ObjectCache& cache, const IpAddrGroupId& id);
HostPtr readHost(ObjectCache& cache, const HostId& id);
LoadBalancerPtr readLoadBalancer(ObjectCache& cache, const LoadBalancerId& id);

/// Looks a port up: nullptr when it is not known.
using PortLookup = std::function<const Port*(const PortId&)>;
/// The bridge with what follows from those of its ports that are in the snapshot, and from their peers.
Bridge makeBridge(const BridgeParts& parts, const TopologySnapshot& snapshot, const PortLookup& peer);
/// Whether the route leads anywhere now: `snapshot` has the router's ports.
bool isInForce(const Route& route, const RouterId& router, const TopologySnapshot& snapshot, const PortLookup& peer);

}  // namespace midonet::topology
