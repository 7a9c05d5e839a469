#include "flowstate/state_table.h"

#include <algorithm>

#include "event/sharded.h"
#include "flowstate/internal/state_records.h"

namespace midonet::flowstate {
namespace {

using internal::entryOf;
using internal::Ipv4Record;
using internal::RecordTable;
using internal::WideRecord;

constexpr std::size_t kShards = 64;

bool isSticky(KeyKind kind) { return kind == KeyKind::StickyNat || kind == KeyKind::StickyUnnat; }

/// One family has nearly all the entries: each has records of its own size.
struct Shard {
    RecordTable<Ipv4Record> narrow;
    RecordTable<WideRecord> wide;

    /// What `function` returns, called with the table that the key belongs to.
    template <class Function>
    auto tableOf(const StateKey& key, Function&& function) {
        return Ipv4Record::fits(key) ? function(narrow) : function(wide);
    }
    template <class Function>
    auto tableOf(const StateKey& key, Function&& function) const {
        return Ipv4Record::fits(key) ? function(narrow) : function(wide);
    }
    /// `function(life of the entry)`; false when it is not there.
    template <class Function>
    bool onLife(const StateKey& key, std::uint64_t hash, Function&& function) {
        return tableOf(key, [&](auto& table) {
            auto* const record = table.find(key, hash);
            if (record) function(record->life);
            return record != nullptr;
        });
    }
    /// `function(record)` of the key with this hash, if it is there.
    template <class Function>
    void onHash(std::uint64_t hash, Function&& function) {
        onHashIn(*this, hash, function);
    }
    template <class Function>
    void onHash(std::uint64_t hash, Function&& function) const {
        onHashIn(*this, hash, function);
    }
    template <class Predicate>
    void collect(std::vector<StateEntry>& out, Predicate&& predicate) const {
        const auto add = [&](const auto& record) {
            if (predicate(record.life)) out.push_back(entryOf(record));
        };
        narrow.forEach(add);
        wide.forEach(add);
    }

private:
    template <class Self, class Function>
    static void onHashIn(Self& self, std::uint64_t hash, Function& function) {
        if (auto* const record = self.narrow.find(hash))
            function(*record);
        else if (auto* const wideRecord = self.wide.find(hash))
            function(*wideRecord);
    }
};

/// What belongs to the table as a whole. Always locked after a shard, never before.
struct Totals {
    std::size_t entries = 0;
    std::size_t nextToExpire = 0;  // shards
    std::size_t nextHeld = 0;
};

/// The shards that are next in line, so that `calls` calls see all of them: first and how many.
std::pair<std::size_t, std::size_t> nextShare(std::size_t& next, unsigned calls) {
    const auto divisor = std::clamp<std::size_t>(calls, 1, kShards);
    const auto count = (kShards + divisor - 1) / divisor;
    const auto first = next;
    next = (next + count) % kShards;
    return {first, count};
}

}  // namespace

struct StateTable::Shards {
    event::Sharded<Shard, kShards> shards;
    event::Sharded<Totals, 1> totals;

