#include "flowstate/state_exchange.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"

namespace midonet::flowstate {

StateExchange::StateExchange(HostId self, std::uint64_t firstSequence, Limits limits)
    : self_(self), limits_(limits), nextSequence_(firstSequence) {}

std::vector<Frame> StateExchange::send(HostId peer, std::span<const StateEntry> entries, event::TimePoint now) {
    std::vector<Frame> frames;
    while (!entries.empty()) {
        const auto count = entriesThatFit(entries, limits_.frameSize);
        const auto sequence = nextSequence_++;
        frames.push_back(encodeFrame(self_, sequence, entries.first(count)));
        keep(peer, sequence, frames.back());
        due_.front().push_back({now + kPauses.front(), peer, sequence});
        ++counters_.sent;
        entries = entries.subspan(count);
    }
    return frames;
}

void StateExchange::keep(HostId peer, std::uint64_t sequence, const Frame& frame) {
    auto& waiting = waiting_[peer];
    waiting.emplace_hint(waiting.end(), sequence, frame);
    ++unacknowledged_;
    if (waiting.size() <= limits_.unacknowledged) return;
    waiting.erase(waiting.begin());
    --unacknowledged_;
    ++counters_.dropped;
}

Result<StateExchange::Received> StateExchange::onFrame(ByteView frame) {
    auto message = decodeFrame(frame);
    if (!message) {
        ++counters_.malformed;
        return Unexpected{std::move(message).error()};
    }
    const auto sender = std::visit([](const auto& m) { return m.sender; }, *message);
    if (sender == self_) return fail(ErrorCode::Invalid, "a state message of this host itself (or of one with its host id)");
    return std::visit(Overloaded{
                          [this](StateMessage& state) { return onState(std::move(state)); },
                          [this](AckMessage& ack) {
                              onAck(ack);
                              return Received{ack.sender, {}, false};
                          },
                      },
                      *message);
}

StateExchange::Received StateExchange::onState(StateMessage message) {
    ++counters_.received;
    const bool duplicate = !isNew(message.sender, message.sequence);
    if (duplicate) ++counters_.duplicates;
    // A peer that is not answered sends again: the bound needs no counter.
    if (acks_.size() < limits_.peers || acks_.contains(message.sender)) {
        auto& sequences = acks_[message.sender];
        if (sequences.size() < limits_.unacknowledged) sequences.push_back(message.sequence);
    }
    return {message.sender, std::move(message.entries), duplicate};
}

bool StateExchange::isNew(HostId peer, std::uint64_t sequence) {
    if (!seen_.contains(peer) && seen_.size() >= limits_.peers) seen_.erase(seen_.begin());
    return seen_[peer].add(sequence);
}

bool StateExchange::Seen::add(std::uint64_t sequence) {
    if (std::find(ring_.begin(), ring_.end(), sequence) != ring_.end()) return false;
    if (ring_.size() < kRemembered) {
        ring_.push_back(sequence);
        return true;
    }
    ring_[oldest_] = sequence;
    oldest_ = (oldest_ + 1) % kRemembered;
    return true;
}

void StateExchange::onAck(const AckMessage& message) {
    const auto peer = waiting_.find(message.sender);
    if (peer == waiting_.end()) return;
    for (const auto sequence : message.sequences) {
        if (peer->second.erase(sequence) == 0) continue;
        --unacknowledged_;
        ++counters_.acknowledged;
    }
    if (peer->second.empty()) waiting_.erase(peer);
}

std::vector<StateExchange::PeerFrame> StateExchange::takeAcks() {
    std::vector<PeerFrame> frames;
    const auto most = sequencesThatFit(limits_.frameSize);
    for (const auto& [peer, sequences] : acks_) {
        for (std::span<const std::uint64_t> rest = sequences; !rest.empty();) {
            const auto count = std::min(rest.size(), most);
            frames.push_back({peer, encodeAckFrame(self_, rest.first(count))});
            rest = rest.subspan(count);
        }
    }
    acks_.clear();
    return frames;
}

std::vector<StateExchange::PeerFrame> StateExchange::tick(event::TimePoint now) {
    std::vector<PeerFrame> frames;
    // From the last level to the first: what moves up a level is not looked at again in this call.
    for (auto level = due_.size(); level-- > 0;) {
        auto& due = due_[level];
        while (!due.empty() && due.front().at <= now) {
            const auto [at, peer, sequence] = due.front();
            due.pop_front();
            const auto ofPeer = waiting_.find(peer);
            if (ofPeer == waiting_.end()) continue;
            const auto message = ofPeer->second.find(sequence);
            if (message == ofPeer->second.end()) continue;
            if (level + 1 < due_.size()) {
                frames.push_back({peer, message->second});
                due_[level + 1].push_back({now + kPauses[level + 1], peer, sequence});
                ++counters_.resent;
                continue;
            }
            ofPeer->second.erase(message);
            if (ofPeer->second.empty()) waiting_.erase(ofPeer);
            --unacknowledged_;
            ++counters_.givenUp;
        }
    }
    return frames;
}

void StateExchange::forget(HostId peer) {
    if (const auto it = waiting_.find(peer); it != waiting_.end()) {
        unacknowledged_ -= it->second.size();
        waiting_.erase(it);
    }
    seen_.erase(peer);
    acks_.erase(peer);
}

}  // namespace midonet::flowstate
