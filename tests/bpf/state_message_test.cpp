#include "datapath/ebpf/kernel_layout.h"
#include "testing/tunnel_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

/// Messages between agents: tunnel key 0xffffff.
class StateMessages : public TunnelTest {
protected:
    void SetUp() override {
        TunnelTest::SetUp();
        if (world) tunnel(TunnelType::Gre);
    }
    void begin(const EbpfOptions& options) {
        start(options);
        addNic();
        tunnel(TunnelType::Gre);
    }
    void receive(TunnelType type = TunnelType::Gre, const char* remote = kRemote) {
        world->inject("nic0", fromPeer(type, message, MN_STATE_KEY, remote).toBytes());
    }
    Packet message = eth("ac:ca:ba:00:15:01", "ac:ca:ba:00:15:02") / ipv4("169.254.15.1", "169.254.15.2") / udp(2925, 2925) / Frame(400, 9);
};

TEST_F(StateMessages, AreNeverLookedUp) {
    static_assert(net::kStateTunnelKey.value() == MN_STATE_KEY);
    flow::FlowKey any;
    any.tunnelKey = net::kStateTunnelKey;
    any.tunnelSource = ip4(kRemote);
    any.tunnelDestination = ip4(kLocal);
    install(any, tunnelMask(), {flow::Output{two}});
    install(any, maskOf({}), {flow::Output{two}});
    for (const TunnelType type : {TunnelType::Gre, TunnelType::Vxlan}) {
        receive(type);
        EXPECT_TRUE(world->take().empty());
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U);
        EXPECT_EQ(upcalls[0].upcall.reason, UpcallReason::Miss);
        EXPECT_EQ(upcalls[0].upcall.key.tunnelKey, net::kStateTunnelKey);
        EXPECT_EQ(upcalls[0].upcall.key.tunnelSource, ip4(kRemote));
        EXPECT_EQ(upcalls[0].upcall.key.l4Destination, 2925);
        EXPECT_EQ(upcalls[0].upcall.pendingId, 0U);
        EXPECT_THAT(upcalls[0].frame, EqualsPacket(message));
    }
}

TEST_F(StateMessages, ComeByTheKernelDeviceToo) {
    auto options = EbpfWorld::defaults();
    options.vxlan = VxlanMode::Kernel;
    begin(options);
    receive(TunnelType::Vxlan);
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.key.tunnelKey, net::kStateTunnelKey);
}

TEST_F(StateMessages, AreNotHeldBackByBucketsOrPendingFlows) {
    auto options = EbpfWorld::defaults();
    options.upcallRate = 1;
    options.upcallBurst = 16;
    begin(options);
    for (unsigned i = 0; i < 40; ++i) world->inject("nic0", fromPeer(TunnelType::Gre, eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(i, 1), 5).toBytes());
    world->drain();
    ASSERT_GT(world->counter("tunnel_throttled"), 0U) << "the bucket of the tunnels is empty";
    const auto throttled = world->counter("throttled");
    for (int i = 0; i < 100; ++i) receive();
    EXPECT_EQ(world->drain().size(), 100U);
    EXPECT_EQ(world->counter("throttled"), throttled);
    EXPECT_EQ(world->counter("pending_dropped"), 0U);
}

TEST_F(StateMessages, TakeNoMoreThanHalfOfTheRing) {
    const std::uint32_t fit = EbpfWorld::defaults().ringBytes / 2 / (sizeof(mn_upcall) + MN_UPCALL_MEDIUM) + 1;
    for (int round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < fit + 50; ++i) receive();
        world->inject("vm1", udpPacket.toBytes());
        EXPECT_EQ(world->counter("state_lost"), 50U * static_cast<unsigned>(round + 1));
        const auto upcalls = world->drain();
        EXPECT_EQ(upcalls.size(), fit + 1U) << "and the packet of vm1; what was read waits no longer";
        world->datapath().upcalls(0).done(upcalls.back().upcall.pendingId);
    }
    EXPECT_EQ(world->counter("upcalls_lost"), 0U);
}

TEST_F(StateMessages, WhatAFormerAgentLeftInTheRingCountsForNobody) {
    for (int i = 0; i < 10; ++i) receive();
    world->restart();
    EXPECT_EQ(world->drain().size(), 10U);
    receive();
    EXPECT_EQ(world->drain().size(), 1U);
    EXPECT_EQ(world->counter("state_lost"), 0U);
}

TEST_F(StateMessages, EveryPeerHasItsWorker) {
    auto options = EbpfWorld::defaults();
    options.workers = 2;
    begin(options);
    for (int i = 0; i < 3; ++i) {
        receive(TunnelType::Gre, "192.0.2.2");
        receive(TunnelType::Gre, "192.0.2.3");
    }
    EXPECT_EQ(world->drain(0).size(), 3U);
    EXPECT_EQ(world->drain(1).size(), 3U);
}

TEST_F(StateMessages, NoMachineCanSendThem) {
    for (const Packet& packet : {message, fromPeer(TunnelType::Gre, message, MN_STATE_KEY), fromPeer(TunnelType::Vxlan, message, MN_STATE_KEY)}) {
        const auto key = keyOf(packet);
        EXPECT_EQ(key.inPort, one);
        EXPECT_EQ(key.tunnelKey, net::TunnelKey{});
        world->clock().advance(101ms);
        install(key, flow::FlowMask::exact(), {flow::Output{two}});
        EXPECT_EQ(run(packet).size(), 1U) << "a flow like any other";
        EXPECT_TRUE(world->drain().empty());
    }
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
