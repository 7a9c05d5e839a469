#include "testing/tunnel_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

class Tunnels : public TunnelTest {};

TEST_F(Tunnels, BytesOnTheWireAreExact) {
    const auto byGre = tunnel(TunnelType::Gre), byVxlan = tunnel(TunnelType::Vxlan);
    for (const Packet& inner : inners) {
        SCOPED_TRACE(packet::describe(inner.toBytes()));
        ASSERT_TRUE(send(inner, {flow::OutputTunnel{byGre, net::TunnelKey{0x123456}}}));
        EXPECT_THAT(sent(), ::testing::ElementsAre(EqualsPacket(overGre(inner, 0x123456))));
        unsigned sourcePort = 0;
        ASSERT_TRUE(send(inner, {flow::OutputTunnel{byVxlan, net::TunnelKey{0xabcdef}}}));
        EXPECT_THAT(sent(&sourcePort), ::testing::ElementsAre(EqualsPacket(overVxlan(inner, 0xabcdef))));
        EXPECT_GE(sourcePort, 0xc000U);
    }
    EXPECT_EQ(world->counter("encapsulated"), 2 * inners.size());
}

TEST_F(Tunnels, FlowOfAPortEntersTheTunnelWithItsTagInside) {
    const auto byVxlan = tunnel(TunnelType::Vxlan), byGre = tunnel(TunnelType::Gre);
    for (const Packet& inner : inners) {
        SCOPED_TRACE(packet::describe(inner.toBytes()));
        const auto key = keyOf(inner);
        install(key, flow::FlowMask::exact(), {flow::OutputTunnel{byVxlan, net::TunnelKey{7}}});
        world->inject("vm1", inner.toBytes());
        EXPECT_THAT(sent(), ::testing::ElementsAre(EqualsPacket(overVxlan(inner, 7))));
        install(key, flow::FlowMask::exact(), {flow::OutputTunnel{byGre, net::TunnelKey{7}}});
        world->inject("vm1", inner.toBytes());
        EXPECT_THAT(sent(), ::testing::ElementsAre(EqualsPacket(overGre(inner, 7))));
    }
}

TEST_F(Tunnels, SourcePortFollowsTheInnerFlow) {
    const auto byVxlan = tunnel(TunnelType::Vxlan);
    std::set<unsigned> ports;
    install(keyOf(udpPacket), maskOf({Field::EthDestination}), {flow::OutputTunnel{byVxlan, net::TunnelKey{7}}});
    for (unsigned source = 1; source <= 20; ++source) {
        unsigned first = 0, second = 0;
        for (unsigned* port : {&first, &second}) {
            world->inject("vm1", (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(source, 53)).toBytes());
            EXPECT_EQ(sent(port).size(), 1U);
        }
        EXPECT_EQ(first, second);
        ports.insert(first);
    }
    EXPECT_GT(ports.size(), 15U);
}

TEST_F(Tunnels, PacketsFromPeersAreUnpackedAndMatchedByTunnelAlone) {
    tunnel(TunnelType::Gre);
    for (const TunnelType type : {TunnelType::Gre, TunnelType::Vxlan}) {
        world->inject("nic0", fromPeer(type, udpPacket, 42).toBytes());
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U);
        const auto& key = upcalls[0].upcall.key;
        EXPECT_TRUE(key.fromTunnel());
        EXPECT_EQ(key.tunnelKey.value(), 42U);
        EXPECT_EQ(key.tunnelSource, ip4(kRemote));
        EXPECT_EQ(key.tunnelDestination, ip4(kLocal));
        EXPECT_EQ(key.l4Destination, 53);
        EXPECT_THAT(upcalls[0].frame, EqualsPacket(udpPacket));
        const auto handle = install(key, tunnelMask(), {flow::Output{two}});
        for (const Packet& inner : inners) {
            SCOPED_TRACE(packet::describe(inner.toBytes()));
            world->inject("nic0", fromPeer(type, inner, 42).toBytes());
            const auto out = world->take();
            ASSERT_EQ(out.size(), 1U);
            Frame got = out[0].frame, expected = inner.toBytes();
            // The kernel keeps room for an IP header: a tiny frame comes out padded.
            if (got.size() > expected.size()) expected.resize(got.size());
            EXPECT_LE(got.size(), std::max<std::size_t>(inner.toBytes().size(), 54));
            EXPECT_THAT(got, EqualsPacket(expected));
        }
        EXPECT_EQ(world->datapath().stats(handle).packets, inners.size());
        world->inject("nic0", fromPeer(type, udpPacket, 43).toBytes());
        EXPECT_EQ(world->drain().size(), 1U) << "another key";
        world->datapath().removeFlow(0, handle);
    }
}

