#pragma once

#include <boost/container/deque.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>

#include "simulation/simulation_result.h"

namespace midonet::flowcontrol {

/// Effects that flows carry, each kept once however many flows carry it: all flows of a machine
/// have learned the same MAC. One thread.
class EffectPool {
public:
    using Id = std::uint32_t;
    static constexpr Id kNone = 0xffffffffU;  ///< Of no effects.

    EffectPool();
    EffectPool(const EffectPool&) = delete;
    EffectPool& operator=(const EffectPool&) = delete;

    /// One more flow carries these.
    Id add(const simulation::Effects& effects);
    /// One less does; the effects stay valid until the next add().
    const simulation::Effects& release(Id id);
    std::size_t size() const { return byValue_.size(); }

private:
    struct Entry {
        simulation::Effects effects;
        std::uint32_t uses = 0;
        Id nextFree = kNone;
    };
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        const EffectPool* pool;
        std::size_t operator()(const simulation::Effects& effects) const noexcept;
        std::size_t operator()(Id id) const noexcept { return (*this)(pool->entries_[id].effects); }
    };
    struct Equal {
        using is_transparent = void;
        const EffectPool* pool;
        bool operator()(Id a, Id b) const { return a == b; }
        bool operator()(const simulation::Effects& a, Id b) const { return a == pool->entries_[b].effects; }
        bool operator()(Id a, const simulation::Effects& b) const { return pool->entries_[a].effects == b; }
    };

    boost::container::deque<Entry> entries_;
    boost::unordered_flat_set<Id, Hash, Equal> byValue_;
    Id firstFree_ = kNone;
    simulation::Effects released_;
};

}  // namespace midonet::flowcontrol
