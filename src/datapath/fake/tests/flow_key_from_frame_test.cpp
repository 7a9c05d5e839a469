#include "datapath/flow_key_from_frame.h"

#include <gtest/gtest.h>

#include "packet/builder.h"

namespace midonet::datapath {
namespace {

using namespace midonet::packet;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

flow::FlowKey keyOf(const Packet& packet) {
    return flowKeyFromFrame({flow::PortNumber{7}, {}, {}, {}}, packet.toBytes());
}

TEST(FlowKeyFromFrame, ReadsEveryFieldOfATcpPacketBelowATag) {
    const auto key = keyOf(eth(kA, kB) / vlan(10).priority(3) / ipv4("10.0.0.1", "10.0.0.2").tos(8).ttl(9) / tcp(1000, 80));
    EXPECT_EQ(key.toString(),
              "in_port=7,eth_src=02:00:00:00:00:0a,eth_dst=02:00:00:00:00:0b,eth_type=0x0800,vlan=10,src=10.0.0.1,dst=10.0.0.2,"
              "proto=6,tos=8,ttl=9,tp_src=1000,tp_dst=80");
    EXPECT_EQ(key.vlan.raw(), 0x1000 | (3 << 13) | 10);
}

TEST(FlowKeyFromFrame, ArpGivesOperationAndAddresses) {
    const auto key = keyOf(eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2"));
    EXPECT_EQ(key.ipProtocol, 1);
    EXPECT_EQ(key.ipSource.toString(), "10.0.0.1");
    EXPECT_EQ(key.ipDestination.toString(), "10.0.0.2");
}

TEST(FlowKeyFromFrame, Ipv6EchoGivesTypeCodeAndId) {
    const auto key = keyOf(eth(kA, kB) / ipv6("fd00::1", "fd00::2").hopLimit(3) / icmpv6Echo(77, 1));
    EXPECT_EQ(key.ipDestination.toString(), "fd00::2");
    EXPECT_EQ(key.l4Source, 128);
    EXPECT_EQ(key.icmpId, 77);
    EXPECT_EQ(key.ipTtl, 3);
}

TEST(FlowKeyFromFrame, LaterFragmentHasNoPorts) {
    const auto key = keyOf(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").protocol(17).fragment(1480, true) / "12345678");
    EXPECT_EQ(key.ipFragment, flow::Fragment::Later);
    EXPECT_EQ(key.l4Source, 0);
}

TEST(FlowKeyFromFrame, LengthFieldIsNoEtherType) {
    EXPECT_EQ(keyOf(eth(kA, kB).type(0x26) / "llc").etherType, 0);
}

TEST(FlowKeyFromFrame, MalformedIpv6KeepsItsFamily) {
    const auto key = keyOf(eth(kA, kB).type(0x86dd) / "short");
    EXPECT_TRUE(key.ipSource.isV6());
    EXPECT_EQ(key.ipProtocol, 0);
}

}  // namespace
}  // namespace midonet::datapath
