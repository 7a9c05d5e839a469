#pragma once

#include <chrono>

namespace midonet::event {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// The only source of time. Production uses SteadyClock; tests own a VirtualClock.
class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
};

/// CLOCK_MONOTONIC. Safe on every thread.
class SteadyClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

/// Stands still until told. One thread.
class VirtualClock final : public Clock {
public:
    TimePoint now() const override { return now_; }
    void advance(Duration by) { now_ += by; }

private:
    TimePoint now_{std::chrono::hours{1}};
};

}  // namespace midonet::event
