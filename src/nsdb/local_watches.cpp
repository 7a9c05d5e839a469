#include "nsdb/local_watches.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "nsdb/change_log.h"

namespace midonet::nsdb {
namespace {

struct LoopQueue;
struct Watch;
using WatchPtr = std::shared_ptr<Watch>;
/// By what is watched; without a name it is the whole directory.
using WatchesByKey = std::multimap<RecordKey, WatchPtr>;
/// Names of records that changed, hardly ever more than a few: each once, in order.
using Names = std::vector<std::string>;

void insert(Names& names, const std::string& name) {
    const auto place = std::lower_bound(names.begin(), names.end(), name);
    if (place == names.end() || *place != name) names.insert(place, name);
}

/// One watch of a record or a directory. An agent has two for each object it knows: small is good.
struct Watch {
    // Fixed.
    std::uint64_t id = 0;
    std::variant<Backend::RecordCallback, Backend::DirectoryCallback> callback;
    WatchesByKey::const_iterator place;
    std::shared_ptr<LoopQueue> queue;

    // Guarded by the mutex of the state.
    Names names;           // dirty ones of a directory
    Revision covered = 0;  // changes up to here are in what was delivered
    bool reset = true;

    // The loop's.
    bool alive = true;
    bool delivered = false;
    std::optional<Revision> version;  // of the record delivered last

    const RecordKey& key() const { return place->first; }
    bool isOfRecord() const { return callback.index() == 0; }
};

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
    Names names;
};

}  // namespace

struct LocalWatches::State : std::enable_shared_from_this<State> {
    void mark(const WatchPtr& watch, bool reset, const std::string* name) {
        if (reset) watch->reset = true;
        if (name != nullptr && !watch->reset) insert(watch->names, *name);
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
    event::HandlePtr add(event::Loop& loop, RecordKey key, decltype(Watch::callback) callback) {
        auto watch = std::make_shared<Watch>();
        watch->callback = std::move(callback);
        {
            const std::lock_guard lock(mutex);
            watch->id = ++lastId;
            watch->queue = queueOf(loop);
            ++watch->queue->watches;
            watch->place = watches.emplace(std::move(key), watch);
            mark(watch, true, nullptr);
        }
        return std::make_unique<Handle>(shared_from_this(), std::move(watch));
    }
    void remove(const WatchPtr& watch) {
        watch->alive = false;
        const std::lock_guard lock(mutex);
        watch->queue->dirty.erase(watch->id);
        if (--watch->queue->watches == 0) std::erase(queues, watch->queue);
        watches.erase(watch->place);
    }
    void changed(const RecordKey& key, const std::string& name, Revision revision) {
        const auto [begin, end] = watches.equal_range(key);
        for (auto at = begin; at != end; ++at)
            if (revision > at->second->covered) mark(at->second, false, &name);
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
            const bool read = job.watch->isOfRecord() ? deliverRecord(*job.watch, **snapshot) : deliverDirectory(job, **snapshot);
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
            for (const auto& name : job.names) insert(job.watch->names, name);
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
            if (job.reset || job.watch->isOfRecord()) job.watch->covered = revision;
    }

    static bool deliverRecord(Watch& watch, Snapshot& snapshot) {
        const auto record = snapshot.get(watch.key().directory, watch.key().name);
        if (!record) return false;
        std::optional<Revision> version;
        if (*record) version = (*record)->version;
        if (watch.delivered && version == watch.version) return true;
        watch.delivered = true;
        watch.version = version;
        std::get<Backend::RecordCallback>(watch.callback)(*record);
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
            if (!snapshot.list(watch.key().directory, add)) return false;
        } else {
            for (const auto& name : job.names) {
                const auto record = snapshot.get(watch.key().directory, name);
                if (!record) return false;
                if (*record)
                    add(**record);
                else
                    change.removed.push_back(name);
            }
        }
        std::get<Backend::DirectoryCallback>(watch.callback)(change);
        return true;
    }

    std::mutex mutex;
    OpenSnapshot open;                                             // guarded by mutex
    std::uint64_t lastId = 0;                                      // guarded by mutex
    std::uint64_t retries = 0;                                     // guarded by mutex
    std::vector<std::shared_ptr<LoopQueue>> queues;                // guarded by mutex
    WatchesByKey watches;                                          // guarded by mutex

private:
    struct Handle final : event::Handle {
        Handle(std::shared_ptr<State> s, WatchPtr w) : state(std::move(s)), watch(std::move(w)) {}
        ~Handle() override { state->remove(watch); }
        std::shared_ptr<State> state;
        WatchPtr watch;
    };
};

LocalWatches::LocalWatches(OpenSnapshot open) : state_(std::make_shared<State>()) {
    state_->open = std::move(open);
}

LocalWatches::~LocalWatches() {
    const std::lock_guard lock(state_->mutex);
    state_->open = nullptr;
}

event::HandlePtr LocalWatches::watchRecord(event::Loop& loop, RecordKey key,
                                           Backend::RecordCallback callback) {
    return state_->add(loop, std::move(key), std::move(callback));
}

event::HandlePtr LocalWatches::watchDirectory(event::Loop& loop, std::string directory,
                                              Backend::DirectoryCallback callback) {
    return state_->add(loop, {std::move(directory), {}}, std::move(callback));
}

void LocalWatches::changed(std::span<const Change> changes) {
    const std::lock_guard lock(state_->mutex);
    for (const auto& change : changes) {
        state_->changed({change.key.directory, {}}, change.key.name, change.revision);
        state_->changed(change.key, change.key.name, change.revision);
    }
}

void LocalWatches::everythingChanged() {
    const std::lock_guard lock(state_->mutex);
    for (auto& [key, watch] : state_->watches) {
        watch->covered = 0;
        state_->mark(watch, true, nullptr);
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
