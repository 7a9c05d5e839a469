#include "event/sharded.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace midonet::event {
namespace {

TEST(Sharded, TheUpperBitsOfTheHashChoose) {
    using Four = Sharded<int, 4>;
    EXPECT_EQ(Four::indexOf(0x3fffffffffffffffULL), 0u);
    EXPECT_EQ(Four::indexOf(0x4000000000000000ULL), 1u);
    EXPECT_EQ(Four::indexOf(~0ULL), 3u);
    using One = Sharded<int, 1>;
    EXPECT_EQ(One::indexOf(~0ULL), 0u);
}

TEST(Sharded, ValuesBeginEmptyAndAreApart) {
    Sharded<int, 4> numbers;
    numbers.with(~0ULL, [](int& n) { n = 7; });
    const auto& readOnly = numbers;
    EXPECT_EQ(readOnly.at(3, [](const int& n) { return n; }), 7);
    EXPECT_EQ(readOnly.with(0, [](const int& n) { return n; }), 0);
}

TEST(Sharded, NothingIsLostBetweenThreads) {
    constexpr int kThreads = 4, kRounds = 20'000;
    Sharded<int, 2> counts;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&counts] {
            for (int i = 0; i < kRounds; ++i) counts.at(static_cast<std::size_t>(i % 2), [](int& n) { ++n; });
        });
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(counts.at(i, [](int& n) { return n; }), kThreads * kRounds / 2);
}

}  // namespace
}  // namespace midonet::event
