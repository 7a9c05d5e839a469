#include "agent/state_sharing.h"

#include <algorithm>
#include <map>

#include "agent/worker_messages.h"

namespace midonet::agent {

void StateSharing::tell(const HostId& peer, std::span<const flowstate::StateEntry> entries, event::TimePoint now) {
    for (const auto& frame : exchange_.send(peer, entries, now)) send_(peer, frame);
}

void StateSharing::share(std::span<const flowstate::StateEntry> added, std::span<const flowstate::StateKey> used,
                         const std::vector<HostId>& peers, event::TimePoint now) {
    if (!added.empty())
        for (const auto& peer : peers) tell(peer, added, now);
    for (const auto& key : used) {
        const auto known = shared_.find(key);
        const bool isNew = std::any_of(added.begin(), added.end(), [&](const auto& entry) { return entry.key == key; });
        if (known == shared_.end()) {
            // Entries that another host made are known there: they are told at the next refresh, if still in use.
            if (!peers.empty()) shared_.emplace(key, Shared{peers, now});
            continue;
        }
        if (!isNew) {
            // The connection goes on elsewhere: a port moved, or a group grew.
            const auto entry = table_.entry(key);
            for (const auto& peer : peers)
                if (entry && !std::binary_search(known->second.peers.begin(), known->second.peers.end(), peer)) tell(peer, {&*entry, 1}, now);
        }
        known->second = {peers, now};
    }
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
        const auto entry = table_.entry(key, true);
        if (!entry) return true;
        shared.told = now;
        for (const auto& peer : shared.peers) due[peer].push_back(*entry);
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
