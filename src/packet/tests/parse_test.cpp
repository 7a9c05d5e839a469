#include "packet/parse.h"

#include <gtest/gtest.h>

#include "packet/builder.h"

namespace midonet::packet {
namespace {

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

ParsedPacket parsed(const Frame& frame) {
    const auto result = parse(frame);
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return result.value_or(ParsedPacket{});
}

net::IpAddress ip(const char* text) { return net::IpAddress::parse(text).value(); }
net::Mac mac(const char* text) { return net::Mac::parse(text).value(); }

TEST(Parse, RefusesLessThanAnEthernetHeader) {
    const Frame frame(13);
    EXPECT_EQ(parse({}).error().code, ErrorCode::Malformed);
    EXPECT_EQ(parse(frame).error().code, ErrorCode::Malformed);
}

TEST(Parse, BareEthernetHeader) {
    const Frame frame = (eth(kA, kB).type(0x88cc) / "").toBytes();
    const auto p = parsed(frame);
    EXPECT_EQ(p.layer, Layer::Ethernet);
    EXPECT_EQ(p.source, mac(kA));
    EXPECT_EQ(p.destination, mac(kB));
    EXPECT_EQ(p.etherType, 0x88cc);
    EXPECT_EQ(p.payloadOffset, 14U);
    EXPECT_TRUE(p.payload(frame).empty());
}

TEST(Parse, LengthFieldOf8023StaysAsItIs) {
    const auto p = parsed((eth(kA, kB).type(38) / Frame(46)).toBytes());
    EXPECT_EQ(p.etherType, 38);
    EXPECT_LT(p.etherType, ethertype::kFirst);
    EXPECT_EQ(p.layer, Layer::Ethernet);
}

TEST(Parse, UdpFieldsOffsetsAndPayloadWithoutPadding) {
    const Frame frame =
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").ttl(63).tos(0x2e) / udp(1000, 53) / "hi")
            .toBytes(60);
    const auto p = parsed(frame);
    EXPECT_EQ(p.layer, Layer::Transport);
    EXPECT_TRUE(p.isIpv4());
    EXPECT_TRUE(p.hasTransport(ipproto::kUdp));
    EXPECT_EQ(p.ipSource, ip("10.0.1.2"));
    EXPECT_EQ(p.ipDestination, ip("10.0.2.2"));
    EXPECT_EQ(p.ttl, 63);
    EXPECT_EQ(p.tos, 0x2e);
    EXPECT_EQ(p.sourcePort, 1000);
    EXPECT_EQ(p.destinationPort, 53);
    EXPECT_EQ(p.networkOffset, 14U);
    EXPECT_EQ(p.transportOffset, 34U);
    EXPECT_EQ(p.payloadOffset, 42U);
    EXPECT_EQ(asText(p.payload(frame)), "hi");
    EXPECT_FALSE(p.truncated);
}

TEST(Parse, TagsFromOutsideAndInsideTheFrame) {
    const Frame frame = (eth(kA, kB) / vlan(10).priority(5) / vlan(20) / udp(1, 2)).toBytes();
    auto p = parsed(frame);
    ASSERT_EQ(p.vlanCount, 2);
    EXPECT_EQ(p.vlans()[0].id().value(), 10);
    EXPECT_EQ(p.vlans()[0].priority(), 5);
    EXPECT_EQ(p.vlans()[1].id().value(), 20);
    EXPECT_EQ(p.etherType, ethertype::kExperimental);
    EXPECT_EQ(p.networkOffset, 22U);

    p = parse(frame, VlanTag{ethertype::kQinQ, 0x1007}).value();
    ASSERT_EQ(p.vlanCount, 2) << "the third tag is out of reach";
    EXPECT_EQ(p.vlans()[0].id().value(), 7);
    EXPECT_TRUE(p.vlans()[0].dropEligible());
    EXPECT_EQ(p.vlans()[1].id().value(), 10);
    EXPECT_EQ(p.etherType, ethertype::kVlan);
    EXPECT_EQ(p.networkOffset, 18U);
}

TEST(Parse, IpBehindAnOutOfBandTag) {
    const Frame frame = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2)).toBytes();
    const auto p = parse(frame, VlanTag{ethertype::kVlan, 3}).value();
    EXPECT_EQ(p.vlanCount, 1);
    EXPECT_EQ(p.layer, Layer::Transport);
    EXPECT_EQ(p.networkOffset, 14U);
}

