#include "base/bytes.h"

#include <array>
#include <unordered_set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/assert.h"
#include "base/scope_guard.h"

namespace midonet {
namespace {

TEST(Bytes, MostSignificantFirst) {
    std::array<std::uint8_t, 8> wire{};
    storeBe64(wire.data(), 0x0102030405060708ULL);
    EXPECT_EQ(wire, (std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(loadBe16(wire.data() + 1), 0x0203);
    EXPECT_EQ(loadBe32(wire.data() + 3), 0x04050607U);
}

RC_GTEST_PROP(BytesProperty, WhatIsStoredIsLoadedAtAnyAlignment, (std::uint64_t v)) {
    std::array<std::uint8_t, 16> wire{};
    auto* p = wire.data() + *rc::gen::inRange(0, 8);
    storeBe64(p, v);
    RC_ASSERT(loadBe64(p) == v);
    storeBe32(p, static_cast<std::uint32_t>(v));
    RC_ASSERT(loadBe32(p) == static_cast<std::uint32_t>(v));
    storeBe16(p, static_cast<std::uint16_t>(v));
    RC_ASSERT(loadBe16(p) == static_cast<std::uint16_t>(v));
}

TEST(Bytes, HashSpreadsNeighbours) {
    std::unordered_set<std::uint64_t> low;
    for (std::uint64_t i = 0; i < 4096; ++i) low.insert(mixHash(i) & 0xffff);
    EXPECT_GT(low.size(), 3800U) << "16 low bits of 4096 neighbours hardly collide";
    EXPECT_NE(combineHash(1, 2), combineHash(2, 1));
}

TEST(ScopeGuard, RunsOnceUnlessReleased) {
    int runs = 0;
    {
        const ScopeGuard guard([&] { ++runs; });
    }
    EXPECT_EQ(runs, 1);
    {
        ScopeGuard guard([&] { ++runs; });
        guard.release();
    }
    EXPECT_EQ(runs, 1);
}

TEST(AssertDeathTest, NamesConditionAndReason) {
    EXPECT_DEATH(MIDONET_ASSERT(1 == 2, "numbers differ"),
                 "1 == 2 \\(numbers differ\\) at .*bytes_test.cpp");
}

}  // namespace
}  // namespace midonet
