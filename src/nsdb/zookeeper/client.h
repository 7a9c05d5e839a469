#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "event/loop.h"
#include "nsdb/backend.h"
#include "zookeeper/session.h"

namespace midonet::nsdb::zookeeper {

namespace zk = midonet::zookeeper;

/// A session for callers that block: on any thread but the session's loop. Its writes have an outcome that is certain: each
/// multi also sets a marker, a znode of this client alone, so that after a lost connection the marker tells whether it
/// was done. A marker is written by one multi at a time; there are as many as were needed at once.
class Client : public std::enable_shared_from_this<Client> {
public:
    Client(event::Loop& loop, event::BlockingPool& pool, zk::Session::Options options, std::string markerFolder);
    /// Closed before.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Connects; `listener` is called on the loop, until close().
    void open(std::shared_ptr<zk::Session::Listener> listener);
    /// Ends the session. What is under way fails with Unavailable. Any thread, does not wait.
    void close();
    /// On the loop, for what does not block; nullptr when closed.
    zk::Session* session() { return session_.get(); }
    event::Loop& loop() { return loop_; }

    /// As zk::Session::sync(): an error when there is no connection.
    Result<void> sync();
    struct Question {
        enum class What : std::uint8_t { Stat, Value, Children };
        std::string path;
        What what = What::Stat;
    };
    struct Found {
        zk::Stat stat;  ///< Not of Children.
        std::string value;
        std::vector<std::string> children;
    };
    /// All asked at once, read in this order; nullopt for znodes that are absent.
    Result<std::vector<std::optional<Found>>> read(std::vector<Question> questions);
    /// The same behind a sync(), in one go.
    Result<std::vector<std::optional<Found>>> readSynced(std::vector<Question> questions);

    /// Errors are zk::Session::multi's, without Timeout; the revision is that of the change. `onlyIn` as there.
    Result<Revision> write(const std::vector<zk::Operation>& operations, std::int64_t onlyIn = 0);
    /// Of checks alone, which need no marker; or where it does not matter who has done it.
    Result<void> check(std::vector<zk::Operation> operations);

    /// As the session's listener was told last.
    bool connected() const;
    void setConnected(bool connected);
    /// Of the session as it was at the last call; 0 before the first one.
    std::int64_t sessionId() const;
    /// Newest revision seen.
    Revision newest() const;
    void see(Revision revision);

    /// Znodes that are never removed once they are there, and were there when this client looked.
    bool knowsLasting(const std::string& path) const;
    void noteLasting(const std::string& path);

    /// Removes the markers of clients that died long ago.
    void removeStrays();

private:
    struct Marker {
        std::string path;
        std::int32_t version = 0;
    };
    template <class T>
    Result<T> await(std::function<void(zk::Session&, zk::Session::Answer<T>)> ask);
    Result<std::vector<zk::Stat>> multi(std::vector<zk::Operation> operations, std::int64_t onlyIn);
    Result<Marker> takeMarker();
    void giveBack(Marker marker);
    /// The zxid of the multi that wrote `tag`; nullopt: it was not done, and never will be.
    Result<std::optional<Revision>> outcomeOf(Marker& marker, const std::string& tag);

    event::Loop& loop_;
    event::BlockingPool& pool_;
    const zk::Session::Options options_;
    const std::string markerFolder_;
    std::shared_ptr<zk::Session::Listener> listener_;  // the loop's
    std::unique_ptr<zk::Session> session_;             // the loop's
    mutable std::mutex mutex_;
    std::vector<Marker> markers_;  // guarded by mutex_; those free
    Revision newest_ = 0;          // guarded by mutex_
    std::int64_t sessionId_ = 0;   // guarded by mutex_
    bool connected_ = false;       // guarded by mutex_
    std::unordered_set<std::string> lasting_;  // guarded by mutex_
};

}  // namespace midonet::nsdb::zookeeper