TEST_F(Tunnels, WhatIsNotOursOnTheUnderlayIsLeftAlone) {
    tunnel(TunnelType::Gre);
    const auto to = [](const char* destination) { return eth(kRouterMac, kUnderlayMac) / ipv4(kRemote, destination); };
    const std::vector<Packet> others{
        to("192.0.2.9") / gre(1) / udpPacket.toBytes(),                                              // not to us
        to(kLocal) / gre() / udpPacket.toBytes(),                                                    // no key
        to(kLocal) / gre(1).sequence(1) / udpPacket.toBytes(),                                       // more than a key
        to(kLocal) / gre(1).protocol(0x0800) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, 2),               // IP in GRE
        to(kLocal) / udp(1, 4789) / vxlan(1) / udpPacket.toBytes(),                                  // another VXLAN port
        to(kLocal) / udp(1, kVxlanUdp) / Frame(60, 0),                                               // no VNI
        to(kLocal) / tcp(1, 22) / "ssh",
        eth(kRouterMac, kUnderlayMac) / ipv4(kRemote, kLocal).fragment(0, true) / udp(1, kVxlanUdp) / vxlan(1) / udpPacket.toBytes(),
        eth(kRouterMac, kB) / ipv4(kRemote, kLocal) / gre(1) / udpPacket.toBytes(),                  // another station's
        eth(kRouterMac, kUnderlayMac) / arpRequest(kRouterMac, kRemote, kLocal),
    };
    for (const Packet& packet : others) world->inject("nic0", packet.toBytes());
    EXPECT_TRUE(world->drain().empty());
    EXPECT_EQ(world->counter("decapsulated"), 0U);
    EXPECT_EQ(world->counter("decap_errors"), 0U);
    bool answered = false;
    for (const Delivered& delivered : world->take()) answered |= delivered.interface == "nic0" && loadBe16(delivered.frame.data() + 12) == 0x0806;
    EXPECT_TRUE(answered) << "the host still answers ARP";
}

TEST_F(Tunnels, FloodToPortsAndManyTunnelsOfBothTypes) {
    flow::FlowActions flood;
    std::vector<Packet> expected;
    for (int i = 0; i < 6; ++i) {
        const std::string remote = fmt::format("192.0.2.{}", 10 + i);
        const TunnelType type = i % 2 == 0 ? TunnelType::Gre : TunnelType::Vxlan;
        const auto key = static_cast<std::uint32_t>(100 + i);
        flood.push_back(flow::OutputTunnel{tunnel(type, remote.c_str()), net::TunnelKey{key}});
        expected.push_back(type == TunnelType::Gre ? overGre(udpPacket, key, remote.c_str()) : overVxlan(udpPacket, key, remote.c_str()));
    }
    flood.push_back(flow::Output{two});
    flood.push_back(flow::Output{three});
    install(keyOf(udpPacket), flow::FlowMask::exact(), flood);
    for (const bool byFlow : {true, false}) {
        if (byFlow) {
            world->inject("vm1", udpPacket.toBytes());
        } else {
            ASSERT_TRUE(send(udpPacket, flood));
        }
        std::vector<Delivered> all = world->take();
        ASSERT_EQ(all.size(), 8U) << byFlow;
        std::vector<Frame> tunnelled;
        for (Delivered& delivered : all) {
            if (delivered.interface != "nic0") {
                EXPECT_THAT(delivered.frame, EqualsPacket(udpPacket));
                continue;
            }
            Frame& frame = delivered.frame;
            storeBe16(frame.data() + 18, 0);
            storeBe16(frame.data() + 24, 0);
            if (frame[23] == 17) storeBe16(frame.data() + 34, 0);
            tunnelled.push_back(frame);
        }
        std::vector<Frame> wanted;
        for (const Packet& packet : expected) wanted.push_back(packet.toBytes());
        EXPECT_THAT(tunnelled, ::testing::UnorderedElementsAreArray(wanted));
    }
}

