#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace midonet::nsdb::embedded {

/// Counts the users of the memory map, so that it is moved only while nobody looks at it. Any thread.
class Gate {
public:
    void enter() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !closed_; });
        ++users_;
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        if (--users_ == 0) changed_.notify_all();
    }
    /// Keeps everybody out and waits for those inside to leave; false when they do not in time (the
    /// gate is open again then).
    bool close(std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !closed_; });
        closed_ = true;
        if (changed_.wait_for(lock, patience, [this] { return users_ == 0; })) return true;
        closed_ = false;
        changed_.notify_all();
        return false;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        closed_ = false;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t users_ = 0;  // guarded by mutex_
    bool closed_ = false;    // guarded by mutex_
};

}  // namespace midonet::nsdb::embedded
