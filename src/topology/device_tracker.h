#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "event/loop.h"
#include "flow/flow_tag.h"
#include "net/mac.h"
#include "nsdb/store.h"
#include "topology/snapshot.h"

namespace midonet::topology {

/// What changed: the newest snapshot, the tags it invalidates, and MAC table changes.
struct TopologyUpdate {
    TopologySnapshotPtr snapshot;
    std::vector<flow::FlowTag> invalidated;
};

/// A change of a bridge's MAC table, as published by other hosts (and by this one).
struct MacChange {
    BridgeId bridge;
    net::VlanId vlan;
    net::Mac mac;
    PortId port;           ///< Nil when removed.
};

/// A port that is bound to this host: what the binding wants.
struct WantedBinding {
    PortId port;
    std::string interface;
    friend auto operator<=>(const WantedBinding&, const WantedBinding&) = default;
};

/// Loads what this host needs from the NSDB, starting from the ports bound to it: those ports, their
/// bridges, all ports of these bridges with the state of their bindings, and the bridges' MAC
/// tables. One watch per object, index, state and table; what is no longer reachable from a
/// binding is dropped, with its watches.
///
/// A peer host whose agent dies or restarts loses what it reported at once, while its datapath goes
/// on forwarding: what vanishes (not: what is withdrawn by the host that still runs) is believed
/// for `peerGrace` longer, so a restart of an agent is not seen by anybody's traffic.
///
/// Belongs to the control loop of its maker. Events of one turn of the loop become one update.
class DeviceTracker {
public:
    struct Options {
        event::Duration peerGrace = std::chrono::seconds{30};
    };
    struct Listener {
        std::function<void(const TopologyUpdate&)> onTopology;
        std::function<void(const std::vector<MacChange>&)> onMacs;
        /// The table is not followed any more; comes after onMacs has taken back what was told of it.
        std::function<void(const BridgeId&, net::VlanId)> onMacTableGone;
        std::function<void(const std::vector<WantedBinding>&)> onBindings;
    };

    DeviceTracker(event::Loop& loop, nsdb::Store& store, HostId host, Options options, Listener listener);
    ~DeviceTracker();
    DeviceTracker(const DeviceTracker&) = delete;
    DeviceTracker& operator=(const DeviceTracker&) = delete;

    /// Ports of this host that are in its datapath, with their tunnel keys: known here before the NSDB
    /// says so.
    void setLocalPorts(std::map<PortId, net::TunnelKey> ports);
    const TopologySnapshotPtr& snapshot() const { return snapshot_; }
    /// True when the bindings and everything they lead to were loaded for the first time.
    bool synced() const;

private:
    struct TrackedPort;
    struct TrackedBridge;

    void onBoundPorts(std::vector<Uuid> ids);
    void onPort(const PortId& id, const std::shared_ptr<const nsdb::Message>& object);
    void onPortState(const PortId& id, const std::optional<std::string>& bytes);
    void onBridge(const BridgeId& id, const std::shared_ptr<const nsdb::Message>& object);
    void onBridgePorts(const BridgeId& id, std::vector<Uuid> ids);

    TrackedPort& usePort(const PortId& id);
    void releasePort(const PortId& id);
    TrackedBridge& useBridge(const BridgeId& id);
    void releaseBridge(const BridgeId& id);
    void watchMacTable(const BridgeId& id, net::VlanId vlan);
    void followMacTables(const BridgeId& id, const std::vector<net::VlanId>& vlans);
    void onMacTable(const BridgeId& id, net::VlanId vlan, const nsdb::TableChange& change);
    void checkVanishedMacs();
    bool isLost(const PortId& id) const;

    void scheduleRebuild();
    void rebuild();
    bool isReady(const TrackedBridge& bridge) const;
    PortPtr buildPort(const PortId& id, const TrackedPort& tracked) const;
    BridgePtr buildBridge(const BridgeId& id, const TrackedBridge& tracked, const TopologySnapshot& next) const;
    void publishBindings();

    event::Loop& loop_;
    nsdb::Store& store_;
    const HostId host_;
    const Options options_;
    Listener listener_;

    TopologySnapshotPtr snapshot_ = std::make_shared<TopologySnapshot>();
    boost::unordered_flat_map<PortId, std::unique_ptr<TrackedPort>, std::hash<PortId>> ports_;
    boost::unordered_flat_map<BridgeId, std::unique_ptr<TrackedBridge>, std::hash<BridgeId>> bridges_;
    std::map<PortId, net::TunnelKey> local_;
    std::vector<PortId> bound_;  // ports bound to this host, ordered
    std::vector<WantedBinding> published_;
    bool bindingsLoaded_ = false;
    bool bindingsPublished_ = false;
    event::HandlePtr boundWatch_;
    event::HandlePtr rebuildTimer_;
    struct VanishedMac {
        BridgeId bridge;
        net::VlanId vlan;
        net::Mac mac;
        friend auto operator<=>(const VanishedMac&, const VanishedMac&) = default;
    };
    std::set<VanishedMac> vanished_;  // gone from their table, not yet from the snapshot's users
    event::HandlePtr vanishedTimer_;
};

}  // namespace midonet::topology
