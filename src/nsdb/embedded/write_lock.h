#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace midonet::nsdb::embedded {

/// The turn of one process to write. The kernel drops the lock when its holder dies; a holder that is
/// frozen makes the others fail after a time instead of waiting for ever, as LMDB's own mutex would.
/// One thread.
class WriteLock {
public:
    explicit WriteLock(std::string path) : path_(std::move(path)) {}
    ~WriteLock();
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

    /// Unavailable after `patience`, naming the process that holds it.
    Result<void> acquire(std::chrono::milliseconds patience);
    void release();
    /// Opens the file anew at the next acquire(): the folder was replaced.
    void forget();

private:
    Result<void> open();

    const std::string path_;
    int fd_ = -1;
};

/// Open file description locks (fcntl(2)); `type` = F_WRLCK or F_UNLCK. False when held by another.
bool setFileLock(int fd, short type);
/// Whether anybody else holds a write lock.
bool isFileLocked(int fd);

}  // namespace midonet::nsdb::embedded
