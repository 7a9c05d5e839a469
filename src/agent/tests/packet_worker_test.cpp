// One worker on the fake datapath: what the packet scenarios cannot bring about.
#include "agent/packet_worker.h"

#include <gmock/gmock.h>

#include "datapath/fake/fake_datapath.h"
#include "packet/builder.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using namespace packet;
using flow::DropReason;
using topology::testing::activePort;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::SnapshotBuilder;

const net::Mac kA{0x020000000001ULL};
const net::Mac kB{0x020000000002ULL};

class PacketWorkerTest : public ::testing::Test {
protected:
    PacketWorkerTest() {
        worker.takePackets();
        topology.bridge(bridgeId(1));
        for (std::uint64_t n : {1, 2}) {
            topology.port(activePort(n, bridgeId(1)));
            numbers.push_back(*datapath.addPort(fmt::format("p{}", n)));
        }
        auto physical = std::make_shared<flowcontrol::PhysicalMap>();
        physical->self = hostId(1);
        for (std::uint64_t n : {1, 2}) {
            physical->numbers.emplace(portId(n), numbers[n - 1]);
            physical->virtualPorts.emplace(numbers[n - 1], portId(n));
        }
        map = physical;
    }
    void publish(const std::function<void(WorkerUpdate&)>& merge) {
        worker.updates().update(merge);
        loop->runReady();
    }
    void publishAll() {
        publish([&](WorkerUpdate& u) {
            u.snapshot = topology.build();
            u.map = map;
        });
    }
    std::size_t send(std::uint64_t port, const Packet& packet) {
        datapath.inject(numbers[port - 1], packet.toBytes());
        loop->runReady();
        return datapath.takeOutputs().size();
    }
    std::uint64_t drops(DropReason reason) const { return worker.stats().drops[static_cast<std::size_t>(reason)]; }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("worker");
    datapath::fake::FakeDatapath datapath{loop->clock()};
    std::vector<std::pair<simulation::LearnMac, bool>> reports;
    std::vector<TracedPacket> traced;
    void trace(tracing::TracerId id, std::string_view tracer, std::uint32_t packets) {
        publish([&](WorkerUpdate& u) { u.tracers = LiveTracers{{id, tracing::parseTracer(tracer)->match, packets}}; });
    }
    PacketWorker worker{*loop, datapath, 0, std::make_shared<flowstate::StateTable>(), {hostId(1), 100},
                        {[this](const std::function<void(WorkerReport&)>& merge) {
                             WorkerReport report;
                             merge(report);
                             for (const auto& [learned, holding] : report.macs) reports.emplace_back(learned, holding.held);
                             traced.insert(traced.end(), report.traced.begin(), report.traced.end());
                         },
                         [](const std::function<void(WorkerUpdate&)>&) {}}};
    SnapshotBuilder topology;
    std::vector<flow::PortNumber> numbers;
    flowcontrol::PhysicalMapPtr map;
    const Packet frame = eth(kA, net::Mac::broadcast()) / "x";
};

TEST_F(PacketWorkerTest, PacketOfAnUnboundPortIsDroppedByAFlow) {
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(drops(DropReason::UnknownIngressPort), 1U);
    EXPECT_EQ(datapath.flowCount(), 1U);
    publish([&](WorkerUpdate& u) {
        u.snapshot = topology.build();
        u.map = map;
        u.invalidated.push_back(flow::FlowTag::datapathPort(numbers[0]));
    });
    EXPECT_EQ(send(1, frame), 1U) << "its binding ends the drop flow";
}

