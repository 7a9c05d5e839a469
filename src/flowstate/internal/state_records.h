#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "event/clock.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate::internal {

/// What both kinds of records have: who needs the entry, and since when nobody does.
struct RecordLife {
    static constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

    event::TimePoint idleFrom;       ///< Last put, touch or release.
    std::uint32_t holds = 0;         ///< Flows that rest on it; kFree: the record is unused.
    std::uint32_t idleSeconds = 0;
    std::uint32_t next = 0;          ///< In its bucket, or among the unused ones.
    bool closed = false;             ///< The last flow of it ended because its sender closed the connection.

    bool used() const { return holds != kFree; }
    /// `closedLimit`, `limit`: what the idle time is at most, of a closed connection and of any.
    bool isPast(event::TimePoint now, event::Duration closedLimit, event::Duration limit) const {
        if (holds > 0) return false;
        const event::Duration own = std::chrono::seconds{idleSeconds};
        return now - idleFrom >= std::min(own, closed ? std::min(limit, closedLimit) : limit);
    }
};

/// An entry with IPv4 addresses only, as nearly all are: 56 bytes, where StateEntry has 112.
class Ipv4Record {
public:
    static bool fits(const StateKey& key) { return key.source.isV4() && key.destination.isV4(); }

    RecordLife life;

    void assign(const StateEntry& entry) {
        const auto& key = entry.key;
        kind_ = key.kind;
        protocol_ = key.protocol;
        sourcePort_ = key.sourcePort;
        destinationPort_ = key.destinationPort;
        source_ = key.source.v4();
        destination_ = key.destination.v4();
        device_ = key.device;
        setBinding(entry.binding);
    }
    void setBinding(const Binding& binding) {
        address_ = binding.address.v4();
        port_ = binding.port;
    }
    bool holdsKey(const StateKey& key) const {
        return kind_ == key.kind && protocol_ == key.protocol && sourcePort_ == key.sourcePort &&
               destinationPort_ == key.destinationPort && source_ == key.source.v4() &&
               destination_ == key.destination.v4() && device_ == key.device;
    }
    StateKey key() const {
        return {kind_, protocol_, sourcePort_, destinationPort_, source_, destination_, device_};
    }
    Binding binding() const { return {address_, port_}; }

private:
    net::Ipv4Address source_, destination_, address_;
    std::uint16_t sourcePort_ = 0, destinationPort_ = 0, port_ = 0;
    std::uint8_t protocol_ = 0;
    KeyKind kind_{};
    Uuid device_;
};

/// Any entry.
class WideRecord {
public:
    RecordLife life;

    void assign(const StateEntry& entry) {
        key_ = entry.key;
        binding_ = entry.binding;
    }
    void setBinding(const Binding& binding) { binding_ = binding; }
    bool holdsKey(const StateKey& key) const { return key_ == key; }
    const StateKey& key() const { return key_; }
    const Binding& binding() const { return binding_; }

private:
    StateKey key_;
    Binding binding_;
};

template <class Record>
StateEntry entryOf(const Record& record) {
    return {record.key(), record.binding(), record.life.idleSeconds};
}

/// Hash table of records that are reached by number: four bytes of chain and four to eight of bucket beside each,
/// against the 40 of a node of std::unordered_map. Records stay where they are while the table grows; room of
/// removed ones is used again. One thread.
template <class Record>
class RecordTable {
public:
    Record* find(const StateKey& key, std::uint64_t hash) {
        for (auto i = headOf(hash); i != kNone; i = records_[i].life.next)
            if (records_[i].holdsKey(key)) return &records_[i];
        return nullptr;
    }
    const Record* find(const StateKey& key, std::uint64_t hash) const {
        return const_cast<RecordTable*>(this)->find(key, hash);
    }
    /// By StateKey::hash() alone.
    Record* find(std::uint64_t hash) {
        for (auto i = headOf(hash); i != kNone; i = records_[i].life.next)
            if (records_[i].key().hash() == hash) return &records_[i];
        return nullptr;
    }
    const Record* find(std::uint64_t hash) const { return const_cast<RecordTable*>(this)->find(hash); }
    /// Of a key that is not there.
    Record& insert(const StateEntry& entry, std::uint64_t hash) {
        if (used_ >= buckets_.size()) grow();
        const auto index = takeRecord();
        auto& record = records_[index];
        record.assign(entry);
        record.life = RecordLife{};
        link(index, hash);
        ++used_;
        return record;
    }
    bool erase(const StateKey& key, std::uint64_t hash) {
        if (buckets_.empty()) return false;
        auto* from = &buckets_[bucketOf(hash)];
        while (*from != kNone && !records_[*from].holdsKey(key)) from = &records_[*from].life.next;
        if (*from == kNone) return false;
        const auto index = *from;
        *from = records_[index].life.next;
        records_[index].life.holds = RecordLife::kFree;
        records_[index].life.next = free_;
        free_ = index;
        --used_;
        return true;
    }
    template <class Function>
    void forEach(Function&& function) const {
        for (const auto& record : records_)
            if (record.life.used()) function(record);
    }

    /// Gives memory back when most of what was there once is gone.
    void shrink() {
        if (records_.size() < kWorthShrinking || used_ > records_.size() / 4) return;
        RecordTable smaller;
        forEach([&](const Record& record) {
            auto& copy = smaller.insert(entryOf(record), record.key().hash());
            const auto next = copy.life.next;
            copy.life = record.life;
            copy.life.next = next;
        });
        *this = std::move(smaller);
    }

private:
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::size_t kFirstBuckets = 16;
    static constexpr std::size_t kWorthShrinking = 1024;

    std::size_t bucketOf(std::uint64_t hash) const { return static_cast<std::size_t>(hash) & (buckets_.size() - 1); }
    std::uint32_t headOf(std::uint64_t hash) const { return buckets_.empty() ? kNone : buckets_[bucketOf(hash)]; }
    void link(std::uint32_t index, std::uint64_t hash) {
        auto& head = buckets_[bucketOf(hash)];
        records_[index].life.next = head;
        head = index;
    }
    std::uint32_t takeRecord() {
        if (free_ == kNone) {
            records_.emplace_back();
            return static_cast<std::uint32_t>(records_.size() - 1);
        }
        const auto index = free_;
        free_ = records_[index].life.next;
        return index;
    }
    void grow() {
        buckets_.assign(buckets_.empty() ? kFirstBuckets : 2 * buckets_.size(), kNone);
        for (std::uint32_t i = 0; i < records_.size(); ++i)
            if (records_[i].life.used()) link(i, records_[i].key().hash());
    }

    std::vector<std::uint32_t> buckets_;  // heads of chains; a power of two of them
    std::deque<Record> records_;
    std::uint32_t free_ = kNone;
    std::size_t used_ = 0;
};

}  // namespace midonet::flowstate::internal
