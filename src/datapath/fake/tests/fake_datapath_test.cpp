#include "datapath/fake/fake_datapath.h"

#include <gmock/gmock.h>

#include "packet/testing/packet_matchers.h"

namespace midonet::datapath::fake {
namespace {

using namespace midonet::packet;
using namespace std::chrono_literals;
using flow::Field;
using packet::testing::EqualsPacket;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

flow::FlowMask maskOf(std::initializer_list<Field> fields) {
    flow::FlowMask mask;
    for (const Field field : fields) mask.see(field);
    mask.close();
    return mask;
}

class FakeDatapathTest : public ::testing::Test {
protected:
    std::vector<Upcall> drain(WorkerIndex worker = 0) {
        std::vector<Upcall> out;
        datapath.upcalls(worker).drain(1000, [&](const Upcall& u) { out.push_back(u); });
        return out;
    }

    event::VirtualClock clock;
    FakeDatapath datapath{clock, {.workers = 1, .flowsPerWorker = 2, .upcallsPerWorker = 8}};
    flow::PortNumber one = datapath.addPort("vm1").value();
    flow::PortNumber two = datapath.addPort("vm2").value();
    Frame frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "hi").toBytes();
};

TEST_F(FakeDatapathTest, MissThenFlowForwards) {
    ASSERT_TRUE(datapath.inject(one, frame));
    const auto upcalls = drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].key.inPort, one);
    const auto handle = datapath.installFlow(0, upcalls[0].key, maskOf({Field::EthDestination}), {flow::Output{two}});
    ASSERT_TRUE(handle);
    clock.advance(5s);
    ASSERT_TRUE(datapath.inject(one, (eth(kB, kB) / ipv4("1.1.1.1", "2.2.2.2") / udp(9, 9)).toBytes()));
    const auto outputs = datapath.takeOutputs();
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].port, two);
    EXPECT_EQ(datapath.stats(*handle).packets, 1U);
    EXPECT_EQ(datapath.stats(*handle).idle, 0ns);
    datapath.removeFlow(0, *handle);
    datapath.inject(one, frame);
    EXPECT_EQ(datapath.waitingUpcalls(0), 1U);
}

TEST_F(FakeDatapathTest, AtMostFourPacketsOfAFlowWaitUntilItIsDone) {
    for (int i = 0; i < 6; ++i) datapath.inject(one, frame);
    const auto upcalls = drain();
    EXPECT_EQ(upcalls.size(), 4U);
    datapath.inject(one, frame);
    EXPECT_TRUE(drain().empty());
    datapath.upcalls(0).done(upcalls[0].pendingId);
    datapath.inject(one, frame);
    EXPECT_EQ(drain().size(), 1U);
    clock.advance(11ms);
    datapath.inject(one, frame);
    EXPECT_EQ(drain().size(), 1U);
}

TEST_F(FakeDatapathTest, InstallingTheSameKeyReplaces) {
    const flow::FlowKey key = [&] { return datapath.inject(one, frame), drain().at(0).key; }();
    const auto first = datapath.installFlow(0, key, flow::FlowMask::exact(), {flow::Output{one}});
    const auto second = datapath.installFlow(0, key, flow::FlowMask::exact(), {flow::Output{two}});
    ASSERT_TRUE(second);
    datapath.removeFlow(0, *first);
    EXPECT_EQ(datapath.flowCount(), 1U);
    datapath.inject(one, frame);
    EXPECT_EQ(datapath.takeOutputs().at(0).port, two);
}

TEST_F(FakeDatapathTest, FullTableIsExhausted) {
    flow::FlowKey key;
    for (std::uint16_t i = 0; i < 2; ++i) {
        key.l4Source = i;
        ASSERT_TRUE(datapath.installFlow(0, key, flow::FlowMask::exact(), {}));
    }
    key.l4Source = 99;
    EXPECT_EQ(datapath.installFlow(0, key, flow::FlowMask::exact(), {}).error().code, ErrorCode::Exhausted);
}

TEST_F(FakeDatapathTest, TunnelsCarryToAnotherDatapath) {
    FakeDatapath other{clock};
    const auto otherPort = other.addPort("vm3").value();
    const TunnelSpec spec{TunnelType::Vxlan, net::Ipv4Address{1}, net::Ipv4Address{2}};
    const auto tunnel = datapath.addTunnel(spec).value();
    EXPECT_EQ(datapath.addTunnel(spec).value(), tunnel);
    const flow::FlowActions actions{flow::Output{two}, flow::OutputTunnel{tunnel, net::TunnelKey{55}}};
    ASSERT_TRUE(datapath.execute(0, {frame, {}, actions, one}));
    EXPECT_TRUE(datapath.takeTunnelOutputs().empty()) << "no path yet";
    ASSERT_TRUE(datapath.setTunnelPath(tunnel, TunnelPath{3, {}, {}, 1500}));
    ASSERT_TRUE(datapath.execute(0, {frame, {}, actions, one}));
    const auto sent = datapath.takeTunnelOutputs();
    ASSERT_EQ(sent.size(), 1U);

    other.receiveFromTunnel(sent[0].spec, sent[0].key, sent[0].frame, sent[0].offload);
    flow::FlowKey key;
    other.upcalls(0).drain(1, [&](const Upcall& u) { key = u.key; });
    EXPECT_TRUE(key.fromTunnel());
    EXPECT_EQ(key.tunnelKey.value(), 55U);
    EXPECT_EQ(key.tunnelSource, spec.local);
    ASSERT_TRUE(other.installFlow(0, key, maskOf({Field::TunnelKey, Field::TunnelSource, Field::TunnelDestination}), {flow::Output{otherPort}}));
    const auto inner = eth(kB, kA) / arpRequest(kB, "10.0.0.2", "10.0.0.1");
    other.receiveFromTunnel(spec, net::TunnelKey{55}, inner.toBytes());
    EXPECT_THAT(other.takeOutputs().at(0).frame, EqualsPacket(inner));
}

TEST_F(FakeDatapathTest, OversizedPacketsDoNotEnterATunnel) {
    const auto tunnel = datapath.addTunnel({TunnelType::Gre, net::Ipv4Address{1}, net::Ipv4Address{2}}).value();
    ASSERT_TRUE(datapath.setTunnelPath(tunnel, TunnelPath{3, {}, {}, 1500}));
    const flow::FlowActions actions{flow::OutputTunnel{tunnel, net::TunnelKey{1}}};
    ASSERT_TRUE(datapath.execute(0, {Frame(1500 + 14 - 42), {}, actions, one}));
    EXPECT_EQ(datapath.takeTunnelOutputs().size(), 1U);
    ASSERT_TRUE(datapath.execute(0, {Frame(1500 + 14 - 41), {}, actions, one}));
    EXPECT_TRUE(datapath.takeTunnelOutputs().empty());
}

TEST_F(FakeDatapathTest, MissingInterfaceCannotBeAdded) {
    datapath.setInterfaceMissing("vm9", true);
    EXPECT_EQ(datapath.addPort("vm9").error().code, ErrorCode::NotFound);
    datapath.setInterfaceMissing("vm9", false);
    EXPECT_TRUE(datapath.addPort("vm9"));
}

}  // namespace
}  // namespace midonet::datapath::fake
