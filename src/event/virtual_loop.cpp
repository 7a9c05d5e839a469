#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "event/loop.h"

namespace midonet::event {
namespace {

class VirtualLoop;
thread_local const VirtualLoop* currentLoop = nullptr;

/// Time moves in advance() only; descriptors and signals are looked at, never waited for, outside run().
class VirtualLoop final : public Loop {
public:
    explicit VirtualLoop(std::string name)
        : name_(std::move(name)), wakeFd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
        MIDONET_ASSERT(wakeFd_ >= 0, "a descriptor can be made");
    }
    ~VirtualLoop() override { ::close(wakeFd_); }

    const std::string& name() const override { return name_; }
    const Clock& clock() const override { return clock_; }

    void run() override {
        while (true) {
            runReady();
            if (std::exchange(stopped_, false)) return;
            waitForEvents();
        }
    }
    void stop() override {
        post([this] { stopped_ = true; });
    }
    void post(Callback function) override {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(function));
        const std::uint64_t one = 1;
        const auto written = ::write(wakeFd_, &one, sizeof one);
        MIDONET_ASSERT(written == sizeof one, "the counter is emptied by every run");
    }
    bool isCurrent() const override { return currentLoop == this; }

    HandlePtr after(Duration delay, Callback function) override {
        return addTimer(delay, Duration::zero(), std::move(function));
    }
    HandlePtr every(Duration period, Callback function) override {
        MIDONET_ASSERT(period > Duration::zero(), "a period of nothing never ends");
        return addTimer(period, period, std::move(function));
    }
    HandlePtr onReadable(int fd, Callback function) override {
        auto state = std::make_shared<Subscription>(std::move(function));
        const auto id = nextId_++;
        readers_.emplace(id, Reader{fd, state});
        return std::make_unique<LoopHandle>(std::move(state), [this, id] { readers_.erase(id); });
    }
    HandlePtr onSignal(std::initializer_list<int> signals,
                       std::function<void(int)> function) override;

    std::size_t runReady() override {
        const CurrentScope scope(this);
        std::size_t ran = 0;
        while (true) {
            const auto before = ran;
            ran += runPosted();
            ran += runDueTimers();
            ran += runReaders();
            if (ran == before) return ran;
        }
    }
    void advance(Duration by) override {
        const auto end = clock_.now() + by;
        runReady();
        while (!timers_.empty() && timers_.begin()->first.first <= end) {
            clock_.advance(timers_.begin()->first.first - clock_.now());
            runReady();
        }
        clock_.advance(end - clock_.now());
        runReady();
    }

private:
    /// Shared with the callers of the function, so that a handle may die inside its own callback.
    struct Subscription {
        explicit Subscription(Callback f) : function(std::move(f)) {}
        void call() {
            if (!alive) return;
            running = true;
            function();
            running = false;
            if (!alive) function = nullptr;
        }
        Callback function;
        bool alive = true;
        bool running = false;
    };
    class LoopHandle final : public Handle {
    public:
        LoopHandle(std::shared_ptr<Subscription> state, Callback remove)
            : state_(std::move(state)), remove_(std::move(remove)) {}
        ~LoopHandle() override {
            state_->alive = false;
            if (!state_->running) state_->function = nullptr;
            remove_();
        }

    private:
        std::shared_ptr<Subscription> state_;
        Callback remove_;
    };
    struct Timer {
        Duration period{};  // zero: once
        std::shared_ptr<Subscription> state;
    };
    struct Reader {
        int fd = -1;
        std::shared_ptr<Subscription> state;
    };
    using TimerKey = std::pair<TimePoint, std::uint64_t>;  // ties run in the order of making

    class CurrentScope {
    public:
        explicit CurrentScope(const VirtualLoop* loop) : outer_(std::exchange(currentLoop, loop)) {}
        ~CurrentScope() { currentLoop = outer_; }
        CurrentScope(const CurrentScope&) = delete;
        CurrentScope& operator=(const CurrentScope&) = delete;

