#include "agent/arp_broker.h"

#include <algorithm>

namespace midonet::agent {

void ArpBroker::ask(const simulation::AskArp& question, event::TimePoint now) {
    auto& questions = open_[question.router];
    if (questions.open.contains(question.address) || !mayAsk(questions, now)) return;
    makeRoom(questions);
    questions.open.emplace(question.address, Question{question.port, now + retryOf({question.router, question.address}), now + kTimeout});
    questions.order.emplace_back(question.address, now + kTimeout);
    send_(question);
}

void ArpBroker::answered(const Neighbour& neighbour) {
    const auto questions = open_.find(neighbour.router);
    if (questions != open_.end()) questions->second.open.erase(neighbour.address);
}

bool ArpBroker::mayAsk(Questions& questions, event::TimePoint now) {
    const auto next = std::max(questions.bucketFull, now) + kInterval;
    if (next > now + kPerRouter * kInterval) return false;
    questions.bucketFull = next;
    return true;
}

void ArpBroker::makeRoom(Questions& questions) {
    const auto isOpen = [&](const auto& asked) {
        const auto found = questions.open.find(asked.first);
        return found != questions.open.end() && found->second.deadline == asked.second;
    };
    auto& order = questions.order;
    if (order.size() >= 2 * kPerRouter) std::erase_if(order, [&](const auto& asked) { return !isOpen(asked); });
    if (questions.open.size() < kPerRouter) return;
    while (!isOpen(order.front())) order.pop_front();
    questions.open.erase(order.front().first);
    order.pop_front();
}

std::size_t ArpBroker::open() const {
    std::size_t count = 0;
    for (const auto& [router, questions] : open_) count += questions.open.size();
    return count;
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
    for (auto& [id, questions] : open_) {
        const auto router = id;
        erase_if(questions.open, [&](auto& entry) {
            auto& [address, question] = entry;
            if (question.deadline <= now) return true;
            if (question.next > now) return false;
            question.next = now + retryOf({router, address});
            due.push_back({router, question.port, address});
            return false;
        });
    }
    std::erase_if(open_, [&](const auto& ofRouter) { return ofRouter.second.open.empty() && ofRouter.second.bucketFull <= now; });
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
