#include "packet/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packet/checksum.h"
#include "packet/testing/packet_matchers.h"

namespace midonet::packet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

Packet udpPacket() {
    return eth(kA, kB) / vlan(10).priority(2) / ipv4("10.0.1.2", "10.0.2.2").ttl(63) /
           udp(1000, 53) / "hi";
}

TEST(Describe, OneLinePerHeader) {
    EXPECT_EQ(describe(udpPacket().toBytes()),
              "eth 02:00:00:00:00:0a > 02:00:00:00:00:0b type 0x8100 size 48\n"
              "vlan 10 priority 2 type 0x0800\n"
              "ipv4 10.0.1.2 > 10.0.2.2 proto 17 ttl 63 tos 0x00 id 0 length 30\n"
              "udp 1000 > 53 length 10\n"
              "payload 2 bytes: 68 69 \"hi\"\n");
}

TEST(Describe, InnerFramesAreIndented) {
    const auto text = describe(
        (eth(kA, kB) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, kVxlanPort) / vxlan(77) / udpPacket())
            .toBytes());
    EXPECT_THAT(text, HasSubstr("\nvxlan key 77\n  eth 02:"));
    EXPECT_THAT(text, HasSubstr("\n  udp 1000 > 53"));
    EXPECT_THAT(
        describe((eth(kA, kB) / ipv4("1.1.1.1", "2.2.2.2") / gre(5) / udpPacket()).toBytes()),
        HasSubstr("\ngre key 5\n  eth 02:"));
}

TEST(Describe, PointsOutWrongChecksumsAndLengths) {
    const auto text = describe(
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").checksum(1) / udp(1, 2).checksum(2).length(9))
            .toBytes());
    EXPECT_THAT(text, HasSubstr("[checksum 0x0001, right is 0x"));
    EXPECT_THAT(text, HasSubstr("[wrong length]"));
    EXPECT_THAT(text, HasSubstr("[checksum 0x0002, right is 0x"));
}

TEST(Describe, KnowsAPartialChecksum) {
    Checksum pseudo;
    pseudo.addPseudoHeader(net::Ipv4Address{0x0a000102}, net::Ipv4Address{0x0a000202},
                           ipproto::kUdp, 8);
    const auto frame =
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2).checksum(pseudo.folded()))
            .toBytes();
    EXPECT_THAT(describe(frame), HasSubstr("[partial checksum]"));
}

TEST(Describe, ReadsWhatIsNoPacket) {
    EXPECT_EQ(describe(Frame{1, 2}), "2 bytes, no Ethernet header: 01 02\n");
    EXPECT_EQ(summarize(Frame{1, 2}), "2 bytes without Ethernet header");
}

TEST(Summarize, FitsOnALine) {
    EXPECT_EQ(summarize(udpPacket().toBytes()),
              "udp 10.0.1.2:1000 > 10.0.2.2:53 vlan 10, 48 bytes");
    EXPECT_EQ(summarize((eth(kA, kB) / ipv6("fe80::1", "fe80::2") / tcp(1, 2)).toBytes()),
              "tcp [fe80::1]:1 > [fe80::2]:2, 74 bytes");
    EXPECT_EQ(summarize((eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2")).toBytes()),
              "arp request 10.0.0.1 > 10.0.0.2, 42 bytes");
}

TEST(EqualsPacketMatcher, ShowsTheHeaderThatDiffers) {
    const Frame right = udpPacket().toBytes();
    const Frame wrong = (eth(kA, kB) / vlan(10).priority(2) / ipv4("10.0.1.2", "10.0.2.2").ttl(64) /
                         udp(1000, 53) / "hi")
                            .toBytes();
    EXPECT_THAT(right, testing::EqualsPacket(udpPacket()));
    EXPECT_THAT(wrong, Not(testing::EqualsPacket(udpPacket())));

    ::testing::StringMatchResultListener listener;
    EXPECT_FALSE(testing::EqualsPacket(udpPacket()).MatchAndExplain(wrong, &listener));
    EXPECT_THAT(listener.str(), HasSubstr("- ipv4 10.0.1.2 > 10.0.2.2 proto 17 ttl 63"));
    EXPECT_THAT(listener.str(), HasSubstr("+ ipv4 10.0.1.2 > 10.0.2.2 proto 17 ttl 64"));
    EXPECT_THAT(listener.str(), HasSubstr("first difference at byte 26"));
}

TEST(DescribeDifference, SeesBytesThatTheTextDoesNotShow) {
    Frame one = (eth(kA, kB) / Frame(100)).toBytes();
    Frame other = one;
    other[110] = 1;
    EXPECT_EQ(describeDifference(one, one), "");
    EXPECT_THAT(describeDifference(one, other), HasSubstr("first difference at byte 110"));
    other = one;
    other.pop_back();
    EXPECT_THAT(describeDifference(one, other), HasSubstr("(expected 114 bytes, got 113)"));
}

}  // namespace
}  // namespace midonet::packet
