#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "net/ip_prefix.h"
#include "net/mac.h"
#include "net/numbers.h"
#include "topology/chain.h"
#include "topology/ip_addr_group.h"
#include "topology/load_balancer.h"
#include "topology/route_table.h"
#include "topology/shared_map.h"

namespace midonet::topology {

/// A virtual port as the simulation sees it. Immutable once in a snapshot.
///
/// Bound to an interface of a host it is exterior, linked to a peer it is interior, else unplugged.
struct Port {
    PortId id;
    BridgeId bridge;     ///< The device it belongs to: a bridge ...
    RouterId router;     ///< ... or a router; the other is nil.
    bool adminUp = true;
    ChainId inboundFilter;   ///< Nil: none. What enters the device here.
    ChainId outboundFilter;  ///< What leaves the device here.
    std::vector<PortGroupId> groups;  ///< Ordered.

    PortId peer;         ///< Nil when it is not linked.
    HostId host;         ///< Nil when it is not bound.
    bool active = false; ///< The host it is bound to has it in its datapath.
    net::TunnelKey tunnelKey;  ///< Names the port on its host; meaningful when active.

    net::VlanId vlan;    ///< Bridge ports. 0 = no VLAN: a trunk that passes tags as they are.

    net::Mac mac;        ///< Router ports.
    /// Router ports: the address and its subnet, of IPv4. Without, the port routes nothing.
    std::optional<net::Ipv4Address> address;
    net::IpPrefix subnet;

    bool exterior() const { return !host.isNil(); }
    bool interior() const { return !peer.isNil(); }
    bool isRouterPort() const { return !router.isNil(); }
    const Uuid& device() const { return isRouterPort() ? router.uuid() : bridge.uuid(); }
    friend bool operator==(const Port&, const Port&) = default;
};

/// A virtual bridge (an L2 switch) as the simulation sees it.
struct Bridge {
    BridgeId id;
    bool adminUp = true;
    ChainId inboundFilter;   ///< Nil: none.
    ChainId outboundFilter;
    /// Exterior ports, ordered by id: the flood set. Only ports that are in the same snapshot.
    std::vector<PortId> exteriorPorts;
    /// Interior ports whose peer is a port of another bridge, ordered by id: they take part in floods.
    std::vector<PortId> bridgeLinks;
    /// Interior ports whose peer is a router port: what the bridge knows of that port without learning.
    struct RouterPeer {
        PortId port;                              ///< Of this bridge.
        net::Mac mac;                             ///< Of the router's port ...
        std::optional<net::Ipv4Address> address;  ///< ... and its address: the bridge answers ARP for it.
        friend bool operator==(const RouterPeer&, const RouterPeer&) = default;
    };
    std::vector<RouterPeer> routerPeers;  ///< Ordered by port.
    /// VLANs of its ports, ordered, without 0. Each has a MAC table of its own; frames of all
    /// other VLANs share the table of VLAN 0. Empty: tags are not looked at.
    std::vector<net::VlanId> vlans;

    bool vlanAware() const { return !vlans.empty(); }
    bool hasVlan(net::VlanId vlan) const { return std::binary_search(vlans.begin(), vlans.end(), vlan); }
    /// Keeps the order; a VLAN that is there, or 0, adds nothing.
    void addVlan(net::VlanId vlan) {
        const auto place = std::lower_bound(vlans.begin(), vlans.end(), vlan);
        if (vlan.value() != 0 && (place == vlans.end() || *place != vlan)) vlans.insert(place, vlan);
    }
    const RouterPeer* routerWithMac(net::Mac mac) const {
        const auto found = std::find_if(routerPeers.begin(), routerPeers.end(), [&](const RouterPeer& p) { return p.mac == mac; });
        return found == routerPeers.end() ? nullptr : &*found;
    }
    const RouterPeer* routerWithAddress(net::Ipv4Address address) const {
        const auto found = std::find_if(routerPeers.begin(), routerPeers.end(), [&](const RouterPeer& p) { return p.address == address; });
        return found == routerPeers.end() ? nullptr : &*found;
    }

    friend bool operator==(const Bridge&, const Bridge&) = default;
};

/// A virtual router as the simulation sees it. What changes often (routes) is apart from what seldom does, so
/// that a new route makes no more flows wrong than those it is for.
struct Router {
    RouterId id;
    bool adminUp = true;
    ChainId inboundFilter;        ///< Nil: none; the same for the others.
    ChainId outboundFilter;
    ChainId forwardChain;         ///< Before the outbound filter.
    ChainId localRedirectChain;   ///< Before the inbound filter.
    LoadBalancerPtr loadBalancer; ///< nullptr: none.
    std::shared_ptr<const RouteTable> routes;  ///< Never nullptr.

    /// Equal but for the routes.
    bool sameConfiguration(const Router& other) const;
    friend bool operator==(const Router&, const Router&);
};

/// A host that ports of the snapshot, or of its stateful port groups, are bound to: where packets go in the end.
struct Host {
    HostId id;
    struct Membership {
        TunnelZoneId zone;
        net::Ipv4Address address;  ///< On the underlay.
        friend auto operator<=>(const Membership&, const Membership&) = default;
    };
    std::vector<Membership> memberships;  ///< Ordered; empty: it is in no tunnel zone.
    friend bool operator==(const Host&, const Host&) = default;
};

using HostPtr = std::shared_ptr<const Host>;
using PortPtr = std::shared_ptr<const Port>;
using BridgePtr = std::shared_ptr<const Bridge>;
using RouterPtr = std::shared_ptr<const Router>;

/// The part of the virtual topology this host uses, at one moment. Never changes: an update makes
/// the next generation, which shares every device that did not change. A device is in a snapshot
/// only when everything it needs is there too (the ports of a bridge with their bindings, and the hosts of these).
class TopologySnapshot {
public:
    // nullptr when this host does not (yet) have it.
    const Port* port(const PortId& id) const { return ports.find(id); }
    const Bridge* bridge(const BridgeId& id) const { return bridges.find(id); }
    const Router* router(const RouterId& id) const { return routers.find(id); }
    const Chain* chain(const ChainId& id) const { return chains.find(id); }
    const PortGroup* portGroup(const PortGroupId& id) const { return portGroups.find(id); }
    const IpAddrGroup* ipAddrGroup(const IpAddrGroupId& id) const { return ipAddrGroups.find(id); }
    /// Same devices with the same contents, whatever the generation.
    bool sameDevices(const TopologySnapshot& other) const;

    std::uint64_t generation = 0;
    SharedMap<PortId, Port> ports;
    SharedMap<BridgeId, Bridge> bridges;
    SharedMap<RouterId, Router> routers;
    SharedMap<ChainId, Chain> chains;
    SharedMap<PortGroupId, PortGroup> portGroups;
    SharedMap<IpAddrGroupId, IpAddrGroup> ipAddrGroups;
    SharedMap<HostId, Host> hosts;
};

using TopologySnapshotPtr = std::shared_ptr<const TopologySnapshot>;

}  // namespace midonet::topology
