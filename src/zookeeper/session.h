#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/loop.h"
#include "zookeeper/hosts.h"

namespace midonet::event {
class BlockingPool;
}

namespace midonet::zookeeper {

/// What ZooKeeper knows of a znode. A zxid is a place in its one total order of changes.
struct Stat {
    std::int64_t modified = 0;    ///< zxid of the change that wrote its value last.
    std::int64_t modifiedMs = 0;  ///< The same as time of the leader, since 1970.
    std::int32_t version = 0;     ///< Times its value was written since it was created.
    std::int32_t children = 0;
    std::int64_t owner = 0;       ///< Session of an ephemeral one; else 0.
};

struct Node {
    std::string value;
    Stat stat;
};

/// Names a session, and lets who has it take the session over.
struct SessionKey {
    std::int64_t id = 0;
    std::array<char, 16> password{};
};

inline constexpr std::int32_t kAnyVersion = -1;

/// One step of a multi.
struct Operation {
    /// CreateSequential: the servers put a number behind `path` that counts the children its parent ever had.
    enum class Kind : std::uint8_t { Check, Create, CreateEphemeral, CreateSequential, Set, Delete };
    Kind kind = Kind::Check;
    std::string path;
    std::string value;                   ///< Of creates and sets.
    std::int32_t version = kAnyVersion;  ///< Of the others: what it must be.
};

/// What a multi may hold, about: the servers drop the connection of who sends more (jute.maxbuffer, 1 MiB).
inline constexpr std::size_t kMaxRequest = 1'000'000;
/// What these take of that, at most.
std::size_t bytesOf(const std::vector<Operation>& operations);

/// A session with an ensemble: connects, connects again with growing pauses to any of the hosts, and is opened
/// anew when the servers have ended it. Lives on a loop: all calls and callbacks there.
///
/// Requests are answered in the order in which they were made, reads and writes alike. While there is no connection they
/// wait; reads without a watch and multis at most `patience`, then Unavailable: never sent.
class Session {
public:
    struct Options {
        std::vector<Host> hosts;
        event::Duration timeout{};   ///< The servers end the session of who is silent for so long.
        event::Duration patience{};
        std::string user;            ///< Digest authentication; empty: none, and everybody may do everything.
        std::string password;
        /// Of a process that is gone: ended at the servers before the first session is opened.
        std::optional<SessionKey> predecessor = {};
    };
    class Listener {
    public:
        virtual ~Listener() = default;
        /// `fresh`: it is another session than before. Its ephemeral znodes are gone and nothing is watched.
        virtual void onConnected(bool fresh) = 0;
        virtual void onDisconnected() = 0;
        /// What was read with a watch has changed; the watch is used up.
        virtual void onWatch(const std::string& path) = 0;
    };
    template <class T>
    using Answer = std::function<void(Result<T>)>;

    /// `pool` resolves names. `listener` and `pool` outlive the session.
    static std::unique_ptr<Session> open(event::Loop& loop, event::BlockingPool& pool, Options options, Listener& listener);
    /// Sends what waits if there is a connection, and ends the session. What has no answer yet is Unavailable.
    virtual ~Session() = default;

    /// Of the newest session; 0 before the first one.
    virtual std::int64_t id() const = 0;
    virtual SessionKey key() const = 0;
    virtual bool connected() const = 0;

    enum class Watch : std::uint8_t { No, Yes };
    /// NotFound when absent; nothing is watched then.
    virtual void get(std::string path, Watch watch, Answer<Node> answer) = 0;
    /// nullopt when absent; that is watched too.
    virtual void exists(std::string path, Watch watch, Answer<std::optional<Stat>> answer) = 0;
    /// Names, unordered; NotFound when the znode is absent.
    virtual void children(std::string path, Watch watch, Answer<std::vector<std::string>> answer) = 0;
    /// What is read after this is as new as anything acknowledged before it, to anybody.
    virtual void sync(Answer<bool> answer) = 0;
    /// All or nothing; gives the Stat that each set leaves. Fails as its first step that fails: Stale (another version),
    /// NotFound, AlreadyExists, Conflict (has children). Timeout: it was sent and the answer was lost, so it may have been
    /// done. `onlyIn`: Stale in any other session than this one; 0: any.
    virtual void multi(std::vector<Operation> operations, std::int64_t onlyIn, Answer<std::vector<Stat>> answer) = 0;

    /// Fault for tests: the servers end the session, as if this process had been frozen for too long.
    virtual void expire() = 0;
};

}  // namespace midonet::zookeeper
