#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace midonet::nsdb {

/// ZooKeeper servers of Debian's package on free ports of the loopback, started by the test and ended with it: a
/// shell waits for the test's end, however it comes, kills what still runs and removes the folder.
class Ensemble {
public:
    /// Returns once they serve.
    explicit Ensemble(std::size_t servers);
    ~Ensemble();
    Ensemble(const Ensemble&) = delete;
    Ensemble& operator=(const Ensemble&) = delete;

    /// Of one server, and of three, for all tests of a program; started when first asked for.
    static Ensemble& single();
    static Ensemble& three();

    std::size_t size() const { return servers_.size(); }
    std::uint16_t port(std::size_t server) const { return servers_[server].port; }
    /// As zookeeper.hosts.
    std::string hosts() const;
    /// Of the one that leads now; size() when there is none.
    std::size_t leader() const;
    /// kill -9, and waits for its end.
    void kill(std::size_t server);
    /// Again, on its port and with its data. Does not wait.
    void start(std::size_t server);
    void signal(std::size_t server, int number);
    /// Until all of them serve.
    void waitUntilServing() const;

private:
    struct Server {
        std::string folder;
        std::uint16_t port = 0, quorumPort = 0, electionPort = 0;
        pid_t pid = -1;
    };
    void writeConfig(std::size_t server) const;
    /// What it says of itself ("leader", "follower", "standalone"); "" when it does not serve.
    std::string mode(std::size_t server) const;

    std::string folder_;
    int janitor_ = -1;  // open as long as we live
    std::vector<Server> servers_;
};

}  // namespace midonet::nsdb
