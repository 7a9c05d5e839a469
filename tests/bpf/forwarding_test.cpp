#include <bpf/bpf.h>
#include <sched.h>

#include <thread>

#include "datapath/ebpf/kernel_layout.h"
#include "datapath/flow_key_from_frame.h"
#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

class Forwarding : public EbpfTest {};

TEST_F(Forwarding, MissIsUpcalledThenTheFlowForwards) {
    world->inject("vm1", udpPacket.toBytes());
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.key.inPort, one);
    EXPECT_EQ(upcalls[0].upcall.reason, UpcallReason::Miss);
    EXPECT_THAT(upcalls[0].frame, EqualsPacket(udpPacket));
    EXPECT_TRUE(world->take().empty());

    const auto handle = install(upcalls[0].upcall.key, flow::FlowMask::exact(), {flow::Output{two}});
    const auto out = run(udpPacket);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].interface, "vm2");
    EXPECT_THAT(out[0].frame, EqualsPacket(udpPacket));
    EXPECT_EQ(world->datapath().stats(handle).packets, 1U);
    EXPECT_EQ(world->datapath().stats(handle).bytes, udpPacket.toBytes().size());
    EXPECT_LT(world->datapath().stats(handle).idle, 10s);
}

TEST_F(Forwarding, MaskedFlowServesEveryPacketThatAgreesInWhatItSees) {
    install(keyOf(udpPacket), maskOf({Field::EthDestination}), {flow::Output{two}});
    EXPECT_EQ(run(eth(kB, kB) / ipv4("1.1.1.1", "2.2.2.2") / tcp(5, 6)).size(), 1U);
    EXPECT_EQ(run(eth(kA, kB) / arpRequest(kA, "10.0.0.1", "10.0.0.2")).size(), 1U);
    EXPECT_EQ(run(eth(kA, kB) / ipv6("fd00::1", "fd00::2") / icmpv6Echo(1, 1)).size(), 1U) << "no address is seen: one flow for both families";
    EXPECT_TRUE(run(eth(kA, kA) / ipv4("1.1.1.1", "2.2.2.2") / tcp(5, 6)).empty()) << "another destination";
    EXPECT_TRUE(run(eth(kA, kB) / vlan(3) / ipv4("1.1.1.1", "2.2.2.2") / tcp(5, 6)).empty()) << "the tag is always seen";
}

TEST_F(Forwarding, PrefixMasksOfBothFamilies) {
    flow::FlowMask v4;
    v4.seePrefix(Field::IpDestination, 20);
    v4.close();
    install(keyOf(eth(kA, kB) / ipv4("10.0.0.1", "10.1.16.1") / udp(1, 2)), v4, {flow::Output{two}});
    EXPECT_EQ(run(eth(kA, kB) / ipv4("10.9.9.9", "10.1.31.255") / udp(1, 2)).size(), 1U);
    EXPECT_TRUE(run(eth(kA, kB) / ipv4("10.9.9.9", "10.1.32.0") / udp(1, 2)).empty());

    flow::FlowMask v6;
    v6.seePrefix(Field::IpDestination, 67);
    v6.close();
    install(keyOf(eth(kA, kB) / ipv6("fd00::1", "2001:db8::2") / udp(1, 2)), v6, {flow::Output{three}});
    EXPECT_EQ(run(eth(kA, kB) / ipv6("fd00::9", "2001:db8:0:0:1fff::") / udp(7, 8)).size(), 1U);
    EXPECT_TRUE(run(eth(kA, kB) / ipv6("fd00::9", "2001:db8:0:0:2000::") / udp(7, 8)).empty());
}

TEST_F(Forwarding, ExactIpv6FlowTellsAddressesApart) {
    const Packet packet = eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1, 2) / "six";
    install(keyOf(packet), flow::FlowMask::exact(), {flow::Output{two}});
    EXPECT_EQ(run(packet).size(), 1U);
    EXPECT_TRUE(run(eth(kA, kB) / ipv6("fd00::1", "fd00::3") / udp(1, 2) / "six").empty());
}

TEST_F(Forwarding, RemovedAndReplacedFlows) {
    const auto key = keyOf(udpPacket);
    const auto first = install(key, flow::FlowMask::exact(), {flow::Output{two}});
    const auto second = install(key, flow::FlowMask::exact(), {flow::Output{three}});
    EXPECT_EQ(run(udpPacket).at(0).interface, "vm3");
    world->datapath().removeFlow(0, first);
    EXPECT_EQ(run(udpPacket).size(), 1U) << "the handle of the replaced flow means nothing now";
    world->datapath().removeFlow(0, second);
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_EQ(world->drain().size(), 1U);
}

