#include "datapath/ebpf/kernel_layout.h"
#include "datapath/fake/fake_datapath.h"
#include "datapath/flow_key_from_frame.h"
#include "testing/tunnel_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

using Sent = std::pair<std::string, Frame>;  // interface or "tunnel", and the frame before encapsulation

struct Told {
    UpcallReason reason{};
    std::uint32_t mtu = 0;
    flow::FlowKey key;
    Frame frame;
    Offload offload;
    friend bool operator==(const Told&, const Told&) = default;
    friend void PrintTo(const Told& told, std::ostream* out) {
        *out << fmt::format("reason {} mtu {} {}\n", static_cast<int>(told.reason), told.mtu, told.key.toString()) << packet::describe(told.frame);
    }
};

struct Outcome {
    std::vector<Sent> sent;
    std::vector<Told> told;
};

Told toldBy(const Upcall& upcall) { return {upcall.reason, upcall.mtu, upcall.key, {upcall.frame.begin(), upcall.frame.end()}, upcall.offload}; }

/// What a NIC without offloads makes of a partial checksum.
Frame finished(Frame frame, const Offload& offload) {
    if (!offload.checksumPartial) return frame;
    const std::uint16_t sum = checksumOf(ByteView{frame}.subspan(offload.checksumStart));
    storeBe16(frame.data() + offload.checksumStart + offload.checksumOffset, offload.checksumOffset == 6 ? udpChecksum(sum) : sum);
    return frame;
}

/// Leaves the pseudo-header sum in the transport checksum, as a machine with checksum offload does.
Offload makePartial(Frame& frame) {
    const auto parsed = packet::parse(frame).value();
    Offload out;
    out.checksumPartial = true;
    out.checksumStart = static_cast<std::uint16_t>(parsed.transportOffset);
    out.checksumOffset = parsed.ipProtocol == 6 ? 16 : parsed.ipProtocol == 17 ? 6 : 2;
    const std::uint32_t length = parsed.payloadEnd - parsed.transportOffset;
    storeBe16(frame.data() + out.checksumStart + out.checksumOffset,
              Checksum{}.addPseudoHeader(parsed.ipSource, parsed.ipDestination, parsed.ipProtocol, length).folded());
    return out;
}

/// The same flow and packet in the kernel and in memory: the same leaves them, and the same goes to the agent.
class RoutedTraffic : public TunnelTest {
protected:
    void SetUp() override {
        TunnelTest::SetUp();
        for (const char* name : {"vm1", "vm2", "vm3"}) names[oracle.addPort(name).value()] = name;
    }
    flow::TunnelId both(TunnelType type, const char* remote = kRemote, std::uint32_t mtu = 1600) {
        const auto id = tunnel(type, remote, mtu);
        EXPECT_EQ(oracle.addTunnel({type, ip4(kLocal), ip4(remote)}).value(), id);
        EXPECT_TRUE(oracle.setTunnelPath(id, TunnelPath{nic, mac(kUnderlayMac), mac(kRouterMac), mtu}));
        return id;
    }
    Outcome byKernel(const Frame& frame, const Offload& offload) {
        Outcome out;
        for (Delivered& delivered : world->run("vm1", frame, offload)) {
            Frame& got = delivered.frame;
            if (delivered.interface != "nic0") {
                out.sent.emplace_back(delivered.interface, got);
            } else if (got[23] == 47 || got[23] == 17) {
                out.sent.emplace_back("tunnel", Frame(got.begin() + (got[23] == 47 ? MN_GRE_OUTER : MN_VXLAN_OUTER), got.end()));
            }
        }
        for (const auto& received : world->drain()) out.told.push_back(toldBy(received.upcall));
        return out;
    }
    Outcome inMemory(const Frame& frame, const Offload& offload) {
        Outcome out;
        oracle.inject(one, frame, offload);
        for (auto& output : oracle.takeOutputs()) out.sent.emplace_back(names.at(output.port), finished(output.frame, output.offload));
        for (auto& output : oracle.takeTunnelOutputs()) out.sent.emplace_back("tunnel", finished(output.frame, output.offload));
        oracle.upcalls(0).drain(100, [&](const Upcall& upcall) { out.told.push_back(toldBy(upcall)); });
        return out;
    }
    /// What both did.
    Outcome run(const Frame& frame, const flow::FlowActions& actions, const Offload& offload = {}) {
        const auto key = flowKeyFromFrame({one, {}, {}, {}}, frame);
        install(key, flow::FlowMask::exact(), actions);
        EXPECT_TRUE(oracle.installFlow(0, key, flow::FlowMask::exact(), actions));
        Outcome kernel = byKernel(frame, offload), memory = inMemory(frame, offload);
        world->clock().advance(101ms);
        if (offload.gsoSize == 0) {  // In memory nothing is cut.
            std::sort(kernel.sent.begin(), kernel.sent.end());
            std::sort(memory.sent.begin(), memory.sent.end());
            EXPECT_EQ(kernel.sent.size(), memory.sent.size());
            for (std::size_t i = 0; i < std::min(kernel.sent.size(), memory.sent.size()); ++i) {
                EXPECT_EQ(kernel.sent[i].first, memory.sent[i].first);
                EXPECT_THAT(kernel.sent[i].second, EqualsPacket(memory.sent[i].second));
            }
        }
        EXPECT_EQ(kernel.told, memory.told);
        for (const Told& told : kernel.told) EXPECT_EQ(told.key, key);
        return kernel;
    }