TEST(Parse, ATagCutShortIsTheType) {
    const Frame frame = (eth(kA, kB).type(ethertype::kVlan) / Frame{0, 1, 8}).toBytes();
    const auto p = parsed(frame);
    EXPECT_EQ(p.vlanCount, 0);
    EXPECT_EQ(p.etherType, ethertype::kVlan);
}

TEST(Parse, Arp) {
    const auto p = parsed((eth(kA, kB) / arpReply(kA, "10.0.0.1", kB, "10.0.0.2")).toBytes(60));
    EXPECT_TRUE(p.isArp());
    EXPECT_FALSE(p.isIp());
    EXPECT_EQ(p.arpOperation, arpop::kReply);
    EXPECT_EQ(p.arpSenderMac, mac(kA));
    EXPECT_EQ(p.arpTargetMac, mac(kB));
    EXPECT_EQ(p.ipSource, ip("10.0.0.1"));
    EXPECT_EQ(p.ipDestination, ip("10.0.0.2"));
}

TEST(Parse, ArpForOtherAddressesIsOnlyBridged) {
    for (const std::size_t at : {0U, 2U, 4U, 5U}) {
        Frame frame = (eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2")).toBytes();
        frame[14 + at] ^= 0x55;
        EXPECT_EQ(parsed(frame).layer, Layer::Ethernet) << "byte " << at;
    }
}

TEST(Parse, TcpFlagsAndPayloadBehindOptions) {
    const Frame frame =
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").options({1, 1, 1, 1}) /
         tcp(1, 2).flags(tcpflag::kSyn | tcpflag::kAck).options({2, 4, 5, 6}) / "data")
            .toBytes();
    const auto p = parsed(frame);
    EXPECT_TRUE(p.hasTransport(ipproto::kTcp));
    EXPECT_EQ(p.tcpFlags, tcpflag::kSyn | tcpflag::kAck);
    EXPECT_EQ(p.transportOffset, 38U);
    EXPECT_EQ(asText(p.payload(frame)), "data");
}

TEST(Parse, TcpWithAnImpossibleHeaderSizeStopsAtTheNetworkLayer) {
    Frame frame = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / tcp(1, 2)).toBytes();
    for (const std::uint8_t words : {0, 4, 6, 15}) {
        frame[46] = static_cast<std::uint8_t>(words << 4);
        const auto p = parsed(frame);
        EXPECT_EQ(p.layer, Layer::Network) << unsigned{words};
        EXPECT_EQ(p.sourcePort, 0) << "no fields of a layer that was not reached";
    }
}

TEST(Parse, SctpPorts) {
    Frame sctp(12);
    storeBe16(sctp.data(), 700);
    storeBe16(sctp.data() + 2, 800);
    const auto p = parsed(
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").protocol(ipproto::kSctp) / sctp).toBytes());
    EXPECT_TRUE(p.hasTransport(ipproto::kSctp));
    EXPECT_EQ(p.sourcePort, 700);
    EXPECT_EQ(p.destinationPort, 800);
}

TEST(Parse, IcmpTypeCodeAndEchoId) {
    const auto echo =
        parsed((eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / icmpEcho(77, 5)).toBytes());
    EXPECT_EQ(echo.sourcePort, icmptype::kEchoRequest);
    EXPECT_EQ(echo.destinationPort, 0);
    EXPECT_EQ(echo.icmpId, 77);
    EXPECT_EQ(echo.icmpSequence, 5);

    const auto error =
        parsed((eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / icmp(3, 4, 0x00010002)).toBytes());
    EXPECT_EQ(error.sourcePort, icmptype::kUnreachable);
    EXPECT_EQ(error.destinationPort, 4);
    EXPECT_EQ(error.icmpId, 0) << "only echo messages have an identifier";
}

TEST(Parse, IcmpOfTheOtherFamilyIsUnknown) {
    const auto p =
        parsed((eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / icmpv6Echo(1, 1)).toBytes());
    EXPECT_EQ(p.layer, Layer::Network);
    EXPECT_EQ(p.ipProtocol, ipproto::kIcmpv6);
}

TEST(Parse, Ipv4Fragments) {
    const auto first = parsed(
        (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").fragment(0, true) / udp(1, 2) / "12345678")
            .toBytes());
    EXPECT_EQ(first.fragment, Fragment::First);
    EXPECT_EQ(first.layer, Layer::Transport);
    for (const bool more : {true, false}) {
        const auto later = parsed(
            (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2").fragment(8, more) / udp(1, 2) / "12345678")
                .toBytes());
        EXPECT_EQ(later.fragment, Fragment::Later);
        EXPECT_EQ(later.layer, Layer::Network);
        EXPECT_EQ(later.ipProtocol, ipproto::kUdp);
        EXPECT_EQ(later.sourcePort, 0);
    }
}

TEST(Parse, AFirstFragmentTooSmallForItsTransportHeaderHasNoPorts) {
    const auto p =
        parsed((eth(kA, kB) /
                ipv4("10.0.1.2", "10.0.2.2").fragment(0, true).protocol(ipproto::kTcp) / Frame(8))
                   .toBytes());
    EXPECT_EQ(p.fragment, Fragment::First);
    EXPECT_EQ(p.layer, Layer::Network);
}

TEST(Parse, MalformedIpv4IsOnlyBridged) {
    const Frame good = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2)).toBytes();
    for (const std::uint8_t first : {0x55, 0x44, 0x4f}) {  // Version 5, header of 16 bytes, of 60.
        Frame frame = good;
        frame[14] = first;
        EXPECT_EQ(parsed(frame).layer, Layer::Ethernet) << unsigned{first};
    }
    Frame shorterThanItsHeader = good;
    storeBe16(shorterThanItsHeader.data() + 16, 19);
    EXPECT_EQ(parsed(shorterThanItsHeader).layer, Layer::Ethernet);
}

TEST(Parse, TheIpLengthBoundsTheTransportHeader) {
    Frame frame = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2)).toBytes();
    storeBe16(frame.data() + 16, 27);
    EXPECT_EQ(parsed(frame).layer, Layer::Network);
}

