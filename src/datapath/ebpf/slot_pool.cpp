#include "datapath/ebpf/slot_pool.h"

namespace midonet::datapath::ebpf {

SlotPool::SlotPool(std::uint32_t first, std::uint32_t count, const std::vector<bool>& taken)
    : first_(first), count_(count), taken_(count) {
    for (std::uint32_t i = 0; i < count; ++i) taken_[i] = first + i < taken.size() && taken[first + i];
}

std::optional<std::uint32_t> SlotPool::take(event::TimePoint now) {
    if (!resting_.empty() && now - resting_.front().since >= kRest) {
        const std::uint32_t slot = resting_.front().slot;
        resting_.pop_front();
        return slot;
    }
    while (nextFresh_ < count_ && taken_[nextFresh_]) ++nextFresh_;
    if (nextFresh_ < count_) return first_ + nextFresh_++;
    const std::lock_guard lock{givenBackMutex_};
    if (givenBack_.empty() || now - givenBack_.back().since < kRest) return std::nullopt;
    const std::uint32_t slot = givenBack_.back().slot;
    givenBack_.pop_back();
    return slot;
}

void SlotPool::giveBack(std::vector<std::uint32_t> slots, event::TimePoint now) {
    const std::lock_guard lock{givenBackMutex_};
    for (const std::uint32_t slot : slots) givenBack_.push_back({slot, now});
}

}  // namespace midonet::datapath::ebpf
