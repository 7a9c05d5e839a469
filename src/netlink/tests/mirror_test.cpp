#include "netlink/mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/neighbour.h>

namespace midonet::netlink {
namespace {

using testing::ElementsAre;

net::IpAddress ip(std::string_view text) { return net::IpAddress::parse(text).value(); }

Link link(int index, std::string name) {
    Link out;
    out.index = index;
    out.name = std::move(name);
    return out;
}

class MirrorTest : public testing::Test {
protected:
    MirrorTest() { mirror.replace({a, b}, {address}, {neighbour}); }
    Link a = link(1, "a");
    Link b = link(2, "b");
    Address address{1, ip("10.0.0.1"), 24};
    Neighbour neighbour{1, ip("10.0.0.2"), net::Mac{2}, NUD_STALE};
    Mirror mirror;
};

TEST_F(MirrorTest, FindsThings) {
    EXPECT_EQ(mirror.link("b")->index, 2);
    EXPECT_EQ(mirror.link("c"), nullptr);
    EXPECT_THAT(mirror.addressesOf(1), ElementsAre(ip("10.0.0.1")));
    EXPECT_THAT(mirror.addressesOf(2), ElementsAre());
    EXPECT_EQ(mirror.neighbour(1, ip("10.0.0.2"))->mac, net::Mac{2});
}

TEST_F(MirrorTest, TellsWhetherAnEventChangedAnything) {
    EXPECT_FALSE(mirror.apply(Change<Link>{a, false}));
    a.mtu = 9000;
    EXPECT_TRUE(mirror.apply(Change<Link>{a, false}));
    EXPECT_FALSE(mirror.apply(Change<Address>{address, false}));
    EXPECT_TRUE(mirror.apply(Change<Address>{address, true}));
    EXPECT_FALSE(mirror.apply(Change<Address>{address, true}));
    EXPECT_FALSE(mirror.apply(Change<Neighbour>{neighbour, false}));
    neighbour.state = NUD_REACHABLE;
    EXPECT_TRUE(mirror.apply(Change<Neighbour>{neighbour, false}));
    EXPECT_TRUE(mirror.apply(Change<Route>{}));
}

TEST_F(MirrorTest, ALinkTakesItsAddressesAndNeighboursAlong) {
    EXPECT_TRUE(mirror.apply(Change<Link>{a, true}));
    EXPECT_TRUE(mirror.addresses().empty());
    EXPECT_EQ(mirror.neighbour(1, ip("10.0.0.2")), nullptr);
    EXPECT_FALSE(mirror.apply(Change<Link>{a, true}));
}

TEST_F(MirrorTest, ReplacingGivesTheDifference) {
    EXPECT_TRUE(mirror.replace({a, b}, {address}, {neighbour}).empty());
    b.up = true;
    const auto c = link(3, "c");
    const auto changes = mirror.replace({b, c}, {}, {});
    EXPECT_THAT(changes,
                ElementsAre(Event{Change<Neighbour>{neighbour, true}}, Event{Change<Address>{address, true}},
                            Event{Change<Link>{a, true}}, Event{Change<Link>{b, false}},
                            Event{Change<Link>{c, false}}));
    EXPECT_EQ(mirror.links().size(), 2U);
}

}  // namespace
}  // namespace midonet::netlink
