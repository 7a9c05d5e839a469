#include "host/peers.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::host {
namespace {

const Logger kLog{"host"};

std::optional<datapath::TunnelType> tunnelType(model::TunnelZone::Type type) {
    if (type == model::TunnelZone::GRE) return datapath::TunnelType::Gre;
    if (type == model::TunnelZone::VXLAN) return datapath::TunnelType::Vxlan;
    return std::nullopt;
}

/// In the first zone that this host has an end of tunnels in and the other is a member of.
std::optional<datapath::TunnelSpec> tunnelTo(const topology::Host& host, const std::map<TunnelZoneId, datapath::TunnelSpec>& ownEnds) {
    for (const auto& membership : host.memberships)
        if (const auto end = ownEnds.find(membership.zone); end != ownEnds.end())
            return datapath::TunnelSpec{end->second.type, end->second.local, membership.address};
    return std::nullopt;
}

}  // namespace

/// This host in one zone.
struct Peers::Membership {
    bool loaded = false;
    std::shared_ptr<const model::TunnelZoneMember> object;
    event::HandlePtr watch;
};

struct Peers::Zone {
    bool loaded = false;
    std::shared_ptr<const model::TunnelZone> object;
    event::HandlePtr watch;
};

Peers::Peers(event::Loop& loop, nsdb::Store& store, nsdb::Session& session, datapath::Datapath& datapath,
             Underlay& underlay, HostId host, ChangeCallback onChange)
    : loop_(loop), store_(store), session_(session), datapath_(datapath), underlay_(underlay), host_(host),
      onChange_(std::move(onChange)) {
    membershipsWatch_ = store_.watchReferrers(loop_, model::TunnelZoneMember::descriptor(), "host_id", host_.uuid(),
                                              [this](const std::vector<Uuid>& ids) { onMemberships(ids); });
}

Peers::~Peers() = default;

bool Peers::synced() const {
    const auto isLoaded = [](const auto& entry) { return entry.second.loaded; };
    return loaded_ && !reconcileTimer_ && std::all_of(memberships_.begin(), memberships_.end(), isLoaded) &&
           std::all_of(zones_.begin(), zones_.end(), isLoaded);
}

std::vector<MembershipStatus> Peers::statuses() const {
    std::vector<MembershipStatus> out;
    for (const auto& [id, status] : statuses_) out.push_back(status);
    return out;
}

void Peers::setInterfaces(const std::vector<Interface>& interfaces) {
    std::vector<std::string> addresses;
    for (const auto& interface : interfaces)
        for (const auto& address : interface.addresses) addresses.push_back(address.toString());
    std::sort(addresses.begin(), addresses.end());
    if (addresses == addresses_) return;
    addresses_ = std::move(addresses);
    schedule();
}

void Peers::setHosts(const Hosts& hosts) {
    bool changed = false;
    Hosts::forEachDifference(hosts_, hosts, [&](const auto*, const auto*) { changed = true; });
    if (!changed) return;
    hosts_ = hosts;
    reconcile();
}

// --- what the store says ----------------------------------------------------------------------

void Peers::onMemberships(const std::vector<Uuid>& ids) {
    loaded_ = true;
    std::erase_if(memberships_, [&](const auto& known) { return !std::binary_search(ids.begin(), ids.end(), known.first); });
    for (const auto& id : ids) {
        const auto [known, added] = memberships_.try_emplace(id);
        if (!added) continue;
        known->second.watch = store_.watchObject(loop_, model::TunnelZoneMember::descriptor(), id,
                                                 [this, &membership = known->second](const std::shared_ptr<const nsdb::Message>& object) {
                                                     membership.loaded = true;
                                                     membership.object = std::static_pointer_cast<const model::TunnelZoneMember>(object);
                                                     followZones();
                                                     schedule();
                                                 });
    }
    followZones();
    schedule();
}

/// The zones that this host's memberships name, no others.
void Peers::followZones() {
    std::set<Uuid> wanted;
    for (const auto& [id, own] : memberships_)
        if (own.object) wanted.insert(model::uuidOf(own.object->tunnel_zone_id()));
    std::erase_if(zones_, [&](const auto& zone) { return !wanted.contains(zone.first); });
    for (const auto& id : wanted) {
        const auto [zone, added] = zones_.try_emplace(id);
        if (!added) continue;
        zone->second.watch = store_.watchObject(loop_, model::TunnelZone::descriptor(), id,
                                                [this, &zone = zone->second](const std::shared_ptr<const nsdb::Message>& object) {
                                                    zone.loaded = true;
                                                    zone.object = std::static_pointer_cast<const model::TunnelZone>(object);
                                                    schedule();
                                                });
    }
}

// --- what the datapath gets -------------------------------------------------------------------

void Peers::schedule() {
    if (reconcileTimer_) return;
    reconcileTimer_ = loop_.after(event::Duration::zero(), [this] {
        reconcileTimer_.reset();
        reconcile();
    });
}

