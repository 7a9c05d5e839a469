#include "agent/waiting_room.h"

#include <algorithm>

namespace midonet::agent {

bool WaitingRoom::park(flow::FlowTag until, HeldPacket packet, event::TimePoint deadline) {
    if (waiting_.size() >= kCapacity) return false;
    auto& count = counts_[until];
    if (count >= kCapacityPerTag) return false;
    ++count;
    waiting_.push_back({until, deadline, std::move(packet)});
    return true;
}

std::vector<WaitingRoom::Waiting> WaitingRoom::take(flow::FlowTag until) {
    std::vector<Waiting> out;
    if (counts_.erase(until) == 0) return out;
    for (auto& waiting : waiting_)
        if (waiting.until == until) out.push_back(std::move(waiting));
    std::erase_if(waiting_, [&](const Waiting& w) { return w.until == until; });
    return out;
}

std::size_t WaitingRoom::expire(event::TimePoint now) {
    return std::erase_if(waiting_, [&](const Waiting& w) {
        if (w.deadline > now) return false;
        countDown(w.until);
        return true;
    });
}

void WaitingRoom::countDown(flow::FlowTag tag) {
    const auto found = counts_.find(tag);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace midonet::agent
