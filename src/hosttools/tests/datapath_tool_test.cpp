#include "hosttools/datapath_tool.h"

#include <gmock/gmock.h>

#include <sstream>

namespace midonet::hosttools {
namespace {

using namespace std::chrono_literals;
using flow::Field;
using testing::HasSubstr;
using testing::Not;

class DatapathToolTest : public testing::Test {
protected:
    DatapathToolTest() {
        contents_.ports = {{flow::PortNumber{1}, "tap0", 7}, {flow::PortNumber{2}, "tap1", 8}};
        contents_.tunnels = {
            {flow::TunnelId{1}, {datapath::TunnelType::Vxlan, net::Ipv4Address{0xc0000201}, net::Ipv4Address{0xc0000202}}}};
        contents_.counters = {{"hits_exact", "", 5},   {"hits_masked", "", 6}, {"misses", "", 2},
                              {"upcalls_lost", "", 1}, {"throttled", "", 3},   {"too_big", "", 9}};
        contents_.flows = {flow(80, 10ms), flow(22, 5s)};
        contents_.flows[1].actions = {};
    }
    static datapath::InstalledFlow flow(std::uint16_t port, event::Duration idle) {
        datapath::InstalledFlow out;
        out.key.inPort = flow::PortNumber{1};
        out.key.etherType = 0x0800;
        out.key.ipDestination = net::IpAddress::parse("10.0.0.0").value();
        out.key.l4Destination = port;
        for (const auto field : {Field::InPort, Field::EtherType, Field::L4Destination}) out.mask.see(field);
        out.mask.seePrefix(Field::IpDestination, 24);
        out.actions = {flow::DecrementTtl{}, flow::Output{flow::PortNumber{2}}};
        out.stats = {3, 294, idle, false};
        return out;
    }
    int run(const std::vector<std::string>& words) {
        std::ostringstream out, err;
        const auto read = [this](event::Duration patience) -> Result<datapath::DatapathContents> {
            patience_ = patience;
            if (error_) return Unexpected{*error_};
            return contents_;
        };
        const auto statsOf = [](const std::string& name) { return InterfaceStats{.rxPackets = name == "tap0" ? 4U : 0U}; };
        const int code = runDatapathTool({read, statsOf, "midonet-out", 17, out, err}, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }

    datapath::DatapathContents contents_;
    std::optional<Error> error_;
    event::Duration patience_{};
    std::string out_, err_;
};

TEST_F(DatapathToolTest, ListsTheOneDatapath) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"datapath", "--list"}, {"--list-dps"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_EQ(out_, "Found 1 datapath\n  midonet\n");
    }
    EXPECT_EQ(run({"datapath", "--list", "--json"}), 0);
    EXPECT_EQ(out_, "[\"midonet\"]\n");
    error_ = Error{ErrorCode::NotFound, "nothing is pinned"};
    EXPECT_EQ(run({"datapath", "--list"}), 0);
    EXPECT_EQ(out_, "Could not find any installed datapath\n");
    EXPECT_EQ(run({"datapath", "--show", "midonet"}), 1);
    EXPECT_EQ(err_, "[mm-dpctl] Error: nothing is pinned\n");
}

TEST_F(DatapathToolTest, ShowsFiguresPortsAndTunnels) {
    ASSERT_EQ(run({"datapath", "--show", "midonet"}), 0) << err_;
    EXPECT_THAT(out_, testing::StartsWith(
                          "Name: midonet\nIndex: 17\nSupports megaflows: yes\nStats:\n  Flows: 2\n  Hits: 11\n  Lost: 4\n  Misses: 2\n"
                          "Port #0 'midonet' Internal Stats{rxPackets=0, "));
    EXPECT_THAT(out_, HasSubstr("Port #1 'tap0' NetDev Stats{rxPackets=4, txPackets=0, rxBytes=0, txBytes=0, rxErrors=0, txErrors=0, "
                                "rxDropped=0, txDropped=0}\n"));
    EXPECT_THAT(out_, HasSubstr("Tunnel #1 VXLan 192.0.2.1 -> 192.0.2.2\n"));
    const auto text = out_;
    ASSERT_EQ(run({"--show-dp", "midonet"}), 0);
    EXPECT_EQ(out_, text);
    ASSERT_EQ(run({"datapath", "--show", "midonet", "--json"}), 0);
    EXPECT_THAT(out_, HasSubstr(R"("stats":{"flows":2,"hits":11,"lost":4,"misses":2})"));
}

TEST_F(DatapathToolTest, DumpsFlowsTheLatestUsedLast) {
    ASSERT_EQ(run({"datapath", "--dump", "midonet"}), 0) << err_;
    EXPECT_EQ(out_,
              "2 flows\n"
              "  Flow\n    Match: FlowMatch[in_port=1, eth_type=0x0800, dst=10.0.0.0/24, tp_dst=22]\n    Mask:  "
              "in_port,eth_type,dst/24,tp_dst\n"
              "    Actions: []\n    Stats: FlowStats{packets=3, bytes=294}\n    TCP flags: none kept\n    Last used: 5000 ms ago\n"
              "  Flow\n    Match: FlowMatch[in_port=1, eth_type=0x0800, dst=10.0.0.0/24, tp_dst=80]\n    Mask:  "
              "in_port,eth_type,dst/24,tp_dst\n"
              "    Actions: \n        dec_ttl\n        output(2)\n    Stats: FlowStats{packets=3, bytes=294}\n    TCP flags: none kept\n "
              "   Last used: 10 ms ago\n");
    ASSERT_EQ(run({"datapath", "--dump", "midonet", "-n", "--json"}), 0);
    EXPECT_THAT(out_, testing::StartsWith(R"({"flows":[{"match":{"in_port":"1","eth_type":"0x0800","dst":"10.0.0.0/24","tp_dst":"80"},)"));
    contents_.flows.pop_back();
    ASSERT_EQ(run({"--dump-dp", "midonet"}), 0);
    EXPECT_THAT(out_, testing::StartsWith("1 flow\n"));
}

TEST_F(DatapathToolTest, ChangesNothing) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"datapath", "--add", "x"},
                                                  {"datapath", "-D", "midonet"},
                                                  {"interface", "--add", "tap0", "midonet"},
                                                  {"flows", "-d", "midonet"},
                                                  {"rebind", "-i", "1"}}) {
        EXPECT_EQ(run(words), 1);
        EXPECT_THAT(err_, HasSubstr("the agent alone changes the datapath"));
    }
}

