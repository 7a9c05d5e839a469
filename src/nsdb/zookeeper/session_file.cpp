#include "nsdb/zookeeper/session_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/log.h"

namespace midonet::nsdb::zookeeper {
namespace {

constexpr Logger kLog{"nsdb"};

// The file holds the key as it is in memory: no other machine reads it, and another program sees a session there is not.
using Bytes = std::array<char, sizeof(midonet::zookeeper::SessionKey)>;

void warn(const std::string& path, std::string_view reason) {
    kLog.warn("the session file cannot be used: what this process reports outlives a kill for nsdb.session_timeout",
              {kv("file", path), kv("reason", reason)});
}

}  // namespace

std::unique_ptr<SessionFile> SessionFile::take(const std::string& path) {
    if (path.empty()) return nullptr;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        warn(path, std::strerror(errno));
        return nullptr;
    }
    std::unique_ptr<SessionFile> file(new SessionFile(path, descriptor));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return file;
    warn(path, errno == EWOULDBLOCK ? "another process has it" : std::strerror(errno));
    return nullptr;
}

SessionFile::~SessionFile() { ::close(descriptor_); }

std::optional<midonet::zookeeper::SessionKey> SessionFile::left() const {
    Bytes bytes;
    if (::pread(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return std::nullopt;
    return std::bit_cast<midonet::zookeeper::SessionKey>(bytes);
}

void SessionFile::write(const midonet::zookeeper::SessionKey& key) {
    const auto bytes = std::bit_cast<Bytes>(key);
    if (::pwrite(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) warn(path_, std::strerror(errno));
}

}  // namespace midonet::nsdb::zookeeper