    event::VirtualClock clock;
    fake::FakeDatapath oracle{clock};
    std::map<flow::PortNumber, std::string> names;
};

TEST_F(RoutedTraffic, PacketsWithTooFewHopsGoToTheAgentAsTheyCameIn) {
    const flow::OutputTunnel gre{both(TunnelType::Gre), net::TunnelKey{1}}, vxlan{both(TunnelType::Vxlan), net::TunnelKey{2}};
    const flow::Output toTwo{two}, toThree{three};
    const flow::SetEthernet route{mac("02:11:22:33:44:55"), mac("02:66:77:88:99:aa")};
    for (const unsigned by : {1U, 2U, 3U}) {
        const flow::DecrementTtl hops{static_cast<std::uint8_t>(by)};
        for (const unsigned ttl : {0U, 1U, 2U, 3U, 4U, 255U}) {
            const auto limit = static_cast<std::uint8_t>(ttl);
            const std::vector<Packet> packets{
                eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(limit) / udp(1, 2) / "x",
                eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(limit).options({7, 7, 4, 0, 0, 0, 0}) / tcp(1, 2) / "x",
                eth(kA, kB) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2").ttl(limit).protocol(17).fragment(1480, false) / "12345678",
                eth(kA, kB) / ipv6("fd00::1", "fd00::2").hopLimit(limit) / udp(1, 2) / "x",
                eth(kA, kB) / ipv6("fd00::1", "fd00::2").hopLimit(limit) / hopByHop() / routing(Frame(6, 0)) / tcp(1, 2) / "x",
            };
            for (const Packet& packet : packets) {
                SCOPED_TRACE(fmt::format("by {} {}", by, packet::describe(packet.toBytes())));
                const Frame frame = packet.toBytes();
                for (const flow::FlowActions& actions : {flow::FlowActions{hops, route, toTwo}, flow::FlowActions{hops, route, gre},
                                                         flow::FlowActions{hops, vxlan, gre, toTwo}}) {
                    const Outcome outcome = run(frame, actions);
                    EXPECT_EQ(outcome.told.size(), ttl > by ? 0U : 1U);
                    if (ttl > by) continue;
                    EXPECT_TRUE(outcome.sent.empty());
                    EXPECT_EQ(outcome.told.at(0).reason, UpcallReason::Action);
                    EXPECT_THAT(outcome.told.at(0).frame, EqualsPacket(packet));
                }
                // What came before has happened.
                const std::size_t copies = run(frame, {toTwo, vxlan, hops, toThree, flow::ToAgent{}}).sent.size();
                EXPECT_EQ(copies, ttl > by ? 3U : 2U);
            }
        }
    }
    EXPECT_EQ(world->counter("action_errors"), 0U);
    EXPECT_EQ(world->counter("throttled"), 0U);
    EXPECT_GT(world->counter("ttl_exceeded"), 0U);
}

