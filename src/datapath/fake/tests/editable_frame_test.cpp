#include "datapath/fake/editable_frame.h"

#include <gmock/gmock.h>

#include "packet/checksum.h"
#include "packet/testing/packet_matchers.h"

namespace midonet::datapath::fake {
namespace {

using namespace midonet::packet;
using packet::testing::EqualsPacket;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

// The builder computes every checksum from scratch, so a whole-packet comparison checks them too.

TEST(EditableFrame, NatKeepsIpAndTcpChecksumsRight) {
    EditableFrame frame{(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / tcp(1000, 80) / "hello").toBytes(), {}};
    frame.setIpAddresses(net::Ipv4Address::parse("192.168.1.1").value(), net::Ipv4Address::parse("8.8.8.8").value());
    frame.setL4Ports(2000, 8080);
    EXPECT_TRUE(frame.decrementTtl(1));
    EXPECT_THAT(frame.bytes(), EqualsPacket(eth(kA, kB) / ipv4("192.168.1.1", "8.8.8.8").ttl(63) / tcp(2000, 8080) / "hello"));
}

TEST(EditableFrame, NatOfIpv6KeepsTheUdpChecksumRight) {
    EditableFrame frame{(eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1, 2) / "odd").toBytes(), {}};
    frame.setIpAddresses(net::Ipv6Address::parse("2001:db8::5").value(), net::Ipv6Address::parse("2001:db8::6").value());
    frame.setL4Ports(3, 4);
    EXPECT_TRUE(frame.decrementTtl(1));
    EXPECT_THAT(frame.bytes(), EqualsPacket(eth(kA, kB) / ipv6("2001:db8::5", "2001:db8::6").hopLimit(63) / udp(3, 4) / "odd"));
}

TEST(EditableFrame, TooFewHopsChangeNothing) {
    for (const unsigned by : {1U, 2U, 3U}) {
        const auto few = static_cast<std::uint8_t>(by);
        const auto v4 = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(few) / udp(1, 2);
        const auto v6 = eth(kA, kB) / ipv6("fd00::1", "fd00::2").hopLimit(few) / udp(1, 2);
        for (const auto& packet : {v4, v6}) {
            EditableFrame frame{packet.toBytes(), {}};
            EXPECT_FALSE(frame.decrementTtl(few));
            EXPECT_THAT(frame.bytes(), EqualsPacket(packet));
            EXPECT_TRUE(frame.decrementTtl(static_cast<std::uint8_t>(by - 1)));
        }
    }
    EditableFrame foreign{(eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2")).toBytes(), {}};
    EXPECT_TRUE(foreign.decrementTtl(1)) << "it has none";
}

TEST(EditableFrame, UdpWithoutChecksumStaysWithout) {
    EditableFrame frame{(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2).checksum(0) / "x").toBytes(), {}};
    frame.setL4Ports(3, 4);
    EXPECT_THAT(frame.bytes(), EqualsPacket(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(3, 4).checksum(0) / "x"));
}

TEST(EditableFrame, PartialChecksumHoldsThePseudoHeaderOnly) {
    const auto pseudo = [](const char* source, const char* destination) {
        return Checksum{}.addPseudoHeader(net::Ipv4Address::parse(source).value(), net::Ipv4Address::parse(destination).value(), 17, 9).folded();
    };
    Offload partial;
    partial.checksumPartial = true;
    partial.checksumStart = 34;
    partial.checksumOffset = 6;
    EditableFrame frame{(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2).checksum(pseudo("10.0.0.1", "10.0.0.2")) / "x").toBytes(), partial};
    frame.setIpAddresses(net::Ipv4Address::parse("10.9.9.9").value(), net::Ipv4Address::parse("10.0.0.2").value());
    frame.setL4Ports(5, 6);
    frame.pushVlan(flow::VlanTci::tagged(net::VlanId{9}));
    EXPECT_THAT(frame.bytes(), EqualsPacket(eth(kA, kB) / vlan(9) / ipv4("10.9.9.9", "10.0.0.2") / udp(5, 6).checksum(pseudo("10.9.9.9", "10.0.0.2")) / "x"));
    EXPECT_EQ(frame.offload().checksumStart, 38);
}

TEST(EditableFrame, VlanTagsGoOnAndOff) {
    const auto plain = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2);
    EditableFrame frame{plain.toBytes(), {}};
    frame.pushVlan(flow::VlanTci::tagged(net::VlanId{5}, 2));
    EXPECT_THAT(frame.bytes(), EqualsPacket(eth(kA, kB) / vlan(5).priority(2) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)));
    frame.popVlan();
    frame.popVlan();
    EXPECT_THAT(frame.bytes(), EqualsPacket(plain));
}

}  // namespace
}  // namespace midonet::datapath::fake
