#include "datapath/fake/fake_datapath.h"
#include "datapath/flow_key_from_frame.h"
#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

/// Frames of every kind that the kernel must read as packet::parse() does.
std::vector<std::pair<std::string, Frame>> allKinds() {
    const auto e = eth(kA, kB);
    const auto v4 = ipv4("10.0.0.1", "10.0.0.2");
    const auto v6 = ipv6("2001:db8::1", "2001:db8::2");
    std::vector<std::pair<std::string, Packet>> packets{
        {"udp", e / v4 / udp(1, 2) / "x"},
        {"udp empty", e / v4 / udp(1, 2)},
        {"tcp", e / ipv4("10.0.0.1", "10.0.0.2").tos(0x2e).ttl(3) / tcp(1000, 80).flags(2) / "data"},
        {"tcp options", e / v4 / tcp(1, 2).options({2, 4, 5, 0xb4, 1, 1, 1, 1}) / "data"},
        {"icmp echo", e / v4 / icmpEcho(77, 1)},
        {"icmp unreachable", e / v4 / icmp(3, 4, 1500) / "original"},
        {"icmp time exceeded", e / v4 / icmp(11, 0) / "original"},
        {"packet too big 6", e / v6 / icmpv6(2, 0, 1400) / "original"},
        {"unreachable 6", e / v6 / icmpv6(1, 4) / "original"},
        {"ip options", e / ipv4("10.0.0.1", "10.0.0.2").options({0x94, 4, 0, 0}) / udp(5, 6) / "x"},
        {"first fragment", e / ipv4("10.0.0.1", "10.0.0.2").fragment(0, true) / udp(5, 6) / "12345678"},
        {"later fragment", e / ipv4("10.0.0.1", "10.0.0.2").protocol(17).fragment(1480, false) / "12345678"},
        {"unknown protocol", e / ipv4("10.0.0.1", "10.0.0.2").protocol(99) / "12345678"},
        {"sctp", e / ipv4("10.0.0.1", "10.0.0.2").protocol(132) / Frame{0, 7, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}},
        {"icmpv6 in ipv4", e / ipv4("10.0.0.1", "10.0.0.2").protocol(58) / Frame(16, 1)},
        {"arp request", e / arpRequest(kA, "10.0.0.1", "10.0.0.2")},
        {"arp reply", e / arpReply(kA, "10.0.0.1", kB, "10.0.0.2")},
        {"arp of another kind", eth(kA, kB).type(0x0806) / Frame(28, 9)},
        {"udp6", e / v6 / udp(1, 2) / "x"},
        {"tcp6", e / ipv6("2001:db8::1", "2001:db8::2").trafficClass(0xb8).hopLimit(9) / tcp(1, 2) / "x"},
        {"echo6", e / v6 / icmpv6Echo(5, 6)},
        {"neighbour solicitation", e / v6 / neighbourSolicitation("2001:db8::9", kA)},
        {"extension headers", e / v6 / hopByHop() / destinationOptions() / udp(7, 8) / "x"},
        {"routing header", e / v6 / routing(Frame(6, 0)) / tcp(7, 8)},
        {"first fragment 6", e / v6 / ipv6Fragment(0, true) / udp(7, 8) / "x"},
        {"later fragment 6", e / v6 / ipv6Fragment(1280, true).nextHeader(17) / "12345678"},
        {"atomic fragment 6", e / v6 / ipv6Fragment(0, false) / udp(7, 8) / "x"},
        {"no next header", e / ipv6("2001:db8::1", "2001:db8::2").nextHeader(59) / "rest"},
        {"vlan", e / vlan(10).priority(5) / v4 / udp(1, 2) / "x"},
        {"priority tag", e / vlan(0).priority(3) / v4 / udp(1, 2)},
        {"two tags", e / vlan(10).tpid(0x88a8) / vlan(20) / v6 / tcp(1, 2)},
        {"vlan arp", e / vlan(10) / arpRequest(kA, "10.0.0.1", "10.0.0.2")},
        {"802.3", eth(kA, kB).type(30) / Frame(30, 0x42)},
        {"experimental", eth(kA, kB).type(0x88b5) / "payload"},
        {"headers only", eth(kA, kB).type(0x88b5)},
        {"cut ipv4", eth(kA, kB).type(0x0800) / Frame(12, 0x45)},
        {"cut ip options", eth(kA, kB).type(0x0800) / Frame{0x4f, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0}},
        {"cut ipv6", eth(kA, kB).type(0x86dd) / Frame(20, 0x60)},
        {"wrong version", eth(kA, kB).type(0x0800) / Frame(40, 0x65)},
        {"short header length", eth(kA, kB).type(0x0800) / Frame{0x44, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 0, 2, 0, 20, 0, 0}},
        {"total length too small", e / ipv4("10.0.0.1", "10.0.0.2").totalLength(10) / udp(1, 2) / "x"},
        {"total length cuts udp", e / ipv4("10.0.0.1", "10.0.0.2").totalLength(24) / udp(1, 2) / "x"},
        {"total length beyond", e / ipv4("10.0.0.1", "10.0.0.2").totalLength(900) / udp(1, 2) / "x"},
        {"payload length cuts", e / ipv6("2001:db8::1", "2001:db8::2").payloadLength(4).nextHeader(17) / udp(1, 2) / "x"},
        {"cut tcp", e / ipv4("10.0.0.1", "10.0.0.2").protocol(6) / Frame(12, 1)},
        {"tcp offset too small", e / ipv4("10.0.0.1", "10.0.0.2").protocol(6) / Frame(20, 0x10)},
        {"tcp offset too big", e / ipv4("10.0.0.1", "10.0.0.2").protocol(6) / Frame(20, 0xf0)},
    };
    std::vector<std::pair<std::string, Frame>> out;
    for (auto& [name, packet] : packets) {
        out.emplace_back(name, packet.toBytes());
        out.emplace_back(name + ", padded", packet.toBytes(60));
    }
    Packet many = e / v6;
    for (int i = 0; i < 8; ++i) many = many / destinationOptions();
    out.emplace_back("eight extension headers", (many / udp(1, 2)).toBytes());
    out.emplace_back("nine extension headers", (many / destinationOptions() / udp(1, 2)).toBytes());
    return out;
}

