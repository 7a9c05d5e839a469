#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "nsdb/embedded/environment.h"
#include "nsdb/embedded/folder_events.h"
#include "nsdb/embedded/held_lease.h"
#include "nsdb/embedded/lease_file.h"
#include "nsdb/embedded/writer.h"
#include "nsdb/local_watches.h"

namespace midonet::nsdb::embedded {

/// All of one folder in this process, shared by its stores (LMDB must not be opened twice): the file,
/// the writing thread, and the watching thread, which feeds the watches from the change log, keeps
/// our leases alive, ends those of dead processes, and notices when the folder goes and comes.
class Core {
public:
    static Result<std::shared_ptr<Core>> open(const EmbeddedOptions& options);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    Result<std::unique_ptr<Snapshot>> snapshot();
    /// As Backend::changesSince(). Any thread.
    Result<LogPart> changesSince(std::optional<Revision> since);
    Writer& writer() { return *writer_; }
    LocalWatches& watches() { return watches_; }
    const LeaseFolder& leaseFolder() const { return leaseFolder_; }

    /// Opens it as soon as the store can be written, and again when it is lost.
    void hold(const std::shared_ptr<HeldLease>& lease);
    /// Ends it.
    void letGo(const std::shared_ptr<HeldLease>& lease);
    /// Ends any lease, as if its process had been frozen. Blocks.
    Result<void> expire(const Uuid& id);

private:
    using HeldLeases = std::vector<std::shared_ptr<HeldLease>>;

    explicit Core(std::unique_ptr<Environment> environment);
    static Result<std::unique_ptr<Core>> make(const EmbeddedOptions& options);
    Result<void> start();
    Result<void> openRevisionFile();
    void publish(Revision revision);

    // The watcher's thread.
    void watch();
    void checkPresence();
    void goAway();
    void comeBack(bool replaced);
    void readLog();
    void keepLeases(event::Duration sinceLast);
    void openLease(const std::shared_ptr<HeldLease>& lease);
    void checkHeld(const HeldLeases& leases);
    void endLeasesOfOthers(event::Duration sinceLast);
    /// False when it is gone already or shows life again.
    bool endIfStillSo(WriteTransaction& transaction, const LeaseMonitor::Suspect& suspect);
    HeldLeases held() const;

    std::unique_ptr<Environment> environment_;
    LeaseFolder leaseFolder_;
    FolderEvents events_;
    LocalWatches watches_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    int revisionFile_ = -1;                              // guarded by mutex_
    std::map<Uuid, std::shared_ptr<HeldLease>> leases_;  // guarded by mutex_

    Revision seen_ = 0;             // the watcher's: the log is read up to here
    LeaseMonitor monitor_;          // the watcher's
    bool leasesChanged_ = false;    // the watcher's
    std::unique_ptr<Writer> writer_;
    std::thread watcher_;
};

}  // namespace midonet::nsdb::embedded
