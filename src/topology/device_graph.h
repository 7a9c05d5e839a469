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

/// The devices that are reachable from the ports bound to this host, each made of the NSDB and kept as long as
/// nothing it is made of changes: port -> device -> all its ports -> peers -> their devices; their chains with
/// jump targets and groups; routes and load balancers of routers; the hosts of ports with their underlay addresses.
///
/// Each rebuild() makes anew what changed in the NSDB (the ObjectCache tells, and `onChange`), puts in force what has all it
/// needs, and patches the last snapshot where that made a difference. What is in force stays until that which replaces
/// it is complete too. What nothing needs any more is dropped; only where that is not seen at a glance (devices hold each other)
/// is everything walked.
///
/// What a peer host reported and that vanishes with its agent (not: what it withdraws) is believed for
/// `peerGrace` longer.
class DeviceGraph {
public:
    DeviceGraph(event::Loop& loop, nsdb::Store& store, HostId host, event::Duration peerGrace, std::function<void()> onChange);
    ~DeviceGraph();

    void setLocalPorts(std::map<PortId, net::TunnelKey> ports);
    /// The next snapshot; shares with `before` all that did not change. `before`: the last one, or, when that was equal to
    /// the one before it, either.
    std::shared_ptr<TopologySnapshot> rebuild(const TopologySnapshot& before);
    /// The last rebuild found everything loaded.
    bool complete() const { return cache_.complete(); }
    /// Of this host, ordered: known before the devices that they lead to. nullptr as long as they are not loaded; the same
    /// pointer until they change.
    std::shared_ptr<const std::vector<WantedBinding>> bindings() const;
    /// The port's host vanished, and is believed a while longer.
    bool isLost(const PortId& id) const;

private:
    struct AnyNode;
    template <class Id, class T>
    struct Node;
    template <class T>
    struct Beside;
    using BindingsNode = Node<HostId, std::vector<WantedBinding>>;
    using PortNode = Node<PortId, Port>;
    using BridgeNode = Node<BridgeId, BridgeParts>;
    using RouterNode = Node<RouterId, RouterParts>;
    using RouteNode = Node<RouteId, Route>;
    using ChainNode = Node<ChainId, ChainParts>;
    using PortGroupNode = Node<PortGroupId, PortGroup>;
    using IpAddrGroupNode = Node<IpAddrGroupId, IpAddrGroup>;
    using LoadBalancerNode = Node<LoadBalancerId, LoadBalancer>;
    using HostNode = Node<HostId, Host>;
    /// All nodes of a kind, and those of them whose newest value waits to be in force.
    template <class Id, class N>
    struct Nodes {
        boost::unordered_flat_map<Id, std::unique_ptr<N>, std::hash<Id>> byId;
        std::vector<N*> unsettled;
        std::vector<Id> letGo;  // needed by less than before
    };

    auto& nodesOf(const PortId&) { return ports_; }
    auto& nodesOf(const BridgeId&) { return bridges_; }
    auto& nodesOf(const RouterId&) { return routers_; }
    auto& nodesOf(const RouteId&) { return routes_; }
    auto& nodesOf(const ChainId&) { return chains_; }
    auto& nodesOf(const PortGroupId&) { return portGroups_; }
    auto& nodesOf(const IpAddrGroupId&) { return ipAddrGroups_; }
    auto& nodesOf(const LoadBalancerId&) { return loadBalancers_; }
    auto& nodesOf(const HostId&) { return hosts_; }
    template <class Visit>
    void forAllKinds(Visit visit);

    // Making anew what is stale, and what that needs.
    template <class Id>
    auto& need(const Id& id);
    template <class N, class Make>
    bool remake(N& node, Make make);
    template <class T>
    void replaceNeeds(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after);
    template <class N>
    void settleLater(N& node);
    void refresh(BindingsNode& node);
    void refresh(PortNode& node);
    void refresh(BridgeNode& node);
    void refresh(RouterNode& node);
    void refresh(RouteNode& node);
    void refresh(ChainNode& node);
    void refresh(PortGroupNode& node);
    void refresh(IpAddrGroupNode& node);
    void refresh(LoadBalancerNode& node);
    void refresh(HostNode& node);

