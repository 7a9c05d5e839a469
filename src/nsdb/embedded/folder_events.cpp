#include "nsdb/embedded/folder_events.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/assert.h"
#include "base/log.h"
#include "nsdb/embedded/environment.h"

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"nsdb"};
constexpr auto kWithoutInotify = 20ms;

}  // namespace

FolderEvents::FolderEvents(std::string folder)
    : folder_(std::move(folder)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    MIDONET_ASSERT(wake_ >= 0, "a descriptor can be made");
}

FolderEvents::~FolderEvents() {
    if (inotify_ >= 0) ::close(inotify_);
    ::close(wake_);
}

void FolderEvents::attach() {
    if (inotify_ >= 0) ::close(inotify_);
    inotify_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify_ < 0) {
        kLog.warn("changes of other processes are looked for 50 times a second: raise "
                  "fs.inotify.max_user_instances",
                  {kv("reason", std::strerror(errno))});
        return;
    }
    // A process that dies closes its files: so its last commit and the end of its leases are told
    // even if it could not tell them itself.
    ::inotify_add_watch(inotify_, (folder_ + "/" + kRevisionFile).c_str(), IN_MODIFY | IN_CLOSE_WRITE);
    sessions_ = ::inotify_add_watch(inotify_, (folder_ + "/" + kSessionFolder).c_str(), IN_CLOSE_WRITE);
    ::inotify_add_watch(inotify_, folder_.c_str(),
                        IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE);
}

void FolderEvents::poke() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

bool FolderEvents::wait(std::chrono::milliseconds longest) {
    if (inotify_ < 0) longest = std::min<std::chrono::milliseconds>(longest, kWithoutInotify);
    pollfd items[] = {{wake_, POLLIN, 0}, {inotify_, POLLIN, 0}};
    ::poll(items, inotify_ < 0 ? 1 : 2, static_cast<int>(longest.count()));
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(wake_, &count, sizeof count);
    return drainInotify();
}

bool FolderEvents::drainInotify() {
    bool sessions = false;
    alignas(inotify_event) char events[4096];
    while (inotify_ >= 0) {
        const auto length = ::read(inotify_, events, sizeof events);
        if (length <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
            const auto* event = reinterpret_cast<const inotify_event*>(events + at);
            sessions = sessions || event->wd == sessions_ || (event->mask & IN_Q_OVERFLOW) != 0;
            at += sizeof(inotify_event) + event->len;
        }
    }
    return sessions;
}

}  // namespace midonet::nsdb::embedded