TEST_F(Tunnels, ChangesBehindATunnelOutputDoNotReachIt) {
    const auto byGre = tunnel(TunnelType::Gre);
    install(keyOf(udpPacket), flow::FlowMask::exact(),
            {flow::OutputTunnel{byGre, net::TunnelKey{1}}, flow::DecrementTtl{}, flow::OutputTunnel{byGre, net::TunnelKey{2}}, flow::Output{two}});
    world->inject("vm1", udpPacket.toBytes());
    const Packet lower = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(63) / udp(1000, 53) / "hello";
    EXPECT_THAT(sent(), ::testing::UnorderedElementsAre(EqualsPacket(overGre(udpPacket, 1)), EqualsPacket(overGre(lower, 2))));
}

TEST_F(Tunnels, WithoutAPathPacketsAreDroppedAndCounted) {
    const auto id = world->datapath().addTunnel({TunnelType::Gre, ip4(kLocal), ip4(kRemote)}).value();
    EXPECT_FALSE(send(udpPacket, {flow::OutputTunnel{id, net::TunnelKey{1}}}));
    EXPECT_EQ(world->counter("no_tunnel_path"), 1U);
    tunnel(TunnelType::Gre);
    EXPECT_TRUE(send(udpPacket, {flow::OutputTunnel{id, net::TunnelKey{1}}}));
    ASSERT_TRUE(world->datapath().setTunnelPath(id, std::nullopt));
    EXPECT_FALSE(send(udpPacket, {flow::OutputTunnel{id, net::TunnelKey{1}}}));
    ASSERT_TRUE(world->datapath().removeTunnel(id));
    EXPECT_EQ(world->datapath().setTunnelPath(id, std::nullopt).error().code, ErrorCode::NotFound);
}

TEST_F(Tunnels, PacketsBeyondTheMtuOfThePathAreDroppedAndCounted) {
    const auto byGre = tunnel(TunnelType::Gre, kRemote, 1500), byVxlan = tunnel(TunnelType::Vxlan, kRemote, 1500);
    const auto sized = [](std::size_t size) { return eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / Frame(size - 42, 7); };
    EXPECT_TRUE(send(sized(1500 - 28), {flow::OutputTunnel{byGre, net::TunnelKey{1}}}));
    EXPECT_FALSE(send(sized(1500 - 27), {flow::OutputTunnel{byGre, net::TunnelKey{1}}}));
    EXPECT_TRUE(send(sized(1500 - 36), {flow::OutputTunnel{byVxlan, net::TunnelKey{1}}}));
    EXPECT_FALSE(send(sized(1500 - 35), {flow::OutputTunnel{byVxlan, net::TunnelKey{1}}}));
    EXPECT_EQ(world->counter("too_big"), 2U);
    EXPECT_EQ(sent().size(), 2U);
}

TEST_F(Tunnels, LargePacketsOfAMachineLeaveInPiecesThatFit) {
    // The tap takes a 9,000-byte TCP packet with a partial checksum, as a machine with TSO sends it.
    const auto byVxlan = tunnel(TunnelType::Vxlan), byGre = tunnel(TunnelType::Gre);
    const std::uint16_t pseudo = Checksum{}.addPseudoHeader(ip("10.0.0.1"), ip("10.0.0.2"), 6, 9020).folded();
    for (const bool tagged : {false, true}) {
        const auto below = [&](const Packet& l3) { return tagged ? eth(kA, kB) / vlan(5) / l3 : eth(kA, kB) / l3; };
        Frame frame = below(ipv4("10.0.0.1", "10.0.0.2") / tcp(1000, 80).ack(1).checksum(pseudo) / Frame(9000, 'x')).toBytes();
        Offload offload;
        offload.checksumPartial = true;
        offload.checksumStart = tagged ? 38 : 34;
        offload.checksumOffset = 16;
        offload.gsoSize = 1400;
        offload.gsoType = 1;
        for (const auto& [id, outer] : {std::pair{byVxlan, 50U}, std::pair{byGre, 42U}}) {
            const flow::FlowKey key = [&] {
                world->drain();
                world->inject("vm1", frame, offload);
                const auto upcalls = world->drain();
                EXPECT_EQ(upcalls.at(0).upcall.offload, offload);
                EXPECT_EQ(upcalls.at(0).frame, frame);
                world->datapath().upcalls(0).done(upcalls[0].upcall.pendingId);
                return upcalls.at(0).upcall.key;
            }();
            const auto handle = install(key, flow::FlowMask::exact(), {flow::OutputTunnel{id, net::TunnelKey{1}}});
            world->inject("vm1", frame, offload);
            std::size_t payload = 0;
            const auto pieces = world->take();
            EXPECT_EQ(pieces.size(), 7U);
            for (const Delivered& piece : pieces) {
                const ByteView inner = ByteView{piece.frame}.subspan(outer);
                EXPECT_EQ(checksumOf({piece.frame.data() + 14, 20}), 0);
                EXPECT_EQ(loadBe16(piece.frame.data() + 16), piece.frame.size() - 14) << "outer length";
                const auto parsed = packet::parse(inner);
                ASSERT_TRUE(parsed && parsed->hasTransport(6));
                EXPECT_EQ(parsed->vlanCount, tagged ? 1 : 0);
                const ByteView segment = inner.subspan(parsed->transportOffset);
                const std::uint16_t sum = Checksum{}.addPseudoHeader(parsed->ipSource, parsed->ipDestination, 6, static_cast<std::uint32_t>(segment.size())).add(segment).value();
                EXPECT_EQ(sum, 0) << "inner TCP checksum";
                payload += parsed->payload(inner).size();
            }
            EXPECT_EQ(payload, 9000U);
            // The same by packet-out.
            const flow::FlowActions actions{flow::OutputTunnel{id, net::TunnelKey{1}}};
            ASSERT_TRUE(world->datapath().execute(0, {frame, offload, actions, one}));
            EXPECT_EQ(world->take().size(), 7U);
            world->datapath().removeFlow(0, handle);
        }
    }
    EXPECT_EQ(world->counter("encap_errors"), 0U);
}

