#include "cli/interrupt.h"

#include <poll.h>

#include <csignal>
#include <ctime>

namespace midonet::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

/// What to wait with: the mask of before, in which SIGINT comes through.
sigset_t blockInterrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    ::sigaction(SIGINT, &action, nullptr);
    sigset_t interrupt{};
    sigset_t before{};
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGINT);
    ::sigprocmask(SIG_BLOCK, &interrupt, &before);
    ::sigdelset(&before, SIGINT);
    return before;
}

}  // namespace

bool pauseUnlessInterrupted(event::Duration time) {
    static const sigset_t waiting = blockInterrupts();
    const auto until = std::chrono::steady_clock::now() + time;
    while (interrupted == 0) {
        const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(std::max(until - std::chrono::steady_clock::now(), event::Duration{}));
        const timespec wait{static_cast<time_t>(left.count() / 1'000'000'000), static_cast<long>(left.count() % 1'000'000'000)};
        if (::ppoll(nullptr, 0, &wait, &waiting) == 0) return interrupted == 0;
    }
    return false;
}

}  // namespace midonet::cli
