// What may be told about a packet, and what is said (reference 4.8; RFC 792, 1122, 1191, 1812, 4443).
#include "simulation/icmp.h"

#include "packet/checksum.h"
#include "simulation/tests/router_fixture.h"

namespace midonet::simulation::testing {
namespace {

const topology::Port kPort = activeRouterPort(13, routerId(1), "192.0.2.2/24");

std::optional<Frame> errorFor(const Packet& packet) {
    const auto frame = packet.toBytes();
    return icmpError(frame, keyOf(frame), kPort, kProhibited);
}
Packet toRouter(Packet inner) { return eth(vm(1), routerMac(13)) / std::move(inner); }

TEST(IcmpErrorTest, QuotesHeaderAndEightBytes) {
    const auto original = toRouter(ipv4("192.0.2.7", "10.0.0.1").options({1, 1, 1, 1}) / tcp(5, 6).sequence(7) / "payload").toBytes();
    EXPECT_THAT(*icmpError(original, keyOf(original), kPort, kHostUnreachable),
                EqualsPacket(eth(routerMac(13), vm(1)) / ipv4("192.0.2.2", "192.0.2.7") / icmp(3, 1) /
                             Frame(original.begin() + 14, original.begin() + 14 + 24 + 8)));
}

TEST(IcmpErrorTest, QuotesThePacketAsItCameToTheRouter) {
    const auto original = toRouter(ipv4("192.0.2.7", "10.0.0.1").ttl(9) / udp(5, 6) / "payload").toBytes();
    auto arrived = keyOf(original);
    arrived.ipSource = ip("198.51.100.1");
    arrived.ipDestination = ip("10.9.9.9");
    arrived.l4Source = 5000;
    arrived.l4Destination = 6000;
    arrived.ipTtl = 8;
    const auto translated = toRouter(ipv4("198.51.100.1", "10.9.9.9").ttl(8) / udp(5000, 6000) / "payload").toBytes();
    EXPECT_THAT(*icmpError(original, arrived, kPort, kNetUnreachable),
                EqualsPacket(eth(routerMac(13), vm(1)) / ipv4("192.0.2.2", "198.51.100.1") / icmp(3, 0) /
                             Frame(translated.begin() + 14, translated.begin() + 42)));
}

TEST(IcmpErrorTest, UdpWithoutChecksumStaysSo) {
    const auto original = toRouter(ipv4("192.0.2.7", "10.0.0.1") / udp(5, 6).checksum(0) / "payload").toBytes();
    auto arrived = keyOf(original);
    arrived.ipSource = ip("198.51.100.1");
    const auto error = *icmpError(original, arrived, kPort, kNetUnreachable);
    EXPECT_EQ(loadBe16(error.data() + 14 + 20 + 8 + 20 + 6), 0);
}

struct SilentCase {
    const char* name;
    Packet packet;
};
class SilentTest : public ::testing::TestWithParam<SilentCase> {};
TEST_P(SilentTest, NothingIsTold_21) { EXPECT_FALSE(errorFor(GetParam().packet)); }

const auto kFrom = [](const char* source, const char* destination = "10.0.0.1") { return ipv4(source, destination) / udp(1, 2); };
INSTANTIATE_TEST_SUITE_P(
    Reference48, SilentTest,
    ::testing::Values(SilentCase{"Unreachable", toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmp(3, 1) / "12345678")},
                      SilentCase{"SourceQuench", toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmp(4, 0) / "12345678")},
                      SilentCase{"Redirect", toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmp(5, 0) / "12345678")},
                      SilentCase{"TimeExceeded", toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmp(11, 0) / "12345678")},
                      SilentCase{"ParameterProblem", toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmp(12, 0) / "12345678")},
                      SilentCase{"CutIcmp", toRouter(ipv4("192.0.2.7", "10.0.0.1").protocol(1) / "123")},
                      SilentCase{"Multicast", toRouter(kFrom("192.0.2.7", "224.0.0.5"))},
                      SilentCase{"LimitedBroadcast", toRouter(kFrom("192.0.2.7", "255.255.255.255"))},
                      SilentCase{"BroadcastOfTheSubnet", toRouter(kFrom("192.0.2.7", "192.0.2.255"))},
                      SilentCase{"FromNobody", toRouter(kFrom("0.0.0.0"))},
                      SilentCase{"FromBroadcast", toRouter(kFrom("255.255.255.255"))},
                      SilentCase{"FromBroadcastOfTheSubnet", toRouter(kFrom("192.0.2.255"))},
                      SilentCase{"FromMulticast", toRouter(kFrom("224.0.0.5"))},
                      SilentCase{"BroadcastFrame", eth(vm(1), net::Mac::broadcast()) / kFrom("192.0.2.7")},
                      SilentCase{"MulticastFrame", eth(vm(1), "01:00:5e:00:00:01") / kFrom("192.0.2.7")},
                      SilentCase{"FrameForSomebodyElse", eth(vm(1), vm(2)) / kFrom("192.0.2.7")},
                      SilentCase{"LaterFragment", toRouter(ipv4("192.0.2.7", "10.0.0.1").fragment(8, false).protocol(17) / "12345678")},
                      SilentCase{"Ipv6", toRouter(ipv6("fd00::1", "fd00::2") / udp(1, 2))},
                      SilentCase{"Garbage", eth(vm(1), routerMac(13)).type(0x0800) / "garbage"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(IcmpErrorTest, EchoAndFirstFragmentsAreTold) {
    EXPECT_TRUE(errorFor(toRouter(ipv4("192.0.2.7", "10.0.0.1") / icmpEcho(1, 1))));
    EXPECT_TRUE(errorFor(toRouter(ipv4("192.0.2.7", "10.0.0.1").fragment(0, true) / udp(1, 2) / "12345678")));
}

TEST(IcmpErrorTest, PortWithoutAddressSaysNothing) {
    auto port = kPort;
    port.address.reset();
    const auto frame = toRouter(kFrom("192.0.2.7")).toBytes();
    EXPECT_FALSE(icmpError(frame, keyOf(frame), port, kProhibited));
}

TEST(EchoReplyTest, OnlyWholeRequestsAreAnswered) {
    const ReplyAddresses addresses{vm(1), vm(2), ip("10.0.0.1"), ip("10.0.0.2")};
    const auto to = eth(vm(2), vm(1)) / ipv4("10.0.0.2", "10.0.0.1");
    EXPECT_THAT(*echoReply((to / icmpEcho(3, 4) / "abc").toBytes(60), addresses),
                EqualsPacket(eth(vm(1), vm(2)) / ipv4("10.0.0.1", "10.0.0.2") / icmpEchoReply(3, 4) / "abc"))
        << "without the padding of the frame";
    for (const auto& packet : {to / icmpEchoReply(3, 4), to / icmp(13, 0), to / udp(1, 2),
                               eth(vm(2), vm(1)) / ipv4("10.0.0.2", "10.0.0.1").fragment(0, true) / icmpEcho(3, 4) / "12345678",
                               eth(vm(2), vm(1)) / ipv4("10.0.0.2", "10.0.0.1").totalLength(200) / icmpEcho(3, 4)})
        EXPECT_FALSE(echoReply(packet.toBytes(), addresses));
}

TEST(TooBigTest, Ipv4FragmentationNeeded) {
    const auto frame = (eth(vm(1), vm(2)) / ipv4("10.0.0.1", "10.0.0.2").dontFragment() / udp(1, 2) / Frame(1400, 'x')).toBytes();
    EXPECT_THAT(*tooBigAnswer(frame, 1400), EqualsPacket(eth(vm(2), vm(1)) / ipv4("10.0.0.2", "10.0.0.1") / icmp(3, 4, 1400) /
                                                         Frame(frame.begin() + 14, frame.begin() + 42)));
}

TEST(TooBigTest, GoesBackInTheVlanItCameIn) {
    const auto frame = (eth(vm(1), vm(2)) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "12345678").toBytes();
    EXPECT_THAT(*tooBigAnswer(frame, 1400), EqualsPacket(eth(vm(2), vm(1)) / vlan(7) / ipv4("10.0.0.2", "10.0.0.1") / icmp(3, 4, 1400) /
                                                         Frame(frame.begin() + 18, frame.begin() + 46)));
}

TEST(TooBigTest, Ipv6PacketTooBigFitsTheLeastMtu) {
    const auto frame = (eth(vm(1), vm(2)) / ipv6("fd00::1", "fd00::2") / udp(1, 2) / Frame(1400, 'x')).toBytes();
    const auto answer = *tooBigAnswer(frame, 1400);
    EXPECT_EQ(answer.size(), 14U + 1280U);
    EXPECT_THAT(answer, EqualsPacket(eth(vm(2), vm(1)) / ipv6("fd00::2", "fd00::1") / icmpv6(2, 0, 1400) /
                                     Frame(frame.begin() + 14, frame.begin() + 14 + 1232)));
}

TEST(TooBigTest, NothingForWhatMayNotBeAnswered) {
    for (const auto& packet : {eth(vm(1), net::Mac::broadcast()) / kFrom("10.0.0.1"), eth(vm(1), vm(2)) / kFrom("0.0.0.0"),
                               eth(vm(1), vm(2)) / kFrom("10.0.0.1", "224.0.0.5"),
                               eth(vm(1), vm(2)) / ipv4("10.0.0.1", "10.0.0.2") / icmp(3, 4) / "12345678",
                               eth(vm(1), vm(2)) / ipv6("fd00::1", "fd00::2") / icmpv6(1, 0) / "12345678",
                               eth(vm(1), vm(2)) / ipv6("::", "fd00::2") / udp(1, 2),
                               eth(vm(1), vm(2)) / ipv6("fd00::1", "ff02::1") / udp(1, 2),
                               eth(vm(1), vm(2)) / arpRequest(vm(1), "10.0.0.1", "10.0.0.2")})
        EXPECT_FALSE(tooBigAnswer(packet.toBytes(), 1400));
    EXPECT_FALSE(tooBigAnswer({}, 1400));
}

}  // namespace
}  // namespace midonet::simulation::testing
