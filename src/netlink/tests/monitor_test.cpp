#include "netlink/monitor.h"

#include <gtest/gtest.h>

#include "netlink/route_socket.h"
#include "network_namespace.h"

namespace midonet::netlink {
namespace {

net::IpAddress ip(std::string_view text) { return net::IpAddress::parse(text).value(); }

class MonitorTest : public NetworkNamespaceTest {
protected:
    void SetUp() override {
        NetworkNamespaceTest::SetUp();
        if (IsSkipped()) return;
        run("ip link add va type veth peer name vb");
        auto started = Monitor::start(*loop);
        ASSERT_TRUE(started) << started.error().message;
        monitor = std::move(*started);
        listener = monitor->onChange([this](const std::vector<Event>& changes) {
            events.insert(events.end(), changes.begin(), changes.end());
        });
    }
    bool sawRoute() const {
        return std::any_of(events.begin(), events.end(), [](const Event& event) {
            return std::holds_alternative<Change<Route>>(event);
        });
    }
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::unique_ptr<Monitor> monitor;
    event::HandlePtr listener;
    std::vector<Event> events;
};

TEST_F(MonitorTest, KnowsWhatWasThereBefore) {
    EXPECT_NE(monitor->mirror().link("va"), nullptr);
    EXPECT_TRUE(monitor->mirror().link("lo")->loopback);
}

// The kernel queues events before the command that caused them returns: no waiting.
TEST_F(MonitorTest, FollowsLinksAddressesAndNeighbours) {
    run("ip link set va up; ip link set vb up; ip addr add 10.0.0.1/24 dev va; "
        "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev va");
    loop->runReady();
    const auto* const a = monitor->mirror().link("va");
    ASSERT_NE(a, nullptr);
    EXPECT_TRUE(a->up);
    EXPECT_EQ(monitor->mirror().addressesOf(a->index).front(), ip("10.0.0.1"));
    const auto index = a->index;
    ASSERT_NE(monitor->mirror().neighbour(index, ip("10.0.0.2")), nullptr);
    EXPECT_TRUE(sawRoute());

    run("ip link del va");
    loop->runReady();
    EXPECT_EQ(monitor->mirror().link("va"), nullptr);
    EXPECT_EQ(monitor->mirror().neighbour(index, ip("10.0.0.2")), nullptr);
    EXPECT_TRUE(monitor->mirror().addressesOf(index).empty());
}

TEST_F(MonitorTest, TellsNobodyAboutNothing) {
    monitor->resynchronise();
    events.clear();
    run("ip link set va mtu 1500");  // what it is
    loop->runReady();
    EXPECT_TRUE(events.empty());
}

TEST_F(MonitorTest, EndedListenersHearNothing) {
    event::HandlePtr self;
    int heard = 0;
    self = monitor->onChange([&](const std::vector<Event>&) {
        ++heard;
        self.reset();
    });
    listener.reset();
    run("ip link set va up");
    loop->runReady();
    run("ip link set va down");
    loop->runReady();
    EXPECT_EQ(heard, 1);
    EXPECT_TRUE(events.empty());
}

// Far more than the queue holds, without reading in between.
TEST_F(MonitorTest, RecoversFromLostEvents) {
    run("ip link set va up; ip link set vb up; ip addr add 10.0.0.1/16 dev va");
    loop->runReady();
    run("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); "
        "echo \"neigh replace 10.0.$((i%250)).$((i/250+1)) lladdr 02:00:00:00:00:$((i%90+10)) dev vb\"; done | "
        "ip -batch -");
    run("ip link add vc type veth peer name vd; ip addr add 10.7.0.1/24 dev vc; ip addr del 10.0.0.1/16 dev va");
    events.clear();
    loop->runReady();
    EXPECT_GE(monitor->overruns(), 1U);
    const auto& mirror = monitor->mirror();
    ASSERT_NE(mirror.link("vc"), nullptr);
    EXPECT_EQ(mirror.addressesOf(mirror.link("vc")->index).front(), ip("10.7.0.1"));
    EXPECT_TRUE(sawRoute()) << "routes may have changed unseen";

    auto socket = RouteSocket::open().value();
    const auto links = socket.links().value();
    EXPECT_EQ(links.size(), mirror.links().size());
    for (const auto& link : links) EXPECT_EQ(*mirror.link(link.index), link);
    const auto addresses = socket.addresses().value();
    EXPECT_EQ((std::set<Address>{addresses.begin(), addresses.end()}), mirror.addresses());
}

}  // namespace
}  // namespace midonet::netlink
