#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "event/loop.h"

namespace midonet::event {
namespace {

using namespace std::chrono_literals;

class VirtualLoopTest : public testing::Test {
protected:
    std::unique_ptr<Loop> loop = Loop::createVirtual("test");
};

TEST_F(VirtualLoopTest, RunReadyRunsWhatIsPostedOnTheWayToo) {
    std::vector<int> ran;
    loop->post([&] {
        EXPECT_TRUE(loop->isCurrent());
        ran.push_back(1);
        loop->post([&] { ran.push_back(2); });
    });
    EXPECT_EQ(loop->runReady(), 2U);
    EXPECT_EQ(loop->runReady(), 0U);
    EXPECT_EQ(ran, (std::vector{1, 2}));
    EXPECT_FALSE(loop->isCurrent());
}

TEST_F(VirtualLoopTest, AdvanceStopsAtEachTimer) {
    const auto start = loop->clock().now();
    std::vector<Duration> fired;
    const auto note = [&] { fired.push_back(loop->clock().now() - start); };
    const auto once = loop->after(5s, note);
    const auto periodic = loop->every(2s, note);
    HandlePtr nested;
    const auto outer = loop->after(3s, [&] { nested = loop->after(500ms, note); });
    loop->advance(6s);
    EXPECT_EQ(fired, (std::vector<Duration>{2s, 3500ms, 4s, 5s, 6s}));
    EXPECT_EQ(loop->clock().now() - start, 6s);
}

TEST_F(VirtualLoopTest, TimersOfOneTimeRunInTheOrderTheyWereMade) {
    std::vector<int> fired;
    const auto a = loop->after(1s, [&] { fired.push_back(1); });
    const auto b = loop->after(1s, [&] { fired.push_back(2); });
    loop->advance(1s);
    EXPECT_EQ(fired, (std::vector{1, 2}));
}

TEST_F(VirtualLoopTest, DestroyedHandlesAreSilentAlsoInsideACallback) {
    int fired = 0;
    HandlePtr victim;
    const auto killer = loop->after(1s, [&] { victim.reset(); });
    victim = loop->after(1s, [&] { ++fired; });
    HandlePtr self;
    auto held = std::make_shared<int>(0);
    self = loop->every(1s, [&, held] {
        ++fired;
        self.reset();
        EXPECT_EQ(*held, 0);
    });
    loop->advance(10s);
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(VirtualLoopTest, ReadableDescriptorsAreSeen) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    std::string read;
    const auto reader = loop->onReadable(fds[0], [&] {
        char c = 0;
        ASSERT_EQ(::read(fds[0], &c, 1), 1);
        read.push_back(c);
    });
    EXPECT_EQ(loop->runReady(), 0U);
    ASSERT_EQ(::write(fds[1], "ab", 2), 2);
    EXPECT_EQ(loop->runReady(), 2U);
    EXPECT_EQ(read, "ab");
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST_F(VirtualLoopTest, SignalsAreSeen) {
    std::vector<int> seen;
    const auto signals = loop->onSignal({SIGUSR1}, [&](int signal) { seen.push_back(signal); });
    ::raise(SIGUSR1);
    loop->runReady();
    EXPECT_EQ(seen, (std::vector{SIGUSR1}));
}

TEST_F(VirtualLoopTest, RunWaitsForOtherThreads) {
    bool ran = false;
    std::thread poster([&] {
        loop->post([&] { ran = true; });
        loop->stop();
    });
    loop->run();
    poster.join();
    EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace midonet::event
