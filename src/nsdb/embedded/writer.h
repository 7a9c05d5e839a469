#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "nsdb/embedded/write_lock.h"
#include "nsdb/embedded/write_transaction.h"

namespace midonet::nsdb::embedded {

/// The thread that writes: what is queued by then goes into one LMDB transaction and one disk
/// flush (group commit), each job still all or nothing and a revision of its own.
class Writer {
public:
    /// `afterCommit` runs on the writer's thread after each durable commit, before the jobs' `done`.
    Writer(Environment& environment, std::function<void(Revision)> afterCommit);
    /// Finishes what is queued.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    struct Job {
        /// An error means that nothing was written by this job. May run more than once.
        std::function<Result<void>(WriteTransaction&)> apply;
        /// On the writer's thread, when it is durable or refused.
        std::function<void(Result<Revision>)> done;
    };
    /// Any thread.
    void submit(Job job);
    /// Any thread but the writer's own: waits until it is done.
    Result<Revision> run(std::function<Result<void>(WriteTransaction&)> apply);

    /// The folder was replaced: its lock file is another one. Any thread.
    void forgetLockFile() { forgetLock_ = true; }

private:
    struct Outcome {
        Result<void> applied;
        Revision revision = 0;
    };

    void serve();
    void process(std::vector<Job> jobs);
    Result<std::vector<Outcome>> commit(const std::vector<Job>& jobs);

    Environment& environment_;
    const std::function<void(Revision)> afterCommit_;
    WriteLock lock_;  // the thread's
    std::atomic<bool> forgetLock_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> queue_;  // guarded by mutex_
    bool closing_ = false;   // guarded by mutex_
    std::thread thread_;     // last
};

}  // namespace midonet::nsdb::embedded