TEST_F(Tunnels, KernelDeviceCarriesVxlanBothWays) {
    auto options = EbpfWorld::defaults();
    options.vxlan = VxlanMode::Kernel;
    start(options);
    addNic();
    const auto byVxlan = tunnel(TunnelType::Vxlan);
    world->inject("nic0", fromPeer(TunnelType::Vxlan, udpPacket, 42).toBytes());
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.key.tunnelKey.value(), 42U);
    EXPECT_EQ(upcalls[0].upcall.key.tunnelSource, ip4(kRemote));
    EXPECT_EQ(upcalls[0].upcall.key.tunnelDestination, ip4(kLocal));
    install(upcalls[0].upcall.key, tunnelMask(), {flow::Output{two}});
    EXPECT_EQ(world->run("nic0", fromPeer(TunnelType::Vxlan, udpPacket, 42).toBytes()).size(), 1U);

    // The kernel resolves the peer by itself: it asks, we answer, the packet follows.
    ASSERT_TRUE(send(udpPacket, {flow::Output{two}, flow::OutputTunnel{byVxlan, net::TunnelKey{9}}}));
    world->inject("nic0", (eth(kRouterMac, kUnderlayMac) / arpReply(kRouterMac, kRemote, kUnderlayMac, kLocal)).toBytes());
    bool seen = false;
    for (const Delivered& delivered : world->take()) {
        if (delivered.interface != "nic0" || delivered.frame.size() < 50 || delivered.frame[23] != 17) continue;
        seen = true;
        EXPECT_EQ(loadBe16(delivered.frame.data() + 36), kVxlanUdp);
        EXPECT_EQ(loadBe32(delivered.frame.data() + 46) >> 8, 9U);
        EXPECT_THAT(Frame(delivered.frame.begin() + 50, delivered.frame.end()), EqualsPacket(udpPacket));
    }
    EXPECT_TRUE(seen);
}

TEST_F(Tunnels, AutoReceivesByTheKernelOnceAMachineIsOnATap) {
    auto options = EbpfWorld::defaults();
    options.vxlan = VxlanMode::Auto;
    start(options);  // Its ports are taps.
    addNic();
    const auto byVxlan = tunnel(TunnelType::Vxlan);
    ASSERT_TRUE(send(udpPacket, {flow::OutputTunnel{byVxlan, net::TunnelKey{9}}}));
    EXPECT_THAT(sent(), ::testing::ElementsAre(EqualsPacket(overVxlan(udpPacket, 9)))) << "sent by hand";
    world->inject("nic0", fromPeer(TunnelType::Vxlan, udpPacket, 42).toBytes());
    EXPECT_EQ(world->drain().size(), 1U);
    EXPECT_NE(world->datapath().capabilities().features.at(1).second.find("kernel"), std::string::npos);
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
