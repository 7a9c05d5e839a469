#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "event/loop.h"
#include "host/interfaces.h"
#include "host/underlay.h"
#include "nsdb/store.h"
#include "topology/snapshot.h"

namespace midonet::host {

/// The way to a peer host: a tunnel of the datapath.
struct Peer {
    HostId host;
    flow::TunnelId tunnel;
    datapath::TunnelSpec spec;
    friend bool operator==(const Peer&, const Peer&) = default;
};

/// This host in one tunnel zone, as operators see it.
struct MembershipStatus {
    TunnelZoneId zone;
    std::string address;
    std::string problem;  ///< Empty when there is none.
};

/// Keeps one tunnel in the datapath for each host that packets may have to go to and that shares a tunnel zone with this one (reference
/// section 9.6): GRE and VXLAN zones; with several in common, the zone with the lowest id.
///
/// What is wrong with a membership of this host is reported in the NSDB (TunnelZoneMember state "status"), and
/// having no tunnel to a host that packets may have to go to, or being in no zone at all, in Host state "status".
///
/// Control loop.
class Peers {
public:
    using ChangeCallback = std::function<void()>;

    Peers(event::Loop& loop, nsdb::Store& store, nsdb::Session& session, datapath::Datapath& datapath,
          Underlay& underlay, HostId host, ChangeCallback onChange);
    ~Peers();
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    void setInterfaces(const std::vector<Interface>& interfaces);
    using Hosts = topology::SharedMap<HostId, topology::Host>;
    /// The hosts that packets may have to go to; this host may be among them. Their tunnels are there when it returns.
    void setHosts(const Hosts& hosts);
    /// Ordered by host.
    const std::vector<Peer>& peers() const { return peers_; }
    std::vector<MembershipStatus> statuses() const;
    /// Another agent has reported in our place.
    void reportAgain();
    /// True when all that is known of the zones of this host is loaded, and in the datapath.
    bool synced() const;

private:
    struct Membership;
    struct Zone;
    void onMemberships(const std::vector<Uuid>& ids);
    void followZones();
    void schedule();
    void reconcile();
    using Ends = std::map<TunnelZoneId, datapath::TunnelSpec>;
    Ends ownEnds();
    std::optional<flow::TunnelId> tunnelOf(const HostId& host, const datapath::TunnelSpec& spec);
    void removeUnusedTunnels();
    void reportStatuses();
    std::string hostProblem() const;

    event::Loop& loop_;
    nsdb::Store& store_;
    nsdb::Session& session_;
    datapath::Datapath& datapath_;
    Underlay& underlay_;
    const HostId host_;
    ChangeCallback onChange_;

    bool loaded_ = false;
    std::map<Uuid, Membership> memberships_;  // of this host, like `zones_`
    std::map<Uuid, Zone> zones_;
    Hosts hosts_;
    std::vector<std::string> addresses_;  // of this host's interfaces
    std::map<datapath::TunnelSpec, flow::TunnelId> tunnels_;
    std::map<datapath::TunnelSpec, event::HandlePtr> paths_;
    std::vector<Peer> peers_;
    std::map<Uuid, MembershipStatus> statuses_;  // by member id
    std::map<Uuid, std::string> reported_;
    std::vector<HostId> unreachable_;  // in no zone with this host
    std::string hostReported_;
    event::HandlePtr membershipsWatch_;
    event::HandlePtr reconcileTimer_;
};

}  // namespace midonet::host
