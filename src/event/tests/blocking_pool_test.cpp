#include "event/blocking_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>

namespace midonet::event {
namespace {

TEST(BlockingPool, RunsOffTheLoopAndComesBackToIt) {
    const auto loop = Loop::create("test");
    BlockingPool pool(2, 8);
    std::thread::id workThread;
    bool doneOnLoop = false;
    EXPECT_TRUE(pool.submit([&] { workThread = std::this_thread::get_id(); }, *loop, [&] {
        doneOnLoop = loop->isCurrent();
        loop->stop();
    }));
    loop->run();
    EXPECT_TRUE(doneOnLoop);
    EXPECT_NE(workThread, std::this_thread::get_id());
}

TEST(BlockingPool, WithoutThreadsTheLoopDoesTheWork) {
    const auto loop = Loop::createVirtual("test");
    BlockingPool pool(*loop);
    std::string order;
    EXPECT_TRUE(pool.submit([&] { order += 'a'; }, *loop, [&] { order += 'A'; }));
    EXPECT_TRUE(pool.submit([&] { order += 'b'; }));
    EXPECT_EQ(order, "") << "not within the call";
    loop->runReady();
    EXPECT_EQ(order, "abA");
}

TEST(BlockingPool, RefusesWhenFullAndFinishesTheQueueAtItsEnd) {
    std::promise<void> started;
    std::promise<void> release;
    int ran = 0;
    {
        BlockingPool pool(1, 2);
        EXPECT_TRUE(pool.submit([&] {
            started.set_value();
            release.get_future().wait();
        }));
        started.get_future().wait();
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_FALSE(pool.submit([&] { ++ran; }));
        release.set_value();
    }
    EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace midonet::event