TEST_F(Forwarding, AnEntryOfAnotherGenerationIsAMiss) {
    const auto handle = install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    const FileDescriptor slots{::bpf_obj_get(fmt::format("{}/v{}/mn_slots", world->host().bpffs(), MN_LAYOUT_VERSION).c_str())};
    mn_slot slot{};
    ASSERT_EQ(::bpf_map_lookup_elem(slots.get(), &handle.slot, &slot), 0);
    ++slot.generation;  // As if it had been given to another flow.
    ASSERT_EQ(::bpf_map_update_elem(slots.get(), &handle.slot, &slot, BPF_ANY), 0);
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_EQ(world->drain().size(), 1U);
    EXPECT_EQ(world->counter("stale_flows"), 1U);
    EXPECT_EQ(world->datapath().stats(handle).packets, 0U);
}

TEST_F(Forwarding, StatisticsAreTheSumOfAllCpus) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
    const auto handle = install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    unsigned packets = 0;
    for (const int round : {1, 2}) {
        for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (!CPU_ISSET(cpu, &before)) continue;
            cpu_set_t single;
            CPU_ZERO(&single);
            CPU_SET(cpu, &single);
            ASSERT_EQ(::sched_setaffinity(0, sizeof(single), &single), 0);
            for (int i = 0; i < round; ++i, ++packets) run(udpPacket);
        }
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof(before), &before), 0);
    EXPECT_EQ(world->datapath().stats(handle).packets, packets);
    EXPECT_EQ(world->datapath().stats(handle).bytes, packets * udpPacket.toBytes().size());
}

TEST_F(Forwarding, EmptyListDrops) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {});
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_TRUE(world->drain().empty());
    EXPECT_EQ(world->counter("dropped_by_flow"), 1U);
}

TEST_F(Forwarding, RemovedPortNeitherSendsNorReceives) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    ASSERT_TRUE(world->datapath().removePort(two));
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_EQ(world->counter("no_such_port"), 1U);
    ASSERT_TRUE(world->datapath().removePort(one));
    run(udpPacket);
    EXPECT_TRUE(world->drain().empty());
    EXPECT_NE(world->datapath().addPort("vm1").value(), one) << "numbers do not come back at once";
    EXPECT_EQ(world->datapath().addPort("nothing").error().code, ErrorCode::NotFound);
}

TEST_F(Forwarding, FreedSlotsRestBeforeTheyServeAgain) {
    auto options = EbpfWorld::defaults();
    options.maxFlows = 64;
    start(options);
    auto key = keyOf(udpPacket);
    std::vector<FlowHandle> handles;
    for (std::uint16_t i = 0; i < 64; ++i) {
        key.l4Source = i;
        handles.push_back(install(key, flow::FlowMask::exact(), {flow::Output{two}}));
    }
    key.l4Source = 1000;
    EXPECT_EQ(world->datapath().installFlow(0, key, flow::FlowMask::exact(), {flow::Output{two}}).error().code, ErrorCode::Exhausted);
    world->datapath().removeFlow(0, handles[7]);
    EXPECT_FALSE(world->datapath().installFlow(0, key, flow::FlowMask::exact(), {flow::Output{two}})) << "a program may still read it";
    world->clock().advance(101ms);
    const auto again = install(key, flow::FlowMask::exact(), {flow::Output{two}});
    EXPECT_EQ(again.slot, handles[7].slot);
    EXPECT_NE(again.generation, handles[7].generation);
    EXPECT_EQ(run(udpPacket).size(), 1U);
    EXPECT_EQ(world->datapath().stats(handles[7]).packets, 0U);
}

TEST_F(Forwarding, WithoutFreeMasksFlowsAreInstalledExact) {
    const auto key = keyOf(udpPacket);
    for (unsigned bits = 1; bits <= 32; ++bits) {
        flow::FlowMask mask;
        mask.seePrefix(Field::IpSource, bits);
        mask.close();
        install(key, mask, {flow::Output{two}});
    }
    const auto other = keyOf(eth(kA, kB) / ipv4("200.0.0.1", "10.0.0.2") / udp(1000, 53));
    install(other, maskOf({Field::EthDestination}), {flow::Output{three}});
    EXPECT_EQ(run(eth(kA, kB) / ipv4("200.0.0.1", "10.0.0.2") / udp(1000, 53)).at(0).interface, "vm3");
    EXPECT_TRUE(run(eth(kA, kB) / ipv4("200.0.0.1", "10.0.0.2") / udp(1000, 54)).empty()) << "narrower than asked for";
}

TEST_F(Forwarding, MasksAreSharedByFlowsAndWalkedInTheOrderOfHits) {
    const auto mask = maskOf({Field::EthDestination});
    const auto a = install(keyOf(udpPacket), mask, {flow::Output{two}});
    const auto b = install(keyOf(eth(kA, kA) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, 1)), mask, {flow::Output{three}});
    world->datapath().removeFlow(0, a);
    EXPECT_EQ(run(eth(kA, kA) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, 1)).size(), 1U) << "the mask stays while a flow uses it";
    world->datapath().counters();  // Reorders.
    EXPECT_EQ(run(eth(kA, kA) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, 1)).size(), 1U);
    world->datapath().removeFlow(0, b);
    EXPECT_TRUE(run(eth(kA, kA) / ipv4("1.1.1.1", "2.2.2.2") / udp(1, 1)).empty());
}

