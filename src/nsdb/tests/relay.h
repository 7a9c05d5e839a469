#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace midonet::nsdb {

/// A TCP port of the loopback that leads to one of several servers, and can be cut: the client behind it loses its
/// connections, the servers and all other clients notice nothing else.
class Relay {
public:
    explicit Relay(std::vector<std::uint16_t> servers);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    std::string address() const;
    /// Ends all connections; new ones are refused until restore().
    void cut();
    void restore();
    /// Ends a connection when the servers have sent so many pieces more on it: the next one is lost.
    void loseAnswerAfter(int pieces);
    /// Keeps the servers' next piece until a client sends something, other than that it is alive.
    void withholdAnswer();
    /// Connections so far.
    int accepted() const;

private:
    void run();
    void poke();
    void accept();
    /// False when the connection has ended.
    bool forward(int from, int to, bool fromServer);
    void closeAll();

    const std::vector<std::uint16_t> servers_;
    std::size_t next_ = 0;
    int listener_ = -1;
    int wake_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    bool stopping_ = false;      // guarded by mutex_
    bool isCut_ = false;         // guarded by mutex_
    int piecesLeft_ = -1;        // guarded by mutex_; -1: nothing is to be lost
    bool withhold_ = false;      // guarded by mutex_
    int accepted_ = 0;           // guarded by mutex_
    std::string withheld_;       // the thread's
    std::map<int, int> peers_;   // the thread's; by descriptor, both ways
    std::map<int, bool> isServer_;  // the thread's
    std::thread thread_;
};

}  // namespace midonet::nsdb
