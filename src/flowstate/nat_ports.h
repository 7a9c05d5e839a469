#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "event/clock.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate {

constexpr unsigned kNatBlockPorts = 64;
constexpr unsigned kNatBlocks = 65536 / kNatBlockPorts;

/// Ports that this host may translate to are leased from the NSDB in blocks of 64, for one device and one
/// address (reference section 5.6; NatBlock in the schema).
struct NatBlockId {
    Uuid device;
    net::IpAddress address;
    std::uint16_t block = 0;
    friend auto operator<=>(const NatBlockId&, const NatBlockId&) = default;
};

/// A translation target, as a rule says it.
struct NatRange {
    net::IpAddress firstAddress;
    net::IpAddress lastAddress;
    std::uint16_t firstPort = 0;
    std::uint16_t lastPort = 0;
    friend bool operator==(const NatRange&, const NatRange&) = default;
};

/// The blocks that one worker has, and which ports of them are taken. A port may serve several
/// connections as long as their remote ends differ. One thread.
///
/// A port that is released rests for kRest: the hosts that saw its connection forget it later than this one does, and would take
/// the answers to the next one for answers to it. While every other port is taken those that rest are given out all the same.
class NatPorts {
public:
    /// Nobody has told the other hosts anything of the connection; they forget it after its idle time of a minute.
    static constexpr std::chrono::seconds kRest{64};

    void addBlock(const NatBlockId& block);
    /// Ports that have rested enough are as free as any.
    void endRests(event::TimePoint now);
    /// Blocks without a port taken or at rest for `idle`; they are taken out, to be given back. A new block is idle from the
    /// first call on that sees it.
    std::vector<NatBlockId> takeIdle(event::TimePoint now, event::Duration idle = std::chrono::minutes{5});

    /// A free port for a connection to `remote` (never port 0), tried in the order of ranges, addresses and blocks, in a block
    /// from a place that `seed` gives; nothing is taken by it. nullopt: none of the blocks has one.
    std::optional<Binding> find(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote,
                                std::uint64_t seed) const;
    /// `found` was free for `remote`: whether it is time to ask for one more block, so that none of its next connections
    /// waits. While less than a block, or a quarter of what there is (at most kReserve), is free for a remote that half of
    /// a block is taken by.
    bool runsLow(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote, const Binding& found) const;
    static constexpr unsigned kReserve = 4 * kNatBlockPorts;
    /// The connection takes the port, once (a second time changes nothing); false when the port is in no block of
    /// this worker.
    bool take(const Uuid& device, const Binding& port, const Binding& remote);
    /// It rests from now on.
    void release(const Uuid& device, const Binding& port, const Binding& remote, event::TimePoint now);

    std::size_t blocks() const { return blocks_.size(); }
    std::size_t taken() const { return taken_; }

private:
    struct RemoteHash {
        using is_avalanching = void;
        std::size_t operator()(const Binding& remote) const noexcept { return combineHash(remote.address.hash(), remote.port); }
    };
    /// Bits of the ports of a block. Neither: free.
    struct Use {
        std::uint64_t taken = 0;
        std::uint64_t resting = 0;
    };
    /// For each remote: thousands of clients of one port cost as little as one, and a port that is
    /// free for a remote is found at a glance.
    struct Block {
        boost::unordered_flat_map<Binding, Use, RemoteHash> uses;
        std::optional<event::TimePoint> idleSince;  // not known before takeIdle() has seen a new block
    };
    using Blocks = std::map<NatBlockId, Block>;
    struct Rest {
        event::TimePoint until;
        Block* block = nullptr;  // lives as long as anything rests in it
        Binding remote;
        std::uint64_t bit = 0;
    };
    /// Which ports will do.
    enum class Choice : std::uint8_t { Rested, Any };
    static std::uint64_t freeIn(const Blocks::value_type& block, const NatRange& range, const Binding& remote, Choice choice = Choice::Rested);
    static std::optional<Binding> findIn(Blocks::const_iterator block, const NatRange& range, const Binding& remote, std::uint64_t seed, Choice choice);
    std::optional<Binding> find(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote, std::uint64_t seed, Choice choice) const;
    Block* blockOf(const Uuid& device, const Binding& port);

    Blocks blocks_;
    std::deque<Rest> rests_;  // in the order in which they end
    std::size_t taken_ = 0;
};

}  // namespace midonet::flowstate
