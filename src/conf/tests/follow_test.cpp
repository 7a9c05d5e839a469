#include "conf/follow.h"

#include "base/log.h"
#include "cloud.h"
#include "nsdb/memory.h"

namespace midonet::conf {
namespace {

using testing::ElementsAre;

class FollowTest : public Cloud {
protected:
    void follow(const std::optional<HostId>& host) {
        watch_ = watchLayers(*loop_, *store_, host, [this](const std::vector<config::Layer>& layers) {
            ++calls_;
            latest_.clear();
            for (const auto& layer : layers)
                for (const auto& [key, value] : layer.values) latest_.push_back(value);
        });
        loop_->runReady();
    }
    void set(const Holder& holder, const std::string& value) {
        ASSERT_TRUE(repository_.set(holder, {{"log.level", value}}));
        loop_->runReady();
    }

    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("control");
    int calls_ = 0;
    std::vector<std::string> latest_;
    event::HandlePtr watch_;
};

TEST_F(FollowTest, EveryLayerIsWatched) {
    follow(host_);
    EXPECT_EQ(calls_, 1) << "empty, but known";
    set(named("default"), "default");
    EXPECT_THAT(latest_, ElementsAre("default"));
    set(host_, "own");
    EXPECT_THAT(latest_, ElementsAre("default", "own"));
    set(named("large"), "large");
    EXPECT_THAT(latest_, ElementsAre("default", "own")) << "not its template";
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    loop_->runReady();
    EXPECT_THAT(latest_, ElementsAre("default", "large", "own"));
    set(named("large"), "larger");
    EXPECT_THAT(latest_, ElementsAre("default", "larger", "own"));
    ASSERT_TRUE(repository_.unset(host_, "log.level"));
    loop_->runReady();
    EXPECT_THAT(latest_, ElementsAre("default", "larger"));
    ASSERT_TRUE(repository_.useNoTemplate(host_));
    loop_->runReady();
    EXPECT_THAT(latest_, ElementsAre("default"));
    set(other_, "another host's");
    EXPECT_THAT(latest_, ElementsAre("default"));
}

TEST_F(FollowTest, WhatIsThereComesAtOnceAndWhole) {
    set(named("default"), "default");
    set(named("large"), "large");
    set(host_, "own");
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    follow(host_);
    EXPECT_THAT(latest_, ElementsAre("default", "large", "own"));
    EXPECT_EQ(calls_, 1) << "never a part of it";
}

TEST_F(FollowTest, AHostThatIsDeletedHasTheDefaults) {
    set(named("default"), "default");
    set(named("large"), "large");
    set(host_, "own");
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    follow(host_);
    ASSERT_TRUE(store_->transact([this](nsdb::Transaction& t) { return removeHost(t, host_); }));
    loop_->runReady();
    EXPECT_THAT(latest_, ElementsAre("default"));
}

TEST_F(FollowTest, WithoutAHostTheDefaultTemplateCounts) {
    follow(std::nullopt);
    set(named("default"), "default");
    EXPECT_THAT(latest_, ElementsAre("default"));
}

TEST_F(FollowTest, AProgramStartsWithItAndChangesWithIt) {
    config::Settings settings;
    const auto workers = settings.integer("agent.workers", 1, {1, 16}, "Threads.");
    config::Program program({"program", "1", "", ""}, settings);
    const char* const arguments[] = {"program"};
    ASSERT_EQ(program.start(1, arguments), std::nullopt);
    ASSERT_TRUE(repository_.set(host_, {{"agent.workers", "4"}, {"log.level", "nonsense"}}));

    applyConfiguration(program, *store_, host_);
    EXPECT_EQ(*workers, 4);
    watch_ = followConfiguration(*loop_, program, *store_, host_);
    loop_->runReady();
    EXPECT_THAT(program.waiting(), testing::IsEmpty()) << "all of it was taken at start";
    ASSERT_TRUE(repository_.set(host_, {{"agent.workers", "5"}, {"log.level", "error"}}));
    loop_->runReady();
    EXPECT_FALSE(Logger::enabled(LogLevel::Warn));
    EXPECT_EQ(*workers, 4);
    EXPECT_THAT(program.waiting(), ElementsAre("agent.workers"));
    setLogLevel(LogLevel::Info);
}

TEST_F(FollowTest, AStoreThatIsAwayLeavesTheLocalSettings) {
    config::Settings settings;
    const auto workers = settings.integer("agent.workers", 1, {1, 16}, "Threads.");
    config::Program program({"program", "1", "", ""}, settings);
    const char* const arguments[] = {"program"};
    ASSERT_EQ(program.start(1, arguments), std::nullopt);
    ASSERT_TRUE(repository_.set(host_, {{"agent.workers", "4"}}));
    nsdb::setReachable(*store_, false);
    applyConfiguration(program, *store_, host_);
    EXPECT_EQ(*workers, 1);

    // When it is back it is as any change.
    watch_ = followConfiguration(*loop_, program, *store_, host_);
    nsdb::setReachable(*store_, true);
    loop_->runReady();
    EXPECT_EQ(*workers, 1);
    EXPECT_THAT(program.waiting(), ElementsAre("agent.workers"));
}

}  // namespace
}  // namespace midonet::conf