TEST_F(RoutedTraffic, EndOfATcpConnectionIsNoted) {
    const auto e = eth(kA, kB);
    const std::vector<Packet> families{e / ipv4("10.0.0.1", "10.0.0.2"), e / vlan(5) / ipv4("10.0.0.1", "10.0.0.2").options({7, 7, 4, 0, 0, 0, 0}),
                                       e / ipv6("fd00::1", "fd00::2"), e / ipv6("fd00::3", "fd00::2") / hopByHop()};
    constexpr unsigned kFin = 1, kSyn = 2, kRst = 4, kPush = 8, kAck = 16;
    const flow::FlowActions actions{flow::Output{two}};
    for (const Packet& below : families) {
        SCOPED_TRACE(packet::describe((below / tcp(1, 2)).toBytes()));
        const auto key = keyOf(below / tcp(1, 2));
        const auto handle = install(key, flow::FlowMask::exact(), actions);
        const auto inMemory = oracle.installFlow(0, key, flow::FlowMask::exact(), actions).value().handle;
        const auto closingAfter = [&](const Packet& packet) {
            world->inject("vm1", packet.toBytes());
            oracle.inject(one, packet.toBytes());
            EXPECT_EQ(world->datapath().stats(handle).closing, oracle.stats(inMemory).closing);
            return world->datapath().stats(handle).closing;
        };
        EXPECT_FALSE(world->datapath().stats(handle).closing);
        EXPECT_FALSE(closingAfter(below / tcp(1, 2).flags(kAck | kPush) / "data"));
        EXPECT_TRUE(closingAfter(below / tcp(1, 2).flags(kFin | kAck)));
        EXPECT_TRUE(closingAfter(below / tcp(1, 2).flags(kAck))) << "the last ACK changes nothing";
        EXPECT_FALSE(closingAfter(below / tcp(1, 2).flags(kSyn))) << "the same ports, a new connection";
        EXPECT_TRUE(closingAfter(below / tcp(1, 2).flags(kRst).options({1, 1, 1, 1}) / "why"));
    }
    // The bits of a datagram at the same place mean nothing.
    const Packet datagram = e / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / Frame(20, 0xff);
    const auto handle = install(keyOf(datagram), flow::FlowMask::exact(), actions);
    world->inject("vm1", datagram.toBytes());
    EXPECT_FALSE(world->datapath().stats(handle).closing);
}

TEST_F(RoutedTraffic, PacketsThatTheAgentSendsDoNotComeBack) {
    const Packet last = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(1) / udp(1, 2) / "x";
    const Packet big = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(1) / udp(1, 2) / Frame(1500, 1);
    const flow::FlowActions hop{flow::DecrementTtl{}, flow::Output{two}};
    const flow::FlowActions narrow{flow::OutputTunnel{both(TunnelType::Gre, kRemote, 1500), net::TunnelKey{1}}};
    EXPECT_FALSE(send(last, hop)) << "nothing took it";
    EXPECT_FALSE(send(big, narrow));
    EXPECT_TRUE(send(last, {flow::Output{three}, flow::DecrementTtl{}, flow::Output{two}}));
    EXPECT_EQ(world->take().size(), 1U);
    EXPECT_TRUE(world->drain().empty());
    const Frame lastFrame = last.toBytes(), bigFrame = big.toBytes();
    ASSERT_TRUE(oracle.execute(0, {lastFrame, {}, hop, one}));
    ASSERT_TRUE(oracle.execute(0, {bigFrame, {}, narrow, one}));
    EXPECT_EQ(oracle.waitingUpcalls(0), 0U);
    EXPECT_TRUE(oracle.takeOutputs().empty());
}

TEST_F(RoutedTraffic, UpcallsOutOfAListPassTheTokenBucket) {
    auto options = EbpfWorld::defaults();
    options.upcallRate = 1;
    options.upcallBurst = 20;
    start(options);
    addNic();
    const Packet packet = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(1) / udp(1, 2) / Frame(1500, 1);
    const auto key = keyOf(packet);
    const std::vector<flow::FlowActions> lists{{flow::DecrementTtl{}, flow::Output{two}},
                                               {flow::OutputTunnel{tunnel(TunnelType::Gre, kRemote, 1500), net::TunnelKey{1}}}};
    for (const auto& actions : lists) {
        install(key, flow::FlowMask::exact(), actions);
        for (int i = 0; i < 60; ++i) world->inject("vm1", packet.toBytes());
    }
    const auto upcalls = world->drain().size();
    EXPECT_GE(upcalls, 18U);
    EXPECT_LE(upcalls, 22U);
    EXPECT_EQ(world->counter("throttled"), 120 - upcalls);
}

