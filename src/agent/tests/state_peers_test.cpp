#include "agent/state_peers.h"

#include <gmock/gmock.h>

#include "topology/testing/snapshot_builder.h"

namespace midonet::agent {
namespace {

using flow::FlowTag;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using topology::testing::activePort;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portGroupId;
using topology::testing::portId;
using topology::testing::SnapshotBuilder;

/// Port n is bound to host n; ports 1 and 2 are in groups.
class StatePeersTest : public ::testing::Test {
protected:
    StatePeersTest() {
        SnapshotBuilder builder;
        builder.bridge(bridgeId(1));
        for (std::uint64_t n : {1, 2, 3}) {
            auto port = activePort(n, bridgeId(1), n);
            if (n == 1) port.groups = {portGroupId(1), portGroupId(2)};
            builder.port(port);
        }
        auto interior = activePort(4, bridgeId(1));
        interior.host = {};
        interior.peer = portId(5);
        topology = *builder.port(interior).build();
        addGroup(1, true);
        addGroup(2, false);
    }
    void addGroup(std::uint64_t n, bool stateful) {
        topology::PortGroup group{portGroupId(n), stateful, {portId(1)}, {}};
        if (stateful) group.hosts = {hostId(1), hostId(7)};
        topology.portGroups.set(group.id, std::make_shared<topology::PortGroup>(group));
    }
    StatePeers peersOf(std::vector<PortId> ports, std::uint64_t self) const { return statePeersOf(std::move(ports), topology, hostId(self)); }

    topology::TopologySnapshot topology;
};

TEST_F(StatePeersTest, HostsOfThePortsAndOfTheirStatefulGroupsButNotThisOne) {
    EXPECT_THAT(peersOf({portId(2), portId(3)}, 2).hosts, ElementsAre(hostId(3)));
    EXPECT_THAT(peersOf({portId(3), portId(2), portId(3)}, 9).hosts, ElementsAre(hostId(2), hostId(3))) << "each once";
    EXPECT_THAT(peersOf({portId(1)}, 1).hosts, ElementsAre(hostId(7))) << "where the other gateways are";
    EXPECT_THAT(peersOf({portId(4)}, 1).hosts, IsEmpty()) << "nobody is bound to it";
}

TEST_F(StatePeersTest, WhatWouldChangeThemIsTagged) {
    const auto tags = peersOf({portId(1), portId(9)}, 1).tags;
    EXPECT_THAT(std::vector<FlowTag>(tags.begin(), tags.end()),
                UnorderedElementsAre(FlowTag::statePeers(portId(1).uuid()), FlowTag::statePeers(portGroupId(1).uuid()),
                                     FlowTag::statePeers(portId(9).uuid())))
        << "a group that shares nothing is not, a port that is not known yet is";
}

TEST_F(StatePeersTest, PortsOfAFlowAreWhereItEntersAndLeaves) {
    const simulation::VirtualActions actions{simulation::ToPort{portId(2)}, flow::PopVlan{}, simulation::ToPort{portId(3)}};
    EXPECT_THAT(portsOf(portId(1), actions), ElementsAre(portId(1), portId(2), portId(3)));
}

}  // namespace
}  // namespace midonet::agent
