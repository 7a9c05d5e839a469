#include "nsdb/embedded/writer.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "base/scope_guard.h"

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostJobs = 64;
constexpr auto kLockPatience = 10s;

}  // namespace

Writer::Writer(Environment& environment, std::function<void(Revision)> afterCommit)
    : environment_(environment),
      afterCommit_(std::move(afterCommit)),
      lock_(environment.file(kWriteLockFile)),
      thread_([this] { serve(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Writer::submit(Job job) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
    }
    changed_.notify_one();
}

Result<Revision> Writer::run(std::function<Result<void>(WriteTransaction&)> apply) {
    std::promise<Result<Revision>> promise;
    auto future = promise.get_future();
    submit({std::move(apply), [&](Result<Revision> result) { promise.set_value(std::move(result)); }});
    return future.get();
}

void Writer::serve() {
    ::pthread_setname_np(::pthread_self(), "nsdb-write");
    while (true) {
        std::vector<Job> jobs;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
            if (queue_.empty()) return;
            const auto count = std::min(queue_.size(), kMostJobs);
            const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
            jobs.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
            queue_.erase(queue_.begin(), end);
        }
        process(std::move(jobs));
    }
}

void Writer::process(std::vector<Job> jobs) {
    const auto outcomes = commit(jobs);
    if (!outcomes && outcomes.error().code == ErrorCode::Exhausted && jobs.size() > 1) {
        // One may be too large; the others need not suffer.
        for (auto& job : jobs) {
            std::vector<Job> single;
            single.push_back(std::move(job));
            process(std::move(single));
        }
        return;
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!outcomes)
            jobs[i].done(Unexpected{outcomes.error()});
        else if (const auto& outcome = (*outcomes)[i]; !outcome.applied)
            jobs[i].done(Unexpected{outcome.applied.error()});
        else
            jobs[i].done(outcome.revision);
    }
}

Result<std::vector<Writer::Outcome>> Writer::commit(const std::vector<Job>& jobs) {
    // Never into a file that was moved away: it may be somebody's backup.
    if (!environment_.available() || environment_.presence() != Environment::Presence::Here)
        return environment_.away();
    if (forgetLock_.exchange(false)) lock_.forget();
    TRY_VOID(lock_.acquire(kLockPatience));
    const ScopeGuard unlock([this] { lock_.release(); });

    std::vector<Outcome> outcomes;
    Revision newest = 0;
    const auto written = environment_.write(
        [&](MDB_txn* txn, const Databases& databases, int& code) -> Result<bool> {
            outcomes.clear();
            newest = 0;
            WriteTransaction transaction(txn, databases, environment_.options().keptRevisions);
            for (const auto& job : jobs) {
                auto applied = job.apply(transaction);
                const auto revision = transaction.finishJob();
                outcomes.push_back({std::move(applied), revision});
                if ((code = transaction.failure()) != 0) return false;
            }
            if (!transaction.changedAnything()) return false;
            newest = outcomes.back().revision;
            return true;
        });
    if (!written) return Unexpected{written.error()};
    if (newest != 0) afterCommit_(newest);
    return outcomes;
}

}  // namespace midonet::nsdb::embedded
