#include "cli/program.h"

#include <gmock/gmock.h>

#include <sstream>

#include "fake_server.h"

namespace midonet::cli {
namespace {

using ::testing::HasSubstr;
using testing::fakeId;
using testing::FakeServer;

class ProgramTest : public ::testing::Test {
protected:
    ExitCode run(const std::vector<std::string>& arguments, const std::string& input = {}) {
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        World world{.connect = [this](const http::Trust&) { return server_.transport(); }, .pause = {}, .environment = environment_, .in = in, .out = out, .err = err};
        const auto code = runProgram(arguments, world);
        out_ = out.str();
        err_ = err.str();
        return code;
    }

    FakeServer server_;
    Variables environment_{{"MIDO_API_URL", std::string{FakeServer::kUrl}}};
    std::string out_;
    std::string err_;
};

TEST_F(ProgramTest, OneCommand) {
    EXPECT_EQ(run({"-A", "-e", "create", "bridge", "name", "b"}), ExitCode::Good);
    EXPECT_EQ(out_, fakeId(1) + "\n");
    EXPECT_EQ(run({"-A", "-e", "bridge create name \"a b\""}), ExitCode::Good);
    EXPECT_EQ(run({"-A", "-e", "bridge", "create", "name", "a b"}), ExitCode::Failed);
    EXPECT_EQ(run({"-A", "-e", "bogus", "cmd"}), ExitCode::Failed);
    EXPECT_EQ(out_, "Syntax error at: ...bogus cmd\n");
}

TEST_F(ProgramTest, ScriptsGoOnBehindErrorsAndEndAsTheLastCommand) {
    EXPECT_EQ(run({"-A"}, "bogus\n\ncreate chain name c\nhelp show\n"), ExitCode::Good);
    EXPECT_THAT(out_, HasSubstr("midonet> Syntax error at: ...bogus\nmidonet> midonet> " + fakeId(1) + "\n"));
    EXPECT_TRUE(out_.ends_with("midonet> \n"));
    EXPECT_EQ(run({"-A"}, "list chain\nbogus"), ExitCode::Failed);
    EXPECT_EQ(run({"-A"}, "bogus\nexit\nlist chain\n"), ExitCode::Failed);
    EXPECT_EQ(run({"-A"}, ""), ExitCode::Good);
    EXPECT_EQ(out_, "midonet> \n");
}

TEST_F(ProgramTest, WhatIsRefusedBeforeItBegins) {
    EXPECT_EQ(run({"-A", "list", "bridge"}), ExitCode::Refused);
    EXPECT_EQ(err_, "Unrecognized command\n");
    EXPECT_EQ(run({"--bogus"}), ExitCode::Refused);
    EXPECT_THAT(err_, HasSubstr("error: no such option: --bogus"));
    EXPECT_EQ(run({"-e", "list", "bridge"}), ExitCode::Refused);
    EXPECT_EQ(err_, "Missing: username\n");
    environment_.clear();
    EXPECT_EQ(run({"-A", "-e", "list", "bridge"}), ExitCode::Refused);
    EXPECT_EQ(err_, "Missing: Midonet API URL\n");
    EXPECT_EQ(run({"--help"}), ExitCode::Good);
    EXPECT_THAT(out_, HasSubstr("--no-auth"));
}

TEST_F(ProgramTest, OnlyReadingIsRepeated) {
    EXPECT_EQ(run({"-A", "--watch", "1", "-e", "create", "bridge"}), ExitCode::Refused);
    EXPECT_EQ(run({"-A", "--watch", "-e", "create", "bridge"}), ExitCode::Refused);
    EXPECT_TRUE(server_.all("bridges").empty());
    EXPECT_EQ(run({"-A", "--watch", "1"}), ExitCode::Refused);
}

TEST_F(ProgramTest, TheProbe) {
    server_.inform("maintenance at noon");
    EXPECT_EQ(run({"-A", "-e", "list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(err_, "maintenance at noon\n");
    server_.requireLogin("admin", "secret");
    EXPECT_EQ(run({"-A", "-e", "list", "bridge"}), ExitCode::Failed);
    EXPECT_EQ(err_, "Invalid credential. Wrong username/password. Bye.\n");
    environment_["MIDO_USER"] = "admin";
    environment_["MIDO_PASSWORD"] = "secret";
    EXPECT_EQ(run({"-i", "p", "-e", "list", "bridge"}), ExitCode::Good);
    server_.stop();
    EXPECT_EQ(run({"-i", "p", "-e", "list", "bridge"}), ExitCode::Failed);
    EXPECT_EQ(err_, "Connection to MidoNet API server refused. Bye.\n");
}

}  // namespace
}  // namespace midonet::cli
