#include "net/ip_prefix.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace midonet::net {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
IpPrefix prefix(std::string_view text) { return IpPrefix::parse(text).value(); }

TEST(IpPrefix, HostBitsAreCleared) {
    EXPECT_EQ(prefix("10.1.2.3/8").toString(), "10.0.0.0/8");
    EXPECT_EQ(prefix("2001:db8::1/32").toString(), "2001:db8::/32");
    EXPECT_EQ(prefix("1.2.3.4/32").toString(), "1.2.3.4/32");
    EXPECT_EQ(prefix("255.255.255.255/0").toString(), "0.0.0.0/0");
}

TEST(IpPrefix, ContainsItsOwnFamilyOnly) {
    EXPECT_TRUE(prefix("10.0.0.0/8").contains(address("10.255.255.255")));
    EXPECT_FALSE(prefix("10.0.0.0/8").contains(address("11.0.0.0")));
    EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("1.2.3.4")));
    EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
    EXPECT_FALSE(prefix("::/0").contains(address("1.2.3.4")));
    EXPECT_TRUE(prefix("2001:db8::/33").contains(address("2001:db8:7fff::1")));
    EXPECT_FALSE(prefix("2001:db8::/33").contains(address("2001:db8:8000::1")));
}

TEST(IpPrefix, RefusesOtherText) {
    for (const std::string_view text :
         {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/8 ",
          "10.0.0.0/+8", "10.0.0.0/0x8", "/8", "10.0.0/8", "::/129", "10.0.0.0/8/8",
          "10.0.0.0/99999999999999999999"}) {
        const auto parsed = IpPrefix::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::Malformed);
    }
}

RC_GTEST_PROP(IpPrefixProperty, TextRoundTrip, (bool v6, std::uint64_t high, std::uint64_t low)) {
    const IpAddress a = v6 ? IpAddress{Ipv6Address{high, low}}
                           : IpAddress{Ipv4Address{static_cast<std::uint32_t>(low)}};
    const auto length = *rc::gen::inRange<unsigned>(0, a.bits() + 1);
    const IpPrefix p{a, length};
    RC_ASSERT(IpPrefix::parse(p.toString()).value() == p);
    RC_ASSERT(p.contains(a));
    RC_ASSERT(p.contains(p.address()));
}

/// Against the textbook: compare the first `length` bits one by one.
RC_GTEST_PROP(IpPrefixProperty, ContainsEqualsComparingBitByBit, (std::uint32_t base)) {
    const auto length = *rc::gen::inRange<unsigned>(0, 33);
    const auto flipped = *rc::gen::inRange<unsigned>(0, 32);
    const std::uint32_t other = base ^ (1U << (31 - flipped));
    bool same = true;
    for (unsigned i = 0; i < length; ++i)
        if (((base >> (31 - i)) & 1) != ((other >> (31 - i)) & 1)) same = false;
    const IpPrefix p{Ipv4Address{base}, length};
    RC_ASSERT(p.contains(Ipv4Address{other}) == same);
}

RC_GTEST_PROP(IpPrefixProperty, LongerPrefixesOfAnAddressNest,
              (std::uint64_t high, std::uint64_t low)) {
    const IpAddress a{Ipv6Address{high, low}};
    const auto shorter = *rc::gen::inRange<unsigned>(0, 129);
    const auto longer = *rc::gen::inRange<unsigned>(shorter, 129);
    RC_ASSERT(IpPrefix(a, shorter).contains(IpPrefix(a, longer).address()));
}

}  // namespace
}  // namespace midonet::net
