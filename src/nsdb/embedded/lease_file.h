#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "nsdb/embedded/record_format.h"

namespace midonet::nsdb::embedded {

/// The sign of life of a lease: a file that is locked as long as its process lives (the kernel drops
/// the lock), with a number that changes as long as it is not frozen. Destroying it ends both.
class LeaseFile {
public:
    explicit LeaseFile(int fd) : fd_(fd) {}
    ~LeaseFile();
    LeaseFile(const LeaseFile&) = delete;
    LeaseFile& operator=(const LeaseFile&) = delete;

    void beat();

private:
    const int fd_;
    std::uint64_t beats_ = 0;
};

/// The folder of these files. Held open, so that a folder that is moved away takes no lease along.
/// Any thread.
class LeaseFolder {
public:
    explicit LeaseFolder(std::string path) : path_(std::move(path)) {}
    ~LeaseFolder();
    LeaseFolder(const LeaseFolder&) = delete;
    LeaseFolder& operator=(const LeaseFolder&) = delete;

    /// Again when the folder was replaced.
    Result<void> open();
    Result<std::unique_ptr<LeaseFile>> create(const LeaseRecord& lease);
    /// nullopt: its process is dead.
    std::optional<std::uint64_t> readBeats(const LeaseRecord& lease) const;
    void remove(const LeaseRecord& lease);
    /// Files of processes that died before their lease was in the store.
    void removeStrays(const std::vector<LeaseRecord>& known);

private:
    const std::string path_;
    mutable std::mutex mutex_;
    int fd_ = -1;  // guarded by mutex_
};

/// Finds leases of others that ended: dead at once, frozen ones when they have not beaten for their ttl
/// of *our* running time (a watcher that was frozen itself accuses nobody). One thread.
class LeaseMonitor {
public:
    struct Suspect {
        LeaseRecord lease;
        std::optional<std::uint64_t> beats;  ///< When frozen: must still be this when it is ended.
    };
    std::vector<Suspect> check(const LeaseFolder& folder, const std::vector<LeaseRecord>& leases,
                               event::Duration sinceLast);

private:
    struct Seen {
        std::uint64_t beats = 0;
        event::Duration silent{};
    };
    std::map<std::pair<Uuid, std::uint64_t>, Seen> seen_;
};

}  // namespace midonet::nsdb::embedded
