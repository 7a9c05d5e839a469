#include "netlink/monitor.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "netlink/route_socket.h"

namespace midonet::netlink {
namespace {

using namespace std::chrono_literals;

const Logger kLog{"netlink"};

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_NEIGH |
                             RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
constexpr int kKernelQueueBytes = 4 * 1024 * 1024;
constexpr std::size_t kReceiveBuffer = 64 * 1024;
constexpr int kDatagramsPerTurn = 64;  // then other work of the loop gets its turn
constexpr auto kRetryAfterFailure = 1s;

struct SocketCloser {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using SocketPtr = std::unique_ptr<mnl_socket, SocketCloser>;

struct Subscriber {
    Monitor::Listener listener;
    bool alive = true;
};

class SubscriberHandle final : public event::Handle {
public:
    explicit SubscriberHandle(std::shared_ptr<Subscriber> subscriber)
        : subscriber_(std::move(subscriber)) {}
    ~SubscriberHandle() override { subscriber_->alive = false; }

private:
    std::shared_ptr<Subscriber> subscriber_;
};

class KernelMonitor final : public Monitor {
public:
    KernelMonitor(event::Loop& loop, SocketPtr events, RouteSocket requests)
        : loop_(loop), events_(std::move(events)), requests_(std::move(requests)) {}

    Result<void> begin() {
        TRY(changes, readAll());
        reader_ = loop_.onReadable(mnl_socket_get_fd(events_.get()), [this] { readEvents(); });
        return {};
    }
    const Mirror& mirror() const override { return mirror_; }
    event::HandlePtr onChange(Listener listener) override {
        auto subscriber = std::make_shared<Subscriber>(Subscriber{std::move(listener)});
        subscribers_.push_back(subscriber);
        return std::make_unique<SubscriberHandle>(std::move(subscriber));
    }
    std::uint64_t overruns() const override { return overruns_; }

    void resynchronise() override {
        retry_.reset();
        auto changes = readAll();
        if (!changes) {
            kLog.error("kernel tables not read; trying again", {kv("reason", changes.error())});
            retry_ = loop_.after(kRetryAfterFailure, [this] { resynchronise(); });
            return;
        }
        changes->push_back(Change<Route>{});
        tell(*changes);
    }

private:
    Result<std::vector<Event>> readAll() {
        TRY(links, requests_.links());
        TRY(addresses, requests_.addresses());
        TRY(neighbours, requests_.neighbours());
        return mirror_.replace(links, addresses, neighbours);
    }

    void readEvents() {
        std::vector<Event> changes;
        bool overrun = false;
        for (int i = 0; i < kDatagramsPerTurn; ++i) {
            const auto length = ::recv(mnl_socket_get_fd(events_.get()), buffer_.data(), buffer_.size(),
                                       MSG_DONTWAIT | MSG_TRUNC);
            if (length < 0) {
                overrun = overrun || errno == ENOBUFS;
                if (errno == ENOBUFS || errno == EINTR) continue;
                break;
            }
            if (static_cast<std::size_t>(length) > buffer_.size()) {
                overrun = true;
                continue;
            }
            addEvents(ByteView(buffer_).first(static_cast<std::size_t>(length)), changes);
        }
        // Even before an overrun's re-reading: what it finds equal to the mirror would not be told.
        if (!changes.empty()) tell(changes);
        if (overrun) {
            ++overruns_;
            kLog.warn("kernel events lost; reading its tables anew", {kv("overruns", overruns_)});
            resynchronise();
        }
    }
    void addEvents(ByteView datagram, std::vector<Event>& changes) {
        const auto messages = splitDatagram(datagram);
        if (!messages) {
            kLog.warn("kernel event ignored", {kv("reason", messages.error())});
            return;
        }
        for (const auto message : *messages) {
            auto event = parseEvent(message);
            if (!event) {
                kLog.warn("kernel event ignored", {kv("reason", event.error())});
            } else if (*event && mirror_.apply(**event)) {
                changes.push_back(std::move(**event));
            }
        }
    }
    void tell(const std::vector<Event>& changes) {
        if (changes.empty()) return;
        for (const auto& subscriber : std::vector(subscribers_)) {
            if (subscriber->alive) subscriber->listener(changes);
        }
        std::erase_if(subscribers_, [](const auto& subscriber) { return !subscriber->alive; });
    }

    event::Loop& loop_;
    SocketPtr events_;
    RouteSocket requests_;
    Mirror mirror_;
    std::vector<std::shared_ptr<Subscriber>> subscribers_;
    std::uint64_t overruns_ = 0;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kReceiveBuffer);
    event::HandlePtr reader_;
    event::HandlePtr retry_;
};

}  // namespace

Result<std::unique_ptr<Monitor>> Monitor::start(event::Loop& loop) {
    TRY(requests, RouteSocket::open());
    SocketPtr events(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!events) return fail(ErrorCode::Unavailable, "netlink socket: {}", std::strerror(errno));
    const int fd = mnl_socket_get_fd(events.get());
    // Beyond the system's limit with privilege, else up to it.
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kKernelQueueBytes, sizeof kKernelQueueBytes) != 0)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kKernelQueueBytes, sizeof kKernelQueueBytes);
    // Subscribed before the tables are read: a change in between is seen twice, never missed.
    if (mnl_socket_bind(events.get(), kGroups, MNL_SOCKET_AUTOPID) < 0)
        return fail(ErrorCode::Unavailable, "netlink socket: {}", std::strerror(errno));
    auto monitor = std::make_unique<KernelMonitor>(loop, std::move(events), std::move(requests));
    TRY_VOID(monitor->begin());
    return std::unique_ptr<Monitor>(std::move(monitor));
}

}  // namespace midonet::netlink
