#include "hosttools/control.h"

#include <gmock/gmock.h>

#include <sstream>

#include "agent/testing/live_agent.h"

namespace midonet::hosttools {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// mm-ctl beside an agent that runs.
class ControlTest : public testing::Test {
protected:
    ControlExit run(const std::vector<std::string>& words, const std::string& socket) {
        AgentClient client{socket, 10s};
        std::ostringstream out, err;
        const auto openStore = [this]() -> Result<std::unique_ptr<nsdb::Store>> {
            if (storeError_) return Unexpected{*storeError_};
            return nsdb::openMemory(live_.shared);
        };
        const auto localHost = [this]() -> Result<HostId> {
            if (hostError_) return Unexpected{*hostError_};
            return live_.host;
        };
        const auto code =
            runControl({client, openStore, localHost, [](const std::string& name) { return name.starts_with("tap"); }, out, err}, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    ControlExit run(const std::vector<std::string>& words) { return run(words, live_.socket()); }
    /// While no agent listens.
    ControlExit runAlone(const std::vector<std::string>& words) { return run(words, live_.socket() + ".nobody"); }
    std::vector<std::string> bind(std::size_t port, const std::string& interface) const {
        return {"--bind-port", live_.ports[port].toString(), interface};
    }
    std::vector<std::string> unbind(std::size_t port) const { return {"--unbind-port", live_.ports[port].toString()}; }

    agent::testing::LiveAgent live_;
    std::optional<Error> storeError_, hostError_;
    std::string out_, err_;
};

TEST_F(ControlTest, TheAgentBindsAndUnbinds) {
    EXPECT_EQ(run(bind(0, "tap0")), ControlExit::Fine) << err_;
    EXPECT_EQ(out_ + err_, "");
    EXPECT_EQ(live_.port(0).interface_name(), "tap0");
    live_.waitUntil([&] { return live_.agent().map()->portNumber(live_.ports[0]).has_value(); });
    EXPECT_EQ(run(unbind(0)), ControlExit::Fine) << err_;
    EXPECT_EQ(out_ + err_, "");
    EXPECT_EQ(live_.port(0).interface_name(), "");
}

TEST_F(ControlTest, AnInterfaceThatIsNotThereIsANote) {
    EXPECT_EQ(run(bind(0, "later0")), ControlExit::Fine);
    EXPECT_THAT(err_, HasSubstr("no interface later0"));
    EXPECT_EQ(live_.port(0).interface_name(), "later0");
}

TEST_F(ControlTest, WhatTheAgentRefusesIsNotTriedElsewhere) {
    EXPECT_EQ(run({"--bind-port", Uuid::random().toString(), "tap0"}), ControlExit::Failed);
    EXPECT_THAT(err_, HasSubstr("Command failed: "));
    ASSERT_EQ(run(bind(0, "tap0")), ControlExit::Fine);
    EXPECT_EQ(run(bind(1, "tap0")), ControlExit::Failed);
    EXPECT_THAT(err_, HasSubstr(live_.ports[0].toString()));
    EXPECT_EQ(run(bind(1, "tap-of-too-many-letters")), ControlExit::Failed);
    EXPECT_THAT(err_, testing::Not(HasSubstr("legacy")));
}

TEST_F(ControlTest, WithoutAnAgentTheNsdbIsWritten) {
    EXPECT_EQ(runAlone(bind(0, "tap0")), ControlExit::Fine) << err_;
    EXPECT_EQ(out_, "Command succeeded\n");
    EXPECT_THAT(err_, HasSubstr("Falling back to legacy method"));
    EXPECT_EQ(live_.port(0).interface_name(), "tap0");
    EXPECT_EQ(runAlone(unbind(0)), ControlExit::Fine) << err_;
    EXPECT_EQ(live_.port(0).interface_name(), "");
    EXPECT_EQ(runAlone({"--unbind-port", Uuid::random().toString()}), ControlExit::Failed);
}

TEST_F(ControlTest, AnAgentWithoutASocketIsNotAsked) {
    EXPECT_EQ(run(bind(0, "tap0"), ""), ControlExit::Fine);
    EXPECT_THAT(err_, HasSubstr("agent.socket is empty"));
    EXPECT_EQ(live_.port(0).interface_name(), "tap0");
}

TEST_F(ControlTest, WithoutAnAgentEachObstacleHasItsExitCode) {
    storeError_ = Error{ErrorCode::Unavailable, "no server answers"};
    EXPECT_EQ(runAlone(unbind(0)), ControlExit::NoStore);
    EXPECT_THAT(err_, HasSubstr("State configuration error: no server answers"));
    storeError_ = Error{ErrorCode::PermissionDenied, "not yours"};
    EXPECT_EQ(runAlone(unbind(0)), ControlExit::PermissionDenied);
    hostError_ = Error{ErrorCode::NotFound, "no id"};
    EXPECT_EQ(runAlone(unbind(0)), ControlExit::NoHostId);
    EXPECT_THAT(err_, HasSubstr("Failed to get host ID: no id"));
}

TEST_F(ControlTest, WrongWordsAreAnsweredWithTheUsage) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"--bind-port"},
                                                  {"--bind-port", live_.ports[0].toString()},
                                                  {"--bind-port", "no-uuid", "tap0"},
                                                  {"--unbind-port", live_.ports[0].toString(), "tap0"},
                                                  {"--eat"}}) {
        EXPECT_EQ(run(words), ControlExit::BadCommand);
        EXPECT_THAT(err_, HasSubstr("Invalid command: "));
        EXPECT_THAT(err_, HasSubstr("--unbind-port PORT"));
    }
}

}  // namespace
}  // namespace midonet::hosttools