TEST(Parse, ACutFrameSaysSo) {
    Frame frame = (eth(kA, kB) / ipv4("10.0.1.2", "10.0.2.2") / udp(1, 2) / "0123456789").toBytes();
    frame.resize(frame.size() - 4);
    const auto p = parsed(frame);
    EXPECT_TRUE(p.truncated);
    EXPECT_EQ(p.layer, Layer::Transport);
    EXPECT_EQ(asText(p.payload(frame)), "012345");
}

TEST(Parse, Ipv6BehindAllExtensionHeaders) {
    const Frame frame =
        (eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2").trafficClass(0xb9).hopLimit(9) /
         hopByHop() / destinationOptions(Frame(20)) / routing() / ipv6Fragment(0, true) /
         udp(7, 8) / "12345678")
            .toBytes();
    const auto p = parsed(frame);
    EXPECT_TRUE(p.isIpv6());
    EXPECT_TRUE(p.hasTransport(ipproto::kUdp));
    EXPECT_EQ(p.tos, 0xb9);
    EXPECT_EQ(p.ttl, 9);
    EXPECT_EQ(p.ipSource, ip("2001:db8::1"));
    EXPECT_EQ(p.ipDestination, ip("2001:db8::2"));
    EXPECT_EQ(p.fragment, Fragment::First);
    EXPECT_EQ(p.transportOffset, 14U + 40 + 8 + 24 + 8 + 8);
    EXPECT_EQ(p.destinationPort, 8);
}

