#include "flowcontrol/effect_pool.h"

#include <gtest/gtest.h>

namespace midonet::flowcontrol {
namespace {

simulation::Effects learned(std::uint64_t n) {
    return {simulation::LearnMac{BridgeId{Uuid{1, 1}}, {}, net::Mac{n}, PortId{Uuid{2, n}}}};
}

TEST(EffectPoolTest, EqualEffectsAreOne) {
    EffectPool pool;
    const auto a = pool.add(learned(1));
    EXPECT_EQ(pool.add(learned(1)), a);
    EXPECT_NE(pool.add(learned(2)), a);
    EXPECT_EQ(pool.size(), 2U);
    EXPECT_EQ(pool.release(a), learned(1));
    EXPECT_EQ(pool.size(), 2U) << "one flow still carries it";
    EXPECT_EQ(pool.release(a), learned(1));
    EXPECT_EQ(pool.size(), 1U);
}

TEST(EffectPoolTest, NoEffectsTakeNoRoom) {
    EffectPool pool;
    EXPECT_EQ(pool.add({}), EffectPool::kNone);
    EXPECT_TRUE(pool.release(EffectPool::kNone).empty());
    EXPECT_EQ(pool.size(), 0U);
}

TEST(EffectPoolTest, PlacesAreUsedAgain) {
    EffectPool pool;
    const auto a = pool.add(learned(1));
    const auto b = pool.add(learned(2));
    pool.release(a);
    EXPECT_EQ(pool.add(learned(3)), a);
    EXPECT_EQ(pool.release(b), learned(2));
    EXPECT_EQ(pool.release(a), learned(3));
}

TEST(EffectPoolTest, ManyOfThem) {
    EffectPool pool;
    std::vector<EffectPool::Id> ids;
    for (std::uint64_t n = 0; n < 1000; ++n) ids.push_back(pool.add(learned(n)));
    for (std::uint64_t n = 0; n < 1000; ++n) EXPECT_EQ(pool.add(learned(n)), ids[n]);
    for (std::uint64_t n = 0; n < 1000; ++n) {
        EXPECT_EQ(pool.release(ids[n]), learned(n));
        EXPECT_EQ(pool.release(ids[n]), learned(n));
    }
    EXPECT_EQ(pool.size(), 0U);
}

}  // namespace
}  // namespace midonet::flowcontrol
