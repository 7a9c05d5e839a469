#include "flowcontrol/flow_translator.h"

#include <gmock/gmock.h>

#include "topology/testing/snapshot_builder.h"

namespace midonet::flowcontrol {
namespace {

using flow::DropReason;
using flow::FlowTag;
using flow::Output;
using flow::OutputTunnel;
using simulation::ToPort;
using topology::testing::activePort;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::SnapshotBuilder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const net::Ipv4Address kHere{0x0a000001};
const net::Ipv4Address kThere{0x0a000002};

/// Ports 1 and 2 here (host 1) as numbers 11 and 12; 3 and 4 on host 2, reached by tunnel 5; 6 on host 3, not reached.
class FlowTranslatorTest : public ::testing::Test {
protected:
    FlowTranslatorTest() {
        topology.bridge(bridgeId(1));
        for (std::uint64_t n : {1, 2}) topology.port(activePort(n, bridgeId(1), 1));
        for (std::uint64_t n : {3, 4}) topology.port(activePort(n, bridgeId(1), 2));
        topology.port(activePort(6, bridgeId(1), 3));
        map.self = hostId(1);
        for (std::uint32_t n : {1, 2}) {
            map.numbers.emplace(portId(n), flow::PortNumber{10 + n});
            map.virtualPorts.emplace(flow::PortNumber{10 + n}, portId(n));
            map.keys.emplace(net::TunnelKey{100 + n}, portId(n));
        }
        map.routes.emplace(hostId(2), PeerRoute{flow::TunnelId{5}, kHere, kThere});
    }
    Translation translated(const simulation::VirtualActions& actions) { return translate(actions, *topology.build(), map); }
    static net::TunnelKey keyOf(std::uint64_t n) { return activePort(n, bridgeId(1)).tunnelKey; }

