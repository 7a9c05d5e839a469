#include "hosttools/trace_tool.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "agent/testing/live_agent.h"
#include "packet/builder.h"

namespace midonet::hosttools {
namespace {

using namespace std::chrono_literals;
using namespace packet;
using testing::HasSubstr;
using testing::StartsWith;

/// Beside an agent whose two ports are bound.
class TraceToolTest : public testing::Test {
protected:
    TraceToolTest() { live_.bindPorts(); }
    int run(const std::vector<std::string>& words) {
        std::ostringstream out, err;
        const int code = runTraceTool({client_, out, err}, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    /// What the agent has told of, once these words are in it.
    std::string logWith(const std::string& words) {
        std::string text;
        live_.waitUntil([&] {
            std::ifstream in(live_.traceLog());
            text.assign(std::istreambuf_iterator<char>(in), {});
            return text.find(words) != text.npos;
        });
        return text;
    }

    agent::testing::LiveAgent live_;
    AgentClient client_{live_.socket(), 10s};
    std::string out_, err_;
};

TEST_F(TraceToolTest, TellsOfThePacketThatMatches) {
    ASSERT_EQ(run({"add", "-d", "--mac-src", "02:00:00:00:00:02"}), 0) << err_;
    EXPECT_EQ(out_, "");
    for (const auto mac : {1, 2, 3}) live_.send("tap0", (eth(net::Mac{0x020000000000ULL + mac}, net::Mac::broadcast()) / "hello").toBytes());
    const auto text = logWith("leaves by port");
    EXPECT_THAT(text, HasSubstr("mm-trace --debug --limit 1 --mac-src 02:00:00:00:00:02\n    in by port " + live_.ports[0].toString() + "\n"));
    EXPECT_THAT(text, HasSubstr("    bridge " + live_.bridge.toString()));
    EXPECT_THAT(text, HasSubstr("    forwarded\n    leaves by port " + live_.ports[1].toString() + " of host " + live_.host.toString()));
    EXPECT_EQ(text.find("02:00:00:00:00:03"), text.npos);
    ASSERT_EQ(run({"list", "-L"}), 0);
    EXPECT_EQ(out_, "") << "it is done";
    EXPECT_EQ(run({"list"}), 0);
    EXPECT_EQ(out_, "mm-trace --debug --limit 1 --mac-src 02:00:00:00:00:02\n");
    EXPECT_EQ(run({"flush", "-D"}), 0);
    EXPECT_EQ(out_, "Removed 1 tracer(s)\n");
}

TEST_F(TraceToolTest, WhatIsListedCanBeFedBack) {
    ASSERT_EQ(run({"add", "--trace", "-l", "3", "--ip-dst", "10.0.0.1", "--ethertype", "2048"}), 0) << err_;
    ASSERT_EQ(run({"list"}), 0);
    const auto listed = out_;
    EXPECT_EQ(listed, "mm-trace --trace --limit 3 --ethertype 0x0800 --ip-dst 10.0.0.1\n");
    std::istringstream line{listed};
    std::vector<std::string> words{std::istream_iterator<std::string>{line}, {}};
    words.erase(words.begin());
    ASSERT_EQ(run(words), 0) << err_;
    ASSERT_EQ(run({"list", "--live"}), 0);
    EXPECT_EQ(out_, listed + listed);
    words.insert(words.begin(), "remove");
    ASSERT_EQ(run(words), 0);
    EXPECT_EQ(out_, "Removed 2 tracer(s)\n");
    ASSERT_EQ(run({"flush"}), 0);
    EXPECT_EQ(out_, "Removed 0 tracer(s)\n");
}

TEST_F(TraceToolTest, NamesWhatIsWrong) {
    for (const auto& [words, named] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{}, "which command"},
             {{"add"}, "--debug"},
             {{"add", "--ip-dst", "10.0.0.1"}, "--debug"},
             {{"add", "-d", "--ip-dst", "here"}, "--ip-dst"},
             {{"remove", "--ip-dst", "10.0.0.1"}, "--debug"},
             {{"list", "-D"}, "-D"},
             {{"flush", "-L"}, "-L"},
             {{"eat"}, "eat"},
             {{"-h", "there", "-p", "7200", "list"}, "own host"},
             {{"list", "-p", "7200"}, "own host"}}) {
        EXPECT_EQ(run(words), 1) << named;
        EXPECT_THAT(err_, StartsWith("[mm-trace] Failed: "));
        EXPECT_THAT(err_, HasSubstr(named));
        EXPECT_EQ(out_, "");
    }
    AgentClient nobody{live_.socket() + "-not", 1s};
    std::ostringstream out, err;
    EXPECT_EQ(runTraceTool({nobody, out, err}, {"list"}), 1);
    EXPECT_THAT(err.str(), StartsWith("[mm-trace] Failed: "));
}

/// What another program sends to the socket.
TEST_F(TraceToolTest, TheAgentRefusesWhatIsNoTracer) {
    EXPECT_EQ(client_.send(http::Method::Post, "/tracers", "--debug --ip-dst")->status, 400);
    EXPECT_EQ(client_.send(http::Method::Post, "/tracers/remove", "")->status, 400);
    http::Client page;
    http::Request request;
    request.target = live_.page() + "/tracers";
    EXPECT_EQ(page.send(request)->status, 404) << "for the owner of the socket alone";
}

}  // namespace
}  // namespace midonet::hosttools
