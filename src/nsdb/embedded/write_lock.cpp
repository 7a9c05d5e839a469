#include "nsdb/embedded/write_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;

struct flock wholeFile(short type) {
    struct flock out {};
    out.l_type = type;
    out.l_whence = SEEK_SET;
    return out;
}

}  // namespace

bool setFileLock(int fd, short type) {
    auto lock = wholeFile(type);
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool isFileLocked(int fd) {
    auto lock = wholeFile(F_RDLCK);
    return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

WriteLock::~WriteLock() { forget(); }

void WriteLock::forget() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<void> WriteLock::open() {
    if (fd_ >= 0) return {};
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd_ >= 0) return {};
    return fail(errno == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
                "{} cannot be opened: {}", path_, std::strerror(errno));
}

Result<void> WriteLock::acquire(std::chrono::milliseconds patience) {
    TRY_VOID(open());
    const auto begin = std::chrono::steady_clock::now();
    while (!setFileLock(fd_, F_WRLCK)) {
        const auto waited = std::chrono::steady_clock::now() - begin;
        if (waited > patience) {
            char holder[16] = {};
            if (::pread(fd_, holder, sizeof holder - 1, 0) <= 0) holder[0] = '?';
            return fail(ErrorCode::Unavailable,
                        "process {} has been writing to the store for too long ({}): is it stopped?",
                        holder, path_);
        }
        std::this_thread::sleep_for(waited < 20ms ? 100us : 1ms);
    }
    const auto pid = std::to_string(::getpid()) + std::string(8, '\0');
    // Only for the message above.
    [[maybe_unused]] const auto written = ::pwrite(fd_, pid.data(), pid.size(), 0);
    return {};
}

void WriteLock::release() { setFileLock(fd_, F_UNLCK); }

}  // namespace midonet::nsdb::embedded
