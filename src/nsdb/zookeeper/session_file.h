#pragma once

#include <memory>
#include <optional>
#include <string>

#include "zookeeper/session.h"

namespace midonet::nsdb::zookeeper {

/// A file of this machine that names the session of the process that has it locked. The kernel ends the lock with the process:
/// who gets it knows that the process before is gone, and may end the session it left.
class SessionFile {
public:
    /// Locked until destroyed. nullptr for an empty path, and, logged, when it cannot be used or a living process has it: its
    /// session stays then as long as it would without a file.
    static std::unique_ptr<SessionFile> take(const std::string& path);
    ~SessionFile();
    SessionFile(const SessionFile&) = delete;
    SessionFile& operator=(const SessionFile&) = delete;

    /// The session that was named last, by a process that is gone; it may have ended long ago.
    std::optional<midonet::zookeeper::SessionKey> left() const;
    /// A failure is logged.
    void write(const midonet::zookeeper::SessionKey& key);

private:
    SessionFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

    const std::string path_;
    const int descriptor_;
};

}  // namespace midonet::nsdb::zookeeper
