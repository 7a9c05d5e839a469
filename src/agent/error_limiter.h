#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/id.h"
#include "event/clock.h"

namespace midonet::agent {

/// How many ICMP errors leave through each port: so many at once, then so many a second (a token bucket, kept
/// as the time when it is full again). One worker's thread.
class ErrorLimiter {
public:
    static constexpr std::size_t kBurst = 50;
    static constexpr std::chrono::milliseconds kInterval{10};

    bool allow(const PortId& port, event::TimePoint now) {
        auto& full = full_[port];
        const auto next = (full > now ? full : now) + kInterval;
        if (next > now + kBurst * kInterval) return false;
        full = next;
        return true;
    }
    /// Forgets ports whose bucket is full.
    void tick(event::TimePoint now) {
        erase_if(full_, [&](const auto& entry) { return entry.second <= now; });
    }

private:
    boost::unordered_flat_map<PortId, event::TimePoint, std::hash<PortId>> full_;
};

}  // namespace midonet::agent
