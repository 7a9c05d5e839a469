#include "netlink/route_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "network_namespace.h"

namespace midonet::netlink {
namespace {

using testing::HasSubstr;

net::IpAddress ip(std::string_view text) { return net::IpAddress::parse(text).value(); }

class RouteSocketTest : public NetworkNamespaceTest {
protected:
    void SetUp() override {
        NetworkNamespaceTest::SetUp();
        if (IsSkipped()) return;
        auto opened = RouteSocket::open();
        ASSERT_TRUE(opened) << opened.error().message;
        socket.emplace(std::move(*opened));
        run("ip link add va type veth peer name vb; ip addr add 10.0.0.1/24 dev va; "
            "ip addr add 2001:db8::1/64 dev va nodad; ip link set va up; ip link set vb up; "
            "ip route add 10.9.0.0/16 via 10.0.0.254; "
            "ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev va");
        a = socket->link("va").value().index;
    }
    std::optional<RouteSocket> socket;
    int a = 0;
};

TEST_F(RouteSocketTest, Lists) {
    const auto links = socket->links().value();
    EXPECT_EQ(links.size(), 3U);
    const auto lo = std::find_if(links.begin(), links.end(), [](const Link& l) { return l.loopback; });
    ASSERT_NE(lo, links.end());
    EXPECT_EQ(lo->name, "lo");
    const auto addresses = socket->addresses().value();
    EXPECT_NE(std::find(addresses.begin(), addresses.end(), Address{a, ip("10.0.0.1"), 24}), addresses.end());
    EXPECT_NE(std::find(addresses.begin(), addresses.end(), Address{a, ip("2001:db8::1"), 64}),
              addresses.end());
    const auto neighbours = socket->neighbours().value();
    EXPECT_TRUE(std::any_of(neighbours.begin(), neighbours.end(),
                            [](const Neighbour& n) { return n.mac == net::Mac{0x0200000000feULL}; }));
    const auto routes = socket->routes().value();
    EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [](const Route& r) {
        return r.destination.toString() == "10.9.0.0/16" && r.gateway == ip("10.0.0.254");
    }));
}

TEST_F(RouteSocketTest, FindsAndChangesLinks) {
    const auto before = socket->link(a).value();
    EXPECT_EQ(before.name, "va");
    EXPECT_EQ(before.kind, "veth");
    EXPECT_TRUE(before.up && before.hasCarrier && before.mac);
    ASSERT_TRUE(socket->setMtu(a, 1400));
    ASSERT_TRUE(socket->setUp(a, false));
    const auto after = socket->link("va").value();
    EXPECT_EQ(after.mtu, 1400U);
    EXPECT_FALSE(after.up);
    ASSERT_TRUE(socket->removeLink(a));
    EXPECT_EQ(socket->link("va").error().code, ErrorCode::NotFound);
    EXPECT_EQ(socket->link("vb").error().code, ErrorCode::NotFound);
}

TEST_F(RouteSocketTest, ErrorsCarryTheKernelsWords) {
    EXPECT_EQ(socket->link("missing").error().code, ErrorCode::NotFound);
    EXPECT_EQ(socket->link("a name that is too long").error().code, ErrorCode::NotFound);
    const auto mtu = socket->setMtu(a, 10);
    ASSERT_FALSE(mtu);
    EXPECT_EQ(mtu.error().code, ErrorCode::Invalid);
    EXPECT_THAT(mtu.error().message, HasSubstr("set MTU 10"));
    EXPECT_THAT(mtu.error().message, HasSubstr("mtu less than device minimum"));
}

TEST_F(RouteSocketTest, MakesVxlanDevices) {
    const auto created = socket->createVxlan({"vx0", 6677, 0});
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(socket->link(*created).value().kind, "vxlan");
    run("ip -d link show vx0 | grep -q 'external.*dstport 6677\\|dstport 6677.*external'");
    EXPECT_EQ(socket->createVxlan({"vx0", 6678, 0}).error().code, ErrorCode::AlreadyExists);
    EXPECT_EQ(socket->createVxlan({"", 6678, 0}).error().code, ErrorCode::Invalid);
}

TEST_F(RouteSocketTest, LooksUpRoutes) {
    const auto onLink = socket->lookupRoute(ip("10.0.0.7"));
    ASSERT_TRUE(onLink) << onLink.error().message;
    EXPECT_EQ(onLink->linkIndex, a);
    EXPECT_EQ(onLink->gateway, std::nullopt);
    EXPECT_EQ(onLink->preferredSource, ip("10.0.0.1"));
    const auto beyond = socket->lookupRoute(ip("10.9.1.1"), ip("10.0.0.1"));
    ASSERT_TRUE(beyond) << beyond.error().message;
    EXPECT_EQ(beyond->gateway, ip("10.0.0.254"));
    EXPECT_EQ(socket->lookupRoute(ip("2001:db8::7")).value().linkIndex, a);
    EXPECT_EQ(socket->lookupRoute(ip("192.0.2.1")).error().code, ErrorCode::NotFound);
    EXPECT_FALSE(socket->lookupRoute(ip("10.0.0.7"), ip("192.0.2.9")).has_value());
    EXPECT_EQ(socket->lookupRoute(ip("10.0.0.7"), ip("::1")).error().code, ErrorCode::Invalid);
    EXPECT_TRUE(socket->lookupRoute(ip("10.0.0.1")).value().viaLocalTable());
}

TEST_F(RouteSocketTest, FindsAndProbesNeighbours) {
    const auto known = socket->neighbour(a, ip("10.0.0.254")).value();
    ASSERT_TRUE(known);
    EXPECT_TRUE(known->usable());
    EXPECT_EQ(socket->neighbour(a, ip("10.0.0.77")).value(), std::nullopt);
    ASSERT_TRUE(socket->probe(a, ip("10.0.0.77")));
    const auto probed = socket->neighbour(a, ip("10.0.0.77")).value();
    ASSERT_TRUE(probed) << "the kernel is asking";
    EXPECT_FALSE(probed->usable());
    EXPECT_TRUE(socket->probe(a, ip("10.0.0.254"))) << "known ones are confirmed";
    EXPECT_FALSE(socket->probe(9999, ip("10.0.0.77")).has_value());
}

}  // namespace
}  // namespace midonet::netlink
