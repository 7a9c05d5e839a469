// --watch, with a server in memory and a time of its own.
#include <gmock/gmock.h>

#include <sstream>

#include "cli/program.h"
#include "fake_server.h"

namespace midonet::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::fakeId;
using testing::FakeServer;

constexpr auto* kMark = R"({"revision":7,"changes":[]})" "\n";

std::string line(int revision) {
    return fmt::format(R"({{"revision":{},"changes":[{{"type":"Bridge","id":"x","change":"updated"}}]}})" "\n", revision);
}

class WatchTest : public ::testing::Test {
protected:
    /// Until the user has had enough: after that many of the steps, which happen when the program asks whether it is to end.
    ExitCode watch(std::vector<std::string> words, std::vector<std::string> option = {"--watch"}) {
        std::istringstream in;
        std::ostringstream out;
        World world{.connect = [this](const http::Trust&) { return server_.transport(); },
                    .pause = [this](event::Duration time) { return pause(time); },
                    .environment = {{"MIDO_API_URL", std::string{FakeServer::kUrl}}},
                    .in = in,
                    .out = out,
                    .err = err_};
        std::vector<std::string> arguments{"-A", "-e"};
        arguments.insert(arguments.end(), option.begin(), option.end());
        arguments.insert(arguments.end(), words.begin(), words.end());
        const auto code = runProgram(arguments, world);
        out_ = out.str();
        return code;
    }
    bool pause(event::Duration time) {
        paused_ += time;
        ++pauses_;
        if (const auto step = steps_.find(pauses_); step != steps_.end()) step->second();
        return pauses_ < patience_;
    }
    void makeBridge(std::string name) { server_.add("bridges", {{"name", std::move(name)}}); }
    std::ptrdiff_t asked(std::string_view request) const {
        return std::count(server_.requests().begin(), server_.requests().end(), request);
    }

    FakeServer server_;
    std::map<int, std::function<void()>> steps_;  ///< By the number of the pause.
    int patience_ = 50;
    int pauses_ = 0;
    event::Duration paused_{};
    std::ostringstream err_;
    std::string out_;
};

std::string bridges(std::initializer_list<std::string_view> names) {
    std::string out;
    int n = 0;
    for (const auto name : names) out += fmt::format("bridge {} name {} state up\n", fakeId(++n), name);
    return out;
}

TEST_F(WatchTest, PrintsAgainWhatChangedAndIsToldOf) {
    server_.answerChanges(200);
    server_.tell(kMark);
    makeBridge("one");
    steps_[10] = [this] {
        makeBridge("two");
        server_.tell(line(8));
    };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one", "two"}));
    EXPECT_EQ(asked("GET /bridges"), 2) << "nothing is asked for where nothing changes";
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 1);
    EXPECT_EQ(paused_, 0s);
}

TEST_F(WatchTest, ChangesAtOnceAreOne) {
    server_.answerChanges(200);
    makeBridge("one");
    steps_[10] = [this] {
        makeBridge("two");
        makeBridge("three");
        server_.tell(line(8) + line(9));
        server_.tell(line(10).substr(0, 5));
        server_.tell(line(10).substr(5));
    };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one", "two", "three"}));
    EXPECT_LE(asked("GET /bridges"), 3) << "a line in two pieces may end what belongs together";
}

TEST_F(WatchTest, WhatLooksTheSameIsNotPrintedAgain) {
    server_.answerChanges(200);
    makeBridge("one");
    steps_[10] = [this] { server_.tell(line(8)); };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}));
    EXPECT_EQ(asked("GET /bridges"), 2);
}

TEST_F(WatchTest, GoesOnWhereItWasWhenTheConnectionIsLost) {
    server_.answerChanges(200);
    server_.tell(kMark);
    makeBridge("one");
    steps_[10] = [this] { server_.tell(fail(ErrorCode::Unavailable, "cut")); };
    steps_[20] = [this] { server_.tell(std::nullopt); };
    steps_[30] = [this] {
        makeBridge("two");
        server_.tell(line(8));
    };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one", "two"}));
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 1);
    EXPECT_EQ(asked("GET /changes?types=Bridge&since=7"), 2);
    EXPECT_EQ(asked("GET /bridges"), 2) << "what was missed is told";
    EXPECT_EQ(paused_, 2s);
}

