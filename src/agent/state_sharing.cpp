#include "agent/state_sharing.h"

#include <algorithm>
#include <map>

#include "agent/worker_messages.h"

namespace midonet::agent {
namespace {

std::vector<HostId> without(const std::vector<HostId>& hosts, const std::vector<HostId>& others) {
    std::vector<HostId> out;
    std::set_difference(hosts.begin(), hosts.end(), others.begin(), others.end(), std::back_inserter(out));
    return out;
}

/// The ports of now, and the hosts of both.
std::shared_ptr<const StatePeers> joined(const std::shared_ptr<const StatePeers>& before, StatePeers now) {
    std::vector<HostId> hosts;
    std::set_union(before->hosts.begin(), before->hosts.end(), now.hosts.begin(), now.hosts.end(), std::back_inserter(hosts));
    now.hosts = std::move(hosts);
    return now == *before ? before : std::make_shared<const StatePeers>(std::move(now));
}

}  // namespace

void StateSharing::tell(const HostId& peer, std::span<const flowstate::StateEntry> entries, event::TimePoint now) {
    for (const auto& frame : exchange_.send(peer, entries, now)) send_(peer, frame);
}

void StateSharing::share(std::span<const flowstate::StateEntry> added, std::span<const flowstate::StateKey> used, const StatePeers& peers,
                         event::TimePoint now) {
    if (!added.empty())
        for (const auto& peer : peers.hosts) tell(peer, added, now);
    std::shared_ptr<const StatePeers> ofNew;
    for (const auto& key : used) {
        const auto known = shared_.find(key);
        if (known == shared_.end()) {
            // Entries that another host made are known there: they are told at the next refresh, if still in use.
            if (!ofNew) ofNew = std::make_shared<const StatePeers>(peers);
            shared_.emplace(key, Shared{ofNew, now});
            continue;
        }
        const auto before = known->second.peers;
        known->second = {joined(before, peers), now};
        // The connection goes on elsewhere: a port moved, or a group grew.
        const bool isNew = std::any_of(added.begin(), added.end(), [&](const auto& entry) { return entry.key == key; });
        const auto entry = isNew ? std::nullopt : table_.entry(key.hash());
        if (!entry) continue;
        for (const auto& peer : without(peers.hosts, before->hosts)) tell(peer, {&*entry, 1}, now);
    }
}

void StateSharing::movePeers(const std::vector<flow::FlowTag>& tags, const std::function<StatePeers(const std::vector<PortId>&)>& peersOf,
                             event::TimePoint now) {
    std::map<std::shared_ptr<const StatePeers>, std::shared_ptr<const StatePeers>> moved;  // before -> after
    const auto afterMove = [&](const std::shared_ptr<const StatePeers>& before) {
        const auto [known, isNew] = moved.try_emplace(before, before);
        const auto isWrong = [&](flow::FlowTag tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
        if (isNew && std::any_of(before->tags.begin(), before->tags.end(), isWrong)) known->second = joined(before, peersOf(before->ports));
        return known->second;
    };
    std::map<HostId, std::vector<flowstate::StateEntry>> news;
    for (auto& [key, shared] : shared_) {
        const auto before = std::exchange(shared.peers, afterMove(shared.peers));
        if (before == shared.peers) continue;
        const auto entry = table_.entry(key.hash());
        if (!entry) continue;
        for (const auto& peer : without(shared.peers->hosts, before->hosts)) news[peer].push_back(*entry);
    }
    for (const auto& [peer, entries] : news) tell(peer, entries, now);
}

StateSharing::Told StateSharing::onFrame(ByteView frame, event::TimePoint now) {
    Told told;
    const auto message = exchange_.onFrame(frame);
    if (!message) return told;
    for (const auto& entry : message->entries) {
        const auto put = table_.put(entry, now);
        if (put == flowstate::StateTable::Put::Added || put == flowstate::StateTable::Put::Replaced) told.news.push_back(entry);
    }
    told.forOthers = message->entries.empty();
    return told;
}

void StateSharing::acknowledge() {
    for (const auto& [peer, frame] : exchange_.takeAcks()) send_(peer, frame);
}

void StateSharing::retry(event::TimePoint now) {
    for (const auto& [peer, frame] : exchange_.tick(now)) send_(peer, frame);
}

void StateSharing::refresh(event::TimePoint now) {
    if (now < nextRefresh_) return;
    nextRefresh_ = now + kRefresh / 8;
    std::map<HostId, std::vector<flowstate::StateEntry>> due;
    erase_if(shared_, [&](auto& item) {
        auto& [key, shared] = item;
        if (now - shared.told < kRefresh) return false;
        const auto entry = table_.entry(key.hash(), true);
        // While its port is nowhere no flow holds it; where the port comes back it is wanted.
        if (!entry) return !table_.contains(key);
        shared.told = now;
        for (const auto& peer : shared.peers->hosts) due[peer].push_back(*entry);
        return false;
    });
    for (const auto& [peer, entries] : due) tell(peer, entries, now);
}

void StateSharing::addTo(WorkerStats& stats) const {
    const auto& counters = exchange_.counters();
    stats.stateMessagesSent = counters.sent;
    stats.stateMessagesResent = counters.resent;
    stats.stateMessagesRead = counters.received;
    stats.stateMessagesBad = counters.malformed;
    stats.stateMessagesLost = counters.givenUp + counters.dropped;
}

}  // namespace midonet::agent