    private:
        const VirtualLoop* outer_;
    };

    HandlePtr addTimer(Duration delay, Duration period, Callback function) {
        auto state = std::make_shared<Subscription>(std::move(function));
        const auto id = nextId_++;
        timers_.emplace(TimerKey{clock_.now() + delay, id}, Timer{period, state});
        auto remove = [this, raw = state.get()] {
            std::erase_if(timers_, [raw](const auto& entry) { return entry.second.state.get() == raw; });
        };
        return std::make_unique<LoopHandle>(std::move(state), std::move(remove));
    }
    std::size_t runPosted() {
        std::vector<Callback> batch;
        {
            const std::lock_guard lock(mutex_);
            batch.swap(posted_);
            std::uint64_t count = 0;
            [[maybe_unused]] const auto drained = ::read(wakeFd_, &count, sizeof count);
        }
        for (auto& function : batch) std::exchange(function, nullptr)();
        return batch.size();
    }
    std::size_t runDueTimers() {
        std::size_t ran = 0;
        while (!timers_.empty() && timers_.begin()->first.first <= clock_.now()) {
            const auto [key, timer] = *timers_.begin();
            timers_.erase(timers_.begin());
            if (timer.period > Duration::zero())
                timers_.emplace(TimerKey{key.first + timer.period, key.second}, timer);
            timer.state->call();
            ++ran;
        }
        return ran;
    }
    std::size_t runReaders() {
        const auto readers = readers_;  // a callback may add and remove some
        std::size_t ran = 0;
        for (const auto& [id, reader] : readers) {
            if (!reader.state->alive) continue;
            pollfd item{reader.fd, POLLIN, 0};
            if (::poll(&item, 1, 0) != 1) continue;
            reader.state->call();
            ++ran;
        }
        return ran;
    }
    void waitForEvents() {
        std::vector<pollfd> items{{wakeFd_, POLLIN, 0}};
        for (const auto& [id, reader] : readers_) items.push_back({reader.fd, POLLIN, 0});
        ::poll(items.data(), items.size(), -1);
    }

    const std::string name_;
    VirtualClock clock_;
    std::map<TimerKey, Timer> timers_;
    std::map<std::uint64_t, Reader> readers_;
    std::uint64_t nextId_ = 0;
    bool stopped_ = false;
    const int wakeFd_;
    std::mutex mutex_;
    std::vector<Callback> posted_;  // guarded by mutex_
};

/// Signals blocked for this thread and read from a descriptor; the mask is put back at the end.
class SignalHandle final : public Handle {
public:
    SignalHandle(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> function) {
        sigset_t set;
        ::sigemptyset(&set);
        for (const int signal : signals) ::sigaddset(&set, signal);
        ::pthread_sigmask(SIG_BLOCK, &set, &oldMask_);
        fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        MIDONET_ASSERT(fd_ >= 0, "a signal descriptor can be made");
        reader_ = loop.onReadable(fd_, [fd = fd_, function = std::move(function)] {
            signalfd_siginfo info{};
            if (::read(fd, &info, sizeof info) == sizeof info)
                function(static_cast<int>(info.ssi_signo));
        });
    }
    ~SignalHandle() override {
        reader_.reset();
        ::close(fd_);
        ::pthread_sigmask(SIG_SETMASK, &oldMask_, nullptr);
    }
    SignalHandle(const SignalHandle&) = delete;
    SignalHandle& operator=(const SignalHandle&) = delete;

private:
    sigset_t oldMask_{};
    int fd_ = -1;
    HandlePtr reader_;
};

HandlePtr VirtualLoop::onSignal(std::initializer_list<int> signals,
                                std::function<void(int)> function) {
    return std::make_unique<SignalHandle>(*this, signals, std::move(function));
}

}  // namespace

std::unique_ptr<Loop> Loop::createVirtual(std::string name) {
    return std::make_unique<VirtualLoop>(std::move(name));
}

}  // namespace midonet::event
