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

/// Follows the tunnel zones that this host is a member of, and keeps one tunnel in the datapath for
/// each host that shares one (reference section 9.6): GRE and VXLAN zones; with several in
/// common, the zone with the lowest id. What is wrong with a membership is reported in the NSDB
/// (TunnelZoneMember state "status"), and being in no zone at all in Host state "status".
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
    /// Ordered by host.
    const std::vector<Peer>& peers() const { return peers_; }
    std::vector<MembershipStatus> statuses() const;
    /// Another agent has reported in our place.
    void reportAgain();
    /// True when every zone of this host was loaded once.
    bool synced() const;

private:
    struct Member;
    struct Zone;
    void onMemberships(std::vector<Uuid> ids);
    void onMember(const Uuid& id, const std::shared_ptr<const nsdb::Message>& object);
    void onZoneMembers(const Uuid& zone, std::vector<Uuid> ids);
    void useMember(const Uuid& id);
    void releaseMember(const Uuid& id);
    void updateZones();
    void schedule();
    void reconcile();
    void reportStatuses();

    event::Loop& loop_;
    nsdb::Store& store_;
    nsdb::Session& session_;
    datapath::Datapath& datapath_;
    Underlay& underlay_;
    const HostId host_;
    ChangeCallback onChange_;

    bool loaded_ = false;
    std::vector<Uuid> memberships_;  // members that are this host, ordered
    std::map<Uuid, std::unique_ptr<Member>> members_;
    std::map<Uuid, std::unique_ptr<Zone>> zones_;
    std::vector<std::string> addresses_;  // of this host's interfaces
    std::map<datapath::TunnelSpec, flow::TunnelId> tunnels_;
    std::map<datapath::TunnelSpec, event::HandlePtr> paths_;
    std::vector<Peer> peers_;
    std::map<Uuid, MembershipStatus> statuses_;  // by member id
    std::map<Uuid, std::string> reported_;
    bool outsideReported_ = false;
    event::HandlePtr membershipsWatch_;
    event::HandlePtr reconcileTimer_;
};

}  // namespace midonet::host
