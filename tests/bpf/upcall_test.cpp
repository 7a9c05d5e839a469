#include <poll.h>

#include "datapath/ebpf/kernel_layout.h"
#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

class Upcalls : public EbpfTest {
protected:
    Packet flowNumber(unsigned i) { return eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(i & 0xffff, 1 + (i >> 16)) / "x"; }
};

TEST_F(Upcalls, AtMostFourPacketsOfAFlowAreInFlight) {
    for (int i = 0; i < 100; ++i) world->inject("vm1", udpPacket.toBytes());
    // Four within 10 ms each: a slow machine may spend several such times on a hundred packets.
    const auto upcalls = world->drain();
    EXPECT_GE(upcalls.size(), 4U);
    EXPECT_EQ(upcalls.size() + world->counter("pending_dropped"), 100U);
    EXPECT_GT(world->counter("pending_dropped"), 0U);
}

TEST_F(Upcalls, DoneMakesTheNextMissNew) {
    for (int i = 0; i < 20; ++i) {
        world->inject("vm1", udpPacket.toBytes());
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U) << i;
        world->datapath().upcalls(0).done(upcalls[0].upcall.pendingId);
    }
}

TEST_F(Upcalls, TokenBucketKeepsOnePortFromStarvingAnother) {
    auto options = EbpfWorld::defaults();
    options.upcallRate = 1;
    options.upcallBurst = 50;
    start(options);
    for (unsigned i = 0; i < 200; ++i) world->inject("vm1", flowNumber(i).toBytes());
    const auto fromOne = world->drain().size();
    EXPECT_GE(fromOne, 49U);
    EXPECT_LE(fromOne, 52U);
    EXPECT_EQ(world->counter("port_throttled", "port=vm1"), 200 - fromOne);
    EXPECT_EQ(world->counter("throttled"), 200 - fromOne);
    world->inject("vm2", udpPacket.toBytes());
    EXPECT_EQ(world->drain().size(), 1U) << "the bucket of vm2 is full";
}

TEST_F(Upcalls, OnePortNeverFillsTheRing) {
    auto options = EbpfWorld::defaults();
    options.upcallBurst = 100000;
    start(options);
    for (unsigned i = 0; i < 1000; ++i) world->inject("vm1", flowNumber(i).toBytes());
    world->inject("vm2", udpPacket.toBytes());
    EXPECT_EQ(world->counter("port_throttled", "port=vm1"), 1000U - MN_WAITING_LIMIT);
    EXPECT_EQ(world->counter("upcalls_lost"), 0U);
    EXPECT_EQ(world->drain().size(), MN_WAITING_LIMIT + 1U) << "and the packet of vm2";
    world->inject("vm1", flowNumber(5000).toBytes());
    EXPECT_EQ(world->drain().size(), 1U) << "what was read waits no longer";
}

TEST_F(Upcalls, FullRingLosesAndCounts) {
    auto options = EbpfWorld::defaults();
    options.ringBytes = 131072;
    options.upcallBurst = 100000;
    start(options);
    for (unsigned i = 0; i < 1000; ++i) world->inject("vm1", flowNumber(i).toBytes());
    const auto lost = world->counter("upcalls_lost");
    EXPECT_GT(lost, 0U);
    EXPECT_EQ(world->drain().size(), 1000 - lost);
    world->inject("vm1", flowNumber(5000).toBytes());
    EXPECT_EQ(world->drain().size(), 1U);
}

TEST_F(Upcalls, RecordsOverTheEndOfTheRingAreWhole) {
    auto options = EbpfWorld::defaults();
    options.ringBytes = 131072;
    options.upcallBurst = 100000;
    start(options);
    // Sizes that do not divide the ring, several times around it.
    for (unsigned i = 0; i < 1000; ++i) {
        const Packet packet = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(i, 7) / Frame(300 + i, static_cast<std::uint8_t>(i));
        world->inject("vm1", packet.toBytes());
        const auto upcalls = world->drain();
        ASSERT_EQ(upcalls.size(), 1U) << i;
        ASSERT_THAT(upcalls[0].frame, EqualsPacket(packet)) << i;
    }
}