TEST_F(RoutedTraffic, AddressesAndPortsChangeWithTheChecksumsThatCoverThem) {
    const flow::OutputTunnel gre{both(TunnelType::Gre), net::TunnelKey{1}};
    const flow::SetIpAddresses nat4{ip("192.168.7.7"), ip("172.16.0.1")}, nat6{ip("fd00:1::7"), ip("fd00:2::8")};
    const flow::SetL4Ports ports{40000, 65535};
    const auto e = eth(kA, kB);
    const auto v4 = [] { return ipv4("10.0.0.1", "10.0.0.2"); };
    const auto v6 = ipv6("2001:db8::1", "2001:db8::2");
    const std::vector<std::pair<Packet, bool>> packets{  // and whether a machine would leave the checksum to the NIC
        {e / v4() / tcp(1, 2) / "data", true},
        {e / v4() / udp(1, 2) / "data", true},
        {e / vlan(3) / v4() / udp(1, 2) / "odd", true},
        {e / v4() / udp(1, 2).checksum(0) / "data", false},
        {e / v4().options({7, 7, 4, 0, 0, 0, 0}) / udp(1, 2) / "data", true},
        {e / v4() / icmpEcho(7, 8) / "data", false},
        {e / v4() / icmp(3, 4, 1400) / "original", false},
        {e / v4().fragment(0, true) / tcp(1, 2) / "12345678", false},
        {e / v4().fragment(0, true) / udp(1, 2) / "12345678", false},
        {e / v4().fragment(0, true) / icmpEcho(7, 8) / "12345678", false},
        {e / v4().protocol(6).fragment(1480, true) / Frame(40, 5), false},
        {e / v4().protocol(17).fragment(1480, false) / Frame(40, 5), false},
        {e / v4().protocol(132) / Frame{0, 7, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}, false},
        {e / v6 / tcp(1, 2) / "data", true},
        {e / v6 / udp(1, 2) / "data", true},
        {e / v6 / hopByHop() / destinationOptions() / udp(1, 2) / "data", true},
        {e / v6 / icmpv6Echo(7, 8) / "data", false},
        {e / v6 / icmpv6(2, 0, 1400) / "original", false},
        {e / v6 / ipv6Fragment(0, true) / udp(1, 2) / "12345678", false},
        {e / v6 / ipv6Fragment(0, true) / icmpv6Echo(7, 8) / "12345678", false},
        {e / v6 / ipv6Fragment(1280, true).nextHeader(17) / Frame(40, 5), false},
        {e / v6 / ipv6Fragment(1280, false).nextHeader(58) / Frame(40, 5), false},
    };
    for (const auto& [packet, offloads] : packets) {
        for (const bool partial : offloads ? std::vector{false, true} : std::vector{false}) {
            Frame frame = packet.toBytes();
            const Offload offload = partial ? makePartial(frame) : Offload{};
            SCOPED_TRACE(packet::describe(frame));
            for (const flow::FlowActions& change : {flow::FlowActions{nat4, nat6}, flow::FlowActions{ports}, flow::FlowActions{flow::DecrementTtl{}, nat4, nat6, ports}}) {
                flow::FlowActions actions = change;
                actions.push_back(flow::Output{two});
                actions.push_back(gre);
                const Outcome outcome = run(frame, actions, offload);
                ASSERT_EQ(outcome.sent.size(), 2U);
                const auto parsed = packet::parse(outcome.sent[0].second).value();
                if (change.size() > 1) {
                    EXPECT_EQ(parsed.ipDestination, parsed.isIpv4() ? nat4.destination : nat6.destination);
                }
                // describe() says where a checksum is wrong; of a fragment it cannot know.
                if (parsed.fragment == packet::Fragment::None) {
                    EXPECT_EQ(packet::describe(outcome.sent[0].second).find("[checksum"), std::string::npos);
                }
                if (parsed.fragment == packet::Fragment::Later) {
                    EXPECT_TRUE(std::equal(frame.end() - 40, frame.end(), outcome.sent[0].second.end() - 40)) << "the payload is as it was";
                }
            }
        }
    }
}

