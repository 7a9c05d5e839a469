#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

namespace midonet::event {

/// One byte of lock for sections of some tens of instructions: spins for a moment, then yields, as its owner may
/// have been scheduled away. Without contention half the price of a std::mutex. Fits std::lock_guard.
class ShortLock {
public:
    void lock() {
        while (held_.exchange(true, std::memory_order_acquire)) {
            for (int spins = 0; held_.load(std::memory_order_relaxed);)
                if (++spins > kSpins) std::this_thread::yield();
        }
    }
    void unlock() { held_.store(false, std::memory_order_release); }

private:
    static constexpr int kSpins = 100;
    std::atomic<bool> held_{false};
};

/// N values, each behind its own short lock and on its own cache lines: data that all workers write, where one
/// lock for everything would be the bottleneck. Any thread. The functions handed in run under the lock: they are
/// short, and wait for nothing but a Sharded that is always taken after this one.
template <class T, std::size_t N>
class Sharded {
    static_assert(std::has_single_bit(N));

public:
    static constexpr std::size_t size() { return N; }
    /// By the upper bits of a hash: the lower ones are free for a table inside the shard.
    static constexpr std::size_t indexOf(std::uint64_t hash) {
        if constexpr (N == 1)
            return 0;
        else
            return static_cast<std::size_t>(hash >> (64 - std::countr_zero(N)));
    }

    /// What `function(T&)` returns, called with the shard of `hash`.
    template <class Function>
    auto with(std::uint64_t hash, Function&& function) {
        return at(indexOf(hash), std::forward<Function>(function));
    }
    template <class Function>
    auto with(std::uint64_t hash, Function&& function) const {
        return at(indexOf(hash), std::forward<Function>(function));
    }
    template <class Function>
    auto at(std::size_t index, Function&& function) {
        auto& shard = shards_[index];
        const std::lock_guard lock(shard.lock);
        return std::forward<Function>(function)(shard.value);
    }
    template <class Function>
    auto at(std::size_t index, Function&& function) const {
        auto& shard = shards_[index];
        const std::lock_guard lock(shard.lock);
        return std::forward<Function>(function)(shard.value);
    }

private:
    struct alignas(64) Shard {
        mutable ShortLock lock;
        T value{};
    };
    std::array<Shard, N> shards_;
};

}  // namespace midonet::event
