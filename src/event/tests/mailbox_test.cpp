#include "event/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace midonet::event {
namespace {

TEST(Mailbox, DeliversABatchWithOneWakeUp) {
    const auto loop = Loop::createVirtual("test");
    std::vector<std::vector<int>> batches;
    Mailbox<int> box(*loop, 10, [&](std::vector<int>& batch) { batches.push_back(batch); });
    EXPECT_TRUE(box.push(1));
    EXPECT_TRUE(box.push(2));
    EXPECT_EQ(box.depth(), 2U);
    EXPECT_EQ(loop->runReady(), 1U);
    EXPECT_TRUE(box.push(3));
    EXPECT_EQ(loop->runReady(), 1U);
    EXPECT_EQ(batches, (std::vector<std::vector<int>>{{1, 2}, {3}}));
}

TEST(Mailbox, RefusesAndCountsWhenFull) {
    const auto loop = Loop::createVirtual("test");
    Mailbox<int> box(*loop, 2, [](std::vector<int>&) {});
    EXPECT_TRUE(box.push(1));
    EXPECT_TRUE(box.push(2));
    EXPECT_FALSE(box.push(3));
    EXPECT_EQ(box.dropped(), 1U);
    loop->runReady();
    EXPECT_TRUE(box.push(4));
}

TEST(Mailbox, DeliversNothingAfterItsEnd) {
    const auto loop = Loop::createVirtual("test");
    bool delivered = false;
    {
        Mailbox<int> box(*loop, 2, [&](std::vector<int>&) { delivered = true; });
        EXPECT_TRUE(box.push(1));
    }
    EXPECT_EQ(loop->runReady(), 1U);
    EXPECT_FALSE(delivered);
}

TEST(Mailbox, KeepsTheOrderOfEachPoster) {
    const auto loop = Loop::create("test");
    constexpr int kEach = 2000;
    std::vector<int> last(3, -1);
    int received = 0;
    Mailbox<std::pair<int, int>> box(*loop, 3 * kEach, [&](auto& batch) {
        for (const auto& [poster, number] : batch) {
            EXPECT_EQ(number, last[static_cast<std::size_t>(poster)] + 1);
            last[static_cast<std::size_t>(poster)] = number;
            ++received;
        }
        if (received == 3 * kEach) loop->stop();
    });
    std::vector<std::thread> posters;
    for (int poster = 0; poster < 3; ++poster) {
        posters.emplace_back([&box, poster] {
            for (int i = 0; i < kEach; ++i) EXPECT_TRUE(box.push({poster, i}));
        });
    }
    loop->run();
    for (auto& poster : posters) poster.join();
    EXPECT_EQ(received, 3 * kEach);
    EXPECT_EQ(box.dropped(), 0U);
}

}  // namespace
}  // namespace midonet::event
