#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "event/clock.h"

namespace midonet::datapath::ebpf {

/// The action slots of one worker: a range of the shared arrays. A freed slot rests for 100 ms, as
/// a program on another CPU may still be reading it. Used by the worker's thread, but for giveBack().
class SlotPool {
public:
    static constexpr event::Duration kRest = std::chrono::milliseconds{100};

    /// Owns slots first .. first+count-1, but for those `taken` (by flows of a former agent).
    SlotPool(std::uint32_t first, std::uint32_t count, const std::vector<bool>& taken);

    /// nullopt when all are in use or resting.
    std::optional<std::uint32_t> take(event::TimePoint now);
    void release(std::uint32_t slot, event::TimePoint now) { resting_.push_back({slot, now}); }
    /// Any thread: slots of flows of a former agent, which are gone now.
    void giveBack(std::vector<std::uint32_t> slots, event::TimePoint now);

    bool owns(std::uint32_t slot) const { return slot >= first_ && slot - first_ < count_; }
    std::uint32_t first() const { return first_; }
    std::uint32_t count() const { return count_; }

private:
    struct Resting {
        std::uint32_t slot;
        event::TimePoint since;
    };
    const std::uint32_t first_;
    const std::uint32_t count_;
    std::uint32_t nextFresh_ = 0;
    std::vector<bool> taken_;  ///< by offset from first_
    std::deque<Resting> resting_;
    // The one hand-over between control loop and worker that is no message: it happens once per life of
    // an agent, and the contract knows no mailbox here.
    std::mutex givenBackMutex_;
    std::vector<Resting> givenBack_;
};

}  // namespace midonet::datapath::ebpf
