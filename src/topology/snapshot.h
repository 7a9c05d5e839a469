#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "net/numbers.h"

namespace midonet::topology {

/// A virtual port as the simulation sees it. Immutable once in a snapshot.
struct Port {
    PortId id;
    BridgeId bridge;
    bool adminUp = true;
    net::VlanId vlan;    ///< 0 = no VLAN: a trunk that passes tags as they are.
    HostId host;         ///< Nil when it is not bound.
    bool active = false; ///< The host it is bound to has it in its datapath.
    net::TunnelKey tunnelKey;  ///< Names the port on its host; meaningful when active.

    bool exterior() const { return !host.isNil(); }
    friend bool operator==(const Port&, const Port&) = default;
};

/// A virtual bridge (an L2 switch) as the simulation sees it.
struct Bridge {
    BridgeId id;
    bool adminUp = true;
    /// Exterior ports, ordered by id: the flood set. Only ports that are in the same snapshot.
    std::vector<PortId> exteriorPorts;
    /// VLANs of its exterior ports, ordered, without 0. Each has a MAC table of its own; frames of all
    /// other VLANs share the table of VLAN 0. Empty: tags are not looked at.
    std::vector<net::VlanId> vlans;

    bool vlanAware() const { return !vlans.empty(); }
    bool hasVlan(net::VlanId vlan) const { return std::binary_search(vlans.begin(), vlans.end(), vlan); }
    /// Keeps the order; a VLAN that is there, or 0, adds nothing.
    void addVlan(net::VlanId vlan) {
        const auto place = std::lower_bound(vlans.begin(), vlans.end(), vlan);
        if (vlan.value() != 0 && (place == vlans.end() || *place != vlan)) vlans.insert(place, vlan);
    }

    friend bool operator==(const Bridge&, const Bridge&) = default;
};

using PortPtr = std::shared_ptr<const Port>;
using BridgePtr = std::shared_ptr<const Bridge>;

/// The part of the virtual topology this host uses, at one moment. Never changes: an update makes
/// the next generation, which shares every device that did not change. A device is in a snapshot
/// only when everything it needs is there too (the ports of a bridge with their bindings).
class TopologySnapshot {
public:
    /// nullptr when this host does not (yet) have it.
    const Port* port(const PortId& id) const {
        const auto found = ports.find(id);
        return found == ports.end() ? nullptr : found->second.get();
    }
    const Bridge* bridge(const BridgeId& id) const {
        const auto found = bridges.find(id);
        return found == bridges.end() ? nullptr : found->second.get();
    }
    /// Same devices with the same contents, whatever the generation.
    bool sameDevices(const TopologySnapshot& other) const;

    std::uint64_t generation = 0;
    boost::unordered_flat_map<PortId, PortPtr, std::hash<PortId>> ports;
    boost::unordered_flat_map<BridgeId, BridgePtr, std::hash<BridgeId>> bridges;
};

using TopologySnapshotPtr = std::shared_ptr<const TopologySnapshot>;

}  // namespace midonet::topology
