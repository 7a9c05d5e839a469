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
    const auto installed = datapath.installFlow(0, upcalls[0].key, maskOf({Field::EthDestination}), {flow::Output{two}});
    ASSERT_TRUE(installed);
    const auto handle = installed->handle;
    clock.advance(5s);
    ASSERT_TRUE(datapath.inject(one, (eth(kB, kB) / ipv4("1.1.1.1", "2.2.2.2") / udp(9, 9)).toBytes()));
    const auto outputs = datapath.takeOutputs();
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].port, two);
    EXPECT_EQ(datapath.stats(handle).packets, 1U);
    EXPECT_EQ(datapath.stats(handle).idle, 0ns);
    datapath.removeFlow(0, handle);
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
    EXPECT_EQ(second->replaced, first->handle);
    datapath.removeFlow(0, first->handle);
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

TEST_F(FakeDatapathTest, TooFewHopsEndTheListAndGoToTheAgent) {
    const auto withTtl = [](std::uint8_t ttl) { return (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").ttl(ttl) / udp(1, 2) / "hi").toBytes(); };
    ASSERT_TRUE(datapath.installFlow(0, datapath.inject(one, frame) ? drain().at(0).key : flow::FlowKey{}, maskOf({}),
                                     {flow::Output{one}, flow::DecrementTtl{2}, flow::Output{two}}));
    datapath.inject(one, withTtl(3));
    EXPECT_EQ(datapath.takeOutputs().size(), 2U);
    EXPECT_TRUE(drain().empty());
    datapath.inject(one, withTtl(2));
    EXPECT_EQ(datapath.takeOutputs().size(), 1U) << "what came before has happened";
    const auto upcalls = drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].reason, UpcallReason::Action);
    EXPECT_EQ(upcalls[0].key.ipTtl, 2);
}

TEST_F(FakeDatapathTest, AnIpPacketTooBigForItsTunnelGoesToTheAgentOnce) {
    const auto gre = datapath.addTunnel({TunnelType::Gre, net::Ipv4Address{1}, net::Ipv4Address{2}}).value();
    const auto vxlan = datapath.addTunnel({TunnelType::Vxlan, net::Ipv4Address{1}, net::Ipv4Address{3}}).value();
    for (const auto tunnel : {gre, vxlan}) ASSERT_TRUE(datapath.setTunnelPath(tunnel, TunnelPath{3, {}, {}, 1500}));
    const Frame big = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / Frame(1431, 7)).toBytes();
    datapath.inject(one, big);
    const auto key = drain().at(0).key;
    ASSERT_TRUE(datapath.installFlow(0, key, maskOf({}), {flow::DecrementTtl{}, flow::OutputTunnel{gre, net::TunnelKey{1}}, flow::OutputTunnel{vxlan, net::TunnelKey{1}}}));
    datapath.inject(one, big);
    const auto upcalls = drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].reason, UpcallReason::TooBig);
    EXPECT_EQ(upcalls[0].mtu, 1458U);
    EXPECT_EQ(upcalls[0].key, key);
    EXPECT_TRUE(datapath.takeTunnelOutputs().empty());
    datapath.inject(one, (eth(kA, kB).type(0x88b5) / Frame(1500, 1)).toBytes());
    EXPECT_TRUE(drain().empty()) << "nobody answers for what is not IP";
}

TEST_F(FakeDatapathTest, StateMessagesTakeHalfOfTheQueueAndNothingElseHoldsThemBack) {
    const TunnelSpec spec{TunnelType::Gre, net::Ipv4Address{1}, net::Ipv4Address{2}};
    flow::FlowKey any;
    any.tunnelKey = net::kStateTunnelKey;
    ASSERT_TRUE(datapath.installFlow(0, any, maskOf({Field::TunnelKey}), {flow::Output{two}}));
    for (int round = 1; round <= 2; ++round) {
        for (int i = 0; i < 7; ++i) datapath.receiveFromTunnel(spec, net::kStateTunnelKey, frame);
        datapath.inject(one, frame);
        const auto upcalls = drain();
        ASSERT_EQ(upcalls.size(), 5U) << "four of eight, and that of vm1";
        EXPECT_EQ(upcalls[0].reason, UpcallReason::Miss);
        EXPECT_EQ(upcalls[0].pendingId, 0U);
        datapath.upcalls(0).done(upcalls[4].pendingId);
        for (const Counter& counter : datapath.counters()) {
            if (counter.name == "state_lost") {
                EXPECT_EQ(counter.value, 3U * static_cast<unsigned>(round));
            }
        }
    }
    EXPECT_TRUE(datapath.takeOutputs().empty());
}

TEST_F(FakeDatapathTest, MissingInterfaceCannotBeAdded) {
    datapath.setInterfaceMissing("vm9", true);
    EXPECT_EQ(datapath.addPort("vm9").error().code, ErrorCode::NotFound);
    datapath.setInterfaceMissing("vm9", false);
    EXPECT_TRUE(datapath.addPort("vm9"));
}

}  // namespace
}  // namespace midonet::datapath::fake
