#include "nsdb/local_watches.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "nsdb/change_log.h"

namespace midonet::nsdb {
namespace {

struct LoopQueue;

/// One watch of a record or a directory.
struct Watch {
    // Fixed.
    std::uint64_t id = 0;
    RecordKey key;  // name empty: the whole directory
    Backend::RecordCallback onRecord;
    Backend::DirectoryCallback onDirectory;
    std::shared_ptr<LoopQueue> queue;

    // The loop's.
    bool alive = true;
    bool delivered = false;
    std::optional<Revision> version;  // of the record delivered last

    // Guarded by the mutex of the state.
    bool reset = true;
    std::set<std::string> names;  // dirty ones of a directory
    Revision covered = 0;         // changes up to here are in what was delivered
};
using WatchPtr = std::shared_ptr<Watch>;

/// Dirty watches of one loop.
struct LoopQueue {
    event::Loop* loop = nullptr;
    std::size_t watches = 0;
    bool posted = false;
    std::map<std::uint64_t, WatchPtr> dirty;  // by id: deliveries come in the order of making
};

struct Job {
    WatchPtr watch;
    bool reset = false;
    std::set<std::string> names;
};

struct DirectoryWatches {
    std::vector<WatchPtr> whole;
    std::map<std::string, std::vector<WatchPtr>, std::less<>> records;
    bool empty() const { return whole.empty() && records.empty(); }
};

}  // namespace

struct LocalWatches::State : std::enable_shared_from_this<State> {
    void mark(const WatchPtr& watch, bool reset, const std::string* name) {
        if (reset) watch->reset = true;
        if (name != nullptr && !watch->reset) watch->names.insert(*name);
        watch->queue->dirty.emplace(watch->id, watch);
        wake(watch->queue);
    }
    void wake(const std::shared_ptr<LoopQueue>& queue) {
        if (queue->posted || queue->dirty.empty()) return;
        queue->posted = true;
        queue->loop->post([state = shared_from_this(), queue] { state->deliver(queue); });
    }

    std::shared_ptr<LoopQueue> queueOf(event::Loop& loop) {
        for (const auto& queue : queues)
            if (queue->loop == &loop) return queue;
        auto made = std::make_shared<LoopQueue>();
        made->loop = &loop;
        queues.push_back(made);
        return made;
    }
    void add(const WatchPtr& watch, event::Loop& loop) {
        const std::lock_guard lock(mutex);
        watch->id = ++lastId;
        watch->queue = queueOf(loop);
        ++watch->queue->watches;
        auto& directory = directories[watch->key.directory];
        (watch->key.name.empty() ? directory.whole : directory.records[watch->key.name])
            .push_back(watch);
        mark(watch, true, nullptr);
    }
    void remove(const WatchPtr& watch) {
        watch->alive = false;
        const std::lock_guard lock(mutex);
        watch->queue->dirty.erase(watch->id);
        if (--watch->queue->watches == 0) std::erase(queues, watch->queue);
        const auto directory = directories.find(watch->key.directory);
        if (watch->key.name.empty()) {
            std::erase(directory->second.whole, watch);
        } else {
            const auto records = directory->second.records.find(watch->key.name);
            std::erase(records->second, watch);
            if (records->second.empty()) directory->second.records.erase(records);
        }
        if (directory->second.empty()) directories.erase(directory);
    }

    /// On the loop of the queue.
    void deliver(const std::shared_ptr<LoopQueue>& queue) {
        OpenSnapshot openNow;
        std::uint64_t retriesBefore = 0;
        {
            const std::lock_guard lock(mutex);
            openNow = open;
            retriesBefore = retries;
        }
        auto jobs = take(*queue);
        if (jobs.empty() || !openNow) return;
        const auto snapshot = openNow();
        if (!snapshot) return putBack(queue, jobs, retriesBefore);
        cover(jobs, (*snapshot)->revision());
        std::vector<Job> failed;
        for (auto& job : jobs) {
            if (!job.watch->alive) continue;
            const bool read = job.watch->key.name.empty() ? deliverDirectory(job, **snapshot)
                                                          : deliverRecord(*job.watch, **snapshot);
            if (!read) failed.push_back(std::move(job));
        }
        if (!failed.empty()) putBack(queue, failed, retriesBefore);
    }

    std::vector<Job> take(LoopQueue& queue) {
        const std::lock_guard lock(mutex);
        queue.posted = false;
        std::vector<Job> jobs;
        for (auto& [id, watch] : queue.dirty) {
            jobs.push_back({watch, watch->reset, std::exchange(watch->names, {})});
            watch->reset = false;
        }
        queue.dirty.clear();
        return jobs;
    }
    /// They wait for retry(), unless it came meanwhile.
    void putBack(const std::shared_ptr<LoopQueue>& queue, const std::vector<Job>& jobs,
                 std::uint64_t retriesBefore) {
        const std::lock_guard lock(mutex);
        for (const auto& job : jobs) {
            if (!job.watch->alive) continue;
            job.watch->reset = job.watch->reset || job.reset;
            job.watch->names.insert(job.names.begin(), job.names.end());
            job.watch->covered = 0;
            queue->dirty.emplace(job.watch->id, job.watch);
        }
        if (retries != retriesBefore) wake(queue);
    }
    /// A directory of which only some names are read is not covered: a change of another one may be
    /// in the snapshot and not be marked yet.
    void cover(const std::vector<Job>& jobs, Revision revision) {
        const std::lock_guard lock(mutex);
        for (const auto& job : jobs)
            if (job.reset || !job.watch->key.name.empty()) job.watch->covered = revision;
    }

