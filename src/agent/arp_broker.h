#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "event/clock.h"
#include "simulation/simulation_result.h"

namespace midonet::agent {

/// A neighbour of a router.
struct Neighbour {
    RouterId router;
    net::Ipv4Address address;
    friend bool operator==(const Neighbour&, const Neighbour&) = default;
    friend auto operator<=>(const Neighbour&, const Neighbour&) = default;
};
struct NeighbourHash {
    using is_avalanching = void;
    std::size_t operator()(const Neighbour& n) const noexcept {
        return combineHash(std::hash<RouterId>{}(n.router), n.address.toHostOrder());
    }
};

/// Asks for the MACs of neighbours (reference section 4.7): at once, then every 10 s, for a minute; and asks
/// again for those that flows use before what is known of them is too old. One worker's thread.
class ArpBroker {
public:
    static constexpr std::chrono::seconds kRetry{10};
    static constexpr std::chrono::seconds kTimeout{60};
    /// Questions of one router that are open at a time: a scan of a large subnet does not make more. The oldest makes room, so
    /// that neighbours that do answer are found during a scan too, and no router takes from another.
    static constexpr std::size_t kPerRouter = 1024;
    /// New questions of one router: as many as may be open at once, then one in this time. Each is a broadcast.
    static constexpr std::chrono::milliseconds kInterval{4};

    using SendRequest = std::function<void(const simulation::AskArp&)>;
    explicit ArpBroker(SendRequest send) : send_(std::move(send)) {}

    /// Asks unless the question is open, or too many were asked a moment ago.
    void ask(const simulation::AskArp& question, event::TimePoint now);
    /// It was answered.
    void answered(const Neighbour& neighbour);

    // Flows that send to the neighbour.
    void use(const simulation::UseArp& use);
    void release(const simulation::UseArp& use);

    /// Asks again where it is time, and for what is used and `isStale`.
    void tick(event::TimePoint now, const std::function<bool(const Neighbour&)>& isStale);
    /// Open questions.
    std::size_t open() const;

private:
    struct Question {
        PortId port;
        event::TimePoint next;
        event::TimePoint deadline;
    };
    /// Of one router.
    struct Questions {
        boost::unordered_flat_map<net::Ipv4Address, Question, std::hash<net::Ipv4Address>> open;
        std::deque<std::pair<net::Ipv4Address, event::TimePoint>> order;  // oldest first, with their deadlines; some are answered
        event::TimePoint bucketFull;  // when as many as may be open could be asked at once again
    };
    static bool mayAsk(Questions& questions, event::TimePoint now);
    static void makeRoom(Questions& questions);
    struct Used {
        PortId port;
        std::size_t flows = 0;
    };
    event::Duration retryOf(const Neighbour& neighbour) const;

    SendRequest send_;
    std::map<RouterId, Questions> open_;
    boost::unordered_flat_map<Neighbour, Used, NeighbourHash> used_;
};

}  // namespace midonet::agent
