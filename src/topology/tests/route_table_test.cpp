#include "topology/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "flow/testing/key_blend.h"

namespace midonet::topology {
namespace {

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
net::IpPrefix prefix(const char* text) { return *net::IpPrefix::parse(text); }
Route route(std::uint64_t id, const char* destination, const char* source = "0.0.0.0/0", std::uint32_t weight = 100) {
    Route out;
    out.id = RouteId{Uuid{1, id}};
    out.destination = prefix(destination);
    out.source = prefix(source);
    out.weight = weight;
    return out;
}
std::vector<std::uint64_t> ids(const RouteTable::Found& found) {
    std::vector<std::uint64_t> out;
    for (const auto* r : found.routes) out.push_back(r->id.uuid().low());
    return out;
}

TEST(RouteTable, LongestPrefixThenSourceThenWeight) {
    const RouteTable table({route(1, "0.0.0.0/0"), route(2, "10.0.0.0/8", "192.168.0.0/16"), route(3, "10.1.0.0/16", "0.0.0.0/0", 200),
                            route(4, "10.1.0.0/16"), route(5, "10.1.0.0/16"), route(6, "2001:db8::/32", "::/0")});
    const struct {
        const char *source, *destination;
        std::vector<std::uint64_t> expected;
        unsigned sourceBits, destinationBits;
    } cases[] = {
        {"1.1.1.1", "8.8.8.8", {1}, 0, 7},            // 10.0.0.0/8 is told apart from 8.0.0.0/7
        {"1.1.1.1", "200.8.8.8", {1}, 0, 1},
        {"1.1.1.1", "10.1.0.1", {4, 5}, 0, 16},
        {"192.168.1.1", "10.2.0.1", {2}, 16, 15},     // 10.2.0.0/15
        {"1.1.1.1", "10.2.0.1", {1}, 1, 15},
        {"::1", "2001:db8::5", {6}, 0, 32},
        {"::1", "8000::", {}, 0, 1},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(std::string{c.source} + " to " + c.destination);
        const auto found = table.find(ip(c.source), ip(c.destination));
        EXPECT_EQ(ids(found), c.expected);
        EXPECT_EQ(found.sourceBits, c.sourceBits);
        EXPECT_EQ(found.destinationBits, c.destinationBits);
    }
}

TEST(RouteTable, EmptyFindsNothingAndLooksAtNothing) {
    const auto found = RouteTable{}.find(ip("1.2.3.4"), ip("5.6.7.8"));
    EXPECT_TRUE(found.routes.empty());
    EXPECT_EQ(found.sourceBits + found.destinationBits, 0U);
}

TEST(RouteTable, EdgesOfBothFamilies) {
    const RouteTable table({route(1, "255.255.255.255/32"), route(2, "0.0.0.0/32"),
                            route(3, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::/0"), route(4, "::/64", "::/0")});
    EXPECT_EQ(ids(table.find(ip("1.1.1.1"), ip("255.255.255.255"))), (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(ids(table.find(ip("1.1.1.1"), ip("0.0.0.0"))), (std::vector<std::uint64_t>{2}));
    EXPECT_EQ(ids(table.find(ip("1.1.1.1"), ip("255.255.255.254"))), (std::vector<std::uint64_t>{}));
    EXPECT_EQ(ids(table.find(ip("::1"), ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))), (std::vector<std::uint64_t>{3}));
    EXPECT_EQ(ids(table.find(ip("::1"), ip("::ffff:ffff:ffff:ffff"))), (std::vector<std::uint64_t>{4}));
    EXPECT_EQ(ids(table.find(ip("::1"), ip("0:0:0:1::"))), (std::vector<std::uint64_t>{}));
}

TEST(ChooseRoute, OnlyTheFlowsOfALostRouteMove) {
    const RouteTable table({route(1, "0.0.0.0/0"), route(2, "0.0.0.0/0"), route(3, "0.0.0.0/0")});
    const auto all = table.find(ip("1.1.1.1"), ip("2.2.2.2")).routes;
    const auto fewer = all.first(2);
    std::set<RouteId> used;
    for (std::uint64_t flow = 0; flow < 300; ++flow) {
        const auto& before = chooseRoute(all, flow);
        const auto& after = chooseRoute(fewer, flow);
        used.insert(before.id);
        if (before.id != all[2]->id) {
            EXPECT_EQ(before.id, after.id);
        }
    }
    EXPECT_EQ(used.size(), 3U);
}

net::IpAddress someAddress() {
    const auto bits = *rc::gen::inRange<std::uint32_t>(0, 64);
    // Few values, at both ends and around a word boundary.
    const std::uint64_t low = (std::uint64_t{bits & 1} * 0xffffffff00000000ULL) | (std::uint64_t{bits >> 1 & 3} << 30) | (bits >> 3);
    if (*rc::gen::inRange(0, 3) == 0) return net::Ipv6Address{(bits & 32) != 0 ? ~0ULL : 1, low};
    return net::Ipv4Address{static_cast<std::uint32_t>((std::uint64_t{bits & 1} * 0xffffff00ULL) ^ low)};
}
net::IpPrefix somePrefix() {
    const auto address = someAddress();
    return {address, *rc::gen::inRange(0U, address.bits() + 1)};
}

/// Word for word what the header says.
std::vector<const Route*> oracle(const RouteTable& table, const net::IpAddress& source, const net::IpAddress& destination) {
    for (int length = static_cast<int>(destination.bits()); length >= 0; --length) {
        std::vector<const Route*> at;
        for (const auto& r : table.routes())
            if (static_cast<int>(r.destination.length()) == length && r.destination.contains(destination) && r.source.contains(source))
                at.push_back(&r);
        if (at.empty()) continue;
        const auto least = (*std::min_element(at.begin(), at.end(), [](auto a, auto b) { return a->weight < b->weight; }))->weight;
        std::erase_if(at, [&](const Route* r) { return r->weight != least; });
        return at;
    }
    return {};
}

RC_GTEST_PROP(RouteTableProperty, AgreesWithTheLinearWalkAndBitsAreHonest, ()) {
    std::vector<Route> routes;
    const auto count = *rc::gen::inRange<std::uint64_t>(0, 14);
    for (std::uint64_t i = 0; i < count; ++i) {
        Route r;
        r.id = RouteId{Uuid{0, i * 7 % 16}};
        r.destination = somePrefix();
        r.source = *rc::gen::inRange(0, 2) == 0 ? net::IpPrefix{r.destination.address(), 0} : somePrefix();
        r.weight = *rc::gen::inRange(1U, 3U);
        routes.push_back(r);
    }
    const RouteTable table(routes);
    const auto source = someAddress(), destination = someAddress();
    const auto found = table.find(source, destination);
    RC_ASSERT(std::vector<const Route*>(found.routes.begin(), found.routes.end()) == oracle(table, source, destination));
    RC_ASSERT(found.sourceBits <= source.bits() && found.destinationBits <= destination.bits());

    const auto twinSource = flow::testing::detail::blendAddress(source, someAddress(), found.sourceBits);
    const auto twinDestination = flow::testing::detail::blendAddress(destination, someAddress(), found.destinationBits);
    const auto again = table.find(twinSource, twinDestination);
    RC_ASSERT(std::equal(again.routes.begin(), again.routes.end(), found.routes.begin(), found.routes.end()));
    RC_ASSERT(again.sourceBits == found.sourceBits && again.destinationBits == found.destinationBits);
}

}  // namespace
}  // namespace midonet::topology
