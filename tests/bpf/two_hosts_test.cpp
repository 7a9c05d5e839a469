#include <net/if.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

constexpr const char* kMacOne = "02:00:00:00:0f:01";
constexpr const char* kMacTwo = "02:00:00:00:0f:02";

void command(const std::string& line) {
    if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + line);
}

/// Two hosts joined by a veth pair, a machine on each; every packet of one goes to the other.
class TwoHosts : public ::testing::TestWithParam<std::tuple<TunnelType, VxlanMode, AttachMode>> {
protected:
    void SetUp() override {
        if (const std::string reason = PrivateHost::skipReason(); !reason.empty()) GTEST_SKIP() << reason;
        const auto [type, vxlan, attach] = GetParam();
        auto options = EbpfWorld::defaults();
        options.vxlan = vxlan;
        options.attach = attach;
        left = std::make_unique<EbpfWorld>(options);
        right = std::make_unique<EbpfWorld>(options);
        left->host().enter();
        command(fmt::format("ip link add ul mtu 1600 address {} type veth peer name ul mtu 1600 address {} netns /proc/{}/fd/{}", kMacOne, kMacTwo,
                            ::getpid(), right->host().descriptor()));
        command("ip addr add 192.0.2.1/24 dev ul && ip link set ul up");
        right->host().enter();
        command("ip addr add 192.0.2.2/24 dev ul && ip link set ul up");
        join(*left, type, "192.0.2.1", "192.0.2.2", kMacOne, kMacTwo);
        join(*right, type, "192.0.2.2", "192.0.2.1", kMacTwo, kMacOne);
    }
    void join(EbpfWorld& world, TunnelType type, const char* local, const char* remote, const char* localMac, const char* remoteMac) {
        world.host().enter();
        TapPort::Options offloads;
        offloads.offloads = true;
        const auto port = world.addPort("vm", offloads);
        const auto tunnel = world.datapath().addTunnel({type, ip4(local), ip4(remote)}).value();
        const auto nic = static_cast<std::uint32_t>(::if_nametoindex("ul"));
        ASSERT_TRUE(world.datapath().setTunnelPath(tunnel, TunnelPath{nic, mac(localMac), mac(remoteMac), 1600}));
        flow::FlowKey out;
        out.inPort = port;
        ASSERT_TRUE(world.datapath().installFlow(0, out, maskOf({}), {flow::OutputTunnel{tunnel, net::TunnelKey{5}}}));
        out.vlan = flow::VlanTci::tagged(net::VlanId{7});
        ASSERT_TRUE(world.datapath().installFlow(0, out, maskOf({}), {flow::OutputTunnel{tunnel, net::TunnelKey{5}}}));
        flow::FlowKey in;
        in.tunnelKey = net::TunnelKey{5};
        in.tunnelSource = ip4(remote);
        in.tunnelDestination = ip4(local);
        ASSERT_TRUE(world.datapath().installFlow(0, in, maskOf({Field::TunnelKey, Field::TunnelSource, Field::TunnelDestination}), {flow::Output{port}}));
    }
    /// Frames that came to the machine on the right. A veth hands packets over in a softirq, so it may take a moment.
    std::vector<Delivered> received(std::size_t payloadBytes) {
        std::vector<Delivered> out;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        std::size_t bytes = 0;
        while (bytes < payloadBytes && std::chrono::steady_clock::now() < deadline) {
            for (Delivered& delivered : right->take()) {
                if (delivered.interface != "vm") continue;
                const auto parsed = packet::parse(delivered.frame);
                bytes += parsed ? parsed->payload(delivered.frame).size() : 0;
                out.push_back(std::move(delivered));
            }
            std::this_thread::yield();
        }
        return out;
    }

    std::unique_ptr<EbpfWorld> left, right;
};

TEST_P(TwoHosts, FramesArriveAsTheyWereSent) {
    const std::vector<Packet> packets{
        eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello",
        eth(kA, kB) / ipv6("fd00::1", "fd00::2") / tcp(1, 2) / "six",
        eth(kA, "ff:ff:ff:ff:ff:ff") / arpRequest(kA, "10.0.0.1", "10.0.0.2") / "arp",
        eth(kA, kB) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello",
    };
    for (const Packet& packet : packets) {
        SCOPED_TRACE(packet::describe(packet.toBytes()));
        left->inject("vm", packet.toBytes());
        const auto got = received(1);
        ASSERT_EQ(got.size(), 1U);
        EXPECT_THAT(got[0].frame, EqualsPacket(packet));
    }
}