    /// Room for one more, which is then counted.
    bool countOne(std::size_t capacity) {
        return totals.at(0, [&](Totals& t) {
            if (t.entries >= capacity) return false;
            ++t.entries;
            return true;
        });
    }
    void uncount(std::size_t removed) {
        if (removed != 0) totals.at(0, [&](Totals& t) { t.entries -= removed; });
    }
};

StateTable::StateTable(std::size_t capacity) : shards_(std::make_unique<Shards>()), capacity_(capacity) {}
StateTable::~StateTable() = default;

std::optional<Binding> StateTable::find(const StateKey& key) const {
    const auto hash = key.hash();
    return std::as_const(shards_->shards).with(hash, [&](const Shard& shard) {
        return shard.tableOf(key, [&](const auto& table) -> std::optional<Binding> {
            const auto* const record = table.find(key, hash);
            if (!record) return std::nullopt;
            return record->binding();
        });
    });
}

std::optional<StateEntry> StateTable::entry(std::uint64_t hash, bool onlyHeld) const {
    std::optional<StateEntry> out;
    std::as_const(shards_->shards).with(hash, [&](const Shard& shard) {
        shard.onHash(hash, [&](const auto& record) {
            if (!onlyHeld || record.life.holds > 0) out = entryOf(record);
        });
    });
    return out;
}

StateTable::Put StateTable::put(const StateEntry& entry, event::TimePoint now) {
    if (Ipv4Record::fits(entry.key) && !entry.binding.address.isV4()) return Put::Refused;
    const auto hash = entry.key.hash();
    const auto putInto = [&](auto& table) {
        auto outcome = Put::Same;
        auto* record = table.find(entry.key, hash);
        if (!record) {
            if (!shards_->countOne(capacity_)) return Put::Refused;
            record = &table.insert(entry, hash);
            outcome = Put::Added;
        } else if (record->binding() != entry.binding) {
            record->setBinding(entry.binding);
            outcome = Put::Replaced;
        }
        record->life.idleSeconds = entry.idleSeconds;
        record->life.idleFrom = now;
        record->life.closed = false;
        return outcome;
    };
    return shards_->shards.with(hash, [&](Shard& shard) { return shard.tableOf(entry.key, putInto); });
}

bool StateTable::hold(const StateKey& key) {
    const auto hash = key.hash();
    return shards_->shards.with(hash, [&](Shard& shard) {
        return shard.onLife(key, hash, [](internal::RecordLife& life) {
            ++life.holds;
            life.closed = false;
        });
    });
}

void StateTable::release(std::uint64_t hash, event::TimePoint now, bool closed) {
    std::optional<StateEntry> translation;
    shards_->shards.with(hash, [&](Shard& shard) {
        shard.onHash(hash, [&](auto& record) {
            auto& life = record.life;
            // The entry that was held may have been removed and put anew since.
            if (life.holds > 0) --life.holds;
            life.idleFrom = now;
            const auto kind = record.key().kind;
            if (!closed || isSticky(kind)) return;
            life.closed = true;
            if (kind != KeyKind::ConnTrack) translation = entryOf(record);
        });
    });
    if (!translation) return;
    const auto other = reverseOf(*translation).key;
    shards_->shards.with(other.hash(), [&](Shard& shard) {
        shard.onLife(other, other.hash(), [&](internal::RecordLife& life) {
            if (life.holds > 0) return;
            life.idleFrom = now;
            life.closed = true;
        });
    });
}

bool StateTable::touch(const StateKey& key, event::TimePoint now) {
    const auto hash = key.hash();
    return shards_->shards.with(hash, [&](Shard& shard) {
        return shard.onLife(key, hash, [&](internal::RecordLife& life) { life.idleFrom = now; });
    });
}

bool StateTable::remove(const StateKey& key) {
    const auto hash = key.hash();
    return shards_->shards.with(hash, [&](Shard& shard) {
        const bool removed = shard.tableOf(key, [&](auto& table) { return table.erase(key, hash); });
        shards_->uncount(removed ? 1 : 0);
        return removed;
    });
}

std::vector<StateEntry> StateTable::expire(event::TimePoint now, unsigned calls) {
    std::size_t entries = 0;
    const auto [first, count] = shards_->totals.at(0, [&](Totals& t) {
        entries = t.entries;
        return nextShare(t.nextToExpire, calls);
    });
    const auto limit = entries > capacity_ / 10 * 9 ? event::Duration{kFullIdle}
                       : entries > capacity_ / 2    ? event::Duration{kCrowdedIdle}
                                                    : event::Duration::max();
    std::vector<StateEntry> gone;
    for (std::size_t i = 0; i < count; ++i)
        shards_->shards.at((first + i) % kShards, [&](Shard& shard) {
            const auto before = gone.size();
            shard.collect(gone, [&](const internal::RecordLife& life) { return life.isPast(now, kClosedIdle, limit); });
            for (auto j = before; j < gone.size(); ++j)
                shard.tableOf(gone[j].key, [&](auto& table) { return table.erase(gone[j].key, gone[j].key.hash()); });
            shards_->uncount(gone.size() - before);
            shard.narrow.shrink();
            shard.wide.shrink();
        });
    return gone;
}

std::vector<StateEntry> StateTable::held(unsigned calls) const {
    const auto [first, count] = shards_->totals.at(0, [&](Totals& t) { return nextShare(t.nextHeld, calls); });
    std::vector<StateEntry> out;
    for (std::size_t i = 0; i < count; ++i)
        std::as_const(shards_->shards).at((first + i) % kShards, [&](const Shard& shard) {
            shard.collect(out, [](const internal::RecordLife& life) { return life.holds > 0; });
        });
    return out;
}

std::size_t StateTable::size() const {
    return shards_->totals.at(0, [](const Totals& t) { return t.entries; });
}

std::vector<StateEntry> StateTable::all() const {
    std::vector<StateEntry> out;
    for (std::size_t i = 0; i < kShards; ++i)
        std::as_const(shards_->shards).at(i, [&](const Shard& shard) {
            shard.collect(out, [](const internal::RecordLife&) { return true; });
        });
    return out;
}

}  // namespace midonet::flowstate
