#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "event/clock.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate {

/// The connection state of one agent: what its workers made and what other hosts told it. One for all
/// workers, so that an answer that comes in on another worker's port is known for one.
///
/// An entry lives while flows hold it, and for its idle time after the last one let go or the last
/// touch(); a connection that was closed for no more than kClosedIdle. Bounded: above `capacity` put() refuses. Long before,
/// entries that no flow holds go sooner: above half of it after kCrowdedIdle, above nine tenths after kFullIdle.
///
/// Any thread: sharded, each shard behind a short lock (event/sharded.h). No callbacks under a lock.
class StateTable {
public:
    /// Another host may know the connection as half open still: if so, it tells us again within 20 s.
    static constexpr std::chrono::seconds kClosedIdle{25};
    /// What flows of other hosts rest on is told again before.
    static constexpr std::chrono::seconds kCrowdedIdle{25};
    static constexpr std::chrono::seconds kFullIdle{5};

    explicit StateTable(std::size_t capacity = 1'000'000);
    ~StateTable();
    StateTable(const StateTable&) = delete;
    StateTable& operator=(const StateTable&) = delete;

    std::optional<Binding> find(const StateKey& key) const;
    /// The whole entry of the key with this StateKey::hash(); `onlyHeld`: nullopt also when no flow rests on it.
    std::optional<StateEntry> entry(std::uint64_t hash, bool onlyHeld = false) const;
    bool contains(const StateKey& key) const { return find(key).has_value(); }

    enum class Put : std::uint8_t {
        Added,
        Same,      ///< Was there with this binding; its idle time starts anew.
        Replaced,  ///< Was there with another one.
        Refused,   ///< The table is full (or a translation of IPv4 leads to IPv6, which there is none of).
    };
    Put put(const StateEntry& entry, event::TimePoint now);
    /// One more flow rests on the entry; false when it is not there.
    bool hold(const StateKey& key);
    /// One less does, of the key with this StateKey::hash(): flows keep no more of it. `closed`: the connection ended
    /// in its direction. Then the other direction of a translation, if no flow of this host rests on it, counts as
    /// closed as well. (The state of a sticky client is no connection's.)
    void release(std::uint64_t hash, event::TimePoint now, bool closed = false);
    /// It was in use now, here or on another host.
    bool touch(const StateKey& key, event::TimePoint now);
    bool remove(const StateKey& key);

    /// Takes out entries that are past their time, looking at a share of the table at each call: all of
    /// it in about `calls` calls. What went is returned, for flows and ports that rest on it.
    std::vector<StateEntry> expire(event::TimePoint now, unsigned calls = 16);
    /// Entries that flows of this host hold, a share at each call as with expire(): to tell the other hosts again.
    std::vector<StateEntry> held(unsigned calls = 16) const;
    std::size_t size() const;
    /// A copy of everything, unordered; for tests and status.
    std::vector<StateEntry> all() const;

private:
    struct Shards;
    std::unique_ptr<Shards> shards_;
    std::size_t capacity_;
};

}  // namespace midonet::flowstate
