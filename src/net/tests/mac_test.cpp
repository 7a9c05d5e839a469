#include "net/mac.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/numbers.h"

namespace midonet::net {
namespace {

TEST(Mac, TextForms) {
    EXPECT_EQ(Mac::parse("02:aB:00:00:00:ff").value().value(), 0x02ab000000ffULL);
    EXPECT_EQ(Mac::parse("02-ab-00-00-00-ff").value().value(), 0x02ab000000ffULL);
    EXPECT_EQ(Mac::parse("2:0:0:0:0:f").value().toString(), "02:00:00:00:00:0f");
}

TEST(Mac, RefusesOtherText) {
    for (const std::string_view text :
         {"", "02", "02:00:00:00:00", "02:00:00:00:00:01:02", "02:00:00:00:00:", ":00:00:00:00:01",
          "002:00:00:00:00:01", "0g:00:00:00:00:01", "02:00:00:00:00:01 ", "020000000001",
          "02::00:00:00:01"}) {
        const auto mac = Mac::parse(text);
        ASSERT_FALSE(mac) << text;
        EXPECT_EQ(mac.error().code, ErrorCode::Malformed);
    }
}

TEST(Mac, FirstByteOnTheWireIsMostSignificant) {
    std::array<std::uint8_t, 6> wire{};
    Mac{0x010203040506ULL}.toWire(wire.data());
    EXPECT_EQ(wire, (std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 6}));
}

TEST(Mac, Kinds) {
    EXPECT_TRUE(Mac::broadcast().isBroadcast());
    EXPECT_TRUE(Mac::broadcast().isMulticast());
    EXPECT_TRUE(Mac::parse("01:00:5e:00:00:01")->isMulticast());
    EXPECT_FALSE(Mac::parse("02:00:00:00:00:01")->isMulticast());
    EXPECT_TRUE(Mac{}.isZero());
    EXPECT_EQ(Mac{~0ULL}, Mac::broadcast()) << "bits beyond 48 are cut";
}

RC_GTEST_PROP(MacProperty, TextAndWireRoundTrip, (std::uint64_t value)) {
    const Mac mac{value};
    std::array<std::uint8_t, 6> wire{};
    mac.toWire(wire.data());
    RC_ASSERT(Mac::fromWire(wire.data()) == mac);
    RC_ASSERT(Mac::parse(mac.toString()).value() == mac);
    auto dashes = mac.toString();
    std::replace(dashes.begin(), dashes.end(), ':', '-');
    RC_ASSERT(Mac::parse(dashes).value() == mac);
}

RC_GTEST_PROP(MacProperty, TextThatIsReadIsPrintedEqual, ()) {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string("0123456789abcdefABCDEF:-: ")));
    const auto mac = Mac::parse(text);
    RC_ASSERT(!mac || Mac::parse(mac->toString()).value() == *mac);
}

TEST(Numbers, ValuesOfDifferentKindsDoNotMix) {
    static_assert(!std::is_convertible_v<VlanId, TunnelKey>);
    static_assert(!std::is_convertible_v<int, VlanId>);
    EXPECT_EQ(fmt::format("{} {}", VlanId{5}, TunnelKey{6}), "5 6");
    EXPECT_EQ((std::unordered_set<VlanId>{VlanId{1}, VlanId{1}, VlanId{2}}.size()), 2U);
}

}  // namespace
}  // namespace midonet::net