TEST_F(PacketWorkerTest, PacketWaitsForItsDevicesAndIsThenForwarded) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(worker.stats().waitingPackets, 1U);
    EXPECT_EQ(datapath.flowCount(), 0U);
    publish([&](WorkerUpdate& u) {
        u.snapshot = SnapshotBuilder{}.port(activePort(1, bridgeId(1))).build();
        u.invalidated = {flow::FlowTag::device(portId(1).uuid())};
    });
    EXPECT_EQ(worker.stats().waitingPackets, 1U) << "now it waits for its bridge";
    publish([&](WorkerUpdate& u) {
        u.snapshot = topology.build();
        u.invalidated = {flow::FlowTag::device(bridgeId(1).uuid())};
    });
    EXPECT_EQ(datapath.takeOutputs().size(), 1U);
    EXPECT_EQ(worker.stats().waitingPackets, 0U);
    EXPECT_EQ(worker.flows().size(), 1U);
}

TEST_F(PacketWorkerTest, TellsOfThePacketsOfATracer) {
    publishAll();
    trace(7, "--debug --mac-src 02:00:00:00:00:02", 2);
    send(1, frame);
    EXPECT_TRUE(traced.empty()) << "another sender";
    const auto fromB = [](std::uint64_t to) { return eth(kB, net::Mac{0x020000000100ULL + to}) / "x"; };
    for (const auto to : {1U, 2U, 3U}) EXPECT_EQ(send(2, fromB(to)), 1U) << "a flow each";
    ASSERT_EQ(traced.size(), 2U) << "its packets have come";
    const auto& first = traced.front();
    EXPECT_EQ(first.tracers, std::vector<tracing::TracerId>{7});
    EXPECT_EQ(first.port, portId(2));
    EXPECT_EQ(first.key.ethSource, kB);
    EXPECT_TRUE(std::holds_alternative<simulation::Forward>(first.result));
    EXPECT_FALSE(first.steps.steps.empty());
    EXPECT_FALSE(first.again || first.dropped || first.waits);
    EXPECT_EQ(worker.stats().simulations, 4U) << "the third was simulated too";
}

TEST_F(PacketWorkerTest, PacketsOfAFlowAreNotTraced) {
    publishAll();
    send(1, frame);
    trace(7, "--debug", 5);
    EXPECT_EQ(send(1, frame), 1U);
    EXPECT_TRUE(traced.empty());
}

TEST_F(PacketWorkerTest, ATracedPacketThatWaitsIsToldOfAgain) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    trace(7, "--debug", 1);
    send(1, frame);
    ASSERT_EQ(traced.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<simulation::Park>(traced[0].result));
    send(2, frame);
    EXPECT_EQ(traced.size(), 1U) << "one packet was asked for";
    publish([&](WorkerUpdate& u) {
        u.snapshot = topology.build();
        u.invalidated = {flow::FlowTag::device(portId(1).uuid()), flow::FlowTag::device(portId(2).uuid())};
    });
    ASSERT_EQ(traced.size(), 2U);
    EXPECT_TRUE(traced[1].again && std::holds_alternative<simulation::Forward>(traced[1].result));
    EXPECT_EQ(traced[1].port, portId(1));
}

TEST_F(PacketWorkerTest, ATracedPacketOfAnUnboundPortIsToldOf) {
    trace(7, "--trace", 1);
    send(1, frame);
    ASSERT_EQ(traced.size(), 1U);
    EXPECT_EQ(std::get<simulation::Drop>(traced[0].result).reason, DropReason::UnknownIngressPort);
    EXPECT_TRUE(traced[0].port.isNil());
}

TEST_F(PacketWorkerTest, WhyAnotherPacketWasDroppedIsNotToldOfOneOutOfATunnel) {
    const datapath::TunnelSpec spec{datapath::TunnelType::Vxlan, net::Ipv4Address{0xac100001}, net::Ipv4Address{0xac100002}};
    ASSERT_TRUE(datapath.addTunnel(spec));
    send(1, frame);
    EXPECT_EQ(drops(DropReason::UnknownIngressPort), 1U);
    auto withKey = std::make_shared<flowcontrol::PhysicalMap>(*map);
    withKey->keys.emplace(net::TunnelKey{77}, portId(1));
    publish([&](WorkerUpdate& u) { u.map = withKey; });
    trace(7, "--debug", 1);
    datapath.receiveFromTunnel(datapath::TunnelSpec{spec.type, spec.remote, spec.local}, net::TunnelKey{77}, frame.toBytes());
    loop->runReady();
    ASSERT_EQ(traced.size(), 1U);
    EXPECT_FALSE(traced[0].dropped);
}