TEST(Parse, LaterIpv6FragmentHasProtocolButNoPorts) {
    const auto p = parsed(
        (eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") / ipv6Fragment(1480, false) / udp(7, 8))
            .toBytes());
    EXPECT_EQ(p.fragment, Fragment::Later);
    EXPECT_EQ(p.layer, Layer::Network);
    EXPECT_EQ(p.ipProtocol, ipproto::kUdp);
    EXPECT_EQ(p.sourcePort, 0);
}

TEST(Parse, AnAtomicIpv6FragmentIsAWholePacket) {
    const auto p = parsed(
        (eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") / ipv6Fragment(0, false) / udp(7, 8))
            .toBytes());
    EXPECT_EQ(p.fragment, Fragment::None);
    EXPECT_EQ(p.layer, Layer::Transport);
}

TEST(Parse, ExtensionHeadersAreBounded) {
    const auto withHeaders = [](int count) {
        Packet p = eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2");
        for (int i = 0; i < count; ++i) p = p / destinationOptions();
        return parsed((p / udp(7, 8)).toBytes());
    };
    EXPECT_EQ(withHeaders(7).layer, Layer::Transport);
    const auto p = withHeaders(9);
    EXPECT_EQ(p.layer, Layer::Network);
    EXPECT_EQ(p.ipProtocol, ipproto::kDestinationOptions);
}

TEST(Parse, AnExtensionHeaderBeyondTheEndStopsThere) {
    Frame frame =
        (eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2") / destinationOptions() / udp(7, 8))
            .toBytes();
    frame[55] = 200;
    const auto p = parsed(frame);
    EXPECT_EQ(p.layer, Layer::Network);
    EXPECT_EQ(p.ipProtocol, ipproto::kDestinationOptions);
}

TEST(Parse, AJumbogramReachesToTheEndOfTheFrame) {
    const Frame frame = (eth(kA, kB) / ipv6("2001:db8::1", "2001:db8::2").payloadLength(0) /
                         hopByHop() / udp(7, 8) / "big")
                            .toBytes();
    const auto p = parsed(frame);
    EXPECT_EQ(p.layer, Layer::Transport);
    EXPECT_EQ(asText(p.payload(frame)), "big");
    EXPECT_FALSE(p.truncated);
}

TEST(Parse, NeighbourDiscovery) {
    const auto ns =
        parsed((eth(kA, kB) / ipv6("fe80::a", "ff02::1") / neighbourSolicitation("2001:db8::2", kA))
                   .toBytes());
    EXPECT_EQ(ns.sourcePort, icmpv6type::kNeighbourSolicitation);
    EXPECT_EQ(net::IpAddress{ns.ndTarget}, ip("2001:db8::2"));
    EXPECT_EQ(ns.ndLinkLayer, mac(kA));

    const auto na = parsed(
        (eth(kA, kB) / ipv6("fe80::b", "fe80::a") / neighbourAdvertisement("2001:db8::2", kB))
            .toBytes());
    EXPECT_EQ(na.sourcePort, icmpv6type::kNeighbourAdvertisement);
    EXPECT_EQ(na.ndLinkLayer, mac(kB));
}

TEST(Parse, NeighbourOptionOfLengthZeroEndsTheOptions) {
    Icmp ns = neighbourSolicitation("2001:db8::2", kA);
    ns.body[17] = 0;
    const auto p = parsed((eth(kA, kB) / ipv6("fe80::a", "ff02::1") / ns).toBytes());
    EXPECT_EQ(net::IpAddress{p.ndTarget}, ip("2001:db8::2"));
    EXPECT_FALSE(p.ndLinkLayer);
}

TEST(Parse, NeighbourOptionsOfOtherTypesAreSkipped) {
    Icmp ns = neighbourSolicitation("2001:db8::2", kA);
    ns.body.insert(ns.body.begin() + 16, {14, 1, 1, 2, 3, 4, 5, 6});
    const auto p = parsed((eth(kA, kB) / ipv6("fe80::a", "ff02::1") / ns).toBytes());
    EXPECT_EQ(p.ndLinkLayer, mac(kA));
}

/// Whatever is cut off, offsets stay inside the frame and no layer is found that was not there.
TEST(Parse, EveryPrefixOfAFrameIsSafe) {
    const Packet packets[] = {
        eth(kA, kB) / vlan(1) / vlan(2) / ipv4("10.0.1.2", "10.0.2.2").options({1, 1, 1, 1}) /
            tcp(1, 2).options({1, 1, 1, 1}) / "x",
        eth(kA, kB) / ipv6("fe80::a", "ff02::1") / hopByHop() / ipv6Fragment(0, true) /
            neighbourSolicitation("fe80::1", kA),
        eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2"),
    };
    for (const auto& packet : packets) {
        const Frame whole = packet.toBytes();
        Layer deepest = Layer::Ethernet;
        for (std::size_t size = kEthernetSize; size <= whole.size(); ++size) {
            const Frame frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            const auto p = parsed(frame);
            EXPECT_GE(p.layer, deepest);
            EXPECT_LE(p.networkOffset, p.transportOffset);
            EXPECT_LE(p.transportOffset, p.payloadOffset);
            EXPECT_LE(p.payloadOffset, p.payloadEnd);
            EXPECT_LE(p.payloadEnd, size);
            deepest = p.layer;
        }
        EXPECT_EQ(deepest, parsed(whole).layer);
        EXPECT_GE(deepest, Layer::Network);
    }
}

}  // namespace
}  // namespace midonet::packet