    static bool deliverRecord(Watch& watch, Snapshot& snapshot) {
        const auto record = snapshot.get(watch.key.directory, watch.key.name);
        if (!record) return false;
        std::optional<Revision> version;
        if (*record) version = (*record)->version;
        if (watch.delivered && version == watch.version) return true;
        watch.delivered = true;
        watch.version = version;
        watch.onRecord(*record);
        return true;
    }
    static bool deliverDirectory(const Job& job, Snapshot& snapshot) {
        auto& watch = *job.watch;
        DirectoryChange change;
        change.reset = job.reset;
        const auto add = [&](const Record& record) {
            change.updated.push_back({std::string(record.name), std::string(record.value),
                                      record.version, record.lease});
        };
        if (job.reset) {
            if (!snapshot.list(watch.key.directory, add)) return false;
        } else {
            for (const auto& name : job.names) {
                const auto record = snapshot.get(watch.key.directory, name);
                if (!record) return false;
                if (*record)
                    add(**record);
                else
                    change.removed.push_back(name);
            }
        }
        watch.onDirectory(change);
        return true;
    }

    std::mutex mutex;
    OpenSnapshot open;                                             // guarded by mutex
    std::uint64_t lastId = 0;                                      // guarded by mutex
    std::uint64_t retries = 0;                                     // guarded by mutex
    std::vector<std::shared_ptr<LoopQueue>> queues;                // guarded by mutex
    std::map<std::string, DirectoryWatches, std::less<>> directories;  // guarded by mutex
};

namespace {

/// `Remove` is a function, so that the handle does not need to know the private state.
class WatchHandle final : public event::Handle {
public:
    WatchHandle(WatchPtr watch, std::function<void(const WatchPtr&)> remove)
        : watch_(std::move(watch)), remove_(std::move(remove)) {}
    ~WatchHandle() override { remove_(watch_); }

private:
    WatchPtr watch_;
    std::function<void(const WatchPtr&)> remove_;
};

}  // namespace

LocalWatches::LocalWatches(OpenSnapshot open) : state_(std::make_shared<State>()) {
    state_->open = std::move(open);
}

LocalWatches::~LocalWatches() {
    const std::lock_guard lock(state_->mutex);
    state_->open = nullptr;
}

event::HandlePtr LocalWatches::watchRecord(event::Loop& loop, RecordKey key,
                                           Backend::RecordCallback callback) {
    auto watch = std::make_shared<Watch>();
    watch->key = std::move(key);
    watch->onRecord = std::move(callback);
    state_->add(watch, loop);
    return std::make_unique<WatchHandle>(
        std::move(watch), [state = state_](const WatchPtr& w) { state->remove(w); });
}

event::HandlePtr LocalWatches::watchDirectory(event::Loop& loop, std::string directory,
                                              Backend::DirectoryCallback callback) {
    auto watch = std::make_shared<Watch>();
    watch->key.directory = std::move(directory);
    watch->onDirectory = std::move(callback);
    state_->add(watch, loop);
    return std::make_unique<WatchHandle>(
        std::move(watch), [state = state_](const WatchPtr& w) { state->remove(w); });
}

void LocalWatches::changed(std::span<const Change> changes) {
    const std::lock_guard lock(state_->mutex);
    for (const auto& change : changes) {
        const auto directory = state_->directories.find(change.key.directory);
        if (directory == state_->directories.end()) continue;
        const auto markAll = [&](const std::vector<WatchPtr>& watches) {
            for (const auto& watch : watches)
                if (change.revision > watch->covered) state_->mark(watch, false, &change.key.name);
        };
        markAll(directory->second.whole);
        const auto records = directory->second.records.find(change.key.name);
        if (records != directory->second.records.end()) markAll(records->second);
    }
}

void LocalWatches::everythingChanged() {
    const std::lock_guard lock(state_->mutex);
    for (auto& [path, directory] : state_->directories) {
        const auto markAll = [&](const std::vector<WatchPtr>& watches) {
            for (const auto& watch : watches) {
                watch->covered = 0;
                state_->mark(watch, true, nullptr);
            }
        };
        markAll(directory.whole);
        for (const auto& [name, watches] : directory.records) markAll(watches);
    }
}

void LocalWatches::retry() {
    const std::lock_guard lock(state_->mutex);
    ++state_->retries;
    for (const auto& queue : state_->queues) state_->wake(queue);
}

void announceLog(std::vector<LocalWatches::Change>& changes) {
    const auto newest = std::find_if(changes.rbegin(), changes.rend(), [](const auto& change) { return isLogged(change.key.directory); });
    if (newest == changes.rend()) return;
    changes.push_back({newest->revision, {std::string(kLogDirectory), "newest"}});
}

}  // namespace midonet::nsdb
