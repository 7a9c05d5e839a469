#pragma once

#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {

inline constexpr const char* kUnderlayMac = "02:00:00:00:0f:01";
inline constexpr const char* kRouterMac = "02:00:00:00:0f:02";
inline constexpr const char* kLocal = "192.0.2.1";
inline constexpr const char* kRemote = "192.0.2.2";
inline constexpr unsigned kVxlanUdp = 6677;

/// A host with an underlay NIC, and packets from and to its peers.
class TunnelTest : public EbpfTest {
protected:
    void SetUp() override {
        EbpfTest::SetUp();
        if (world) addNic();
    }
    void addNic() { nic = world->addUnderlay("nic0", "192.0.2.1/24", mac(kUnderlayMac)); }
    flow::TunnelId tunnel(TunnelType type, const char* remote = kRemote, std::uint32_t mtu = 1600) {
        world->host().enter();
        const auto id = world->datapath().addTunnel({type, ip4(kLocal), ip4(remote)}).value();
        if (!world->datapath().setTunnelPath(id, TunnelPath{nic, mac(kUnderlayMac), mac(kRouterMac), mtu})) throw std::runtime_error("no path");
        return id;
    }
    Result<void> send(const Packet& packet, const flow::FlowActions& actions) {
        const Frame frame = packet.toBytes();
        return world->datapath().execute(0, {frame, {}, actions, one});
    }
    /// What left through the NIC; fields that the sender may choose are set to 0.
    std::vector<Frame> sent(unsigned* sourcePort = nullptr) {
        std::vector<Frame> out;
        for (Delivered& delivered : world->take()) {
            if (delivered.interface != "nic0") continue;
            Frame& frame = delivered.frame;
            EXPECT_EQ(checksumOf({frame.data() + 14, 20}), 0) << "IPv4 header checksum";
            storeBe16(frame.data() + 18, 0);
            storeBe16(frame.data() + 24, 0);
            if (frame[23] == 17) {
                if (sourcePort != nullptr) *sourcePort = loadBe16(frame.data() + 34);
                storeBe16(frame.data() + 34, 0);
            }
            out.push_back(std::move(frame));
        }
        return out;
    }
    static Ipv4 outerIp(const char* remote = kRemote) { return ipv4(kLocal, remote).ttl(255).checksum(0); }
    static Packet overGre(const Packet& inner, std::uint32_t key, const char* remote = kRemote) {
        return eth(kUnderlayMac, kRouterMac) / outerIp(remote) / gre(key) / inner.toBytes();
    }
    static Packet overVxlan(const Packet& inner, std::uint32_t key, const char* remote = kRemote) {
        return eth(kUnderlayMac, kRouterMac) / outerIp(remote) / udp(0, kVxlanUdp).checksum(0) / vxlan(key) / inner.toBytes();
    }
    /// The same, coming to us.
    static Packet fromPeer(TunnelType type, const Packet& inner, std::uint32_t key, const char* remote = kRemote) {
        const auto outer = eth(kRouterMac, kUnderlayMac) / ipv4(remote, kLocal);
        if (type == TunnelType::Gre) return outer / gre(key) / inner.toBytes();
        return outer / udp(55555, kVxlanUdp).checksum(0) / vxlan(key) / inner.toBytes();
    }
    static flow::FlowMask tunnelMask() { return maskOf({Field::TunnelKey, Field::TunnelSource, Field::TunnelDestination}); }

    std::uint32_t nic = 0;
    std::vector<Packet> inners{
        eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello",
        eth(kA, kB) / ipv6("fd00::1", "fd00::2") / tcp(1, 2) / "six",
        eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2"),
        eth(kA, kB) / vlan(10).priority(3) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2),
        eth(kA, kB) / vlan(10) / arpRequest(kA, "10.0.0.1", "10.0.0.2"),
        eth(kA, kB) / vlan(10).tpid(0x8100) / vlan(20) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2),
        eth(kA, kB).type(0x88b5) / "tiny",
    };
};

}  // namespace midonet::datapath::ebpf::testing