void Peers::reconcile() {
    const auto ends = ownEnds();
    std::vector<Peer> peers;
    unreachable_.clear();
    hosts_.forEach([&](const HostId& id, const topology::HostPtr& host) {
        if (id == host_) return;
        const auto spec = tunnelTo(*host, ends);
        if (!spec) return unreachable_.push_back(id);
        if (const auto tunnel = tunnelOf(id, *spec)) peers.push_back({id, *tunnel, *spec});
    });
    std::sort(unreachable_.begin(), unreachable_.end());
    std::sort(peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.host < b.host; });
    peers_ = std::move(peers);
    removeUnusedTunnels();
    if (loaded_) reportStatuses();
    onChange_();
}

/// This end of the tunnels of each zone in which this host can have some, by zone. Sets the statuses on the way.
Peers::Ends Peers::ownEnds() {
    Ends ends;
    statuses_.clear();
    for (const auto& [id, own] : memberships_) {
        if (!own.object) continue;
        const auto zoneId = model::uuidOf(own.object->tunnel_zone_id());
        const auto& zone = zones_.at(zoneId);
        if (!zone.object) continue;
        auto& status = statuses_[id];
        status = {TunnelZoneId{zoneId}, own.object->ip_address(), ""};
        const auto type = tunnelType(zone.object->type());
        const auto local = net::Ipv4Address::parse(own.object->ip_address());
        if (!type || !local) continue;
        if (std::binary_search(addresses_.begin(), addresses_.end(), local->toString()))
            ends.emplace(status.zone, datapath::TunnelSpec{*type, *local, {}});
        else
            status.problem = fmt::format("address {} is on no interface of this host: add it, or correct the tunnel zone", *local);
    }
    return ends;
}

/// The tunnel of the datapath, made when it is not there yet; nothing when the datapath refuses it.
std::optional<flow::TunnelId> Peers::tunnelOf(const HostId& host, const datapath::TunnelSpec& spec) {
    if (const auto known = tunnels_.find(spec); known != tunnels_.end()) return known->second;
    const auto added = datapath_.addTunnel(spec);
    if (!added) {
        kLog.warn("tunnel not added", {kv("peer", host), kv("remote", spec.remote), kv("error", added.error())});
        return std::nullopt;
    }
    tunnels_.emplace(spec, *added);
    kLog.info("tunnel added", {kv("peer", host), kv("local", spec.local), kv("remote", spec.remote),
                               kv("type", spec.type == datapath::TunnelType::Gre ? "gre" : "vxlan")});
    paths_[spec] = underlay_.watch(spec.local, spec.remote, [this, id = *added](const std::optional<datapath::TunnelPath>& path) {
        if (const auto set = datapath_.setTunnelPath(id, path); !set)
            kLog.warn("tunnel path not set", {kv("tunnel", id), kv("error", set.error())});
    });
    return *added;
}

void Peers::removeUnusedTunnels() {
    std::set<datapath::TunnelSpec> used;
    for (const auto& peer : peers_) used.insert(peer.spec);
    std::erase_if(tunnels_, [&](const auto& tunnel) {
        const auto& [spec, id] = tunnel;
        if (used.contains(spec)) return false;
        paths_.erase(spec);
        kLog.info("tunnel removed", {kv("remote", spec.remote)});
        if (const auto removed = datapath_.removeTunnel(id); !removed)
            kLog.warn("tunnel not removed", {kv("remote", spec.remote), kv("error", removed.error())});
        return true;
    });
}

// --- what operators get -----------------------------------------------------------------------

void Peers::reportStatuses() {
    for (const auto& [id, status] : statuses_) {
        auto& reported = reported_[id];
        if (reported == status.problem) continue;
        reported = status.problem;
        if (status.problem.empty()) {
            session_.removeState(model::TunnelZoneMember::descriptor(), id, "status");
            continue;
        }
        kLog.warn("tunnel zone membership has a problem", {kv("zone", status.zone), kv("problem", status.problem)});
        session_.putState(model::TunnelZoneMember::descriptor(), id, "status", status.problem);
    }
    std::erase_if(reported_, [&](const auto& r) { return !statuses_.contains(r.first); });

    const auto problem = hostProblem();
    if (problem == hostReported_) return;
    hostReported_ = problem;
    if (problem.empty()) return session_.removeState(model::Host::descriptor(), host_.uuid(), "status");
    kLog.warn("host cannot reach other hosts", {kv("host", host_), kv("problem", problem)});
    session_.putState(model::Host::descriptor(), host_.uuid(), "status", problem);
}

/// Why this host has not all tunnels it needs; empty when it has. Only what is sure: nothing of what is still loading.
std::string Peers::hostProblem() const {
    if (memberships_.empty())
        return "the host is in no tunnel zone: it has no tunnels; add it to a zone with its underlay address";
    if (unreachable_.empty() || !synced()) return {};
    return fmt::format("ports that this host reaches are on host {}{}, and there is no tunnel zone in which both have a usable address: "
                       "add both to one",
                       unreachable_.front(), unreachable_.size() == 1 ? "" : fmt::format(" and {} more", unreachable_.size() - 1));
}

void Peers::reportAgain() {
    reported_.clear();
    hostReported_.clear();
    reportStatuses();
}

}  // namespace midonet::host
