#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "nsdb/embedded/lease_file.h"

namespace midonet::nsdb::embedded {

/// A lease of this process: shared by its loop (the owner), the watcher's thread (heartbeat, loss) and
/// the writer's (opening).
class HeldLease : public std::enable_shared_from_this<HeldLease> {
public:
    HeldLease(event::Loop& loop, const Uuid& id, event::Duration ttl, Backend::LeaseCallback callback)
        : id_(id), ttl_(ttl), callback_(std::move(callback)), loop_(&loop) {}

    const Uuid& id() const { return id_; }
    event::Duration ttl() const { return ttl_; }

    /// The owner is gone: nothing is posted any more. On the loop.
    void release();
    /// Runs on the loop, if the owner still lives then. Any thread.
    void post(std::function<void()> function);
    /// Tells the owner. Any thread.
    void report(LeaseState state);
    void beat();

    /// What is to be done about it; each starts something that happens once.
    bool startOpening();   ///< True when it is neither open nor being opened.
    void opened(LeaseRecord record, std::unique_ptr<LeaseFile> file);
    void openingFailed();
    /// True when it was open: it is lost from here on, and its file closed.
    bool lose();
    /// The record while it is open.
    std::optional<LeaseRecord> record() const;
    bool released() const;

private:
    enum class Phase { Closed, Opening, Open };

    const Uuid id_;
    const event::Duration ttl_;
    const Backend::LeaseCallback callback_;
    bool alive_ = true;  // the loop's
    mutable std::mutex mutex_;
    event::Loop* loop_;                // guarded by mutex_; nullptr: released
    Phase phase_ = Phase::Closed;      // guarded by mutex_
    LeaseRecord record_;               // guarded by mutex_
    std::unique_ptr<LeaseFile> file_;  // guarded by mutex_
};

}  // namespace midonet::nsdb::embedded