TEST_F(RoutedTraffic, IcmpErrorsAreKnownByTypeAndCodeAndHaveNoId) {
    const auto e = eth(kA, kB);
    const std::vector<std::pair<unsigned, unsigned>> v4{{3, 4}, {3, 1}, {5, 1}, {11, 0}, {12, 2}, {13, 0}}, v6{{1, 4}, {2, 0}, {3, 0}, {4, 1}, {133, 0}};
    const auto expectKey = [&](const Packet& packet, unsigned type, unsigned code) {
        SCOPED_TRACE(packet::describe(packet.toBytes()));
        const auto key = keyOf(packet);
        EXPECT_EQ(key, flowKeyFromFrame({one, {}, {}, {}}, packet.toBytes()));
        EXPECT_EQ(key.l4Source, type);
        EXPECT_EQ(key.l4Destination, code);
        EXPECT_EQ(key.icmpId, 0U);
    };
    for (const auto& [type, code] : v4) expectKey(e / ipv4("10.0.0.1", "10.0.0.2") / icmp(type, code, 0x12345678) / Frame(28, 1), type, code);
    for (const auto& [type, code] : v6) expectKey(e / ipv6("fd00::1", "fd00::2") / icmpv6(type, code, 0x12345678) / Frame(48, 1), type, code);
    EXPECT_EQ(keyOf(e / ipv4("10.0.0.1", "10.0.0.2") / icmpEcho(77, 1)).icmpId, 77U);
    EXPECT_EQ(keyOf(e / ipv6("fd00::1", "fd00::2") / icmpv6EchoReply(78, 1)).icmpId, 78U);
}

/// `size`: of the IP packet.
Packet sized(std::size_t size, bool six, bool tagged = false) {
    const Packet below = tagged ? eth(kA, kB) / vlan(9) : Packet{eth(kA, kB)};
    if (six) return below / ipv6("fd00::1", "fd00::2") / udp(1, 2) / Frame(size - 48, 7);
    return below / ipv4("10.0.0.1", "10.0.0.2").dontFragment() / udp(1, 2) / Frame(size - 28, 7);
}

TEST_F(RoutedTraffic, PacketsThatDoNotFitTheTunnelGoToTheAgentWithTheMtu) {
    const flow::DecrementTtl hop;
    const flow::SetIpAddresses nat4{ip("192.168.7.7"), ip("172.16.0.1")}, nat6{ip("fd00:1::7"), ip("fd00:2::8")};
    const flow::SetEthernet route{mac("02:11:22:33:44:55"), mac("02:66:77:88:99:aa")};
    const flow::PushVlan push{flow::VlanTci::tagged(net::VlanId{5})};
    for (const auto type : {TunnelType::Gre, TunnelType::Vxlan}) {
        const flow::OutputTunnel narrow{both(type, kRemote, 1500), net::TunnelKey{1}};
        const unsigned room = type == TunnelType::Gre ? 1458 : 1450;
        struct Case {
            flow::FlowActions actions;
            int tags = 0;
        };
        const std::vector<Case> cases{{{narrow}, 0},       {{hop, route, nat4, nat6, narrow}, 0}, {{push, narrow}, 1},
                                      {{hop, push, push, narrow}, 2}, {{flow::Output{two}, narrow}, 0}};
        for (const Case& test : cases) {
            for (const bool six : {false, true}) {
                for (const bool tagged : {false, true}) {
                    if (tagged && test.tags == 2) continue;  // Three tags are more than is encapsulated.
                    const unsigned fits = room - 4 * (static_cast<unsigned>(test.tags) + (tagged ? 1 : 0));
                    SCOPED_TRACE(fmt::format("{} six {} tagged {}", flow::toString(test.actions), six, tagged));
                    const Packet big = sized(fits + 1, six, tagged);
                    EXPECT_TRUE(run(sized(fits, six, tagged).toBytes(), test.actions).told.empty());
                    const Outcome outcome = run(big.toBytes(), test.actions);
                    ASSERT_EQ(outcome.told.size(), 1U);
                    EXPECT_EQ(outcome.told[0].reason, UpcallReason::TooBig);
                    EXPECT_EQ(outcome.told[0].mtu, fits);
                    EXPECT_THAT(outcome.told[0].frame, EqualsPacket(big)) << "as it came in";
                    EXPECT_EQ(outcome.sent.size(), std::holds_alternative<flow::Output>(test.actions[0]) ? 1U : 0U);
                }
            }
        }
    }
    EXPECT_EQ(world->counter("encap_errors"), 0U);
    EXPECT_EQ(world->counter("throttled"), 0U);
}