TEST_F(Upcalls, DescriptorIsReadableWhileUpcallsWait) {
    pollfd waiting{world->datapath().upcalls(0).descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 0), 0);
    world->inject("vm1", udpPacket.toBytes());
    EXPECT_EQ(::poll(&waiting, 1, 0), 1);
    world->drain();
    EXPECT_EQ(::poll(&waiting, 1, 0), 0);
}

TEST_F(Upcalls, PartialChecksumAndTagSurviveTheWayThroughTheAgent) {
    const Frame frame = (eth(kA, kB) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2).checksum(Checksum{}.addPseudoHeader(ip("10.0.0.1"), ip("10.0.0.2"), 17, 11).folded()) / "abc").toBytes();
    Offload partial;
    partial.checksumPartial = true;
    partial.checksumStart = 38;
    partial.checksumOffset = 6;
    world->inject("vm1", frame, partial);
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.offload, partial);
    EXPECT_EQ(upcalls[0].frame, frame);
    const flow::FlowActions actions{flow::Output{two}};
    ASSERT_TRUE(world->datapath().execute(0, {upcalls[0].frame, upcalls[0].upcall.offload, actions, one}));
    // The receiving tap has no offloads: the kernel finishes the checksum.
    const auto out = world->take();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_THAT(out[0].frame, EqualsPacket(eth(kA, kB) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "abc"));
}

TEST_F(Upcalls, RewritingAPartialChecksumKeepsItRight) {
    const Frame frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / tcp(1, 2).checksum(Checksum{}.addPseudoHeader(ip("10.0.0.1"), ip("10.0.0.2"), 6, 23).folded()) / "abc").toBytes();
    Offload partial;
    partial.checksumPartial = true;
    partial.checksumStart = 34;
    partial.checksumOffset = 16;
    world->inject("vm1", frame, partial);
    const auto key = world->drain().at(0).upcall.key;
    install(key, flow::FlowMask::exact(), {flow::SetIpAddresses{ip("1.2.3.4"), ip("5.6.7.8")}, flow::SetL4Ports{7, 8}, flow::Output{two}});
    const auto out = world->run("vm1", frame, partial);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_THAT(out[0].frame, EqualsPacket(eth(kA, kB) / ipv4("1.2.3.4", "5.6.7.8") / tcp(7, 8) / "abc"));
}

TEST_F(Upcalls, LargeFrameComesWhole) {
    TapPort::Options jumbo;
    jumbo.mtu = 9000;
    world->addPort("big", jumbo);
    const Frame frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / Frame(8000, 3)).toBytes();
    world->inject("big", frame);
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].frame, frame);
}

TEST_F(Upcalls, ToAgentHandsOverWhatTheListMadeOfThePacket) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::DecrementTtl{}, flow::ToAgent{}, flow::Output{two}});
    EXPECT_EQ(run(udpPacket).size(), 1U);
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.reason, UpcallReason::Action);
    EXPECT_THAT(upcalls[0].frame, EqualsPacket(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(63) / udp(1000, 53) / "hello"));
}

TEST_F(Upcalls, DrainStopsAtItsLimit) {
    for (unsigned i = 0; i < 10; ++i) world->inject("vm1", flowNumber(i).toBytes());
    EXPECT_EQ(world->drain(0, 3).size(), 3U);
    EXPECT_EQ(world->drain(0, 100).size(), 7U);
    EXPECT_EQ(world->drain().size(), 0U);
}

TEST_F(Upcalls, EveryWorkerHasItsPortsInItsOwnRing) {
    auto options = EbpfWorld::defaults();
    options.workers = 2;
    start(options);
    world->inject("vm1", udpPacket.toBytes());
    world->inject("vm2", udpPacket.toBytes());
    for (const auto port : {one, two}) {
        const auto upcalls = world->drain(port.value() % 2);
        ASSERT_EQ(upcalls.size(), 1U);
        EXPECT_EQ(upcalls[0].upcall.key.inPort, port);
        ASSERT_TRUE(world->datapath().installFlow(port.value() % 2, upcalls[0].upcall.key, flow::FlowMask::exact(), {flow::Output{three}}));
    }
    EXPECT_EQ(world->run("vm1", udpPacket.toBytes()).size(), 1U);
    EXPECT_EQ(world->run("vm2", udpPacket.toBytes()).size(), 1U);
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
