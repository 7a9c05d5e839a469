#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "agent/state_peers.h"
#include "flowstate/state_exchange.h"
#include "flowstate/state_table.h"

namespace midonet::agent {

struct WorkerStats;

/// Tells other hosts the connection state that flows of this worker rest on: new entries at once, ahead of the
/// packet; and all that is still in use again every 20 s, so that it outlives neither less nor more than its
/// connections, whichever host they pass. Takes in what others tell. One worker's thread.
class StateSharing {
public:
    static constexpr std::chrono::seconds kRefresh{20};
    using Send = std::function<void(const HostId& peer, ByteView frame)>;

    /// `firstSequence`: see flowstate::StateExchange; another range for each worker.
    StateSharing(const HostId& self, std::uint64_t firstSequence, flowstate::StateTable& table, Send send)
        : table_(table), send_(std::move(send)), exchange_(self, firstSequence) {}

    /// A flow rests on `added` (new) and `used`, and these hosts are to know. Nothing is sent again to a host that
    /// was told within the time of a refresh.
    void share(std::span<const flowstate::StateEntry> added, std::span<const flowstate::StateKey> used, const StatePeers& ofFlow,
               event::TimePoint now);
    /// These tags of StatePeers are wrong: a port moved, or a group changed. Tells the hosts that are new what is known of their
    /// connections, before they ask for it with a packet; `peersOf` says who is to know now.
    void movePeers(const std::vector<flow::FlowTag>& tags, const std::function<StatePeers(const std::vector<PortId>&)>& peersOf,
                   event::TimePoint now);
    struct Told {
        std::vector<flowstate::StateEntry> news;  ///< In the table now, and was not before.
        bool forOthers = false;  ///< It may be the answer to a message of another worker of this host.
    };
    /// A frame of another host.
    Told onFrame(ByteView frame, event::TimePoint now);
    /// Sends the answers to what was read since the last call: when all that was there has been.
    void acknowledge();
    /// Sends again what was not acknowledged; every 50 ms or so as long as answers are awaited.
    void retry(event::TimePoint now);
    bool awaitsAnswers() const { return exchange_.unacknowledged() > 0; }
    /// Tells again what is in use and was not told for a while.
    void refresh(event::TimePoint now);
    void addTo(WorkerStats& stats) const;
    std::size_t size() const { return shared_.size(); }

private:
    struct Shared {
        std::shared_ptr<StatePeers> peers;  ///< One for all connections between these ports.
        event::TimePoint told;
    };
    void tell(const HostId& peer, std::span<const flowstate::StateEntry> entries, event::TimePoint now);
    using HostsByPeers = std::map<const StatePeers*, std::vector<HostId>>;
    void giveBackMemory();
    static void renew(StatePeers& peers, StatePeers now, HostsByPeers& fresh);
    void tellFresh(const HostsByPeers& fresh, event::TimePoint now);
    std::shared_ptr<StatePeers> peersLike(const StatePeers& peers, event::TimePoint now);

    flowstate::StateTable& table_;
    Send send_;
    flowstate::StateExchange exchange_;
    boost::unordered_flat_map<std::uint64_t, Shared> shared_;  // by StateKey::hash()
    std::map<std::vector<PortId>, std::shared_ptr<StatePeers>> peersByPorts_;
    event::TimePoint nextRefresh_{};
};

}  // namespace midonet::agent
