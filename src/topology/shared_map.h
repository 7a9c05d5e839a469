#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace midonet::topology {

/// A map from ids to immutable values that is cheap to copy: a copy shares all with the original, and a change copies the
/// one shard it falls into. So two maps are compared by looking at the shards they do not share.
///
/// One that other threads have is not changed any more; its copies are free to be.
template <class Id, class T>
class SharedMap {
public:
    using Value = std::shared_ptr<const T>;

    /// nullptr: there is none.
    const T* find(const Id& id) const { return get(id).get(); }
    /// The same, to be held on to.
    const Value& get(const Id& id) const {
        static const Value kNone;
        const auto& shard = shards_[indexOf(id)];
        if (!shard) return kNone;
        const auto found = shard->find(id);
        return found == shard->end() ? kNone : found->second;
    }
    bool contains(const Id& id) const { return find(id) != nullptr; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// In the place of what was there. nullptr: removes.
    void set(const Id& id, Value value) {
        if (!value) return erase(id);
        auto& slot = changeable(indexOf(id))[id];
        if (!slot) ++size_;
        slot = std::move(value);
    }
    void erase(const Id& id) {
        if (!contains(id)) return;
        changeable(indexOf(id)).erase(id);
        --size_;
    }

    /// Calls `visit(id, value)` for each, in no order.
    template <class Visit>
    void forEach(Visit visit) const {
        for (const auto& shard : shards_)
            if (shard)
                for (const auto& [id, value] : *shard) visit(id, value);
    }
    /// Calls `differ` with old and new (nullptr: there is none) of every id whose values are not the same object.
    template <class Differ>
    static void forEachDifference(const SharedMap& before, const SharedMap& after, Differ differ) {
        const Shard none;
        for (std::size_t i = 0; i < kShards; ++i) {
            if (before.shards_[i] == after.shards_[i]) continue;
            const Shard& from = before.shards_[i] ? *before.shards_[i] : none;
            const Shard& to = after.shards_[i] ? *after.shards_[i] : none;
            for (const auto& [id, value] : to)
                if (const auto* const old = before.find(id); old != value.get()) differ(old, value.get());
            for (const auto& [id, value] : from)
                if (!to.contains(id)) differ(value.get(), static_cast<const T*>(nullptr));
        }
    }

private:
    using Shard = boost::unordered_flat_map<Id, Value, std::hash<Id>>;
    static constexpr unsigned kShardBits = 6;
    static constexpr std::size_t kShards = 1U << kShardBits;

    static std::size_t indexOf(const Id& id) {
        constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;
        return (std::hash<Id>{}(id) * kGoldenRatio) >> (64 - kShardBits);
    }
    Shard& changeable(std::size_t index) {
        auto& shard = shards_[index];
        if (!shard)
            shard = std::make_shared<Shard>();
        else if (shard.use_count() > 1)
            shard = std::make_shared<Shard>(*shard);
        return *shard;
    }

    std::array<std::shared_ptr<Shard>, kShards> shards_;
    std::size_t size_ = 0;
};

}  // namespace midonet::topology
