#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "event/clock.h"
#include "flowstate/state_message.h"

namespace midonet::flowstate {

/// Makes the sharing of connection state reliable: messages are sent again until the peer has acknowledged them,
/// and what comes twice is recognised. Only decides: its owner carries the frames. One thread.
///
/// Nothing grows without a bound: messages that wait for an ack (per peer), sequences remembered (per peer),
/// acks that wait to be taken, peers.
class StateExchange {
public:
    struct Limits {
        std::size_t frameSize = kMaxStateFrame;
        std::size_t unacknowledged = 4096;  ///< Messages per peer; then the oldest is given up.
        std::size_t peers = 4096;           ///< Whose messages are remembered.
    };
    /// Pauses after the first sending and after each further one; behind the last one a message is given up.
    static constexpr std::array<std::chrono::milliseconds, 5> kPauses{{
        std::chrono::milliseconds{50}, std::chrono::milliseconds{200}, std::chrono::seconds{1}, std::chrono::seconds{5},
        std::chrono::seconds{5}}};
    /// How many messages of a peer are remembered, to recognise one that comes again.
    static constexpr std::size_t kRemembered = 256;

    struct PeerFrame {
        HostId peer;
        Frame frame;
    };
    struct Received {
        HostId peer;
        /// To be put into the table, also of a duplicate: the peer's connections are in use.
        std::vector<StateEntry> entries;
        bool duplicate = false;
    };
    struct Counters {
        std::uint64_t sent = 0;          ///< Messages, without repetitions.
        std::uint64_t resent = 0;
        std::uint64_t acknowledged = 0;
        std::uint64_t givenUp = 0;       ///< The peer has not answered.
        std::uint64_t dropped = 0;       ///< Too many of them waited for the peer's ack.
        std::uint64_t received = 0;      ///< State messages, duplicates included.
        std::uint64_t duplicates = 0;
        std::uint64_t malformed = 0;
    };

    /// `firstSequence`: above all that this host used before a restart, such as the wall clock in microseconds. (Peers
    /// would take the first messages for old ones.)
    StateExchange(HostId self, std::uint64_t firstSequence, Limits limits);
    StateExchange(HostId self, std::uint64_t firstSequence) : StateExchange(self, firstSequence, Limits{}) {}

    /// Frames to be sent to the peer now, in this order.
    std::vector<Frame> send(HostId peer, std::span<const StateEntry> entries, event::TimePoint now);
    /// A frame out of the tunnel. An ack gives no entries. Malformed, and Invalid when it is this host's own.
    Result<Received> onFrame(ByteView frame);
    /// Acks of what has come since the last call, as few frames as they fit in: to be asked for when all frames
    /// that were there have been read.
    std::vector<PeerFrame> takeAcks();
    /// What is due to be sent again. To be called every 50 ms or so; costs nothing when nothing is due.
    std::vector<PeerFrame> tick(event::TimePoint now);
    /// Nothing more is sent again to a peer that is gone for good.
    void forget(HostId peer);

    const Counters& counters() const { return counters_; }
    /// Messages whose ack is missing, of all peers.
    std::size_t unacknowledged() const { return unacknowledged_; }

private:
    /// The last sequences of a peer in a ring. Sequences have gaps: a sender's count runs over all its peers.
    class Seen {
    public:
        /// False when it was there.
        bool add(std::uint64_t sequence);

    private:
        std::vector<std::uint64_t> ring_;
        std::size_t oldest_ = 0;
    };
    struct Due {
        event::TimePoint at;
        HostId peer;
        std::uint64_t sequence = 0;
    };
    using Waiting = std::map<std::uint64_t, Frame>;  // by sequence: the oldest first

    Received onState(StateMessage message);
    void onAck(const AckMessage& message);
    void keep(HostId peer, std::uint64_t sequence, const Frame& frame);
    bool isNew(HostId peer, std::uint64_t sequence);

    const HostId self_;
    const Limits limits_;
    std::uint64_t nextSequence_;
    std::unordered_map<HostId, Waiting> waiting_;
    std::size_t unacknowledged_ = 0;
    /// By how often they were sent: within each, all have the same pause, so they are in the order of time. What has
    /// been acknowledged meanwhile is passed over when its time comes.
    std::array<std::deque<Due>, kPauses.size()> due_;
    std::unordered_map<HostId, Seen> seen_;
    std::unordered_map<HostId, std::vector<std::uint64_t>> acks_;
    Counters counters_;
};

}  // namespace midonet::flowstate