TEST_F(RoutedTraffic, APacketIsReportedOnceForAllTunnelsAndOnlyIp) {
    const flow::OutputTunnel gre{both(TunnelType::Gre, "192.0.2.2", 1500), net::TunnelKey{1}}, wide{both(TunnelType::Gre, "192.0.2.3", 1600), net::TunnelKey{1}},
        vxlan{both(TunnelType::Vxlan, "192.0.2.4", 1400), net::TunnelKey{1}};
    const Frame frame = sized(1500, false).toBytes();
    const Outcome flooded = run(frame, {wide, gre, vxlan});
    EXPECT_EQ(flooded.sent.size(), 1U) << "the wide one takes it";
    EXPECT_EQ(flooded.told.size(), 1U);
    EXPECT_EQ(world->counter("too_big"), 2U);

    const Packet last = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(1) / udp(1, 2) / Frame(1472, 7);
    const Outcome both = run(last.toBytes(), {flow::DecrementTtl{}, gre});
    ASSERT_EQ(both.told.size(), 1U) << "too few hops as well, and without \"don't fragment\"";
    EXPECT_EQ(both.told[0].reason, UpcallReason::TooBig);

    const Packet foreign = eth(kA, kB).type(0x88b5) / Frame(1500, 7);
    EXPECT_TRUE(run(foreign.toBytes(), {gre}).told.empty()) << "nobody answers for it";
    EXPECT_EQ(world->counter("too_big"), 3U);
}

TEST_F(RoutedTraffic, LargePacketsOfAMachineAreAsBigAsTheirSegments) {
    const flow::OutputTunnel gre{both(TunnelType::Gre, kRemote, 1500), net::TunnelKey{1}}, vxlan{both(TunnelType::Vxlan, kRemote, 1500), net::TunnelKey{1}};
    for (const bool six : {false, true}) {
        const Packet l3 = six ? eth(kA, kB) / ipv6("fd00::1", "fd00::2") : eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").dontFragment();
        Frame frame = (l3 / tcp(1000, 80).ack(1).options({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}) / Frame(9000, 'x')).toBytes();
        Offload offload = makePartial(frame);
        offload.gsoType = six ? 4 : 1;
        const unsigned headers = (six ? 40 : 20) + 32;
        for (const auto& [output, room] : {std::pair{gre, 1458U}, {vxlan, 1450U}}) {
            SCOPED_TRACE(fmt::format("six {} room {}", six, room));
            for (const flow::FlowActions& actions : {flow::FlowActions{output}, flow::FlowActions{flow::DecrementTtl{}, output}}) {
                offload.gsoSize = static_cast<std::uint16_t>(room - headers);
                const Outcome fits = run(frame, actions, offload);
                EXPECT_TRUE(fits.told.empty());
                EXPECT_EQ(fits.sent.size(), (9000 + offload.gsoSize - 1) / offload.gsoSize);
                ++offload.gsoSize;
                const Outcome big = run(frame, actions, offload);
                EXPECT_TRUE(big.sent.empty());
                ASSERT_EQ(big.told.size(), 1U);
                EXPECT_EQ(big.told[0].mtu, room);
                EXPECT_EQ(big.told[0].frame, frame);
            }
        }
    }
}

TEST_F(RoutedTraffic, TheKernelDeviceIsHandedOnlyWhatFits) {
    auto options = EbpfWorld::defaults();
    options.vxlan = VxlanMode::Kernel;
    start(options);
    addNic();
    const flow::OutputTunnel narrow{both(TunnelType::Vxlan, kRemote, 1500), net::TunnelKey{1}};
    const Outcome outcome = run(sized(1451, false).toBytes(), {narrow});
    ASSERT_EQ(outcome.told.size(), 1U);
    EXPECT_EQ(outcome.told[0].mtu, 1450U);
    EXPECT_EQ(world->counter("encapsulated"), 0U);
}

/// A flow that sees nothing but the tunnel is found without parsing; the agent gets the whole key all the same.
TEST_F(RoutedTraffic, PacketsFromPeersHaveTheirWholeKey) {
    const flow::OutputTunnel onward{both(TunnelType::Gre, "192.0.2.3", 1400), net::TunnelKey{2}};
    const Packet inner = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(1) / udp(7, 8) / Frame(1400, 1);
    for (const flow::FlowActions& actions : {flow::FlowActions{flow::DecrementTtl{}, flow::Output{two}}, flow::FlowActions{onward}}) {
        flow::FlowKey ingress;
        ingress.tunnelKey = net::TunnelKey{42};
        ingress.tunnelSource = ip4(kRemote);
        ingress.tunnelDestination = ip4(kLocal);
        install(ingress, tunnelMask(), actions);
        world->inject("nic0", fromPeer(TunnelType::Gre, inner, 42).toBytes());
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U);
        EXPECT_EQ(upcalls[0].upcall.key, flowKeyFromFrame({flow::kTunnelIngress, net::TunnelKey{42}, ip4(kRemote), ip4(kLocal)}, inner.toBytes()));
        EXPECT_THAT(upcalls[0].frame, EqualsPacket(inner));
        world->clock().advance(101ms);
    }
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
