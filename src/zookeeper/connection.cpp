#include "zookeeper/internal/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <random>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "event/asio.h"

namespace midonet::zookeeper {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"zookeeper"};
constexpr event::Duration kFirstPause = 20ms;
constexpr event::Duration kLongestPause = 1s;

/// The C client takes one answer at a time: so many before others have their turn, as waiting in between costs more than an answer.
constexpr int kMostTurns = 100;

/// What of `interest` need not be waited for.
int readyNow(int descriptor, int interest) {
    pollfd polled{descriptor, static_cast<short>((interest & ZOOKEEPER_READ) != 0 ? POLLIN : 0), 0};
    return ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLIN) != 0 ? ZOOKEEPER_READ : 0;
}

/// The C client writes each request in two pieces: while corked they leave as full packets.
void cork(int descriptor, bool on) {
    const int value = on ? 1 : 0;
    if (descriptor >= 0) static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &value, sizeof value));
}

/// State is looked at after each pump, and znodes have a watcher of their own.
void ignoreEvent(zhandle_t*, int, int, const char*, void*) {}
void ignoreAnswer(int, const void*) {}
void logMessage(const char* message) { kLog.debug(message); }

}  // namespace

Connection::Connection(event::Loop& loop, const Options& options, std::function<void()> onPumped)
    : loop_(loop), onPumped_(std::move(onPumped)), descriptor_(event::ioContext(loop)) {
    ::zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count();
    handle_ = ::zookeeper_init2(options.addresses.c_str(), ignoreEvent, static_cast<int>(timeout), options.session,
                                nullptr, ZOO_NO_LOG_CLIENTENV, logMessage);
    MIDONET_ASSERT(handle_ != nullptr, "numeric addresses are all that the C client needs");
    ::zoo_set_servers_resolution_delay(handle_, -1);
    if (!options.credentials.empty())
        ::zoo_add_auth(handle_, "digest", options.credentials.data(), static_cast<int>(options.credentials.size()), ignoreAnswer,
                       nullptr);
    pumpSoon();
}

Connection::~Connection() {
    ++*turn_;
    letGo();
    ::zookeeper_close(handle_);
}

void Connection::pumpSoon() {
    if (std::exchange(pumpPosted_, true)) return;
    loop_.post([this, turn = std::weak_ptr(turn_)] {
        if (turn.expired()) return;
        pumpPosted_ = false;
        pump(0);
    });
}

void Connection::freeze() {
    frozen_ = true;
    ++*turn_;
    letGo();
}

void Connection::thaw() {
    frozen_ = false;
    pumpSoon();
}

/// The descriptor is let go before the C client may close it.
void Connection::letGo() {
    timer_.reset();
    if (descriptor_.is_open()) descriptor_.release();
}

void Connection::pump(int events) {
    if (frozen_) return;
    ++*turn_;
    letGo();
    cork(socket_, true);
    int interest = 0;
    timeval time{};
    for (int turns = 0; turns < kMostTurns; ++turns) {
        if (events != 0) ::zookeeper_process(handle_, events);
        onPumped_();
        const int code = ::zookeeper_interest(handle_, &socket_, &interest, &time);
        onPumped_();
        if (code != ZOK || socket_ < 0) {
            socket_ = -1;
            timer_ = loop_.after(nextPause(), [this] { pump(0); });
            return;
        }
        if (connected()) failures_ = 0;
        events = readyNow(socket_, interest);
        if (events == 0) break;
    }
    cork(socket_, false);
    arm(socket_, interest, time);
}

/// Grows, and is never the same for two clients.
event::Duration Connection::nextPause() {
    thread_local std::minstd_rand random{std::random_device{}()};
    const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
    return pause / 2 + event::Duration(std::uniform_int_distribution<event::Duration::rep>(0, pause.count() / 2)(random));
}

void Connection::arm(int descriptor, int interest, const timeval& time) {
    using Descriptor = boost::asio::posix::stream_descriptor;
    boost::system::error_code error;
    descriptor_.assign(descriptor, error);
    MIDONET_ASSERT(!error, "the C client gives an open socket");
    const auto wait = [&](Descriptor::wait_type what, int event) {
        if ((interest & event) == 0) return;
        descriptor_.async_wait(what, [this, event, turn = std::weak_ptr(turn_), mine = *turn_](const auto&) {
            const auto now = turn.lock();
            if (now != nullptr && *now == mine) pump(event);
        });
    };
    wait(Descriptor::wait_read, ZOOKEEPER_READ);
    wait(Descriptor::wait_write, ZOOKEEPER_WRITE);
    const auto pause = std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    timer_ = loop_.after(std::max<event::Duration>(pause, 1ms), [this] { pump(0); });
}

}  // namespace midonet::zookeeper
