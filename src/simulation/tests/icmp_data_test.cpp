#include "simulation/icmp_data.h"

#include <gtest/gtest.h>

#include "packet/builder.h"

namespace midonet::simulation {
namespace {

using namespace packet;

Packet inner() { return ipv4("10.0.0.1", "8.8.8.8").ttl(1) / udp(1000, 53); }
/// An ICMP message with the first 28 bytes of an IPv4 packet behind it.
Frame about(Packet inside, unsigned type = 3, std::size_t bytes = 28) {
    auto raw = inside.toBytes();
    raw.resize(bytes);
    return (eth("02:00:00:00:00:01", "02:00:00:00:00:02") / ipv4("9.9.9.9", "10.0.0.1") / icmp(type, 1) / std::move(raw)).toBytes();
}

TEST(IcmpData, ConnectionInsideAnError) {
    const PacketWalk::IcmpData udpInside{17, net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x08080808}, 1000, 53};
    for (const unsigned type : {3U, 11U, 12U}) EXPECT_EQ(readIcmpData(about(inner(), type)), udpInside) << type;
    const PacketWalk::IcmpData echo{1, net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x08080808}, 77, 77};
    EXPECT_EQ(readIcmpData(about(ipv4("10.0.0.1", "8.8.8.8") / icmpEcho(77, 1))), echo);
    EXPECT_EQ(readIcmpData(about(ipv4("10.0.0.1", "8.8.8.8") / icmpEchoReply(77, 1))), echo);
    const auto withOptions = about(ipv4("10.0.0.1", "8.8.8.8").options({1, 1, 1, 1}) / udp(1000, 53), 3, 32);
    EXPECT_EQ(readIcmpData(withOptions), udpInside);
}

TEST(IcmpData, NothingToKnow) {
    EXPECT_EQ(readIcmpData({}), std::nullopt);
    EXPECT_EQ(readIcmpData(about(inner(), 8)), std::nullopt) << "no error";
    EXPECT_EQ(readIcmpData(about(inner(), 3, 27)), std::nullopt) << "ports are cut";
    EXPECT_EQ(readIcmpData(about(inner(), 3, 10)), std::nullopt);
    EXPECT_EQ(readIcmpData(about(ipv4("10.0.0.1", "8.8.8.8").fragment(8, false) / udp(1, 2))), std::nullopt);
    EXPECT_EQ(readIcmpData(about(ipv4("10.0.0.1", "8.8.8.8").options({1, 1, 1, 1}) / udp(1, 2), 3, 28)), std::nullopt);
    EXPECT_EQ(readIcmpData(about(ipv4("10.0.0.1", "8.8.8.8") / icmp(3, 1))), std::nullopt) << "an error about an error";
    EXPECT_EQ(readIcmpData(about(ipv6("2001:db8::1", "2001:db8::2"), 3, 40)), std::nullopt);
    const auto plain = (eth("02:00:00:00:00:01", "02:00:00:00:00:02") / inner()).toBytes();
    EXPECT_EQ(readIcmpData(plain), std::nullopt);
}

TEST(IcmpData, ConnectionIsChangedWithAllChecksums) {
    const auto frameOf = [](const char* source, unsigned port, std::size_t bytes) {
        return about(ipv4(Ipv4Literal(source), "8.8.8.8").ttl(1) / udp(port, 53) / "question", 3, bytes);
    };
    for (const std::size_t bytes : {28UL, 36UL}) {
        auto frame = frameOf("172.16.0.2", 20000, bytes);
        writeIcmpData(frame, {net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x08080808}, 1000, 53});
        EXPECT_EQ(frame, frameOf("10.0.0.1", 1000, bytes)) << "as if it had never been translated";
    }
    auto echo = about(ipv4("172.16.0.2", "8.8.8.8") / icmpEcho(77, 1));
    writeIcmpData(echo, {net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x08080808}, 77, 77});
    EXPECT_EQ(echo, about(ipv4("10.0.0.1", "8.8.8.8") / icmpEcho(77, 1)));
    auto whole = about(ipv4("172.16.0.2", "8.8.8.8") / tcp(20000, 80), 11, 40);
    writeIcmpData(whole, {net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x08080808}, 1000, 80});
    EXPECT_EQ(whole, about(ipv4("10.0.0.1", "8.8.8.8") / tcp(1000, 80), 11, 40));
}

TEST(IcmpData, WhatCannotBeReadIsLeftAsItIs) {
    const auto cut = about(inner(), 3, 27);
    auto frame = cut;
    writeIcmpData(frame, {net::Ipv4Address{1}, net::Ipv4Address{2}, 3, 4});
    EXPECT_EQ(frame, cut);
}

}  // namespace
}  // namespace midonet::simulation
