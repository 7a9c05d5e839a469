#include "net/ip_address.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace midonet::net {
namespace {

TEST(Ipv4Address, RefusesOtherText) {
    for (const std::string_view text :
         {std::string_view(""), std::string_view("1.2.3"), std::string_view("1.2.3.4.5"),
          std::string_view("256.1.1.1"), std::string_view("1.2.3.4 "), std::string_view(" 1.2.3.4"),
          std::string_view("1..2.3"), std::string_view("0x1.2.3.4"), std::string_view("01.2.3.4"),
          std::string_view("1.2.3.4\0", 8), std::string_view("::1"), std::string_view("a.b.c.d"),
          std::string_view("-1.2.3.4")}) {
        EXPECT_FALSE(Ipv4Address::parse(text)) << text;
    }
    EXPECT_FALSE(IpAddress::parse("1.2.3"));
}

TEST(Ipv4Address, Kinds) {
    EXPECT_TRUE(Ipv4Address::parse("224.0.0.1")->isMulticast());
    EXPECT_TRUE(Ipv4Address::parse("239.255.255.255")->isMulticast());
    EXPECT_FALSE(Ipv4Address::parse("240.0.0.0")->isMulticast());
    EXPECT_FALSE(Ipv4Address::parse("223.255.255.255")->isMulticast());
    EXPECT_TRUE(Ipv4Address::parse("255.255.255.255")->isBroadcast());
    EXPECT_TRUE(Ipv4Address{}.isUnspecified());
}

TEST(Ipv6Address, TextIsCanonical) {
    const auto canonical = [](std::string_view text) {
        return Ipv6Address::parse(text).value().toString();
    };
    EXPECT_EQ(canonical("2001:0DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
    EXPECT_EQ(canonical("0:0:0:0:0:0:0:0"), "::");
    EXPECT_EQ(canonical("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
    EXPECT_EQ(canonical("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
}

TEST(Ipv6Address, RefusesOtherText) {
    for (const std::string_view text :
         {std::string_view(""), std::string_view(":"), std::string_view("1:2:3:4:5:6:7"),
          std::string_view("1::2::3"), std::string_view("1:2:3:4:5:6:7:8:9"),
          std::string_view("fe80::1%eth0"), std::string_view("12345::"), std::string_view("::g"),
          std::string_view("[::1]"), std::string_view("::1\0", 4), std::string_view("1.2.3.4")}) {
        EXPECT_FALSE(Ipv6Address::parse(text)) << text;
    }
}

TEST(Ipv6Address, Kinds) {
    EXPECT_TRUE(Ipv6Address::parse("ff02::1")->isMulticast());
    EXPECT_TRUE(Ipv6Address::parse("fe80::1")->isLinkLocal());
    EXPECT_TRUE(Ipv6Address::parse("febf::1")->isLinkLocal());
    EXPECT_FALSE(Ipv6Address::parse("fec0::1")->isLinkLocal());
    EXPECT_TRUE(Ipv6Address{}.isUnspecified());
}

TEST(IpAddress, FamiliesAreApart) {
    const IpAddress v4{Ipv4Address{1}};
    const IpAddress v6{Ipv6Address{0, 1}};
    EXPECT_NE(v4, v6);
    EXPECT_LT(v4, v6);
    EXPECT_NE(v4.hash(), v6.hash());
    EXPECT_EQ(v4.bits(), 32U);
    EXPECT_EQ(v6.bits(), 128U);
}

RC_GTEST_PROP(Ipv4AddressProperty, TextAndWireRoundTrip, (std::uint32_t value)) {
    const Ipv4Address a{value};
    std::uint8_t wire[4];
    a.toWire(wire);
    RC_ASSERT(Ipv4Address::fromWire(wire) == a);
    RC_ASSERT(Ipv4Address::parse(a.toString()).value() == a);
    RC_ASSERT(IpAddress::parse(a.toString()).value() == IpAddress{a});
}

RC_GTEST_PROP(Ipv6AddressProperty, TextAndWireRoundTrip, ()) {
    // Groups of zeros are what the text form is about: make them likely.
    const auto group = rc::gen::weightedOneOf<std::uint16_t>(
        {{1, rc::gen::just(std::uint16_t{0})}, {1, rc::gen::arbitrary<std::uint16_t>()}});
    std::uint8_t wire[16];
    for (int i = 0; i < 8; ++i) storeBe16(wire + 2 * i, *group);
    const auto a = Ipv6Address::fromWire(wire);
    std::uint8_t again[16];
    a.toWire(again);
    RC_ASSERT(std::equal(wire, wire + 16, again));
    RC_ASSERT(Ipv6Address::parse(a.toString()).value() == a);
    RC_ASSERT(IpAddress::parse(a.toString()).value() == IpAddress{a});
}

/// One bit at a time, most significant first.
bool bitOf(const IpAddress& a, unsigned index) {
    std::uint8_t wire[16];
    if (a.isV4())
        a.v4().toWire(wire);
    else
        a.v6().toWire(wire);
    return (wire[index / 8] >> (7 - index % 8)) & 1;
}

RC_GTEST_PROP(IpAddressProperty, MaskKeepsTheFirstBitsAndClearsTheRest,
              (bool v6, std::uint64_t high, std::uint64_t low)) {
    const IpAddress a = v6 ? IpAddress{Ipv6Address{high, low}}
                           : IpAddress{Ipv4Address{static_cast<std::uint32_t>(low)}};
    for (unsigned length = 0; length <= a.bits(); ++length) {
        const auto masked = a.masked(length);
        RC_ASSERT(masked.family() == a.family());
        for (unsigned i = 0; i < a.bits(); ++i)
            RC_ASSERT(bitOf(masked, i) == (i < length && bitOf(a, i)));
    }
}

}  // namespace
}  // namespace midonet::net
