#include "agent/waiting_room.h"

#include <algorithm>

namespace midonet::agent {

bool WaitingRoom::park(const Uuid& device, const PortId& ingress, const datapath::Upcall& upcall, event::TimePoint now) {
    if (waiting_.size() >= kCapacity) return false;
    const auto same = std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.device == device; });
    if (static_cast<std::size_t>(same) >= kCapacityPerDevice) return false;
    waiting_.push_back({device, now + kPatience,
                        HeldPacket{upcall.key, {upcall.frame.begin(), upcall.frame.end()}, upcall.offload, upcall.reason, ingress}});
    return true;
}

std::deque<WaitingRoom::Waiting> WaitingRoom::takeAll() { return std::exchange(waiting_, {}); }

void WaitingRoom::parkAgain(Waiting waiting) { waiting_.push_back(std::move(waiting)); }

std::size_t WaitingRoom::expire(event::TimePoint now) {
    std::size_t count = 0;
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        waiting_.pop_front();
        ++count;
    }
    return count;
}

}  // namespace midonet::agent
