#include "packet/builder.h"

#include <charconv>

#include <gtest/gtest.h>

#include "packet/parse.h"
#include "packet/testing/packet_matchers.h"
#include "packet/tests/vectors.h"

namespace midonet::packet {
namespace {

using testing::EqualsPacket;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

Frame fromHex(std::string_view hex) {
    Frame bytes(hex.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, bytes[i], 16);
    return bytes;
}

Packet innerFrame() {
    return eth(kB, kA) / ipv4("192.168.0.1", "192.168.0.2") / udp(5, 6) / "inner";
}

TEST(Builder, UdpEqualsScapy) {
    const Packet p = eth(kA, kB) /
                     ipv4("10.0.1.2", "10.0.2.2").id(7).ttl(63).tos(0x10).dontFragment() /
                     udp(1000, 53) / "hi!";
    EXPECT_THAT(fromHex(vectors::kUdp), EqualsPacket(p));
}

TEST(Builder, UdpChecksumThatComesToZeroIsSentAsOnes) {
    const Packet p = eth(kA, kB) / ipv4("0.0.0.0", "0.0.0.0") / udp(0, 0) / Frame{0xff, 0xda};
    const Frame bytes = p.toBytes();
    EXPECT_EQ(loadBe16(bytes.data() + 40), 0xffff);
    EXPECT_THAT(fromHex(vectors::kUdpChecksumZero), EqualsPacket(p));
}

TEST(Builder, TcpWithOptionsEqualsScapy) {
    const Packet p = eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") /
                     tcp(1, 65535)
                         .flags(tcpflag::kSyn)
                         .sequence(0x01020304)
                         .ack(0x05060708)
                         .window(512)
                         .options({2, 4, 0x05, 0xb4, 1, 3, 3, 7}) /
                     "abc";
    EXPECT_THAT(fromHex(vectors::kTcpOptions), EqualsPacket(p));
}

TEST(Builder, IpOptionsEqualScapy) {
    const Packet p =
        eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").options({0x94, 4, 0, 0}) / udp(1, 2);
    EXPECT_THAT(fromHex(vectors::kIpOptions), EqualsPacket(p));
}

TEST(Builder, IcmpEchoEqualsScapy) {
    const Packet p = eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / icmpEcho(0x1234, 9) / "ping";
    EXPECT_THAT(fromHex(vectors::kIcmpEcho), EqualsPacket(p));
}

TEST(Builder, LaterFragmentEqualsScapy) {
    const Packet p =
        eth(kA, kB) /
        ipv4("10.0.1.2", "10.0.2.2").id(99).fragment(185 * 8, true).protocol(ipproto::kUdp) /
        "tail";
    EXPECT_THAT(fromHex(vectors::kLaterFragment), EqualsPacket(p));
}

TEST(Builder, ArpEqualsScapy) {
    EXPECT_THAT(
        fromHex(vectors::kArpRequest),
        EqualsPacket(eth(kA, net::Mac::broadcast()) / arpRequest(kA, "10.0.0.1", "10.0.0.2")));
    EXPECT_THAT(fromHex(vectors::kVlanVlanArpReply),
                EqualsPacket(eth(kA, kB) / vlan(100).priority(3).tpid(ethertype::kQinQ) / vlan(10) /
                             arpReply(kA, "10.0.0.1", kB, "10.0.0.2")));
}

TEST(Builder, Ipv6EqualsScapy) {
    EXPECT_THAT(
        fromHex(vectors::kTcp6),
        EqualsPacket(
            eth(kA, kB) /
            ipv6("2001:db8::1", "2001:db8::2").trafficClass(0xb8).flowLabel(0x12345).hopLimit(3) /
            tcp(10, 20).flags(tcpflag::kSyn).sequence(1)));
    EXPECT_THAT(fromHex(vectors::kUdp6DestinationOptions),
                EqualsPacket(eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") /
                             destinationOptions() / udp(7, 8) / "x"));
    EXPECT_THAT(
        fromHex(vectors::kFragment6),
        EqualsPacket(eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") / ipv6Fragment(0, true, 5) /
                     udp(7, 8).length(100).checksum(0xabcd) / "12345678"));
}

TEST(Builder, Icmpv6EqualsScapy) {
    EXPECT_THAT(fromHex(vectors::kIcmp6Echo),
                EqualsPacket(eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") / icmpv6Echo(3, 4) /
                             "ping6"));
    EXPECT_THAT(fromHex(vectors::kNeighbourSolicitation),
                EqualsPacket(eth(kA, "33:33:ff:00:00:02") /
                             ipv6("fe80::a", "ff02::1:ff00:2").hopLimit(255) /
                             neighbourSolicitation("2001:db8::2", kA)));
    EXPECT_THAT(fromHex(vectors::kNeighbourAdvertisement),
                EqualsPacket(eth(kA, kB) / ipv6("fe80::b", "fe80::a").hopLimit(255) /
                             neighbourAdvertisement("2001:db8::2", kB)));
}

TEST(Builder, TunnelsEqualScapy) {
    const auto outer = eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2");
    EXPECT_THAT(fromHex(vectors::kVxlan), EqualsPacket(outer / udp(50000, kVxlanPort).checksum(0) /
                                                       vxlan(0x123456) / innerFrame()));
    EXPECT_THAT(fromHex(vectors::kGreKey), EqualsPacket(outer / gre(0x100005) / innerFrame()));
    EXPECT_THAT(fromHex(vectors::kGreAll),
                EqualsPacket(outer / gre(1).sequence(2).withChecksum() / innerFrame()));
}

TEST(Builder, TheInnerFrameOfATunnelIsThatFrameAlone) {
    const Frame inner = innerFrame().toBytes();
    const Frame whole =
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / gre(7) / innerFrame()).toBytes();
    ASSERT_GT(whole.size(), inner.size());
    EXPECT_THAT(Frame(whole.end() - static_cast<std::ptrdiff_t>(inner.size()), whole.end()),
                EqualsPacket(inner));
}

TEST(Builder, PadsToTheMinimumBehindTheIpPacket) {
    const Frame frame = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2)).toBytes(60);
    EXPECT_EQ(frame.size(), 60U);
    EXPECT_EQ(loadBe16(frame.data() + 16), 28) << "the IP length leaves the padding out";
}

TEST(Builder, ASetterBeatsWhatWouldBeComputed) {
    const Frame frame = (eth(kA, kB).type(0x1234) /
                         ipv4("10.0.1.2", "10.0.2.2").totalLength(3).checksum(9).protocol(200) /
                         udp(1, 2).length(4).checksum(5))
                            .toBytes();
    EXPECT_EQ(loadBe16(frame.data() + 12), 0x1234);
    EXPECT_EQ(loadBe16(frame.data() + 16), 3);
    EXPECT_EQ(frame[23], 200);
    EXPECT_EQ(loadBe16(frame.data() + 24), 9);
    EXPECT_EQ(loadBe16(frame.data() + 38), 4);
    EXPECT_EQ(loadBe16(frame.data() + 40), 5);
}

TEST(BuilderDeathTest, AnAddressLiteralThatIsNoneAborts) {
    EXPECT_DEATH(ipv4("10.0.0", "10.0.0.1"), "address literal is malformed");
}

}  // namespace
}  // namespace midonet::packet
