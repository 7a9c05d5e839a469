#include "host/underlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <sys/wait.h>

#include <csignal>

#include "host/fake_underlay.h"
#include "netlink/monitor.h"
#include "netlink/route_socket.h"
#include "network_namespace.h"

namespace midonet::host {
namespace {

using namespace std::chrono_literals;
using Path = std::optional<datapath::TunnelPath>;
using testing::ElementsAre;
using testing::IsEmpty;

net::IpAddress ip(std::string_view text) { return net::IpAddress::parse(text).value(); }
net::Mac mac(std::string_view text) { return net::Mac::parse(text).value(); }

class UnderlayTest : public netlink::NetworkNamespaceTest {
protected:
    void SetUp() override {
        NetworkNamespaceTest::SetUp();
        if (IsSkipped()) return;
        run("ip link add va address 02:00:00:00:00:0a type veth peer name vb; ip addr add 10.0.0.1/24 dev va; "
            "ip link set va mtu 1450; ip link set va up; ip link set vb up");
    }
    void start(std::unique_ptr<event::Loop> onLoop) {
        loop = std::move(onLoop);
        auto started = netlink::Monitor::start(*loop);
        ASSERT_TRUE(started) << started.error().message;
        monitor = std::move(*started);
        auto made = followUnderlay(*loop, *monitor);
        ASSERT_TRUE(made) << made.error().message;
        underlay = std::move(*made);
        link = static_cast<std::uint32_t>(monitor->mirror().link("va")->index);
    }
    void startVirtual() { start(event::Loop::createVirtual("test")); }
    void watch(std::string_view remote) {
        handle = underlay->watch(ip("10.0.0.1"), ip(remote), [this](const Path& path) { told.push_back(path); });
    }
    /// Kernel events, and the lookups they lead to.
    void settle() {
        loop->runReady();
        loop->advance(200ms);
    }
    /// As the kernel has it now.
    std::optional<netlink::Neighbour> neighbour(std::string_view address) const {
        return netlink::RouteSocket::open().value().neighbour(static_cast<int>(link), ip(address)).value();
    }
    Path via(std::string_view nextHop) const {
        return datapath::TunnelPath{link, mac("02:00:00:00:00:0a"), mac(nextHop), 1450};
    }

