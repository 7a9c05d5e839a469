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

}  // namespace

void StateSharing::tell(const HostId& peer, std::span<const flowstate::StateEntry> entries, event::TimePoint now) {
    for (const auto& frame : exchange_.send(peer, entries, now)) send_(peer, frame);
}

void StateSharing::share(std::span<const flowstate::StateEntry> added, std::span<const flowstate::StateKey> used, const StatePeers& ofFlow,
                         event::TimePoint now) {
    const auto peers = peersLike(ofFlow, now);
    if (!added.empty())
        for (const auto& peer : ofFlow.hosts) tell(peer, added, now);
    for (const auto& key : used) {
        const bool isNew = std::any_of(added.begin(), added.end(), [&](const auto& entry) { return entry.key == key; });
        const auto [known, isFirst] = shared_.try_emplace(key.hash(), Shared{peers, now});
        // Entries that another host made are known there: they are told at the next refresh, if still in use.
        if (isFirst) continue;
        auto& shared = known->second;
        const auto before = std::exchange(shared.peers, peers);
        // Nothing rested on it for a while, as when a client takes the same port again: the others may be about to forget it.
        const bool isOld = now - shared.told >= kRefresh;
        const auto untold = isOld ? peers->hosts : before == peers ? std::vector<HostId>{} : without(peers->hosts, before->hosts);
        if (isNew || isOld) shared.told = now;
        const auto entry = isNew || untold.empty() ? std::nullopt : table_.entry(key.hash());
        if (!entry) continue;
        for (const auto& peer : untold) tell(peer, {&*entry, 1}, now);
    }
}

/// What connections between these ports have in common.
std::shared_ptr<StatePeers> StateSharing::peersLike(const StatePeers& peers, event::TimePoint now) {
    auto& known = peersByPorts_[peers.ports];
    if (!known) return known = std::make_shared<StatePeers>(peers);
    if (known->tags == peers.tags && known->hosts == peers.hosts) return known;
    HostsByPeers fresh;
    renew(*known, peers, fresh);
    tellFresh(fresh, now);
    return known;
}

void StateSharing::movePeers(const std::vector<flow::FlowTag>& tags, const std::function<StatePeers(const std::vector<PortId>&)>& peersOf,
                             event::TimePoint now) {
    const auto isWrong = [&](flow::FlowTag tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
    HostsByPeers fresh;
    for (const auto& [ports, peers] : peersByPorts_)
        if (std::any_of(peers->tags.begin(), peers->tags.end(), isWrong)) renew(*peers, peersOf(ports), fresh);
    tellFresh(fresh, now);
}

/// Hosts stay among the peers: what moved away may have left a NAT port there, which is to be kept.
void StateSharing::renew(StatePeers& peers, StatePeers now, HostsByPeers& fresh) {
    peers.tags = std::move(now.tags);
    auto news = without(now.hosts, peers.hosts);
    if (news.empty()) return;
    peers.hosts.insert(peers.hosts.end(), news.begin(), news.end());
    std::sort(peers.hosts.begin(), peers.hosts.end());
    fresh.emplace(&peers, std::move(news));
}

/// Hosts that are new among the peers of connections are told what is known of these.
void StateSharing::tellFresh(const HostsByPeers& fresh, event::TimePoint now) {
    if (fresh.empty()) return;
    std::map<HostId, std::vector<flowstate::StateEntry>> news;
    for (const auto& [hash, shared] : shared_) {
        const auto hosts = fresh.find(shared.peers.get());
        const auto entry = hosts == fresh.end() ? std::nullopt : table_.entry(hash);
        if (!entry) continue;
        for (const auto& host : hosts->second) news[host].push_back(*entry);
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
        auto& [hash, shared] = item;
        if (now - shared.told < kRefresh) return false;
        const auto entry = table_.entry(hash, true);
        // While its port is nowhere no flow holds it; where the port comes back it is wanted.
        if (!entry) return !table_.entry(hash);
        shared.told = now;
        for (const auto& peer : shared.peers->hosts) due[peer].push_back(*entry);
        return false;
    });
    giveBackMemory();
    for (const auto& [peer, entries] : due) tell(peer, entries, now);
    std::erase_if(peersByPorts_, [](const auto& item) { return item.second.use_count() == 1; });
}

/// What was erased leaves its place behind, as large as when there was most.
void StateSharing::giveBackMemory() {
    constexpr std::size_t kWorthIt = 4096;
    if (shared_.bucket_count() > kWorthIt && shared_.size() < shared_.bucket_count() / 4) shared_.rehash(0);
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
