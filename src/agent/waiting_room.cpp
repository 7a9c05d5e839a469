#include "agent/waiting_room.h"

#include <algorithm>

namespace midonet::agent {

bool WaitingRoom::hasRoom(flow::FlowTag until) const {
    const auto found = counts_.find(until);
    return waiting_.size() < limits_.packets && (found == counts_.end() || found->second < limits_.packetsPerTag);
}

WaitingRoom::Parked WaitingRoom::park(flow::FlowTag until, HeldPacket packet) {
    auto& count = counts_[until];
    if (count >= limits_.packetsPerTag) return Parked::Refused;
    ++count;
    waiting_.push_back({until, std::move(packet)});
    if (waiting_.size() <= limits_.packets) return Parked::Waits;
    countDown(waiting_.front().until);
    waiting_.pop_front();
    return Parked::InPlaceOfAnother;
}

std::vector<HeldPacket> WaitingRoom::take(flow::FlowTag until) {
    if (!counts_.contains(until)) return {};
    return takeIf([&](const Waiting& w) { return w.until == until; });
}

std::vector<HeldPacket> WaitingRoom::takeAll() {
    return takeIf([](const Waiting&) { return true; });
}

std::vector<HeldPacket> WaitingRoom::expire(event::TimePoint now) {
    return takeIf([&](const Waiting& w) { return !isPatient(w.packet.arrived, now); });
}

template <class Leaves>
std::vector<HeldPacket> WaitingRoom::takeIf(const Leaves& leaves) {
    const auto first = std::stable_partition(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return !leaves(w); });
    std::vector<HeldPacket> out;
    for (auto left = first; left != waiting_.end(); ++left) {
        countDown(left->until);
        out.push_back(std::move(left->packet));
    }
    waiting_.erase(first, waiting_.end());
    return out;
}

void WaitingRoom::countDown(flow::FlowTag until) {
    const auto count = counts_.find(until);
    if (--count->second == 0) counts_.erase(count);
}

}  // namespace midonet::agent
