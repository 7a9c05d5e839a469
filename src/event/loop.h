#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "event/clock.h"

namespace midonet::event {

/// Something the loop does for its holder until the handle is destroyed (on the loop's thread).
/// After the destructor returns, the callback is not called again.
class Handle {
public:
    virtual ~Handle() = default;
};
using HandlePtr = std::unique_ptr<Handle>;
using Callback = std::function<void()>;

/// One thread's event loop: posted functions, timers, readable descriptors, signals. An object
/// that lives on a loop is touched by that loop's thread only; others post() to it.
/// Boost.Asio underneath (event/asio.h shows it to the few who do sockets).
class Loop {
public:
    /// A loop on the steady clock.
    static std::unique_ptr<Loop> create(std::string name);
    /// A loop whose time stands still: runReady() and advance() drive it from a test.
    static std::unique_ptr<Loop> createVirtual(std::string name);
    virtual ~Loop() = default;

    virtual const std::string& name() const = 0;
    virtual const Clock& clock() const = 0;

    /// Runs on the calling thread until stop(). What was posted before stop() has run.
    virtual void run() = 0;
    /// Any thread.
    virtual void stop() = 0;
    /// Any thread. Functions of one poster run in order.
    virtual void post(Callback function) = 0;
    /// True on the thread that is inside run() / runReady() / advance().
    virtual bool isCurrent() const = 0;

    /// Loop thread only, from here on.
    [[nodiscard]] virtual HandlePtr after(Duration delay, Callback function) = 0;
    /// First call after one period; late calls are not made up for.
    [[nodiscard]] virtual HandlePtr every(Duration period, Callback function) = 0;
    /// Called each time `fd` is readable (level-triggered). The descriptor stays the caller's.
    [[nodiscard]] virtual HandlePtr onReadable(int fd, Callback function) = 0;
    [[nodiscard]] virtual HandlePtr onSignal(std::initializer_list<int> signals,
                                             std::function<void(int)> function) = 0;

    /// Virtual loops only: run everything that is due now; returns how many callbacks ran.
    virtual std::size_t runReady() = 0;
    /// Virtual loops only: move time, stopping at each timer on the way.
    virtual void advance(Duration by) = 0;
};

}  // namespace midonet::event
