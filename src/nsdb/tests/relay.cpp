#include "relay.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <utility>

#include "loopback.h"

namespace midonet::nsdb {
namespace {

/// A packet of ZooKeeper's protocol: its length, then who it is of.
bool isPing(std::string_view piece) { return piece.starts_with(std::string_view("\0\0\0\x8\xff\xff\xff\xfe", 8)) && piece.size() == 12; }

bool sendAll(int to, std::string_view bytes) {
    return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Relay::Relay(std::vector<std::uint16_t> servers) : servers_(std::move(servers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_ = bindToFreePort(listener_);
    EXPECT_NE(port_, 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK), 0);
    thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    poke();
    thread_.join();
    closeAll();
    for (const int fd : {listener_, wake_[0], wake_[1]}) ::close(fd);
}

std::string Relay::address() const { return fmt::format("127.0.0.1:{}", port_); }

void Relay::cut() {
    const std::lock_guard lock(mutex_);
    isCut_ = true;
    poke();
}

void Relay::restore() {
    const std::lock_guard lock(mutex_);
    isCut_ = false;
    poke();
}

void Relay::loseAnswerAfter(int pieces) {
    const std::lock_guard lock(mutex_);
    piecesLeft_ = pieces;
}

void Relay::withholdAnswer() {
    const std::lock_guard lock(mutex_);
    withhold_ = true;
}

int Relay::accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
}

void Relay::poke() { [[maybe_unused]] const auto written = ::write(wake_[1], "", 1); }

void Relay::run() {
    while (true) {
        std::vector<pollfd> items{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto& [fd, peer] : peers_) items.push_back({fd, POLLIN, 0});
        ::poll(items.data(), items.size(), -1);
        char byte[64];
        while (::read(wake_[0], byte, sizeof byte) > 0) {
        }
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            if (isCut_) closeAll();
        }
        if (items[1].revents != 0) accept();
        for (std::size_t i = 2; i < items.size(); ++i) {
            const int fd = items[i].fd;
            const auto peer = peers_.find(fd);
            if (items[i].revents == 0 || peer == peers_.end()) continue;
            if (forward(fd, peer->second, isServer_[fd])) continue;
            for (const int end : {fd, peer->second}) {
                ::close(end);
                isServer_.erase(end);
            }
            peers_.erase(peer->second);
            peers_.erase(fd);
        }
    }
}

void Relay::accept() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(servers_[next_++ % servers_.size()]);
    bool refused = false;
    {
        const std::lock_guard lock(mutex_);
        refused = isCut_;
    }
    if (refused || ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ++accepted_;
    }
    withheld_.clear();
    const int now = 1;
    for (const int end : {client, server}) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    peers_[client] = server;
    peers_[server] = client;
    isServer_[server] = true;
}

bool Relay::forward(int from, int to, bool fromServer) {
    char bytes[65536];
    const auto length = ::recv(from, bytes, sizeof bytes, 0);
    if (length <= 0) return false;
    const std::string_view piece(bytes, static_cast<std::size_t>(length));
    if (fromServer) {
        const std::lock_guard lock(mutex_);
        if (piecesLeft_ >= 0 && piecesLeft_-- == 0) return false;
        if (!withheld_.empty() || std::exchange(withhold_, false)) {
            withheld_ += piece;
            return true;
        }
    } else if (!withheld_.empty() && !isPing(piece)) {
        const auto kept = std::exchange(withheld_, {});
        if (!sendAll(from, kept)) return false;
    }
    return sendAll(to, piece);
}

void Relay::closeAll() {
    for (const auto& [fd, peer] : peers_) ::close(fd);
    peers_.clear();
    isServer_.clear();
}

}  // namespace midonet::nsdb