    std::unique_ptr<event::Loop> loop;
    std::unique_ptr<netlink::Monitor> monitor;
    std::unique_ptr<Underlay> underlay;
    std::uint32_t link = 0;
    std::vector<Path> told;
    event::HandlePtr handle;
};

TEST_F(UnderlayTest, AsksForTheNextHopAndTellsWhenItIsKnown) {
    startVirtual();
    watch("10.0.0.2");
    settle();
    EXPECT_THAT(told, IsEmpty()) << "nothing is sure yet";
    EXPECT_TRUE(neighbour("10.0.0.2")) << "the kernel was told to ask";
    run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev va nud reachable");
    loop->runReady();
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:02")));
}

TEST_F(UnderlayTest, KnownNextHopsAreToldAtOnceAndFollowed) {
    run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev va nud stale");
    startVirtual();
    watch("10.0.0.2");
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:02")));
    run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:22 dev va nud reachable");
    loop->runReady();
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:02"), via("02:00:00:00:00:22")));
    told.clear();
    handle.reset();
    run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:33 dev va nud reachable");
    settle();
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(UnderlayTest, FollowsRoutesLinksAndTheirMtu) {
    run("ip neigh add 10.0.0.253 lladdr 02:00:00:00:00:fd dev va nud permanent; "
        "ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev va nud permanent");
    startVirtual();
    watch("10.9.0.1");
    EXPECT_THAT(told, ElementsAre(Path{})) << "no route: surely none";
    told.clear();
    run("ip route add 10.9.0.0/16 via 10.0.0.253");
    settle();
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:fd")));
    told.clear();
    run("ip route replace 10.9.0.0/16 via 10.0.0.254");
    settle();
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:fe")));
    told.clear();
    run("ip link set va mtu 9000");
    settle();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0]->mtu, 9000U);
    told.clear();
    run("ip link set va down");
    settle();
    EXPECT_THAT(told, ElementsAre(Path{}));
}

TEST_F(UnderlayTest, ANextHopThatDoesNotAnswerIsNoPath) {
    run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev va nud reachable");
    startVirtual();
    watch("10.0.0.2");
    told.clear();
    run("ip neigh change 10.0.0.2 dev va nud failed");
    loop->runReady();
    EXPECT_THAT(told, ElementsAre(Path{}));
    run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev va nud reachable");
    loop->runReady();
    EXPECT_THAT(told, ElementsAre(Path{}, via("02:00:00:00:00:02")));
}

TEST_F(UnderlayTest, KeepsNextHopsFresh) {
    run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev va nud stale");
    startVirtual();
    watch("10.0.0.2");
    loop->advance(30s);
    const auto known = neighbour("10.0.0.2");
    ASSERT_TRUE(known);
    EXPECT_NE(known->state, NUD_STALE) << "the kernel checks it again";
}

TEST_F(UnderlayTest, OwnAddressesAndForeignSourcesAreNoPaths) {
    startVirtual();
    watch("10.0.0.1");
    EXPECT_THAT(told, ElementsAre(Path{}));
    Path other = via("02:00:00:00:00:02");
    const auto foreign = underlay->watch(ip("192.0.2.9"), ip("10.0.0.2"), [&](const Path& path) { other = path; });
    EXPECT_EQ(other, std::nullopt);
}

/// A process in a network namespace of its own, which `vb` moves into.
class PeerHost {
public:
    PeerHost() {
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        child_ = ::fork();
        if (child_ == 0) {
            const char done = ::unshare(CLONE_NEWNET) == 0 ? 1 : 0;
            if (::write(ready[1], &done, 1) == 1) ::pause();
            ::_exit(0);
        }
        char done = 0;
        EXPECT_EQ(::read(ready[0], &done, 1), 1);
        EXPECT_EQ(done, 1);
        ::close(ready[0]);
        ::close(ready[1]);
    }
    ~PeerHost() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    std::string pid() const { return std::to_string(child_); }

private:
    pid_t child_ = -1;
};

TEST_F(UnderlayTest, RealHostsAnswer) {
    const PeerHost peer;
    run("ip link set vb netns " + peer.pid() + "; nsenter -n -t " + peer.pid() +
        " sh -ec 'ip link set vb address 02:00:00:00:00:0b; ip addr add 10.0.0.2/24 dev vb; ip link set vb up'");
    start(event::Loop::create("test"));
    handle = underlay->watch(ip("10.0.0.1"), ip("10.0.0.2"), [&](const Path& path) {
        if (!path) return;
        told.push_back(path);
        loop->stop();
    });
    const auto deadline = loop->after(10s, [&] { loop->stop(); });
    if (told.empty()) loop->run();
    EXPECT_THAT(told, ElementsAre(via("02:00:00:00:00:0b")));
}

TEST(FakeUnderlay, TellsThoseWhoWatch) {
    FakeUnderlay fake;
    std::vector<Path> told;
    auto handle = fake.watch(ip("10.0.0.1"), ip("10.0.0.2"), [&](const Path& path) { told.push_back(path); });
    const datapath::TunnelPath path{1, mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02"), 1500};
    fake.put(ip("10.0.0.2"), path);
    fake.put(ip("10.0.0.3"), path);
    EXPECT_THAT(told, ElementsAre(Path{path}));
    const auto late = fake.watch(ip("10.0.0.1"), ip("10.0.0.3"), [&](const Path& p) { told.push_back(p); });
    EXPECT_EQ(told.size(), 2U);
    handle.reset();
    fake.put(ip("10.0.0.2"), std::nullopt);
    EXPECT_EQ(told.size(), 2U);
}

}  // namespace
}  // namespace midonet::host
