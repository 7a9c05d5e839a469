#include "base/log.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midonet {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
protected:
    ~LogTest() override { setLogLevel(LogLevel::Info); }

    template <class Write>
    static std::string written(Write write) {
        ::testing::internal::CaptureStderr();
        write();
        return ::testing::internal::GetCapturedStderr();
    }

    const Logger log_{"host"};
};

TEST_F(LogTest, LineHasTimeLevelNameMessageAndFields) {
    const auto line = written([&] { log_.info("port bound", {kv("port", 7), kv("name", "a b")}); });
    EXPECT_THAT(line, HasSubstr(" info host port bound port=7 name=\"a b\"\n"));
    EXPECT_THAT(line, MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+.[0-9]+Z info .*\n"));
}

TEST_F(LogTest, ForeignTextCannotForgeLinesOrFields) {
    const auto line =
        written([&] { log_.warn("refused", {kv("name", "x\nerror host \"down\" a=b")}); });
    EXPECT_THAT(line, HasSubstr("name=\"x\\nerror host \\\"down\\\" a=b\"\n"));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_F(LogTest, ErrorsAreShownByTheirMessage) {
    const Error error{ErrorCode::NotFound, "no bridge"};
    EXPECT_THAT(written([&] { log_.error("failed", {kv("why", error)}); }),
                HasSubstr("why=\"no bridge\""));
}

TEST_F(LogTest, LevelsBelowTheLimitAreSilent) {
    EXPECT_EQ(written([&] { log_.debug("detail"); }), "");
    setLogLevel(LogLevel::Debug);
    EXPECT_THAT(written([&] { log_.debug("detail"); }), HasSubstr("detail"));
    setLogLevel(LogLevel::Off);
    EXPECT_EQ(written([&] { log_.error("end"); }), "");
}

TEST_F(LogTest, LevelNames) {
    LogLevel level = LogLevel::Info;
    EXPECT_TRUE(parseLogLevel("warn", level));
    EXPECT_EQ(level, LogLevel::Warn);
    EXPECT_FALSE(parseLogLevel("loud", level));
    EXPECT_EQ(level, LogLevel::Warn) << "an unknown name changes nothing";
}

TEST(LogLimiter, LetsABurstThroughPerInterval) {
    using namespace std::chrono_literals;
    LogLimiter limiter(10s, 2);
    const auto start = std::chrono::steady_clock::time_point{} + 1h;
    EXPECT_TRUE(limiter.allow(start));
    EXPECT_TRUE(limiter.allow(start + 1s));
    EXPECT_FALSE(limiter.allow(start + 2s));
    EXPECT_FALSE(limiter.allow(start + 9s));
    EXPECT_TRUE(limiter.allow(start + 10s));
    EXPECT_EQ(limiter.takeSuppressed(), 2U);
    EXPECT_EQ(limiter.takeSuppressed(), 0U);
}

}  // namespace
}  // namespace midonet