TEST_F(PacketWorkerTest, ATracedPacketThatFindsNoRoomToWaitIsDropped) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    const auto from = [](std::uint64_t n) { return eth(net::Mac{0x020000000100ULL + n}, kB) / "x"; };
    for (std::uint64_t n = 0; n < WaitingRoom::Limits{}.packetsPerTag; ++n) send(1, from(n));
    trace(7, "--debug", 1);
    send(1, from(1000));
    ASSERT_EQ(traced.size(), 1U);
    EXPECT_EQ(traced[0].dropped, DropReason::WaitingRoomFull);
}

TEST_F(PacketWorkerTest, ATracedPacketWhosePortLeavesWhileItWaitsIsToldOfAgain) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    trace(7, "--debug", 1);
    send(1, frame);
    publish([&](WorkerUpdate& u) {
        u.map = std::make_shared<flowcontrol::PhysicalMap>();
        u.invalidated = {flow::FlowTag::device(portId(1).uuid())};
    });
    ASSERT_EQ(traced.size(), 2U);
    EXPECT_TRUE(traced[1].again);
    EXPECT_EQ(traced[1].dropped, DropReason::UnknownIngressPort);
}

TEST_F(PacketWorkerTest, PacketThatWaitedTooLongInTheDatapathIsDropped) {
    publishAll();
    worker.stop();
    send(1, frame);
    loop->advance(WaitingRoom::Limits{}.patience - 1ms);
    send(1, eth(kA, kB) / "x");
    loop->advance(1ms);
    worker.takePackets();
    loop->runReady();
    EXPECT_EQ(drops(DropReason::WaitingTooLong), 1U);
    EXPECT_EQ(datapath.takeOutputs().size(), 1U) << "the one that came later";
}

TEST_F(PacketWorkerTest, PacketThatWaitsTooLongIsDropped) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    send(1, frame);
    loop->advance(4s);
    EXPECT_EQ(drops(DropReason::WaitingTooLong), 0U);
    loop->advance(2s);
    EXPECT_EQ(drops(DropReason::WaitingTooLong), 1U);
    publishAll();
    EXPECT_EQ(datapath.takeOutputs().size(), 0U);
}

TEST_F(PacketWorkerTest, PacketsThatDoNotFitIntoTheWaitingRoomAreCounted) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    for (std::uint64_t n = 0; n < WaitingRoom::Limits{}.packetsPerTag + 3; ++n) send(1, eth(net::Mac{0x020000000100ULL + n}, kB) / "x");
    EXPECT_EQ(worker.stats().waitingPackets, WaitingRoom::Limits{}.packetsPerTag);
    EXPECT_EQ(drops(DropReason::WaitingRoomFull), 3U);
}

TEST_F(PacketWorkerTest, PacketThatWaitedDoesNotEnterThroughThePortThatTookItsNumber) {
    publish([&](WorkerUpdate& u) { u.map = map; });
    send(1, frame);
    // The interface was given to port 2 of another bridge meanwhile.
    auto other = std::make_shared<flowcontrol::PhysicalMap>(*map);
    other->virtualPorts[numbers[0]] = portId(7);
    publish([&](WorkerUpdate& u) {
        u.map = other;
        u.invalidated = {flow::FlowTag::device(portId(1).uuid())};
        u.snapshot = SnapshotBuilder{topology}.bridge(bridgeId(2)).port(activePort(7, bridgeId(2))).port(activePort(2, bridgeId(2))).build();
    });
    EXPECT_EQ(datapath.takeOutputs().size(), 0U);
    EXPECT_EQ(drops(DropReason::UnknownIngressPort), 1U);
    EXPECT_EQ(worker.flows().size(), 0U);
}

