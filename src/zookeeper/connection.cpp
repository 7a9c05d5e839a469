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

/// The C client writes each request in two pieces: on a corked socket they leave as full packets, ...
void cork(int descriptor, bool on) {
    const int value = on ? 1 : 0;
    static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &value, sizeof value));
}

/// ... at the latest when it is told so (tcp(7): TCP_NODELAY flushes, corked or not).
void flush(int descriptor) {
    const int on = 1;
    static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
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
    letGo();
    if (connected()) cork(socket_, false);  // what ends the session leaves at once
    ::zookeeper_close(handle_);
}

/// Whatever is asked for during a turn is sent in it.
void Connection::pumpSoon() {
    if (pumping_) {
        pumpAgain_ = true;
        return;
    }
    if (std::exchange(pumpPosted_, true)) return;
    loop_.post([this, holds = std::weak_ptr(holds_)] {
        if (holds.expired()) return;
        pumpPosted_ = false;
        pump(0);
    });
}

void Connection::freeze() {
    frozen_ = true;
    letGo();
}

void Connection::thaw() {
    frozen_ = false;
    pumpSoon();
}

/// Nobody waits for the socket any more.
void Connection::letGo() {
    ++*holds_;
    waiting_ = 0;
    timer_.reset();
    if (descriptor_.is_open()) descriptor_.release();
}

/// The socket may be a new one that has the number of the one before, unless that was connected and still is.
void Connection::hold() {
    if (descriptor_.is_open()) return;
    boost::system::error_code error;
    descriptor_.assign(socket_, error);
    MIDONET_ASSERT(!error, "the C client gives an open socket");
    cork(socket_, true);
}

void Connection::pump(int events) {
    if (frozen_) return;
    if (!connected()) letGo();
    int interest = 0;
    timeval time{};
    pumping_ = true;
    bool open = true;
    for (int turns = 0; open && turns < kMostTurns; ++turns) {
        open = turn(events, interest, time);
        if (!open || (events = readyNow(socket_, interest)) == 0) break;
    }
    pumping_ = false;
    if (open) {
        flush(socket_);
        hold();
        arm(interest, time);
    } else {
        letGo();
        timer_ = loop_.after(nextPause(), [this] { pump(0); });
    }
    if (std::exchange(pumpAgain_, false)) pumpSoon();
}

bool Connection::turn(int events, int& interest, timeval& time) {
    if (events != 0) ::zookeeper_process(handle_, events);
    onPumped_();
    pumpAgain_ = false;
    const int code = ::zookeeper_interest(handle_, &socket_, &interest, &time);
    onPumped_();
    if (!connected()) letGo();
    if (code != ZOK || socket_ < 0) {
        socket_ = -1;
        return false;
    }
    if (connected()) failures_ = 0;
    return true;
}

/// Grows, and is never the same for two clients.
event::Duration Connection::nextPause() {
    thread_local std::minstd_rand random{std::random_device{}()};
    const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
    return pause / 2 + event::Duration(std::uniform_int_distribution<event::Duration::rep>(0, pause.count() / 2)(random));
}

void Connection::arm(int interest, const timeval& time) {
    using Descriptor = boost::asio::posix::stream_descriptor;
    if ((interest & ZOOKEEPER_READ) != 0) wait(Descriptor::wait_read, ZOOKEEPER_READ);
    if ((interest & ZOOKEEPER_WRITE) != 0) wait(Descriptor::wait_write, ZOOKEEPER_WRITE);
    const auto pause = std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    timer_ = loop_.after(std::max<event::Duration>(pause, 1ms), [this] { pump(0); });
}

void Connection::wait(boost::asio::posix::stream_descriptor::wait_type what, int event) {
    if ((waiting_ & event) != 0) return;
    waiting_ |= event;
    descriptor_.async_wait(what, [this, event, holds = std::weak_ptr(holds_), mine = *holds_](const auto&) {
        const auto now = holds.lock();
        if (now == nullptr || *now != mine) return;
        waiting_ &= ~event;
        pump(event);
    });
}

}  // namespace midonet::zookeeper
