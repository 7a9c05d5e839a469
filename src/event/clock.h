#pragma once

#include <chrono>
#include <cstdint>

namespace midonet::event {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// Time of day, for what outlives this process or is told to others; everything else uses TimePoint.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Milliseconds since 1970.
inline std::int64_t unixMs(WallTime time) { return time.time_since_epoch().count(); }

/// The only source of time. Production uses SteadyClock; tests own a VirtualClock.
class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    virtual WallTime wall() const = 0;
};

/// CLOCK_MONOTONIC and CLOCK_REALTIME. Safe on every thread.
class SteadyClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
};

/// Stands still until told. One thread.
class VirtualClock final : public Clock {
public:
    TimePoint now() const override { return now_; }
    WallTime wall() const override {
        constexpr std::chrono::hours kStart{500'000};  // some day in 2027
        return WallTime{kStart + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch())};
    }
    void advance(Duration by) { now_ += by; }

private:
    TimePoint now_{std::chrono::hours{1}};
};

}  // namespace midonet::event
