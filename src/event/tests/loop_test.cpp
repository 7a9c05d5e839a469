#include "event/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

namespace midonet::event {
namespace {

using namespace std::chrono_literals;

class LoopTest : public testing::Test {
protected:
    std::unique_ptr<Loop> loop = Loop::create("test");
};

TEST_F(LoopTest, RunsWhatWasPostedBeforeStopAndNothingAfter) {
    std::vector<int> ran;
    loop->post([&] { ran.push_back(1); });
    loop->post([&] { ran.push_back(2); });
    loop->stop();
    loop->post([&] { ran.push_back(3); });
    loop->run();
    EXPECT_EQ(ran, (std::vector{1, 2}));
}

TEST_F(LoopTest, RunsAgainAfterStop) {
    int ran = 0;
    for (int i = 0; i < 2; ++i) {
        loop->post([&] { ++ran; });
        loop->stop();
        loop->run();
    }
    EXPECT_EQ(ran, 2);
}

TEST_F(LoopTest, PostsOfOneThreadRunInOrder) {
    std::vector<int> ran;
    std::thread poster([&] {
        for (int i = 0; i < 1000; ++i) loop->post([&ran, i] { ran.push_back(i); });
        loop->stop();
    });
    loop->run();
    poster.join();
    ASSERT_EQ(ran.size(), 1000U);
    EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST_F(LoopTest, IsCurrentOnlyInsideRun) {
    EXPECT_FALSE(loop->isCurrent());
    bool inside = false;
    loop->post([&] { inside = loop->isCurrent(); });
    loop->stop();
    loop->run();
    EXPECT_TRUE(inside);
    EXPECT_FALSE(loop->isCurrent());
}

TEST_F(LoopTest, TimersFireInOrderOfTheirTime) {
    std::vector<int> fired;
    const auto start = loop->clock().now();
    const auto late = loop->after(4ms, [&] {
        fired.push_back(2);
        loop->stop();
    });
    const auto early = loop->after(1ms, [&] { fired.push_back(1); });
    loop->run();
    EXPECT_EQ(fired, (std::vector{1, 2}));
    EXPECT_GE(loop->clock().now() - start, 4ms);
}

TEST_F(LoopTest, DestroyedTimerNeverFiresAndDropsItsFunction) {
    auto held = std::make_shared<int>(0);
    bool fired = false;
    auto timer = loop->after(0ms, [&fired, held] { fired = true; });
    timer.reset();
    EXPECT_EQ(held.use_count(), 1);
    const auto end = loop->after(1ms, [&] { loop->stop(); });
    loop->run();
    EXPECT_FALSE(fired);
}

// Both are due at once, so the second completion is queued already when the first one runs.
TEST_F(LoopTest, HandleDestroyedWhileItsCompletionIsQueued) {
    int fired = 0;
    HandlePtr a;
    HandlePtr b;
    const auto fire = [&] {
        ++fired;
        a.reset();
        b.reset();
        loop->post([&] { loop->stop(); });
    };
    a = loop->after(0ms, fire);
    b = loop->after(0ms, fire);
    loop->run();
    EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, HandleMayDieInsideItsOwnCallback) {
    auto held = std::make_shared<int>(0);
    int fired = 0;
    HandlePtr timer;
    timer = loop->every(1us, [&, held] {
        ++fired;
        timer.reset();
        EXPECT_EQ(*held, 0);  // captures are still there
        loop->post([&] { loop->stop(); });
    });
    loop->run();
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, PeriodicTimerGoesOn) {
    int fired = 0;
    const auto timer = loop->every(100us, [&] {
        if (++fired == 3) loop->stop();
    });
    loop->run();
    EXPECT_EQ(fired, 3);
}

TEST_F(LoopTest, ReadableIsLevelTriggered) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ASSERT_EQ(::write(fds[1], "abc", 3), 3);
    std::string read;
    const auto reader = loop->onReadable(fds[0], [&] {
        char c = 0;
        ASSERT_EQ(::read(fds[0], &c, 1), 1);
        read.push_back(c);
        if (read.size() == 3) loop->stop();
    });
    loop->run();
    EXPECT_EQ(read, "abc");
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST_F(LoopTest, ReaderMayDieInItsCallbackAndTheDescriptorStaysOpen) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ASSERT_EQ(::write(fds[1], "abc", 3), 3);
    int calls = 0;
    HandlePtr reader;
    reader = loop->onReadable(fds[0], [&] {
        ++calls;
        reader.reset();
        loop->stop();
    });
    loop->run();
    EXPECT_EQ(calls, 1);
    char buffer[3];
    EXPECT_EQ(::read(fds[0], buffer, 3), 3);

    // And it can be watched again.
    ASSERT_EQ(::write(fds[1], "d", 1), 1);
    reader = loop->onReadable(fds[0], [&] {
        ++calls;
        reader.reset();
        loop->stop();
    });
    loop->run();
    EXPECT_EQ(calls, 2);
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST_F(LoopTest, SignalsArrive) {
    std::vector<int> seen;
    const auto signals = loop->onSignal({SIGUSR1, SIGUSR2}, [&](int signal) {
        seen.push_back(signal);
        if (seen.size() == 1) {
            ::raise(SIGUSR2);
        } else {
            loop->stop();
        }
    });
    ::raise(SIGUSR1);
    loop->run();
    EXPECT_EQ(seen, (std::vector{SIGUSR1, SIGUSR2}));
}

TEST_F(LoopTest, UndeliveredFunctionsMayHoldHandlesWhenTheLoopEnds) {
    loop->post([timer = std::shared_ptr<Handle>(loop->after(1h, [] {}))] {});
    loop.reset();
}

}  // namespace
}  // namespace midonet::event
