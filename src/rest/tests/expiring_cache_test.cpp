#include "rest/expiring_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace midonet::rest {
namespace {

using namespace std::chrono_literals;

class ExpiringCacheTest : public ::testing::Test {
protected:
    void put(std::string_view key, int value, event::Duration life = 10s) { cache_.put(sha256(key), value, clock_.now() + life); }
    int find(std::string_view key) const {
        const auto* found = cache_.find(sha256(key), clock_.now());
        return found == nullptr ? 0 : *found;
    }
    event::VirtualClock clock_;
    ExpiringCache<int> cache_{3};
};

TEST_F(ExpiringCacheTest, KnowsForAWhile) {
    put("a", 1);
    EXPECT_EQ(find("a"), 1);
    EXPECT_EQ(find("b"), 0);
    clock_.advance(10s);
    EXPECT_EQ(find("a"), 0);
}

TEST_F(ExpiringCacheTest, TheNewestCounts) {
    put("a", 1, 1s);
    put("a", 2, 20s);
    clock_.advance(10s);
    EXPECT_EQ(find("a"), 2);
    EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(ExpiringCacheTest, TheOldestMakesRoom) {
    put("a", 1);
    put("b", 2);
    put("a", 3);
    put("c", 4);
    put("d", 5);
    EXPECT_EQ(find("b"), 0);
    EXPECT_EQ(find("a") + find("c") + find("d"), 12);
    EXPECT_EQ(cache_.size(), 3U);
}

}  // namespace
}  // namespace midonet::rest
