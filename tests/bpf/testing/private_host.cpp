#include "testing/private_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace midonet::datapath::ebpf::testing {
namespace {

void must(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

/// Mounts of this process are seen by nobody else.
void privateMounts() {
    static const bool once = [] {
        must(::unshare(CLONE_NEWNS) == 0, "unshare mounts");
        must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
        return true;
    }();
    static_cast<void>(once);
}

}  // namespace

PrivateHost::PrivateHost() {
    privateMounts();
    must(::unshare(CLONE_NEWNET) == 0, "unshare network");
    namespace_ = FileDescriptor{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
    must(namespace_.valid(), "open network namespace");
    std::array<char, 32> name{"/tmp/midonet-bpf-XXXXXX"};
    must(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    bpffs_ = name.data();
    must(::mount("bpf", bpffs_.c_str(), "bpf", 0, "mode=0700") == 0, "mount bpf");
}

PrivateHost::~PrivateHost() {
    ::umount2(bpffs_.c_str(), MNT_DETACH);
    ::rmdir(bpffs_.c_str());
}

void PrivateHost::enter() const { must(::setns(namespace_.get(), CLONE_NEWNET) == 0, "setns"); }

std::string PrivateHost::skipReason() {
    if (::geteuid() != 0) return "needs root";
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "needs /dev/net/tun";
    return {};
}

}  // namespace midonet::datapath::ebpf::testing
