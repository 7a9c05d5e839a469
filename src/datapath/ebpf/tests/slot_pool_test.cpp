#include "datapath/ebpf/slot_pool.h"

#include <gtest/gtest.h>

namespace midonet::datapath::ebpf {
namespace {

using namespace std::chrono_literals;

TEST(SlotPool, HandsOutItsRangeAndRestsWhatIsFreed) {
    event::VirtualClock clock;
    SlotPool pool{10, 3, {}};
    EXPECT_EQ(pool.take(clock.now()), 10U);
    EXPECT_EQ(pool.take(clock.now()), 11U);
    pool.release(10, clock.now());
    EXPECT_EQ(pool.take(clock.now()), 12U);
    EXPECT_EQ(pool.take(clock.now()), std::nullopt);
    clock.advance(100ms);
    EXPECT_EQ(pool.take(clock.now()), 10U);
    EXPECT_TRUE(pool.owns(12));
    EXPECT_FALSE(pool.owns(13));
    EXPECT_FALSE(pool.owns(9));
}

TEST(SlotPool, TakenSlotsComeLater) {
    event::VirtualClock clock;
    std::vector<bool> taken(13);
    taken[10] = taken[12] = true;
    SlotPool pool{10, 3, taken};
    EXPECT_EQ(pool.take(clock.now()), 11U);
    EXPECT_EQ(pool.take(clock.now()), std::nullopt);
    pool.giveBack({10, 12}, clock.now());
    EXPECT_EQ(pool.take(clock.now()), std::nullopt);
    clock.advance(100ms);
    EXPECT_TRUE(pool.take(clock.now()));
    EXPECT_TRUE(pool.take(clock.now()));
    EXPECT_FALSE(pool.take(clock.now()));
}

}  // namespace
}  // namespace midonet::datapath::ebpf
