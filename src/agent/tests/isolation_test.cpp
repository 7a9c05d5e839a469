#include "agent/isolation.h"

#include <gmock/gmock.h>

#include <vector>

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class IsolationTest : public testing::Test {
protected:
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::vector<bool> told;
    Isolation isolation{*loop, 30s, [this](bool isolated) { told.push_back(isolated); }};
};

TEST_F(IsolationTest, AHostThatNeverConnectsIsIsolatedAfterTheGraceTime) {
    loop->advance(29s);
    EXPECT_FALSE(isolation.isolated());
    loop->advance(1s);
    EXPECT_TRUE(isolation.isolated());
    EXPECT_THAT(told, ElementsAre(true));
}

TEST_F(IsolationTest, AShortLossIsNone) {
    isolation.setConnected(true);
    for (int i = 0; i < 5; ++i) {
        isolation.setConnected(false);
        loop->advance(29s);
        isolation.setConnected(true);
        loop->advance(60s);
    }
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(IsolationTest, TheGraceTimeRunsFromTheFirstLoss) {
    isolation.setConnected(true);
    isolation.setConnected(false);
    loop->advance(20s);
    isolation.setConnected(false);
    loop->advance(10s);
    EXPECT_THAT(told, ElementsAre(true));
}

TEST_F(IsolationTest, ItEndsWithTheConnection) {
    loop->advance(30s);
    isolation.setConnected(true);
    EXPECT_FALSE(isolation.isolated());
    isolation.setConnected(false);
    loop->advance(30s);
    EXPECT_THAT(told, ElementsAre(true, false, true));
}

}  // namespace
}  // namespace midonet::agent
