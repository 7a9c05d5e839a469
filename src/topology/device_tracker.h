#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "event/loop.h"
#include "nsdb/store.h"
#include "topology/device_graph.h"
#include "topology/snapshot.h"
#include "topology/state_tables.h"
#include "topology/topology_update.h"

namespace midonet::topology {

/// Loads what this host needs from the NSDB, starting from the ports bound to it (DeviceGraph), follows the state
/// tables of these devices (StateTables), and tells a listener of every change. What is no longer reachable
/// from a binding is dropped, with its watches.
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
    /// Table callbacks: as in TableListener. ARP tables need not be listened to.
    struct Listener {
        std::function<void(const TopologyUpdate&)> onTopology;
        std::function<void(const std::vector<MacChange>&)> onMacs;
        std::function<void(const BridgeId&, net::VlanId)> onMacTableGone;
        std::function<void(const std::vector<WantedBinding>&)> onBindings;
        std::function<void(const RouterId&, const std::vector<RouterArpChange>&)> onArp = [](auto&&...) {};
        std::function<void(const RouterId&)> onArpTableGone = [](auto&&...) {};
        std::function<void(const BridgeId&, const std::vector<BridgeArpChange>&)> onBridgeArp = [](auto&&...) {};
        std::function<void(const BridgeId&)> onBridgeArpTableGone = [](auto&&...) {};
    };

    DeviceTracker(event::Loop& loop, nsdb::Store& store, HostId host, Options options, Listener listener);
    ~DeviceTracker();
    DeviceTracker(const DeviceTracker&) = delete;
    DeviceTracker& operator=(const DeviceTracker&) = delete;

    /// Ports of this host that are in its datapath, with their tunnel keys: known here before the NSDB
    /// says so.
    void setLocalPorts(std::map<PortId, net::TunnelKey> ports) { graph_.setLocalPorts(std::move(ports)); }
    const TopologySnapshotPtr& snapshot() const { return snapshot_; }
    /// True when the bindings and everything they lead to were loaded for the first time.
    bool synced() const { return synced_; }

private:
    void scheduleRebuild();
    void rebuild();
    void publishBindings();

    event::Loop& loop_;
    const Listener listener_;
    DeviceGraph graph_;
    StateTables tables_;
    TopologySnapshotPtr snapshot_ = std::make_shared<TopologySnapshot>();
    bool synced_ = false;
    std::shared_ptr<const std::vector<WantedBinding>> published_;
    event::HandlePtr rebuildTimer_;
};

}  // namespace midonet::topology