TEST_P(TwoHosts, LargePacketsWithPartialChecksumsArriveRight) {
    for (const bool six : {false, true}) {
        for (const bool tagged : {false, true}) {
            SCOPED_TRACE(fmt::format("ipv6 {} tagged {}", six, tagged));
            const net::IpAddress source = ip(six ? "fd00::1" : "10.0.0.1"), destination = ip(six ? "fd00::2" : "10.0.0.2");
            constexpr std::size_t kBytes = 9000;
            const std::uint16_t pseudo = Checksum{}.addPseudoHeader(source, destination, 6, 20 + kBytes).folded();
            Packet packet = eth(kA, kB);
            if (tagged) packet.append(vlan(7));
            if (six) {
                packet.append(ipv6("fd00::1", "fd00::2"));
            } else {
                packet.append(ipv4("10.0.0.1", "10.0.0.2"));
            }
            packet.append(tcp(1000, 80).ack(1).checksum(pseudo)).append(Frame(kBytes, 'x'));
            Offload offload;
            offload.checksumPartial = true;
            offload.checksumStart = static_cast<std::uint16_t>((six ? 54 : 34) + (tagged ? 4 : 0));
            offload.checksumOffset = 16;
            offload.gsoSize = 1400;
            offload.gsoType = six ? 4 : 1;
            left->inject("vm", packet.toBytes(), offload);
            std::size_t payload = 0;
            for (const Delivered& piece : received(kBytes)) {
                const auto parsed = packet::parse(piece.frame);
                ASSERT_TRUE(parsed && parsed->hasTransport(6));
                EXPECT_EQ(parsed->vlanCount, tagged ? 1 : 0);
                payload += parsed->payload(piece.frame).size();
                const ByteView segment = ByteView{piece.frame}.subspan(parsed->transportOffset);
                Checksum sum;
                sum.addPseudoHeader(source, destination, 6, static_cast<std::uint32_t>(segment.size()));
                if (piece.offload.checksumPartial) {
                    EXPECT_EQ(loadBe16(segment.data() + 16), sum.folded());
                } else {
                    EXPECT_EQ(sum.add(segment).value(), 0);
                }
            }
            EXPECT_EQ(payload, kBytes);
        }
    }
}

TEST_P(TwoHosts, BothAgentsRestartWithoutLoss) {
    const auto [type, vxlan, attach] = GetParam();
    auto options = EbpfWorld::defaults();
    options.vxlan = vxlan;
    options.attach = attach;
    const Packet packet = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x";
    for (int round = 0; round < 3; ++round) {
        left->inject("vm", packet.toBytes());
        EXPECT_EQ(received(1).size(), 1U) << round;
        if (round == 0) {
            left->stop();
            right->stop();
        }
        if (round == 1) {
            left->restart(options);
            right->restart(options);
        }
    }
}

std::string nameOf(const ::testing::TestParamInfo<std::tuple<TunnelType, VxlanMode, AttachMode>>& info) {
    const auto [type, vxlan, attach] = info.param;
    return fmt::format("{}{}", type == TunnelType::Gre ? "Gre" : vxlan == VxlanMode::Hand ? "VxlanByHand" : vxlan == VxlanMode::Kernel ? "VxlanByKernel" : "VxlanAuto",
                       attach == AttachMode::Clsact ? "Clsact" : "");
}

INSTANTIATE_TEST_SUITE_P(Ways, TwoHosts,
                         ::testing::Values(std::tuple{TunnelType::Gre, VxlanMode::Hand, AttachMode::Auto}, std::tuple{TunnelType::Vxlan, VxlanMode::Hand, AttachMode::Auto},
                                           std::tuple{TunnelType::Vxlan, VxlanMode::Hand, AttachMode::Clsact}, std::tuple{TunnelType::Vxlan, VxlanMode::Kernel, AttachMode::Auto},
                                           std::tuple{TunnelType::Vxlan, VxlanMode::Auto, AttachMode::Auto}),
                         nameOf);

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