TEST_F(PacketWorkerTest, SnapshotIsSwappedBeforeTagsAreInvalidated) {
    publishAll();
    EXPECT_EQ(send(1, frame), 1U);
    auto down = activePort(2, bridgeId(1));
    down.adminUp = false;
    topology.port(down);
    publish([&](WorkerUpdate& u) {
        u.snapshot = topology.build();
        u.invalidated.push_back(flow::FlowTag::broadcast(bridgeId(1)));
    });
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(worker.stats().invalidations, 1U);
}

TEST_F(PacketWorkerTest, FirstAndLastFlowOfAMacAreReported) {
    publishAll();
    send(1, eth(kA, kB) / "x");
    send(1, eth(kA, net::Mac::broadcast()) / "x");
    const simulation::LearnMac learned{bridgeId(1), {}, kA, portId(1)};
    EXPECT_THAT(reports, ::testing::ElementsAre(std::pair{learned, true}));
    publish([](WorkerUpdate& u) { u.flushFlows = true; });
    EXPECT_THAT(reports, ::testing::ElementsAre(std::pair{learned, true}, std::pair{learned, false}));
}

TEST_F(PacketWorkerTest, AMacIsLearnedOnAllLinkedBridgesOrOnNone) {
    // Port 1 - bridge 1 - link - bridge 2 - port 8, and the far end of the link has all the MACs it may have.
    for (const auto& [port, bridge, peer] : {std::tuple{20, 1, 21}, std::tuple{21, 2, 20}}) {
        topology::Port link;
        link.id = portId(static_cast<std::uint64_t>(port));
        link.bridge = bridgeId(static_cast<std::uint64_t>(bridge));
        link.peer = portId(static_cast<std::uint64_t>(peer));
        topology.port(link);
    }
    topology.bridge(bridgeId(2)).port(activePort(8, bridgeId(2), 2));
    publishAll();
    const auto from = [](std::uint64_t n) { return eth(net::Mac{0x020000000100ULL + n}, net::Mac::broadcast()) / "x"; };
    for (std::uint64_t n = 0; n < 50; ++n) send(1, from(n));
    for (std::uint64_t n = 50; n < 110; ++n) send(2, from(n));
    EXPECT_EQ(worker.stats().macsRefused, 10U) << "two ports may have 50 and 60 MACs, the link has them all";
    const auto before = worker.stats().learnedMacs;
    EXPECT_EQ(before, 2U * 100) << "on both bridges";
}

TEST_F(PacketWorkerTest, PacketIsForwardedEvenWhenItsFlowCannotBeInstalled) {
    publishAll();
    datapath.failNextInstalls(1);
    EXPECT_EQ(send(1, frame), 1U);
    EXPECT_EQ(worker.stats().installErrors, 1U);
    EXPECT_EQ(worker.flows().size(), 0U);
    EXPECT_EQ(worker.stats().learnedMacs, 0U) << "nothing carries it";
    EXPECT_EQ(send(1, frame), 1U);
    EXPECT_EQ(worker.flows().size(), 1U);
}

TEST_F(PacketWorkerTest, RefusalToExecuteIsCounted) {
    publishAll();
    datapath.failNextExecutes(1);
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(drops(DropReason::DatapathError), 1U);
    EXPECT_EQ(send(1, frame), 1U) << "its flow is there all the same";
}

TEST_F(PacketWorkerTest, BurstOfOneFlowIsOneFlow) {
    publishAll();
    for (int i = 0; i < 4; ++i) datapath.inject(numbers[0], frame.toBytes());
    loop->runReady();
    EXPECT_EQ(datapath.takeOutputs().size(), 4U);
    EXPECT_EQ(worker.flows().size(), 1U);
    EXPECT_EQ(worker.stats().learnedMacs, 1U);
}

TEST_F(PacketWorkerTest, NothingIsReadAfterStop) {
    publishAll();
    worker.stop();
    EXPECT_EQ(send(1, frame), 0U);
    EXPECT_EQ(datapath.waitingUpcalls(0), 1U);
}

}  // namespace
}  // namespace midonet::agent
