#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <utility>

#include "base/sha256.h"
#include "event/clock.h"

namespace midonet::rest {

/// What was learned of texts that are kept as digests only, each for a while. Bounded: the one put first goes first.
/// Its owner locks.
template <class Value>
class ExpiringCache {
public:
    explicit ExpiringCache(std::size_t capacity) : capacity_(capacity) {}

    /// Nullptr when nothing is known, or not any more.
    const Value* find(const Sha256& key, event::TimePoint now) const {
        const auto found = entries_.find(key);
        return found == entries_.end() || found->second.until <= now ? nullptr : &found->second.value;
    }
    /// In the place of what was known of the key.
    void put(const Sha256& key, Value value, event::TimePoint until) {
        remove(key);
        if (entries_.size() >= capacity_) remove(order_.front());
        order_.push_back(key);
        entries_.emplace(key, Entry{std::move(value), until, std::prev(order_.end())});
    }
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Value value;
        event::TimePoint until;
        std::list<Sha256>::iterator position;
    };
    void remove(Sha256 key) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) return;
        order_.erase(found->second.position);
        entries_.erase(found);
    }

    std::size_t capacity_;  // not 0
    std::map<Sha256, Entry> entries_;
    std::list<Sha256> order_;
};

}  // namespace midonet::rest
