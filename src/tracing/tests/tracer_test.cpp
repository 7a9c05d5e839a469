#include "tracing/tracer.h"

#include <gmock/gmock.h>

#include "tracing/packet_trace.h"

namespace midonet::tracing {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kFull = "--trace --limit 7 --ethertype 0x0800 --mac-src 02:00:00:00:00:01 --mac-dst 02:00:00:00:00:02 --ip-protocol 6 "
                          "--ip-src 10.0.0.1 --ip-dst 2001:db8::1 --src-port 1000 --dst-port 80";

TEST(Tracer, IsWrittenAsItIsRead) {
    for (const auto& line : {kFull, std::string{"--debug"}, std::string{"--debug --limit 1 --ip-dst 10.0.0.1"}}) {
        const auto tracer = parseTracer(line);
        ASSERT_TRUE(tracer) << tracer.error().message;
        EXPECT_EQ(toString(*tracer), line);
        EXPECT_EQ(parseTracer(toString(*tracer)), tracer);
    }
    EXPECT_EQ(parseTracer("-t -l 7 --ethertype 2048"), parseTracer("--ethertype 0x800 --trace --limit 7"));
    EXPECT_FALSE(parseTracer("--debug")->limit.has_value());
}

TEST(Tracer, RefusesWhatCannotBe) {
    for (const auto& [line, named] : std::vector<std::pair<std::string, std::string>>{
             {"", "--debug"},
             {"--ip-dst 10.0.0.1", "--debug"},
             {"--debug --trace", "--trace"},
             {"--debug --debug", "--debug"},
             {"--debug --limit", "--limit"},
             {"--debug --limit 0", "--limit"},
             {"--debug --limit 1000001", "--limit"},
             {"--debug --limit -1", "--limit"},
             {"--debug --ethertype 65536", "--ethertype"},
             {"--debug --ethertype 0x", "--ethertype"},
             {"--debug --ip-protocol tcp", "--ip-protocol"},
             {"--debug --ip-protocol 256", "--ip-protocol"},
             {"--debug --src-port 80x", "--src-port"},
             {"--debug --mac-src 1:2", "--mac-src"},
             {"--debug --ip-src 10.0.0.0/24", "--ip-src"},
             {"--debug --in-port 3", "--in-port"},
             {"--debug here", "here"}}) {
        const auto tracer = parseTracer(line);
        ASSERT_FALSE(tracer) << line;
        EXPECT_EQ(tracer.error().code, ErrorCode::Malformed) << line;
        EXPECT_THAT(tracer.error().message, HasSubstr(named)) << line;
    }
}

flow::FlowKey packet() {
    flow::FlowKey key;
    key.etherType = 0x0800;
    key.ethSource = net::Mac{0x020000000001ULL};
    key.ethDestination = net::Mac{0x020000000002ULL};
    key.ipProtocol = 6;
    key.ipSource = *net::IpAddress::parse("10.0.0.1");
    key.ipDestination = *net::IpAddress::parse("10.0.0.2");
    key.l4Source = 1000;
    key.l4Destination = 80;
    return key;
}

TEST(Tracer, MatchesWhenAllThatIsAskedHolds) {
    EXPECT_TRUE(PacketMatch{}.matches(packet())) << "nothing is asked";
    EXPECT_TRUE(PacketMatch{}.matches({}));
    const auto whole = "--debug --ethertype 0x0800 --mac-src 02:00:00:00:00:01 --mac-dst 02:00:00:00:00:02 --ip-protocol 6 --ip-src 10.0.0.1 "
                       "--ip-dst 10.0.0.2 --src-port 1000 --dst-port 80";
    const auto match = parseTracer(whole)->match;
    EXPECT_TRUE(match.matches(packet()));
    for (void (*change)(flow::FlowKey&) : std::initializer_list<void (*)(flow::FlowKey&)>{
             [](auto& k) { k.etherType = 0x86dd; }, [](auto& k) { k.ethSource = net::Mac{3}; }, [](auto& k) { k.ethDestination = net::Mac{3}; },
             [](auto& k) { k.ipProtocol = 17; }, [](auto& k) { k.ipSource = net::Ipv4Address{3}; },
             [](auto& k) { k.ipDestination = net::Ipv6Address{0, 0x0a000002}; }, [](auto& k) { k.l4Source = 0; }, [](auto& k) { k.l4Destination = 81; }}) {
        auto other = packet();
        change(other);
        EXPECT_FALSE(match.matches(other)) << other.toString();
    }
    auto tagged = packet();
    tagged.vlan = flow::VlanTci::tagged(net::VlanId{5});
    EXPECT_TRUE(match.matches(tagged)) << "what is not asked does not matter";
}

TEST(Tracer, IsNamedByMatchAndDetailAndALimitThatIsGiven) {
    const auto names = [](const char* wanted, const char* tracer) { return parseTracer(wanted)->names(*parseTracer(tracer)); };
    EXPECT_TRUE(names("--debug --ip-dst 10.0.0.1", "--debug --limit 5 --ip-dst 10.0.0.1"));
    EXPECT_TRUE(names("--debug --limit 5 --ip-dst 10.0.0.1", "--debug --limit 5 --ip-dst 10.0.0.1"));
    EXPECT_FALSE(names("--debug --limit 1 --ip-dst 10.0.0.1", "--debug --limit 5 --ip-dst 10.0.0.1"));
    EXPECT_FALSE(names("--trace --ip-dst 10.0.0.1", "--debug --limit 5 --ip-dst 10.0.0.1"));
    EXPECT_FALSE(names("--debug", "--debug --limit 5 --ip-dst 10.0.0.1"));
}

TEST(Describe, DetailDecidesWhichStepsAreTold) {
    PacketTrace trace;
    trace.packet = packet();
    using Kind = simulation::TraceStep::Kind;
    trace.steps.steps = {{Kind::Bridge, Uuid{1, 1}, "enters"}, {Kind::Chain, Uuid{2, 2}, "enters a\nforwarded"}, {Kind::Rule, Uuid{3, 3}, "matches: drop"}};
    trace.verdict = Verdict::Dropped;
    trace.reason = "rule_dropped";
    const auto devices = describe(trace, Detail::Devices), steps = describe(trace, Detail::Steps);
    const std::string bridge = "\nbridge " + Uuid(1, 1).toString() + ": enters\n", verdict = "dropped: rule_dropped\n";
    EXPECT_EQ(devices, packet().toString() + bridge + verdict);
    EXPECT_THAT(steps, HasSubstr("\nrule " + Uuid(3, 3).toString() + ": matches: drop\n" + verdict));
    EXPECT_THAT(steps, HasSubstr("enters a forwarded\n")) << "names stay in their line";
    EXPECT_THAT(steps, Not(HasSubstr("\nforwarded")));
}

}  // namespace
}  // namespace midonet::tracing
