#include "base/uuid.h"

#include <set>
#include <type_traits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/id.h"

namespace midonet {
namespace {

constexpr std::string_view kText = "0123abcd-4567-89ef-fedc-ba9876543210";

TEST(Uuid, TextAndWords) {
    const auto id = Uuid::parse(kText);
    ASSERT_TRUE(id);
    EXPECT_EQ(id->high(), 0x0123abcd456789efULL);
    EXPECT_EQ(id->low(), 0xfedcba9876543210ULL);
    EXPECT_EQ(id->toString(), kText);
}

TEST(Uuid, UpperCaseIsReadAndPrintedLower) {
    EXPECT_EQ(Uuid::parse("0123ABCD-4567-89EF-FEDC-BA9876543210").value().toString(), kText);
}

TEST(Uuid, RefusesOtherForms) {
    for (const std::string_view text :
         {"", "0123abcd", "0123abcd456789effedcba9876543210",
          "{0123abcd-4567-89ef-fedc-ba9876543210}", "0123abcd-4567-89ef-fedc-ba987654321",
          "0123abcd-4567-89ef-fedc-ba98765432100", "0123abcg-4567-89ef-fedc-ba9876543210",
          "0123abcd4-567-89ef-fedc-ba9876543210", " 123abcd-4567-89ef-fedc-ba9876543210",
          "0123abcd-4567-89ef-fedc-ba987654321\0"}) {
        const auto id = Uuid::parse(text);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().code, ErrorCode::Malformed);
        EXPECT_NE(id.error().message.find(text), std::string::npos) << "the message shows the text";
    }
}

TEST(Uuid, BytesAreInTheOrderOfTheText) {
    const auto bytes = Uuid::parse(kText).value().toBytes();
    ASSERT_EQ(bytes.size(), 16U);
    EXPECT_EQ(static_cast<unsigned char>(bytes[0]), 0x01);
    EXPECT_EQ(static_cast<unsigned char>(bytes[15]), 0x10);
    EXPECT_FALSE(Uuid::fromBytes("fifteen bytes.."));
    EXPECT_FALSE(Uuid::fromBytes("seventeen bytes.."));
}

TEST(Uuid, RandomOnesAreVersion4AndDiffer) {
    std::set<Uuid> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto text = Uuid::random().toString();
        EXPECT_EQ(text[14], '4');
        EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;
        seen.insert(Uuid::parse(text).value());
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Uuid, NilIsTheDefault) {
    EXPECT_TRUE(Uuid{}.isNil());
    EXPECT_FALSE((Uuid{0, 1}.isNil()));
    EXPECT_EQ(Uuid{}.toString(), "00000000-0000-0000-0000-000000000000");
}

RC_GTEST_PROP(UuidProperty, TextAndBytesRoundTrip, (std::uint64_t high, std::uint64_t low)) {
    const Uuid id{high, low};
    RC_ASSERT(Uuid::parse(id.toString()).value() == id);
    RC_ASSERT(Uuid::fromBytes(id.toBytes()).value() == id);
    RC_ASSERT(fmt::format("{}", id) == id.toString());
}

RC_GTEST_PROP(UuidProperty, OrderOfIdsIsOrderOfTexts,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
    const Uuid one{a, b};
    const Uuid other{c, d};
    RC_ASSERT((one < other) == (one.toString() < other.toString()));
}

RC_GTEST_PROP(UuidProperty, AnyTextIsRefusedOrPrintsBack, (const std::string& text)) {
    const auto id = Uuid::parse(text);
    RC_ASSERT(!id || id->toString().size() == text.size());
}

TEST(Id, IdsOfDifferentKindsDoNotMix) {
    static_assert(!std::is_convertible_v<PortId, BridgeId>);
    static_assert(!std::is_convertible_v<Uuid, PortId>);
    const PortId id{Uuid::parse(kText).value()};
    EXPECT_EQ(fmt::format("{}", id), kText);
    EXPECT_NE(PortId::random(), PortId::random());
}

}  // namespace
}  // namespace midonet
