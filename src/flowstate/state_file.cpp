#include "flowstate/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/assert.h"
#include "base/log.h"

namespace midonet::flowstate {
namespace {

const Logger kLog{"flowstate"};
/// How long a full file is not looked at again for something that has died.
constexpr std::chrono::seconds kFullPause{10};
/// A file is written anew in pieces of this size.
constexpr std::size_t kWriteSize = std::size_t{1} << 16;

/// 0 or errno.
int writeAll(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

/// Up to `most` bytes from the start; 0 or errno.
int readAll(int fd, std::size_t most, std::vector<std::uint8_t>& out) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return errno;
    out.resize(std::min(static_cast<std::size_t>(status.st_size), most));
    std::size_t done = 0;
    while (done < out.size()) {
        const auto got = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return 0;
}

int openForAppend(const std::string& path, int flags) {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
}

}  // namespace

Result<std::unique_ptr<StateFile>> StateFile::open(std::string path, Options options) {
    std::unique_ptr<StateFile> file{new StateFile(std::move(path), options, -1)};
    const auto folder = std::filesystem::path(file->path_).parent_path();
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error) return file->problem(fmt::format("its folder {} cannot be made", folder.string()), error.value());
    file->fd_ = openForAppend(file->path_, 0);
    if (file->fd_ < 0) return file->problem("it cannot be opened", errno);
    struct stat status {};
    if (::fstat(file->fd_, &status) != 0) return file->problem("it cannot be looked at", errno);
    if (!S_ISREG(status.st_mode)) return file->problem("it is not a regular file", EINVAL);
    return file;
}

StateFile::~StateFile() {
    if (fd_ >= 0) ::close(fd_);
}

Unexpected StateFile::problem(std::string_view what, int error) const {
    const bool permission = error == EACCES || error == EPERM || error == EROFS;
    const bool full = error == ENOSPC || error == EDQUOT;
    return fail(permission ? ErrorCode::PermissionDenied : full ? ErrorCode::Exhausted : ErrorCode::Unavailable,
                "connection state file {}: {}: {}{}", path_, what, std::strerror(error),
                permission ? "; run as root, or choose a folder that can be written" : full ? "; make room on the disk" : "");
}

/// The bytes of the file, and what they say: entries are not copied one by one, the bytes go as one.
struct StateFile::Content {
    std::vector<std::uint8_t> bytes;
    StateLog log;
};

Result<StateFile::Content> StateFile::read(event::WallTime now) const {
    Content content;
    if (const int error = readAll(fd_, options_.maxBytes, content.bytes)) return problem("it cannot be read", error);
    content.log = parseStateLog(content.bytes, now);
    return content;
}

Result<std::vector<SavedEntry>> StateFile::load(event::WallTime now) {
    TRY(content, read(now));
    const auto& log = content.log;
    if (log.foreign) {
        const auto aside = path_ + ".foreign";
        if (::rename(path_.c_str(), aside.c_str()) != 0) return problem("it is of somebody else and cannot be put aside", errno);
        kLog.warn("connection state file is of somebody else: put aside", {kv("path", path_), kv("now", aside)});
    } else if (log.unreadable != 0) {
        kLog.warn("connection state file was damaged: what is whole is used",
                  {kv("path", path_), kv("entries", log.live.size()), kv("unreadable_bytes", log.unreadable)});
    }
    TRY_VOID(rewrite(log));
    std::vector<SavedEntry> out;
    out.reserve(log.live.size());
    for (const auto& [hash, record] : log.live) out.push_back(savedIn(record, now));
    return out;
}

Result<void> StateFile::append(std::span<const Change> changes, event::WallTime now) {
    MIDONET_ASSERT(size_ > 0, "load() comes first");
    if (changes.empty()) return {};
    std::vector<std::uint8_t> bytes;
    for (const auto& change : changes)
        change.expires ? appendPut(bytes, {change.entry, *change.expires}) : appendRemove(bytes, change.entry.key);
    TRY_VOID(makeRoom(bytes.size(), now));
    if (const int error = writeAll(fd_, bytes)) {
        // What was written of it would be read as damage.
        if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
            kLog.warn("connection state file cannot be cut back", {kv("path", path_), kv("problem", std::strerror(errno))});
        return problem("it cannot be written", error);
    }
    size_ += bytes.size();
    return {};
}

/// The file is written anew when it has doubled since the last time: then at least half of it may be dead, and
/// even when nothing is, each byte has been written twice on average.
Result<void> StateFile::makeRoom(std::size_t bytes, event::WallTime now) {
    const auto fits = [&](std::size_t limit) { return size_ + bytes <= limit; };
    const auto doubled = std::max(2 * sizeWhenWritten_, options_.minBytes);
    if (fits(std::min(doubled, options_.maxBytes))) return {};
    const bool knownFull = fullSince_ && now >= *fullSince_ && now < *fullSince_ + kFullPause;
    if (!knownFull) {
        TRY(content, read(now));
        TRY_VOID(rewrite(content.log));
        fullSince_.reset();
    }
    if (fits(options_.maxBytes)) return {};
    if (!knownFull) fullSince_ = now;
    return fail(ErrorCode::Exhausted, "connection state file {}: full with {} bytes", path_, size_);
}

/// A new file takes the name, so that one of the two is there at every moment.
Result<void> StateFile::rewrite(const StateLog& log) {
    const auto aside = path_ + ".new";
    const int fd = openForAppend(aside, O_TRUNC);
    if (fd < 0) return problem(fmt::format("{} cannot be opened", aside), errno);
    std::size_t size = 0;
    int error = 0;
    std::vector<std::uint8_t> bytes(kStateLogMagic.begin(), kStateLogMagic.end());
    const auto write = [&] {
        if (error == 0) error = writeAll(fd, bytes);
        size += bytes.size();
        bytes.clear();
    };
    for (const auto& [hash, record] : log.live) {
        bytes.insert(bytes.end(), record.begin(), record.end());
        if (bytes.size() >= kWriteSize) write();
    }
    write();
    if (error == 0 && ::rename(aside.c_str(), path_.c_str()) != 0) error = errno;
    if (error != 0) {
        ::close(fd);
        ::unlink(aside.c_str());
        return problem(fmt::format("{} cannot be written or renamed", aside), error);
    }
    ::close(fd_);
    fd_ = fd;
    size_ = sizeWhenWritten_ = size;
    return {};
}

}  // namespace midonet::flowstate
