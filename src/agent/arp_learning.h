#pragma once

#include <functional>
#include <map>

#include "agent/worker_messages.h"
#include "event/loop.h"
#include "nsdb/store.h"

namespace midonet::agent {

/// Joins the neighbours of routers (and addresses of bridges) that this host's workers learn with what the NSDB
/// says, and tells the workers (reference sections 3.6 and 4.7). The host that hears an answer writes the entry, again
/// when it is old, and takes it away when it has not been confirmed for 90 s; a newer one of another host wins.
///
/// Control loop.
class ArpLearning {
public:
    using Arps = std::map<Neighbour, std::optional<topology::RouterArpEntry>>;
    using BridgeArps = std::map<BridgeNeighbour, std::optional<net::Mac>>;
    using Broadcast = std::function<void(const Arps&, const BridgeArps&)>;
    static constexpr std::chrono::seconds kCheckPeriod{2};
    /// Addresses of a bridge that this host keeps: a machine that announces more is not heard.
    static constexpr std::size_t kAddressesPerBridge = 4096;

    ArpLearning(event::Loop& loop, nsdb::Session& session, Broadcast broadcast);

    void onReport(const WorkerReport& report);
    /// What the tables in the NSDB say now; nullopt: no entry any more. An entry of a router's table outlives that: it
    /// ends at its own time.
    void onStore(const RouterId& router, const Arps& changes);
    void onStore(const BridgeId& bridge, const BridgeArps& changes);
    /// A table that nobody follows any more: what was learned in it is withdrawn at once.
    void forget(const RouterId& router);
    void forget(const BridgeId& bridge);

    std::size_t published() const { return own_.size() + ownOfBridges_.size(); }

private:
    void expire();

    event::Loop& loop_;
    nsdb::Session& session_;
    Broadcast broadcast_;
    std::map<Neighbour, topology::RouterArpEntry> own_;
    std::map<BridgeNeighbour, net::Mac> ownOfBridges_;
    event::HandlePtr timer_;
};

}  // namespace midonet::agent
