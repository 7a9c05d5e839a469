#include "hosttools/meter_tool.h"

#include <gmock/gmock.h>

#include <sstream>

#include "agent/testing/live_agent.h"
#include "hosttools/agent_client.h"
#include "packet/builder.h"

namespace midonet::hosttools {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class MeterToolTest : public testing::Test {
protected:
    int run(const std::vector<std::string>& words) {
        std::ostringstream out, err;
        const auto read = [this]() -> Result<std::string> {
            if (pages_.empty()) return fail(ErrorCode::Unavailable, "cannot connect to agent.sock: no such file");
            const auto page = pages_.front();
            if (pages_.size() > 1) pages_.erase(pages_.begin());
            return page;
        };
        const int code = runMeterTool({read, [this](event::Duration pause) { slept_ += pause; }, out, err}, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }

    std::vector<std::string> pages_;  ///< One after another; the last one stays.
    event::Duration slept_{};
    std::string out_, err_;
};

TEST_F(MeterToolTest, Lists) {
    pages_ = {R"({"meters:port:rx:b": {"packets": 1, "bytes": 98}, "meters:device:a": {"packets": 2, "bytes": 3}})"};
    EXPECT_EQ(run({"list"}), 0) << err_;
    EXPECT_EQ(out_, "meters:device:a\nmeters:port:rx:b\n");
    EXPECT_EQ(run({"list", "--json"}), 0);
    EXPECT_EQ(out_, R"({"meters:device:a":{"packets":2,"bytes":3},"meters:port:rx:b":{"packets":1,"bytes":98}})" "\n");
}

TEST_F(MeterToolTest, GetsTheTotalAndThenTheDifferences) {
    pages_ = {R"({"m": {"packets": 10, "bytes": 1000}})", R"({"m": {"packets": 13, "bytes": 1294}})",
              R"({"m": {"packets": 2, "bytes": 196}})"};
    EXPECT_EQ(run({"get", "-n", "m", "5", "3"}), 0) << err_;
    EXPECT_EQ(out_, "     packets        bytes\n          10         1000\n           3          294\n           2          196\n")
        << "the agent was started again";
    EXPECT_EQ(slept_, 10s);
    EXPECT_EQ(run({"get", "-n", "m"}), 0);
    EXPECT_EQ(out_, "     packets        bytes\n           2          196\n");
    EXPECT_EQ(run({"get", "--json", "-n", "m"}), 0);
    EXPECT_EQ(out_, "{\"packets\":2,\"bytes\":196}\n");
}

TEST_F(MeterToolTest, NamesWhatIsWrong) {
    EXPECT_EQ(run({"list"}), 1);
    EXPECT_EQ(err_, "[mm-meter] Failed: cannot connect to agent.sock: no such file\n");
    pages_ = {R"({"m": {"packets": 10, "bytes": 1000}})"};
    EXPECT_EQ(run({"get", "-n", "other"}), 1);
    EXPECT_THAT(err_, HasSubstr("no meter other"));
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"get"},
                                                  {"get", "-n"},
                                                  {"list", "-n", "m"},
                                                  {"get", "-n", "m", "0"},
                                                  {"get", "-n", "m", "1", "2", "3"},
                                                  {"eat"},
                                                  {"-h", "there", "list"}})
        EXPECT_EQ(run(words), 1);
    for (const auto* page : {"", "[]", R"({"m": 1})", R"({"m": {"packets": "1", "bytes": 1}})"}) {
        pages_ = {page};
        EXPECT_EQ(run({"list"}), 1) << page;
    }
}

/// What the agent counts of a packet that a bridge passes on, and of those that its flow passes on.
TEST(MeterPageTest, CountsPacketsOfPortsAndDevices) {
    using namespace packet;
    agent::testing::LiveAgent live;
    live.bindPorts();
    const auto frame = eth(net::Mac{0x020000000001ULL}, net::Mac::broadcast()) / "hello";
    for (int i = 0; i < 3; ++i) live.send("tap0", frame.toBytes());
    AgentClient client{live.socket(), 10s};
    const auto meter = [&](const std::string& name) {
        std::ostringstream out, err;
        runMeterTool({[&] { return client.get("/meters"); }, {}, out, err}, {"get", "--json", "-n", name});
        return out.str() + err.str();
    };
    const auto counted = fmt::format("{{\"packets\":3,\"bytes\":{}}}\n", 3 * frame.toBytes().size());
    EXPECT_EQ(meter("meters:port:rx:" + live.ports[0].toString()), counted);
    EXPECT_EQ(meter("meters:port:tx:" + live.ports[1].toString()), counted);
    EXPECT_EQ(meter("meters:device:" + live.bridge.toString()), counted);
}

}  // namespace
}  // namespace midonet::hosttools
