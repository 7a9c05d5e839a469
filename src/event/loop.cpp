#include "event/loop.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "base/assert.h"
#include "base/scope_guard.h"
#include "event/asio.h"

namespace midonet::event {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// What a handle and the asynchronous operation of it share. The operation may outlive the handle by
/// one cancelled completion, and a handle may die inside its own callback; so the function is
/// dropped at the handle's end, unless it is running: then right after it returned.
template <class Function>
class Subscription {
public:
    explicit Subscription(Function function) : function_(std::move(function)) {}

    bool alive() const { return alive_; }
    template <class... Args>
    void call(Args... args) {
        running_ = true;
        function_(args...);
        running_ = false;
        if (!alive_) function_ = nullptr;
    }
    void end() {
        alive_ = false;
        if (!running_) function_ = nullptr;
    }

private:
    Function function_;
    bool alive_ = true;
    bool running_ = false;
};

struct Timer : Subscription<Callback> {
    Timer(asio::io_context& io, Callback function) : Subscription(std::move(function)), timer(io) {}
    void cancel() { timer.cancel(); }
    asio::steady_timer timer;
};

struct Reader : Subscription<Callback> {
    Reader(asio::io_context& io, Callback function)
        : Subscription(std::move(function)), descriptor(io) {}
    void cancel() { descriptor.release(); }  // cancels, and leaves the descriptor open
    asio::posix::stream_descriptor descriptor;
};

struct Signals : Subscription<std::function<void(int)>> {
    Signals(asio::io_context& io, std::function<void(int)> function)
        : Subscription(std::move(function)), set(io) {}
    void cancel() {
        set.cancel();  // clear() alone leaves the wait waiting
        set.clear();
    }
    asio::signal_set set;
};

template <class State>
class StateHandle final : public Handle {
public:
    explicit StateHandle(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~StateHandle() override {
        state_->end();
        state_->cancel();
    }

private:
    std::shared_ptr<State> state_;
};

template <class State>
HandlePtr makeHandle(std::shared_ptr<State> state) {
    return std::make_unique<StateHandle<State>>(std::move(state));
}

void waitOnce(const std::shared_ptr<Timer>& state) {
    state->timer.async_wait([state](error_code) {
        if (state->alive()) state->call();
    });
}

void waitPeriodically(const std::shared_ptr<Timer>& state, Duration period) {
    state->timer.async_wait([state, period](error_code) {
        if (!state->alive()) return;
        state->call();
        if (!state->alive()) return;
        const auto now = std::chrono::steady_clock::now();
        auto next = state->timer.expiry() + period;
        if (next <= now) next = now + period;
        state->timer.expires_at(next);
        waitPeriodically(state, period);
    });
}

void waitReadable(const std::shared_ptr<Reader>& state) {
    state->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [state](error_code) {
        if (!state->alive()) return;
        state->call();
        if (state->alive()) waitReadable(state);
    });
}

void waitSignal(const std::shared_ptr<Signals>& state) {
    state->set.async_wait([state](error_code error, int signal) {
        if (error || !state->alive()) return;
        state->call(signal);
        if (state->alive()) waitSignal(state);
    });
}

class AsioLoop final : public Loop {
public:
    explicit AsioLoop(std::string name) : name_(std::move(name)), work_(io_.get_executor()) {}

    const std::string& name() const override { return name_; }
    const Clock& clock() const override { return clock_; }

    void run() override {
        nameThread();
        io_.restart();
        running_ = true;
        const ScopeGuard done([this] { running_ = false; });
        io_.run();
    }
    // A message like any other: so everything posted before it runs first.
    void stop() override {
        asio::post(io_, [this] { io_.stop(); });
    }
    void post(Callback function) override { asio::post(io_, std::move(function)); }
    bool isCurrent() const override { return work_.get_executor().running_in_this_thread(); }

    HandlePtr after(Duration delay, Callback function) override {
        checkThread();
        auto state = std::make_shared<Timer>(io_, std::move(function));
        state->timer.expires_after(delay);
        waitOnce(state);
        return makeHandle(std::move(state));
    }
    HandlePtr every(Duration period, Callback function) override {
        checkThread();
        MIDONET_ASSERT(period > Duration::zero(), "a period of nothing never ends");
        auto state = std::make_shared<Timer>(io_, std::move(function));
        state->timer.expires_after(period);
        waitPeriodically(state, period);
        return makeHandle(std::move(state));
    }
    HandlePtr onReadable(int fd, Callback function) override {
        checkThread();
        auto state = std::make_shared<Reader>(io_, std::move(function));
        error_code error;
        state->descriptor.assign(fd, error);
        MIDONET_ASSERT(!error, "the descriptor is open, can be polled, and is not watched yet");
        waitReadable(state);
        return makeHandle(std::move(state));
    }
    HandlePtr onSignal(std::initializer_list<int> signals,
                       std::function<void(int)> function) override {
        checkThread();
        auto state = std::make_shared<Signals>(io_, std::move(function));
        for (const int signal : signals) {
            error_code error;
            state->set.add(signal, error);
            MIDONET_ASSERT(!error, "the signal can be caught");
        }
        waitSignal(state);
        return makeHandle(std::move(state));
    }

    std::size_t runReady() override {
        MIDONET_ASSERT(false, "runReady() is for virtual loops");
        return 0;
    }
    void advance(Duration) override { MIDONET_ASSERT(false, "advance() is for virtual loops"); }

    asio::io_context& io() { return io_; }

private:
    void checkThread() const {
        MIDONET_ASSERT(!running_ || isCurrent(), "only the loop's thread makes handles");
    }
    // Not the main thread's: its name is what ps and pgrep know the program by.
    void nameThread() const {
        if (::gettid() == ::getpid()) return;
        ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
    }

    const std::string name_;
    const SteadyClock clock_;
    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::atomic<bool> running_ = false;
};

}  // namespace

std::unique_ptr<Loop> Loop::create(std::string name) {
    return std::make_unique<AsioLoop>(std::move(name));
}

boost::asio::io_context& ioContext(Loop& loop) {
    auto* const asioLoop = dynamic_cast<AsioLoop*>(&loop);
    MIDONET_ASSERT(asioLoop != nullptr, "a virtual loop has no sockets");
    return asioLoop->io();
}

}  // namespace midonet::event
