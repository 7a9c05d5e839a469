#pragma once

#include <memory>
#include <mutex>

#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/session_file.h"

namespace midonet::nsdb::zookeeper {

/// A lease of this process: a session of its own, as ephemeral znodes end with theirs. Shared by the owner's loop and the
/// client's.
class HeldLease final : public zk::Session::Listener, public std::enable_shared_from_this<HeldLease> {
public:
    /// `file`: where the session is named; nullptr: nowhere.
    HeldLease(event::Loop& loop, const Uuid& id, Backend::LeaseCallback callback, std::shared_ptr<Client> client,
              std::unique_ptr<SessionFile> file)
        : id_(id), client_(std::move(client)), callback_(std::move(callback)), file_(std::move(file)), loop_(&loop) {}

    const Uuid& id() const { return id_; }
    Client& client() { return *client_; }
    /// The session the owner has been told of last: what it writes, it writes in this one. The owner's loop.
    std::int64_t toldSession() const { return told_; }

    void open() { client_->open(shared_from_this()); }
    /// The owner is gone: the lease ends, and nothing is posted any more. On the owner's loop.
    void release();
    /// Runs on the owner's loop, if it still lives then. Any thread.
    void post(std::function<void()> function);

    /// Fault for tests: waits until the session has been ended by the servers, and another one opened.
    void expire();

    // The client's loop.
    void onConnected(bool fresh) override;
    void onDisconnected() override;
    void onWatch(const std::string&) override {}

private:
    const Uuid id_;
    const std::shared_ptr<Client> client_;
    const Backend::LeaseCallback callback_;
    const std::unique_ptr<SessionFile> file_;  // the client's loop
    bool alive_ = true;      // the owner's
    std::int64_t told_ = 0;  // the owner's
    std::mutex mutex_;
    event::Loop* loop_;                   // guarded by mutex_; nullptr: released
    std::function<void()> whenReopened_;  // the client's loop
};

}  // namespace midonet::nsdb::zookeeper