    // What is made of a port's object and of what its host says.
    PortPtr makePort(PortNode& node);
    void believeHost(PortNode& node, Port& port);
    void onGraceOver(const PortId& id);

    // Deciding what is complete.
    void settle();
    template <class Id, class N>
    void settleEach(Nodes<Id, N>& nodes);
    template <class N>
    void putInForce(N& node);
    void settleChains();
    bool isReady(const PortNode& node) const;
    bool isReady(const BridgeNode& node) const;
    bool isReady(const RouterNode& node) const;
    bool chainUsable(const ChainId& id) const;
    bool portsUsable(const std::vector<PortId>& ports) const;
    bool groupUsable(const PortGroupId& id) const;

    // Dropping what is not needed.
    void dropUnneeded();
    template <class Id, class T>
    void drop(Node<Id, T>& node);
    bool mayHoldItself(const PortNode& node) const;
    template <class Id, class Parts>
    bool mayHoldItself(const Node<Id, Parts>& device) const;
    bool mayHoldItself(const ChainNode& node) const;
    bool mayHoldItself(const RouteNode&) const { return false; }
    bool mayHoldItself(const PortGroupNode&) const { return false; }
    bool mayHoldItself(const IpAddrGroupNode&) const { return false; }
    bool mayHoldItself(const LoadBalancerNode&) const { return false; }
    bool mayHoldItself(const HostNode&) const { return false; }
    void dropUnreached();
    template <class Id>
    void reach(const Id& id);

    // Patching the snapshot.
    void touchChange(const PortNode& node, const Port* before);
    template <class Id, class Parts>
    void touchChange(const Node<Id, Parts>& node, const Parts* before);
    void touchChange(const ChainNode& node, const ChainParts* before);
    void touch(const PortNode& node);
    void touch(const BridgeNode& node);
    void touch(const RouterNode& node);
    void touch(const RouteNode& node);
    void touch(const ChainNode& node);
    void touch(const PortGroupNode& node);
    void touch(const IpAddrGroupNode& node);
    void touch(const LoadBalancerNode& node);
    void touch(const HostNode& node);
    void touchDeviceOf(const Port& port);
    const Port* knownPort(const PortId& id) const;
    PortPtr presentPort(const PortId& id) const;
    void patch(TopologySnapshot& next);
    void patchPort(const PortId& id, TopologySnapshot& next);
    BridgePtr makeBridgeOf(const BridgeId& id, const TopologySnapshot& next) const;
    RouterPtr makeRouterOf(const RouterId& id, const TopologySnapshot& next) const;

    event::Loop& loop_;
    const HostId host_;
    const event::Duration peerGrace_;
    const std::function<void()> onChange_;
    ObjectCache cache_;
    std::map<PortId, net::TunnelKey> local_;

    std::vector<AnyNode*> stale_;
    std::uint64_t walk_ = 0;            // number of the last walk
    std::vector<AnyNode*> reached_;     // while walking: those whose needs are not visited
    struct Touched {                    // what may be different in the next snapshot
        std::vector<PortId> ports;
        std::vector<BridgeId> bridges;
        std::vector<RouterId> routers;
        std::vector<ChainId> chains;
        std::vector<PortGroupId> portGroups;
        std::vector<IpAddrGroupId> ipAddrGroups;
        std::vector<HostId> hosts;
    } touched_;

    std::unique_ptr<BindingsNode> bindings_;
    Nodes<PortId, PortNode> ports_;
    Nodes<BridgeId, BridgeNode> bridges_;
    Nodes<RouterId, RouterNode> routers_;
    Nodes<RouteId, RouteNode> routes_;
    Nodes<ChainId, ChainNode> chains_;
    Nodes<PortGroupId, PortGroupNode> portGroups_;
    Nodes<IpAddrGroupId, IpAddrGroupNode> ipAddrGroups_;
    Nodes<LoadBalancerId, LoadBalancerNode> loadBalancers_;
    Nodes<HostId, HostNode> hosts_;
};

}  // namespace midonet::topology