class Differential : public EbpfTest {};

TEST_F(Differential, KernelAndAgentMakeTheSameKeyOfEveryFrame) {
    for (const auto& [name, frame] : allKinds()) {
        world->inject("vm1", frame);
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U) << name;
        world->datapath().upcalls(0).done(upcalls[0].upcall.pendingId);
        const auto expected = flowKeyFromFrame({one, {}, {}, {}}, frame);
        EXPECT_EQ(upcalls[0].upcall.key, expected) << name << "\nkernel " << upcalls[0].upcall.key.toString() << "\nagent  " << expected.toString();
        EXPECT_THAT(upcalls[0].frame, EqualsPacket(Frame{frame})) << name;
        EXPECT_EQ(upcalls[0].upcall.originalLength, frame.size()) << name;
    }
}

struct ActionCase {
    std::string name;
    flow::FlowActions actions;
};

/// The same list on the same frame, in the kernel and in memory: same frames out of the same ports.
TEST_F(Differential, KernelAndFakeRunEveryListAlike) {
    const flow::Output toTwo{two}, toThree{three};
    const auto tag = [](unsigned id, unsigned priority) { return flow::PushVlan{flow::VlanTci::tagged(net::VlanId{static_cast<std::uint16_t>(id)}, static_cast<std::uint8_t>(priority))}; };
    const flow::SetIpAddresses nat4{ip("192.168.7.7"), ip("172.16.0.1")}, nat6{ip("fd00:1::7"), ip("fd00:2::8")};
    const flow::SetL4Ports ports{40000, 65535};
    const std::vector<ActionCase> cases{
        {"output", {toTwo}},
        {"flood", {toTwo, toThree, toTwo}},
        {"hairpin", {flow::Output{one}}},
        {"set eth", {flow::SetEthernet{mac("02:11:22:33:44:55"), mac("02:66:77:88:99:aa")}, toTwo}},
        {"push", {tag(100, 4), toTwo}},
        {"push twice", {tag(100, 0), tag(200, 0), toTwo}},
        {"pop", {flow::PopVlan{}, toTwo}},
        {"pop then push", {flow::PopVlan{}, tag(5, 1), toTwo}},
        {"pop twice", {flow::PopVlan{}, flow::PopVlan{}, toTwo}},
        {"nat4", {nat4, toTwo}},
        {"nat6", {nat6, toTwo}},
        {"ports", {ports, toTwo}},
        {"ttl", {flow::DecrementTtl{}, toTwo}},
        {"router", {flow::SetEthernet{mac(kB), mac(kA)}, flow::DecrementTtl{}, nat4, nat6, ports, toTwo}},
        {"copies before and after", {toTwo, nat4, nat6, ports, toThree, flow::DecrementTtl{}, toTwo}},
        {"tagged copy", {toTwo, tag(9, 0), toThree, flow::PopVlan{}, toTwo}},
        {"nowhere", {flow::DecrementTtl{}}},
        {"two slots of addresses", {nat6, nat4, nat6, nat4, nat6, ports, ports, ports, toTwo}},
    };
    event::VirtualClock clock;
    fake::FakeDatapath oracle{clock};
    const std::map<flow::PortNumber, std::string> names{{oracle.addPort("vm1").value(), "vm1"}, {oracle.addPort("vm2").value(), "vm2"}, {oracle.addPort("vm3").value(), "vm3"}};
    ASSERT_TRUE(names.contains(one) && names.contains(two) && names.contains(three)) << "both count ports from one";

    for (const auto& [kind, frame] : allKinds()) {
        const auto key = flowKeyFromFrame({one, {}, {}, {}}, frame);
        for (const ActionCase& test : cases) {
            SCOPED_TRACE(kind + " / " + test.name);
            install(key, flow::FlowMask::exact(), test.actions);
            ASSERT_TRUE(oracle.installFlow(0, key, flow::FlowMask::exact(), test.actions));
            auto got = world->run("vm1", frame);
            oracle.inject(one, frame);
            std::vector<Delivered> expected;
            for (auto& output : oracle.takeOutputs()) expected.push_back({names.at(output.port), output.frame, output.offload});
            std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.interface < b.interface; });
            ASSERT_EQ(got.size(), expected.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
                EXPECT_EQ(got[i].interface, expected[i].interface);
                EXPECT_THAT(got[i].frame, EqualsPacket(expected[i].frame));
            }
            world->clock().advance(101ms);
        }
    }
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
