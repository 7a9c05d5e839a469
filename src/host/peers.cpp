#include "host/peers.h"

#include <algorithm>

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

}  // namespace

struct Peers::Member {
    unsigned uses = 0;
    bool loaded = false;
    std::shared_ptr<const model::TunnelZoneMember> object;
    event::HandlePtr watch;
};

struct Peers::Zone {
    bool loaded = false;
    bool membersLoaded = false;
    std::shared_ptr<const model::TunnelZone> object;
    std::vector<Uuid> members;
    event::HandlePtr watch;
    event::HandlePtr membersWatch;
};

Peers::Peers(event::Loop& loop, nsdb::Store& store, nsdb::Session& session, datapath::Datapath& datapath,
             Underlay& underlay, HostId host, ChangeCallback onChange)
    : loop_(loop), store_(store), session_(session), datapath_(datapath), underlay_(underlay), host_(host),
      onChange_(std::move(onChange)) {
    membershipsWatch_ = store_.watchReferrers(loop_, model::TunnelZoneMember::descriptor(), "host_id", host_.uuid(),
                                              [this](std::vector<Uuid> ids) { onMemberships(std::move(ids)); });
}

Peers::~Peers() = default;

bool Peers::synced() const {
    if (!loaded_) return false;
    const auto memberReady = [&](const Uuid& id) { return members_.at(id)->loaded; };
    return std::all_of(memberships_.begin(), memberships_.end(), memberReady) &&
           std::all_of(zones_.begin(), zones_.end(), [&](const auto& zone) {
               return zone.second->loaded && zone.second->membersLoaded &&
                      std::all_of(zone.second->members.begin(), zone.second->members.end(), memberReady);
           });
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

// --- what the store says ----------------------------------------------------------------------

void Peers::onMemberships(std::vector<Uuid> ids) {
    loaded_ = true;
    const auto before = std::exchange(memberships_, std::move(ids));
    for (const auto& id : memberships_) useMember(id);
    for (const auto& id : before) releaseMember(id);
    updateZones();
    schedule();
}

void Peers::useMember(const Uuid& id) {
    auto& slot = members_[id];
    if (!slot) slot = std::make_unique<Member>();
    auto& member = *slot;
    if (++member.uses > 1) return;
    member.watch = store_.watchObject(loop_, model::TunnelZoneMember::descriptor(), id,
                                      [this, id](std::shared_ptr<const nsdb::Message> o) { onMember(id, o); });
}

void Peers::releaseMember(const Uuid& id) {
    const auto found = members_.find(id);
    if (found != members_.end() && --found->second->uses == 0) members_.erase(found);
}

void Peers::onMember(const Uuid& id, const std::shared_ptr<const nsdb::Message>& object) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    found->second->loaded = true;
    found->second->object = std::static_pointer_cast<const model::TunnelZoneMember>(object);
    updateZones();
    schedule();
}

/// The zones that this host's memberships name, no others.
void Peers::updateZones() {
    std::vector<Uuid> wanted;
    for (const auto& id : memberships_)
        if (const auto& member = *members_.at(id); member.object) wanted.push_back(model::uuidOf(member.object->tunnel_zone_id()));
    std::sort(wanted.begin(), wanted.end());

    for (auto entry = zones_.begin(); entry != zones_.end();) {
        if (std::binary_search(wanted.begin(), wanted.end(), entry->first)) {
            ++entry;
            continue;
        }
        const auto members = std::move(entry->second->members);
        entry = zones_.erase(entry);
        for (const auto& id : members) releaseMember(id);
    }
    for (const auto& zoneId : wanted) {
        auto& slot = zones_[zoneId];
        if (slot) continue;
        slot = std::make_unique<Zone>();
        slot->watch = store_.watchObject(loop_, model::TunnelZone::descriptor(), zoneId,
                                         [this, zoneId](std::shared_ptr<const nsdb::Message> object) {
                                             const auto zone = zones_.find(zoneId);
                                             if (zone == zones_.end()) return;
                                             zone->second->loaded = true;
                                             zone->second->object = std::static_pointer_cast<const model::TunnelZone>(object);
                                             schedule();
                                         });
        slot->membersWatch = store_.watchReferrers(loop_, model::TunnelZoneMember::descriptor(), "tunnel_zone_id", zoneId,
                                                   [this, zoneId](std::vector<Uuid> ids) { onZoneMembers(zoneId, std::move(ids)); });
    }
}