TEST_F(WatchTest, ReadsAnewWhereTheServerDoesNotKnowWhatWasMissed) {
    server_.answerChanges(200);
    server_.tell(kMark);
    makeBridge("one");
    steps_[10] = [this] {
        makeBridge("two");
        server_.answerChanges(410);
        server_.tell(std::nullopt);
    };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(asked("GET /changes?types=Bridge&since=7"), 1);
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 2);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one", "two"}));
}

TEST_F(WatchTest, AServerThatGoesIsWaitedForButNotForEver) {
    server_.answerChanges(200);
    server_.tell(kMark);
    makeBridge("one");
    patience_ = 1000;
    steps_[10] = [this] {
        server_.tell(std::nullopt);
        server_.stop();
    };
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Failed);
    EXPECT_EQ(out_, bridges({"one"}) + "Connection to MidoNet API server refused.\nBye.\n");
    EXPECT_GE(paused_, 20s);
    EXPECT_LE(paused_, 60s);
}

TEST_F(WatchTest, AServerThatDoesNotTellIsAskedNowAndThen) {
    makeBridge("one");
    steps_[4] = [this] { makeBridge("two"); };
    patience_ = 9;
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one", "two"}));
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 1) << "it has no such feed, and will have none";
    EXPECT_EQ(paused_, 5s * 4);
}

TEST_F(WatchTest, AServerThatDoesNotTellNowIsAskedForItAgain) {
    server_.answerChanges(503);
    makeBridge("one");
    patience_ = 9;
    EXPECT_EQ(watch({"list", "bridge"}), ExitCode::Good);
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 5);
    EXPECT_EQ(paused_, 5s * 4);
}

TEST_F(WatchTest, WhatTheServerDoesNotTellIsLookedAtNowAndThen) {
    server_.answerChanges(200);
    server_.add("hosts", {{"name", "h"}, {"alive", true}});
    patience_ = 100;
    EXPECT_EQ(watch({"list", "host"}), ExitCode::Good);
    EXPECT_EQ(asked("GET /changes?types=Host"), 1);
    EXPECT_EQ(asked("GET /hosts"), 4) << "at first, and every 25 slices";
}

TEST_F(WatchTest, WhereThereIsNothingToTellTheFeedIsNotRead) {
    server_.answerChanges(200);
    EXPECT_EQ(watch({"show", "system-state"}), ExitCode::Good);
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("/changes"))));
    EXPECT_GT(asked("GET /system_state"), 2);
}

TEST_F(WatchTest, WhatItLiesInMayGo) {
    server_.answerChanges(200);
    makeBridge("one");
    EXPECT_EQ(watch({"bridge", fakeId(1), "list", "mac-port"}), ExitCode::Good);
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 1);
}

TEST_F(WatchTest, EndsWhenWhatItShowsIsGone) {
    server_.answerChanges(200);
    makeBridge("one");
    steps_[10] = [this] {
        server_.remove("bridges", fakeId(1));
        server_.tell(line(8));
    };
    EXPECT_EQ(watch({"show", "bridge", fakeId(1)}), ExitCode::Failed);
    EXPECT_EQ(out_, bridges({"one"}) + "Syntax error at: ..." + fakeId(1) + "\n");
}

TEST_F(WatchTest, EveryNSecondsItIsPrintedWhateverHappens) {
    makeBridge("one");
    patience_ = 5;
    EXPECT_EQ(watch({"list", "bridge"}, {"--watch", "3"}), ExitCode::Good);
    EXPECT_EQ(out_, bridges({"one"}) + bridges({"one"}));
    EXPECT_EQ(paused_, 6s);
    EXPECT_EQ(asked("GET /changes?types=Bridge"), 0);
}

TEST_F(WatchTest, WhatCannotBeReadFailsAtOnce) {
    for (const auto* option : {"--watch", "--watch=1"}) {
        EXPECT_EQ(watch({"list", "brdge"}, {option}), ExitCode::Failed);
        EXPECT_EQ(out_, "Syntax error at: ...brdge\n");
    }
}

}  // namespace
}  // namespace midonet::cli
