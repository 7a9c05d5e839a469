#pragma once

#include <string>
#include <vector>

#include "nsdb/change_log.h"
#include "nsdb/embedded/record_format.h"

namespace midonet::nsdb::embedded {

/// Several jobs in one LMDB write transaction, each a revision of its own. A job checks first and
/// writes then; one that fails its checks has written nothing. LMDB's own errors stick in failure()
/// and end the whole transaction. The writer's thread.
class WriteTransaction {
public:
    WriteTransaction(MDB_txn* txn, const Databases& databases, std::size_t keptRevisions);

    /// LMDB's error number; 0 = none.
    int failure() const { return failure_; }
    /// Ends a job: writes its revision and log entry if it changed anything. Gives the revision the
    /// store has then.
    Revision finishJob();
    bool changedAnything() const { return revision_ != firstRevision_; }

    Result<void> check(const Batch& batch);
    void apply(const Batch& batch);

    bool hasLease(const Uuid& id) const;
    std::optional<LeaseRecord> lease(const Uuid& id) const { return readLease(txn_, databases_, id); }
    void openLease(const LeaseRecord& lease);
    /// With all it owns.
    void endLease(const Uuid& id);
    /// `isDead` is asked about a lease that holds what PutIfFree wants.
    LeasedOutcome applyLeased(const Uuid& lease, const LeasedWrite& write,
                              const std::function<bool(const LeaseRecord&)>& isDead);

private:
    Revision jobRevision() const { return revision_ + 1; }
    bool ok(int code);
    std::optional<Record> current(const RecordKey& key);
    void set(const RecordKey& key, const std::optional<std::string>& value, const Uuid& lease);
    void removeTree(const std::string& path);
    void removeRange(const std::string& from, const std::string& to);
    void changeOwner(const RecordKey& key, const Uuid& before, const Uuid& after);
    void touchDirectory(std::string_view directory);
    void compactLog();

    MDB_txn* txn_;
    const Databases& databases_;
    const std::size_t keptRevisions_;
    const Revision firstRevision_;
    Revision revision_;
    std::vector<RecordChange> changes_;  // of the present job
    int failure_ = 0;
};

/// The directory under which the log tells of leases that ended.
inline constexpr std::string_view kLeaseDirectory = "leases";

}  // namespace midonet::nsdb::embedded