TEST_F(Forwarding, WorkersInstallAndRemoveAtTheSameTime) {
    auto options = EbpfWorld::defaults();
    options.workers = 2;
    start(options);
    const auto key = flowKeyFromFrame({one, {}, {}, {}}, udpPacket.toBytes());
    const auto work = [&](WorkerIndex worker) {
        std::vector<FlowHandle> handles;
        for (unsigned i = 0; i < 1000; ++i) {
            auto mine = key;
            mine.inPort = worker == 0 ? two : three;
            mine.l4Source = static_cast<std::uint16_t>(i);
            flow::FlowMask mask = maskOf({Field::L4Source, i % 3 == 0 ? Field::EthSource : Field::EthDestination});
            if (i % 5 == 0) mask = flow::FlowMask::exact();
            const auto installed = world->datapath().installFlow(worker, mine, mask, {flow::Output{one}});
            ASSERT_TRUE(installed) << installed.error().message;
            handles.push_back(installed->handle);
            if (i % 2 == 1) {
                world->datapath().removeFlow(worker, handles.back());
                handles.pop_back();
            }
        }
        for (const FlowHandle handle : handles) world->datapath().removeFlow(worker, handle);
    };
    std::thread other{[&] { work(1); }};
    work(0);
    other.join();
    install(key, maskOf({Field::EthSource, Field::L4Source}), {flow::Output{two}});
    EXPECT_EQ(run(udpPacket).size(), 1U) << "the masks are in order";
    world->inject("vm2", udpPacket.toBytes());
    EXPECT_TRUE(world->take().empty()) << "all flows of the workers are gone";
}

TEST_F(Forwarding, FloodLongerThanASlotReachesEveryPort) {
    flow::FlowActions flood;
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) {
        names.push_back(fmt::format("x{}", i));
        flood.push_back(flow::Output{world->addPort(names.back())});
    }
    install(keyOf(udpPacket), flow::FlowMask::exact(), flood);
    const auto out = run(udpPacket);
    ASSERT_EQ(out.size(), names.size());
    for (const auto& delivered : out) EXPECT_THAT(delivered.frame, EqualsPacket(udpPacket));
}

TEST_F(Forwarding, ClsactForwardsAsTcxDoes) {
    auto options = EbpfWorld::defaults();
    options.attach = AttachMode::Clsact;
    start(options);
    EXPECT_EQ(world->datapath().capabilities().features.at(0).second, "clsact");
    install(keyOf(udpPacket), maskOf({Field::EthDestination}), {flow::Output{two}, flow::Output{three}});
    EXPECT_EQ(run(udpPacket).size(), 2U);
}

TEST_F(Forwarding, PacketOutRunsItsListWithoutLookup) {
    const flow::FlowActions actions{flow::SetEthernet{mac(kB), mac(kA)}, flow::Output{two}, flow::PushVlan{flow::VlanTci::tagged(net::VlanId{7})}, flow::Output{three}};
    const Frame frame = udpPacket.toBytes();
    ASSERT_TRUE(world->datapath().execute(0, {frame, {}, actions, one}));
    const auto out = world->take();
    ASSERT_EQ(out.size(), 2U);
    EXPECT_THAT(out[0].frame, EqualsPacket(eth(kB, kA) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello"));
    EXPECT_THAT(out[1].frame, EqualsPacket(eth(kB, kA) / vlan(7) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello"));
    EXPECT_TRUE(world->drain().empty());
}

TEST_F(Forwarding, PacketOutSaysWhenNothingCouldLeave) {
    const Frame frame = udpPacket.toBytes();
    const flow::FlowActions nowhere{flow::Output{flow::PortNumber{999}}};
    EXPECT_EQ(world->datapath().execute(0, {frame, {}, nowhere, one}).error().code, ErrorCode::Unavailable);
}

TEST_F(Forwarding, PacketOutTakesFloodsTaggedFramesAndPopsTheTag) {
    flow::FlowActions actions;
    for (int i = 0; i < 20; ++i) actions.push_back(flow::Output{two});
    actions.push_back(flow::PopVlan{});
    actions.push_back(flow::Output{three});
    const Frame tagged = (eth(kA, kB) / vlan(9) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)).toBytes();
    ASSERT_TRUE(world->datapath().execute(0, {tagged, {}, actions, one}));
    const auto out = world->take();
    ASSERT_EQ(out.size(), 21U);
    EXPECT_THAT(out[0].frame, EqualsPacket(Frame{tagged}));
    EXPECT_THAT(out[20].frame, EqualsPacket(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)));
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
