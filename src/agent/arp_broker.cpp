#include "agent/arp_broker.h"

namespace midonet::agent {

bool ArpBroker::ask(const simulation::AskArp& question, event::TimePoint now) {
    const Neighbour neighbour{question.router, question.address};
    if (open_.contains(neighbour)) return true;
    if (open_.size() >= kCapacity) return false;
    open_.emplace(neighbour, Question{question.port, now + retryOf(neighbour), now + kTimeout});
    send_(question);
    return true;
}

void ArpBroker::use(const simulation::UseArp& use) {
    auto& used = used_[{use.router, use.address}];
    used.port = use.port;
    ++used.flows;
}

void ArpBroker::release(const simulation::UseArp& use) {
    const auto found = used_.find(Neighbour{use.router, use.address});
    if (found != used_.end() && --found->second.flows == 0) used_.erase(found);
}

void ArpBroker::tick(event::TimePoint now, const std::function<bool(const Neighbour&)>& isStale) {
    std::vector<simulation::AskArp> due;
    erase_if(open_, [&](auto& entry) {
        auto& [neighbour, question] = entry;
        if (question.deadline <= now) return true;
        if (question.next > now) return false;
        question.next = now + retryOf(neighbour);
        due.push_back({neighbour.router, question.port, neighbour.address});
        return false;
    });
    for (const auto& question : due) send_(question);
    for (const auto& [neighbour, used] : used_)
        if (isStale(neighbour)) ask({neighbour.router, used.port, neighbour.address}, now);
}

/// Spread by a quarter either way, so that hosts that began together do not ask together for ever.
event::Duration ArpBroker::retryOf(const Neighbour& neighbour) const {
    const auto spread = static_cast<std::int64_t>(NeighbourHash{}(neighbour) % 1000) - 500;
    return kRetry + std::chrono::milliseconds{spread * 5};
}

}  // namespace midonet::agent