TEST_F(DatapathToolTest, NamesWhatIsWrong) {
    EXPECT_EQ(run({"--timeout", "10", "--list-dps"}), 0);
    EXPECT_EQ(patience_, 10s);
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"datapath"},
                                                  {"datapath", "--show"},
                                                  {"--list-dps", "--timeout", "soon"},
                                                  {"--list-dps", "--timeout"},
                                                  {"--list-dps", "--dump-dp", "midonet"},
                                                  {"eat"}}) {
        EXPECT_EQ(run(words), 1);
        EXPECT_THAT(err_, testing::StartsWith("[mm-dpctl] Error: "));
    }
    EXPECT_EQ(run({"datapath", "--show", "br-int"}), 1);
    EXPECT_THAT(err_, HasSubstr("midonet"));
    error_ = Error{ErrorCode::PermissionDenied, "may be read by root only"};
    EXPECT_EQ(run({"datapath", "--list"}), 1);
    EXPECT_THAT(err_, HasSubstr("root"));
}

TEST(InterfaceStatsTest, ReadsTheLineOfAnInterface) {
    const auto text =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
        "    lo:     10       1    0    0    0     0          0         0       20       2    0    0    0     0       0          0\n"
        "  tap0: 1000 11 1 2 0 0 0 0 2000 22 3 4 0 0 0 0\n";
    const auto stats = parseInterfaceStats(text, "tap0");
    EXPECT_EQ(stats.rxBytes, 1000U);
    EXPECT_EQ(stats.rxPackets, 11U);
    EXPECT_EQ(stats.rxErrors, 1U);
    EXPECT_EQ(stats.rxDropped, 2U);
    EXPECT_EQ(stats.txBytes, 2000U);
    EXPECT_EQ(stats.txPackets, 22U);
    EXPECT_EQ(stats.txErrors, 3U);
    EXPECT_EQ(stats.txDropped, 4U);
    EXPECT_EQ(parseInterfaceStats(text, "tap").rxBytes, 0U);
}

}  // namespace
}  // namespace midonet::hosttools
