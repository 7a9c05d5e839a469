#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nsdb/backend.h"
#include "nsdb/local_watches.h"

namespace midonet::nsdb {

/// What the clients of the memory backend share: records with their past versions as long as a
/// snapshot may read them. Any thread.
class SharedMemory : public std::enable_shared_from_this<SharedMemory> {
public:
    using Text = std::shared_ptr<const std::string>;
    struct Found {
        std::string name;
        Text value;
        Revision version = 0;
        Uuid lease;
    };

    /// `keptChanges`: of the log.
    explicit SharedMemory(std::size_t keptChanges) : keptChanges_(keptChanges) {}

    std::unique_ptr<Snapshot> snapshot();
    Result<Revision> commit(const Batch& batch);
    /// As Backend::changesSince().
    Result<LogPart> changesSince(std::optional<Revision> since) const;

    void openLease(const Uuid& id);
    bool hasLease(const Uuid& id) const;
    /// Removes what it owns; false when it is gone already.
    bool endLease(const Uuid& id);
    Result<std::vector<LeasedOutcome>> commitLeased(const Uuid& lease,
                                                    const std::vector<LeasedWrite>& writes);

    /// Told of changes, and of leases that end, on the thread that makes them.
    class Client {
    public:
        virtual ~Client() = default;
        virtual void onChanges(std::span<const LocalWatches::Change> changes) = 0;
        virtual void onLeaseEnded(const Uuid& id) = 0;
    };
    void attach(Client* client);
    void detach(Client* client);

private:
    friend class MemorySnapshot;

    struct Version {
        Revision revision = 0;
        Text value;  ///< nullptr: removed.
        Uuid lease;
    };
    /// What a record or a directory's version was over time; newest last.
    using History = std::vector<Version>;
    struct Directory {
        std::map<std::string, History, std::less<>> records;
        std::vector<Revision> versions;
    };

    // All with the mutex held.
    Revision beginRevision() { return ++revision_; }
    static const Version* at(const History& history, Revision revision);
    static Revision versionAt(const Directory& directory, Revision revision);
    const Version* current(const RecordKey& key) const;
    Result<void> check(const Batch& batch) const;
    void set(const RecordKey& key, Text value, const Uuid& lease);
    void writeLog();
    void removeTree(const std::string& path);
    void removeDirectory(const std::string& path);
    LeasedOutcome applyLeased(const Uuid& lease, const LeasedWrite& write);
    void forgetHistory();
    void forgetHistory(const RecordKey& key);

    void publish(std::vector<LocalWatches::Change> changes);

    const std::size_t keptChanges_;
    mutable std::mutex mutex_;
    Revision revision_ = 0;                                         // guarded by mutex_
    std::map<std::string, Directory, std::less<>> directories_;     // guarded by mutex_
    std::map<Uuid, std::set<RecordKey>> leases_;                    // guarded by mutex_
    std::multiset<Revision> openSnapshots_;                         // guarded by mutex_
    std::vector<RecordKey> withHistory_;                            // guarded by mutex_
    std::vector<LocalWatches::Change> changes_;                     // guarded by mutex_; of this commit
    std::vector<RecordChange> logged_;                              // guarded by mutex_; of this commit
    std::deque<LogPart::Entry> log_;                                // guarded by mutex_
    Revision forgotten_ = 0;                                        // guarded by mutex_; the log begins behind it

    std::mutex clientsMutex_;
    std::vector<Client*> clients_;  // guarded by clientsMutex_
};

}  // namespace midonet::nsdb