void Peers::onZoneMembers(const Uuid& zoneId, std::vector<Uuid> ids) {
    const auto zone = zones_.find(zoneId);
    if (zone == zones_.end()) return;
    zone->second->membersLoaded = true;
    const auto before = std::exchange(zone->second->members, std::move(ids));
    for (const auto& id : zone->second->members) useMember(id);
    for (const auto& id : before) releaseMember(id);
    schedule();
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
    std::map<HostId, datapath::TunnelSpec> wanted;
    statuses_.clear();
    for (const auto& id : memberships_) {
        const auto& own = *members_.at(id);
        if (!own.object) continue;
        const auto zoneId = model::uuidOf(own.object->tunnel_zone_id());
        const auto& zone = *zones_.at(zoneId);
        if (!zone.object || !zone.membersLoaded) continue;
        auto& status = statuses_[id];
        status = {TunnelZoneId{zoneId}, own.object->ip_address(), ""};
        const auto type = tunnelType(zone.object->type());
        const auto local = net::Ipv4Address::parse(own.object->ip_address());
        if (!type || !local) continue;
        if (!std::binary_search(addresses_.begin(), addresses_.end(), local->toString())) {
            status.problem = fmt::format("address {} is on no interface of this host: add it, or correct the tunnel zone", *local);
            continue;
        }
        bool alone = true;
        for (const auto& otherId : zone.members) {
            const auto& other = *members_.at(otherId);
            if (otherId == id || !other.object) continue;
            alone = false;
            const auto remote = net::Ipv4Address::parse(other.object->ip_address());
            if (!remote) continue;
            wanted.try_emplace(HostId{model::uuidOf(other.object->host_id())}, datapath::TunnelSpec{*type, *local, *remote});
        }
        if (alone && zone.members.size() <= 1) status.problem = "this host is the only member of the zone: it has no tunnels";
    }
    if (loaded_) reportStatuses();

    std::vector<Peer> peers;
    for (const auto& [host, spec] : wanted) {
        auto tunnel = tunnels_.find(spec);
        if (tunnel == tunnels_.end()) {
            const auto added = datapath_.addTunnel(spec);
            if (!added) {
                kLog.warn("tunnel not added", {kv("peer", host), kv("remote", spec.remote), kv("error", added.error())});
                continue;
            }
            tunnel = tunnels_.emplace(spec, *added).first;
            kLog.info("tunnel added", {kv("peer", host), kv("local", spec.local), kv("remote", spec.remote),
                                       kv("type", spec.type == datapath::TunnelType::Gre ? "gre" : "vxlan")});
            paths_[spec] = underlay_.watch(spec.local, spec.remote, [this, id = *added](const std::optional<datapath::TunnelPath>& path) {
                if (const auto set = datapath_.setTunnelPath(id, path); !set)
                    kLog.warn("tunnel path not set", {kv("tunnel", id), kv("error", set.error())});
            });
        }
        peers.push_back({host, tunnel->second, spec});
    }
    const auto inUse = [&](const datapath::TunnelSpec& spec) {
        return std::any_of(peers.begin(), peers.end(), [&](const Peer& p) { return p.spec == spec; });
    };
    for (auto entry = tunnels_.begin(); entry != tunnels_.end();) {
        if (inUse(entry->first)) {
            ++entry;
            continue;
        }
        paths_.erase(entry->first);
        kLog.info("tunnel removed", {kv("remote", entry->first.remote)});
        if (const auto removed = datapath_.removeTunnel(entry->second); !removed)
            kLog.warn("tunnel not removed", {kv("remote", entry->first.remote), kv("error", removed.error())});
        entry = tunnels_.erase(entry);
    }
    peers_ = std::move(peers);
    onChange_();
}

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

    const bool outside = memberships_.empty();
    if (outside == outsideReported_) return;
    outsideReported_ = outside;
    if (!outside) return session_.removeState(model::Host::descriptor(), host_.uuid(), "status");
    const std::string problem = "the host is in no tunnel zone: it has no tunnels; add it to a zone with its underlay address";
    kLog.warn("host cannot reach other hosts", {kv("host", host_), kv("problem", problem)});
    session_.putState(model::Host::descriptor(), host_.uuid(), "status", problem);
}

void Peers::reportAgain() {
    reported_.clear();
    outsideReported_ = false;
    reportStatuses();
}

}  // namespace midonet::host