    SnapshotBuilder topology;
    PhysicalMap map;
};

TEST_F(FlowTranslatorTest, LocalPortIsAnOutput) {
    const auto out = translated({ToPort{portId(1)}});
    EXPECT_EQ(toString(out.actions), "output(11)");
    EXPECT_THAT(out.tags, ElementsAre(FlowTag::datapathPort(flow::PortNumber{11}), FlowTag::portTx(portId(1))));
}

TEST_F(FlowTranslatorTest, RemotePortIsItsTunnelWithTheKeyItsHostChose) {
    const auto out = translated({ToPort{portId(3)}});
    EXPECT_THAT(out.actions, ElementsAre(flow::FlowAction{OutputTunnel{flow::TunnelId{5}, keyOf(3)}}));
    EXPECT_THAT(out.tags, UnorderedElementsAre(FlowTag::device(hostId(2).uuid()), FlowTag::tunnelRoute(kHere, kThere)));
}

TEST_F(FlowTranslatorTest, LocalOutputsComeBeforeTunnels) {
    const auto out = translated({ToPort{portId(3)}, ToPort{portId(1)}, ToPort{portId(4)}, ToPort{portId(2)}});
    EXPECT_THAT(out.actions, ElementsAre(flow::FlowAction{Output{flow::PortNumber{11}}}, flow::FlowAction{Output{flow::PortNumber{12}}},
                                         flow::FlowAction{OutputTunnel{flow::TunnelId{5}, keyOf(3)}},
                                         flow::FlowAction{OutputTunnel{flow::TunnelId{5}, keyOf(4)}}));
}

TEST_F(FlowTranslatorTest, OutputsDoNotCrossAChangeOfThePacket) {
    const auto out = translated({ToPort{portId(3)}, flow::PopVlan{}, ToPort{portId(1)}});
    EXPECT_THAT(out.actions, ElementsAre(flow::FlowAction{OutputTunnel{flow::TunnelId{5}, keyOf(3)}}, flow::FlowAction{flow::PopVlan{}},
                                         flow::FlowAction{Output{flow::PortNumber{11}}}));
}

TEST_F(FlowTranslatorTest, HostWithoutRouteIsLeftOutOfAFlood) {
    const auto out = translated({ToPort{portId(1)}, ToPort{portId(6)}});
    EXPECT_EQ(toString(out.actions), "output(11)");
    EXPECT_THAT(out.tags, ::testing::Contains(FlowTag::device(hostId(3).uuid()))) << "a route that appears ends the flow";
}

TEST_F(FlowTranslatorTest, NothingReachedIsADropWithItsReason) {
    const auto noRoute = translated({ToPort{portId(6)}});
    EXPECT_THAT(noRoute.actions, IsEmpty());
    EXPECT_EQ(noRoute.reason, DropReason::NoTunnelRoute);
    EXPECT_THAT(noRoute.tags, ElementsAre(FlowTag::device(hostId(3).uuid())));

    auto inactive = activePort(3, bridgeId(1), 2);
    inactive.active = false;
    topology.port(inactive);
    const auto gone = translated({ToPort{portId(3)}});
    EXPECT_THAT(gone.actions, IsEmpty());
    EXPECT_EQ(gone.reason, DropReason::EgressPortInactive);
}

TEST_F(FlowTranslatorTest, PortOfThisHostThatIsNotInTheDatapathIsInactive) {
    topology.port(activePort(7, bridgeId(1), 1));
    const auto out = translated({ToPort{portId(7)}});
    EXPECT_THAT(out.actions, IsEmpty());
    EXPECT_EQ(out.reason, DropReason::EgressPortInactive);
}

TEST_F(FlowTranslatorTest, UnknownPortIsInactive) {
    EXPECT_EQ(translated({ToPort{portId(99)}}).reason, DropReason::EgressPortInactive);
}

TEST_F(FlowTranslatorTest, ChangesBehindTheLastOutputAreLeftOut) {
    const auto out = translated({ToPort{portId(1)}, flow::PushVlan{flow::VlanTci::tagged(net::VlanId{3})}, ToPort{portId(6)}});
    EXPECT_EQ(toString(out.actions), "output(11)");
}

TEST_F(FlowTranslatorTest, ChangesBeforeAnUnreachablePortStayForTheNext) {
    const auto out = translated({flow::PopVlan{}, ToPort{portId(6)}, ToPort{portId(1)}});
    EXPECT_EQ(toString(out.actions), "pop_vlan,output(11)");
}

class UntunnelTest : public FlowTranslatorTest {
protected:
    static flow::FlowKey fromTunnel(std::uint32_t key) {
        flow::FlowKey out;
        out.tunnelKey = net::TunnelKey{key};
        out.tunnelSource = kThere;
        out.tunnelDestination = kHere;
        out.ethSource = net::Mac{1};
        return out;
    }
};

TEST_F(UntunnelTest, KeyNamesThePort) {
    const auto out = untunnel(fromTunnel(102), map);
    EXPECT_EQ(toString(out.translation.actions), "output(12)");
    EXPECT_THAT(out.decision.tags, UnorderedElementsAre(FlowTag::tunnelKey(net::TunnelKey{102}), FlowTag::tunnelRoute(kHere, kThere)));
    EXPECT_THAT(out.translation.tags, ElementsAre(FlowTag::datapathPort(flow::PortNumber{12}), FlowTag::portTx(portId(2))));
}

TEST_F(UntunnelTest, NothingInsideIsLookedAt) {
    auto mask = untunnel(fromTunnel(102), map).decision.mask;
    mask.close();
    EXPECT_EQ(mask.toString(), "in_port,tun_key,tun_src,tun_dst");
}

TEST_F(UntunnelTest, UnknownKeyIsADropThatTheKeyEnds) {
    const auto out = untunnel(fromTunnel(999), map);
    EXPECT_THAT(out.translation.actions, IsEmpty());
    EXPECT_EQ(out.translation.reason, DropReason::UnknownTunnelKey);
    EXPECT_THAT(out.decision.tags, ::testing::Contains(FlowTag::tunnelKey(net::TunnelKey{999})));
}

TEST_F(UntunnelTest, KeyOfAPortThatIsNotInTheDatapathIsUnknown) {
    map.numbers.erase(portId(2));
    EXPECT_EQ(untunnel(fromTunnel(102), map).translation.reason, DropReason::UnknownTunnelKey);
}

}  // namespace
}  // namespace midonet::flowcontrol
