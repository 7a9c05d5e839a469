#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "nsdb/store.h"
#include "topology/device_builder.h"
#include "topology/object_cache.h"
#include "topology/snapshot.h"

namespace midonet::topology {

/// A port that is bound to this host: what the binding wants.
struct WantedBinding {
    PortId port;
    std::string interface;
    friend auto operator<=>(const WantedBinding&, const WantedBinding&) = default;
};

/// The devices that are reachable from the ports bound to this host, each made of the NSDB and kept as long as
/// nothing it is made of changes: port -> device -> all its ports -> peers -> their devices; their chains with
/// jump targets and groups; routes and load balancers of routers.
///
/// Each rebuild() walks all of it, asks the ObjectCache for what it needs (which loads it, `onChange` tells), and makes the
/// snapshot of what is complete. What is in force stays until that which replaces it is complete too.
///
/// What a peer host reported and that vanishes with its agent (not: what it withdraws) is believed for
/// `peerGrace` longer.
class DeviceGraph {
public:
    DeviceGraph(event::Loop& loop, nsdb::Store& store, HostId host, event::Duration peerGrace, std::function<void()> onChange);
    ~DeviceGraph();

    void setLocalPorts(std::map<PortId, net::TunnelKey> ports);
    /// The next snapshot; shares with `before` (the last one) all that did not change.
    std::shared_ptr<TopologySnapshot> rebuild(const TopologySnapshot& before);
    /// The last rebuild found everything loaded.
    bool complete() const { return cache_.complete(); }
    /// Of this host, ordered; nullopt as long as the bindings are not loaded.
    std::optional<std::vector<WantedBinding>> bindings() const;
    /// The port's host vanished, and is believed a while longer.
    bool isLost(const PortId& id) const;

private:
    template <class T>
    struct Node;
    struct PortNode;
    template <class Id, class N>
    using Nodes = boost::unordered_flat_map<Id, std::unique_ptr<N>, std::hash<Id>>;

    // Asking for what is reachable.
    void walk();
    template <class Id, class N>
    N* enter(Nodes<Id, N>& nodes, const Id& id);
    template <class T, class Ask>
    void askForBoth(const Node<T>& node, Ask ask);
    PortNode& usePort(const PortId& id);
    void useDeviceOf(const Port& port);
    void useBridge(const BridgeId& id);
    void useRouter(const RouterId& id);
    void useChain(const ChainId& id);
    void usePortGroup(const PortGroupId& id);
    IpAddrGroupPtr useIpAddrGroup(const IpAddrGroupId& id);

    // What is made of a port's object and of what its host says.
    PortPtr makePort(const PortId& id, PortNode& node);
    void believeHost(const PortId& id, PortNode& node, Port& port);
    void onGraceOver(const PortId& id);

    // Deciding what is complete.
    void settle();
    void settleChains();
    void settlePort(PortNode& node) const;
    void settleBridge(const BridgeId& id);
    void settleRouter(const RouterId& id);
    bool chainUsable(const ChainId& id) const;
    bool portsUsable(const std::vector<PortId>& ports) const;
    const Port* knownPort(const PortId& id) const;

    void addPorts(const std::vector<PortId>& ports, const Uuid& device, TopologySnapshot& next) const;
    void addBridge(const BridgeId& id, const BridgeParts& parts, const TopologySnapshot& before, TopologySnapshot& next) const;
    void addRouter(const RouterId& id, const RouterParts& parts, const TopologySnapshot& before, TopologySnapshot& next) const;

    event::Loop& loop_;
    const HostId host_;
    const event::Duration peerGrace_;
    const std::function<void()> onChange_;
    ObjectCache cache_;
    std::map<PortId, net::TunnelKey> local_;
    Derived<std::vector<PortId>> bound_;

    Nodes<PortId, PortNode> ports_;
    Nodes<BridgeId, Node<BridgeParts>> bridges_;
    Nodes<RouterId, Node<RouterParts>> routers_;
    Nodes<RouteId, Node<Route>> routes_;
    Nodes<ChainId, Node<ChainParts>> chains_;
    Nodes<PortGroupId, Node<PortGroup>> portGroups_;
    Nodes<IpAddrGroupId, Node<IpAddrGroup>> ipAddrGroups_;
    Nodes<LoadBalancerId, Node<LoadBalancer>> loadBalancers_;
    std::vector<PortId> pending_;  // while walking: ports whose device is to be visited
};

}  // namespace midonet::topology
