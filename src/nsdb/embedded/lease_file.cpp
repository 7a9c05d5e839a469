#include "nsdb/embedded/lease_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <set>

#include "base/scope_guard.h"
#include "nsdb/embedded/write_lock.h"

namespace midonet::nsdb::embedded {
namespace {

/// A draft older than this is nobody's any more.
constexpr std::time_t kStraySeconds = 60;

std::string nameOf(const LeaseRecord& lease) {
    return fmt::format("{}-{:016x}", lease.id, lease.incarnation);
}

}  // namespace

LeaseFile::~LeaseFile() { ::close(fd_); }

void LeaseFile::beat() {
    const NumberText number(++beats_);
    // A disk that refuses this is noticed by the others: the lease expires.
    [[maybe_unused]] const auto written = ::pwrite(fd_, number.bytes, sizeof number.bytes, 0);
}

LeaseFolder::~LeaseFolder() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> LeaseFolder::open() {
    const std::lock_guard lock(mutex_);
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
                    "the folder {} cannot be opened: {}", path_, std::strerror(errno));
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
    return {};
}

/// Under another name until it is locked: nobody may find it unlocked and take it for dead.
Result<std::unique_ptr<LeaseFile>> LeaseFolder::create(const LeaseRecord& lease) {
    const std::lock_guard lock(mutex_);
    const auto name = nameOf(lease);
    const auto draft = name + ".new";
    const auto failed = [&] {
        return fail(errno == ENOSPC ? ErrorCode::Exhausted : ErrorCode::Unavailable,
                    "the session file {}/{} cannot be made: {}", path_, name, std::strerror(errno));
    };
    const int fd = ::openat(fd_, draft.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
    if (fd < 0) return failed();
    auto out = std::make_unique<LeaseFile>(fd);
    out->beat();
    if (!setFileLock(fd, F_WRLCK) || ::renameat(fd_, draft.c_str(), fd_, name.c_str()) != 0)
        return failed();
    return out;
}

std::optional<std::uint64_t> LeaseFolder::readBeats(const LeaseRecord& lease) const {
    const std::lock_guard lock(mutex_);
    const int fd = ::openat(fd_, nameOf(lease).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        // Only a file that is gone is a proof.
        if (errno == ENOENT) return std::nullopt;
        return 0;
    }
    const ScopeGuard closer([fd] { ::close(fd); });
    if (!isFileLocked(fd)) return std::nullopt;
    char bytes[8] = {};
    [[maybe_unused]] const auto got = ::pread(fd, bytes, sizeof bytes, 0);
    return loadNumber({bytes, sizeof bytes});
}

void LeaseFolder::remove(const LeaseRecord& lease) {
    const std::lock_guard lock(mutex_);
    ::unlinkat(fd_, nameOf(lease).c_str(), 0);
}

void LeaseFolder::removeStrays(const std::vector<LeaseRecord>& known) {
    std::set<std::string> names;
    for (const auto& lease : known) names.insert(nameOf(lease));
    const std::lock_guard lock(mutex_);
    DIR* const folder = ::opendir(path_.c_str());
    if (folder == nullptr) return;
    const ScopeGuard closer([folder] { ::closedir(folder); });
    while (const auto* entry = ::readdir(folder)) {
        const std::string name = entry->d_name;
        struct stat info {};
        if (names.contains(name) || ::fstatat(fd_, name.c_str(), &info, 0) != 0) continue;
        if (!S_ISREG(info.st_mode) || info.st_mtime + kStraySeconds > std::time(nullptr)) continue;
        const int fd = ::openat(fd_, name.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        if (!isFileLocked(fd)) ::unlinkat(fd_, name.c_str(), 0);
        ::close(fd);
    }
}

std::vector<LeaseMonitor::Suspect> LeaseMonitor::check(const LeaseFolder& folder,
                                                       const std::vector<LeaseRecord>& leases,
                                                       event::Duration sinceLast) {
    std::vector<Suspect> out;
    decltype(seen_) now;
    for (const auto& lease : leases) {
        const auto beats = folder.readBeats(lease);
        if (!beats) {
            out.push_back({lease, std::nullopt});
            continue;
        }
        const auto key = std::pair(lease.id, lease.incarnation);
        const auto before = seen_.find(key);
        Seen seen{*beats, {}};
        if (before != seen_.end() && before->second.beats == *beats)
            seen.silent = before->second.silent + sinceLast;
        if (seen.silent >= lease.ttl) out.push_back({lease, beats});
        now.emplace(key, seen);
    }
    seen_ = std::move(now);
    return out;
}

}  // namespace midonet::nsdb::embedded
