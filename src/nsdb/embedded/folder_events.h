#pragma once

#include <chrono>
#include <string>

namespace midonet::nsdb::embedded {

/// Wakes the watcher: a commit of any process, a process with a lease that ended, the folder moved, or
/// poke(). Built on inotify; where the system has none left it falls back to looking often.
class FolderEvents {
public:
    explicit FolderEvents(std::string folder);  ///< Deaf until attach().
    ~FolderEvents();
    FolderEvents(const FolderEvents&) = delete;
    FolderEvents& operator=(const FolderEvents&) = delete;

    /// Looks at what is now at the path.
    void attach();
    /// Any thread.
    void poke();
    /// Until something happened, at most `longest`. True when a lease may have ended.
    bool wait(std::chrono::milliseconds longest);

private:
    bool drainInotify();

    const std::string folder_;
    int inotify_ = -1;
    int sessions_ = -1;  ///< Watch descriptor.
    int wake_ = -1;
};

}  // namespace midonet::nsdb::embedded
