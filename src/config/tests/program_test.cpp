#include "config/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/log.h"

namespace midonet::config {
namespace {

using testing::HasSubstr;

class ProgramTest : public testing::Test {
protected:
    std::optional<int> start(std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "midolman");
        return program.start(static_cast<int>(arguments.size()), arguments.data());
    }
    Settings settings;
    Setting<std::int64_t> workers = settings.integer("agent.workers", 2, {1, 64}, "Packet workers.");
    Program program{{"midolman", "1.2.3", "The agent.", ""}, settings};
};

TEST_F(ProgramTest, GoesOnWithGoodSettings) {
    EXPECT_EQ(start({"--set", "agent.workers=3", "--set", "log.level=error"}), std::nullopt);
    EXPECT_EQ(*workers, 3);
    EXPECT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_IGN);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 1U << 20));
}

TEST_F(ProgramTest, EndsWithTheFixOnStderr) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(start({"--set", "agent.workrs=3", "--set", "agent.workers=0"}), 1);
    const auto text = testing::internal::GetCapturedStderr();
    EXPECT_THAT(text, HasSubstr("midolman: --set: unknown setting 'agent.workrs'; did you mean 'agent.workers'?\n"));
    EXPECT_THAT(text, HasSubstr("midolman: --set: agent.workers: 0 is out of range: 1 to 64 is allowed"));
}

TEST_F(ProgramTest, CheckConfigPrintsAndEnds) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(start({"--check-config", "--set", "agent.workers=9"}), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("agent.workers = 9"));
}

TEST_F(ProgramTest, LayersAreTakenAndWhatWaitsIsSaidOnce) {
    ASSERT_EQ(start({}), std::nullopt);
    const auto logOf = [](const std::function<void()>& act) {
        testing::internal::CaptureStderr();
        act();
        return testing::internal::GetCapturedStderr();
    };
    EXPECT_THAT(logOf([&] { program.applyLayers({{"NSDB host", {{"agent.workers", "3"}, {"log.level", "loud"}}}}); }),
                testing::AllOf(HasSubstr("setting key=agent.workers value=3 from=\"NSDB host\""), HasSubstr("'loud' is not one of")));
    EXPECT_EQ(*workers, 3);
    const auto change = [&](const std::string& level) {
        return logOf([&] { program.reloadLayers({{"NSDB host", {{"agent.workers", "4"}, {"log.level", level}}}}); });
    };
    EXPECT_THAT(change("debug"), testing::AllOf(HasSubstr("key=log.level value=debug"), HasSubstr("next start settings=agent.workers")));
    EXPECT_TRUE(Logger::enabled(LogLevel::Debug));
    EXPECT_THAT(change("info"), testing::Not(HasSubstr("next start")));
    EXPECT_THAT(change("error"), HasSubstr("key=log.level value=error")) << "the last that is heard";
    EXPECT_THAT(change("info"), HasSubstr("key=log.level value=info"));
    EXPECT_THAT(program.waiting(), testing::ElementsAre("agent.workers"));
    EXPECT_EQ(*workers, 3);
    program.reloadLayers({});
    EXPECT_THAT(program.waiting(), testing::ElementsAre("agent.workers")) << "its default, now";
    program.reloadLayers({{"NSDB host", {{"agent.workers", "3"}}}});
    EXPECT_THAT(program.waiting(), testing::IsEmpty());
}

TEST_F(ProgramTest, AValueOfALayerKeepsNoProgramFromStarting) {
    ASSERT_EQ(start({}), std::nullopt);
    std::vector<std::int64_t> tried;
    const auto body = [&]() -> Result<void> {
        tried.push_back(*workers);
        return *workers == 2 ? Result<void>{} : fail(ErrorCode::Invalid, "no {} workers here", *workers);
    };
    program.applyLayers({{"NSDB host", {{"agent.workers", "3"}}}});
    EXPECT_EQ(program.run(body), 0);
    EXPECT_THAT(tried, testing::ElementsAre(3, 2));
    EXPECT_EQ(program.run([]() -> Result<void> { return fail(ErrorCode::Invalid, "no"); }), 1) << "nothing of a layer is left";
}

TEST_F(ProgramTest, ReadyGoesToStdoutAndToTheServiceManager) {
    const std::string name = "@midonet-program-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    testing::internal::CaptureStdout();
    program.notifyReady("midolman host 1234");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "ready midolman host 1234\n");
    program.notifyStopping();
    ::unsetenv("NOTIFY_SOCKET");

    char buffer[200];
    auto length = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    ASSERT_GT(length, 0);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(length)), "READY=1\nSTATUS=midolman host 1234");
    length = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    ASSERT_GT(length, 0);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(length)), "STOPPING=1");
    ::close(fd);
}

TEST(NotifyServiceManager, ReportsAnUnreachableSocket) {
    EXPECT_TRUE(notifyServiceManager("", "READY=1"));
    EXPECT_FALSE(notifyServiceManager("/nonexistent/notify", "READY=1"));
    EXPECT_FALSE(notifyServiceManager(std::string(200, 'x'), "READY=1"));
}

}  // namespace
}  // namespace midonet::config
