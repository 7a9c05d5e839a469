#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace midonet::netlink {

/// Moves this process into a network namespace of its own, once; it ends with the process. False where
/// that is not allowed: neither root nor user namespaces.
inline bool enterNetworkNamespace() {
    static const bool entered = [] {
        if (::unshare(CLONE_NEWNET) == 0) return true;
        const auto user = ::geteuid();
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
        std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
        return true;
    }();
    return entered;
}

/// A test that changes links: in its own namespace, where iproute2 sets the stage.
class NetworkNamespaceTest : public testing::Test {
protected:
    void SetUp() override {
        if (!enterNetworkNamespace())
            GTEST_SKIP() << "needs root, or user namespaces, to make a network namespace";
        run("ip link set lo up");
    }
    void TearDown() override {
        // A veth takes its peer along; what is left is lo.
        if (enterNetworkNamespace())
            run("for l in $(ip -o link | sed 's/^[0-9]*: //; s/[@:].*//'); do "
                "[ $l = lo ] || ip link del $l 2>/dev/null || true; done");
    }
    static void run(const std::string& command) {
        ASSERT_EQ(std::system(("set -e; " + command).c_str()), 0) << command;
    }
};

}  // namespace midonet::netlink
