// Bridges with VLAN ports: which table, which tag on which copy (reference 3.4, 3.5, 3.7).
#include "simulation/tests/bridge_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::ElementsAre;

flow::VlanTci tag(std::uint16_t id, std::uint8_t priority = 0) {
    return flow::VlanTci::tagged(net::VlanId{id}, priority);
}

/// Ports 1 and 2 are trunks; 3 and 4 access ports of VLAN 10 (4 on host 2); 5 one of VLAN 20.
class BridgeVlanTest : public BridgeFixture {
protected:
    BridgeVlanTest() {
        setVlan(3, 10);
        setVlan(4, 10, 2);
        setVlan(5, 20);
    }
    void setVlan(std::uint64_t number, std::uint16_t vlan, std::uint64_t host = 1) {
        auto port = activePort(number, bridge, host);
        port.vlan = net::VlanId{vlan};
        topology.port(port);
    }
    static flow::FlowKey tagged(net::Mac source, net::Mac destination, flow::VlanTci tci) {
        auto key = frame(source, destination);
        key.vlan = tci;
        return key;
    }
    void known(net::Mac address, std::uint64_t port, std::uint16_t vlan) {
        state.setMac(bridge, net::VlanId{vlan}, address, portId(port));
    }
    static VirtualAction to(std::uint64_t port) { return ToPort{portId(port)}; }
};

struct UnicastCase {
    const char* name;
    std::uint64_t in;
    std::uint64_t out;
    flow::VlanTci tci;
    std::uint16_t table;  ///< VLAN of the table in which source and destination are.
    std::optional<VirtualActions> actions;  ///< nullopt: VlanMismatch.
};

class VlanUnicastTest : public BridgeVlanTest, public ::testing::WithParamInterface<UnicastCase> {};

TEST_P(VlanUnicastTest, TagChangesAsTheTableSays) {
    const auto& c = GetParam();
    known(mac(9), c.out, c.table);
    const auto key = tagged(mac(1), mac(9), c.tci);
    if (!c.actions) {
        EXPECT_EQ(dropFrom(c.in, key).reason, DropReason::VlanMismatch);
        return;
    }
    const auto result = forwardFrom(c.in, key);
    EXPECT_EQ(result.actions, *c.actions);
    EXPECT_THAT(result.effects, ElementsAre(Effect{learned(mac(1), c.in, c.table)}));
}

INSTANTIATE_TEST_SUITE_P(
    Reference35, VlanUnicastTest,
    ::testing::Values(
        UnicastCase{"TrunkToTrunkUntagged", 1, 2, {}, 0, VirtualActions{ToPort{portId(2)}}},
        UnicastCase{"TrunkToTrunkTagged", 1, 2, tag(10), 10, VirtualActions{ToPort{portId(2)}}},
        UnicastCase{"TrunkToTrunkForeignTag", 1, 2, tag(77), 0, VirtualActions{ToPort{portId(2)}}},
        UnicastCase{"TrunkToAccessOfTheTag", 1, 3, tag(10), 10, VirtualActions{flow::PopVlan{}, ToPort{portId(3)}}},
        UnicastCase{"TrunkToAccessOfTheTagWithPriority", 1, 3, tag(10, 5), 10, VirtualActions{flow::PopVlan{}, ToPort{portId(3)}}},
        UnicastCase{"TrunkToAccessUntagged", 1, 3, {}, 0, std::nullopt},
        UnicastCase{"TrunkToAccessOtherTag", 1, 3, tag(20), 20, std::nullopt},
        UnicastCase{"TrunkToAccessPriorityTag", 1, 3, tag(0, 6), 0, std::nullopt},
        UnicastCase{"AccessToTrunk", 3, 1, {}, 10, VirtualActions{flow::PushVlan{tag(10)}, ToPort{portId(1)}}},
        UnicastCase{"AccessToTrunkTaggedInside", 3, 1, tag(20), 10, VirtualActions{flow::PushVlan{tag(10)}, ToPort{portId(1)}}},
        UnicastCase{"AccessToAccessSameVlan", 3, 4, {}, 10, VirtualActions{ToPort{portId(4)}}},
        UnicastCase{"AccessToAccessOtherVlan", 3, 5, {}, 10, std::nullopt}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(BridgeVlanTest, FloodFromTrunkOfATagThatHasAccessPorts) {
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), net::Mac::broadcast(), tag(10))).actions,
                ElementsAre(to(2), flow::PopVlan{}, to(3), to(4)));
}

TEST_F(BridgeVlanTest, FloodFromTrunkOfATagWithoutAccessPortsStaysOnTrunks) {
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), net::Mac::broadcast(), tag(77))).actions, ElementsAre(to(2)));
}

TEST_F(BridgeVlanTest, UntaggedFloodFromTrunkStaysOnTrunks) {
    EXPECT_THAT(forwardFrom(2, frame(mac(1), net::Mac::broadcast())).actions, ElementsAre(to(1)));
}

TEST_F(BridgeVlanTest, FloodFromAccessReachesItsVlanAndTheTrunksTagged) {
    EXPECT_THAT(forwardFrom(3, frame(mac(1), net::Mac::broadcast())).actions,
                ElementsAre(to(4), flow::PushVlan{tag(10)}, to(1), to(2)));
}

TEST_F(BridgeVlanTest, TheTagAsReceivedGoesOutBeforeTheChangedOnes) {
    // Putting a tag back would lose its TPID and drop eligibility. Port 9 is a trunk behind the others.
    topology.port(activePort(9, bridge));
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), net::Mac::broadcast(), tag(10, 7))).actions,
                ElementsAre(to(2), to(9), flow::PopVlan{}, to(3), to(4)));
}

TEST_F(BridgeVlanTest, NothingFromAnAccessPortReachesAnotherVlan) {
    SnapshotBuilder two;
    auto a = activePort(1, bridge);
    a.vlan = net::VlanId{10};
    auto b = activePort(2, bridge);
    b.vlan = net::VlanId{20};
    two.bridge(bridge).port(a).port(b);
    for (const auto tci : {flow::VlanTci{}, tag(20), tag(10)}) {
        const auto key = tagged(mac(1), net::Mac::broadcast(), tci);
        EXPECT_EQ(std::get<Drop>(simulate({portId(1), key}, *two.build(), state)).reason, DropReason::NoReceivers);
    }
}

TEST_F(BridgeVlanTest, SameMacInTwoVlansIsTwoEntries) {
    known(mac(9), 3, 10);
    known(mac(9), 5, 20);
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), mac(9), tag(10))).actions, ElementsAre(flow::PopVlan{}, to(3)));
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), mac(9), tag(20))).actions, ElementsAre(flow::PopVlan{}, to(5)));
}

TEST_F(BridgeVlanTest, HairpinIsOfTheSameVlanOnly) {
    known(mac(9), 1, 10);
    EXPECT_EQ(dropFrom(1, tagged(mac(1), mac(9), tag(10))).reason, DropReason::Hairpin);
    EXPECT_THAT(forwardFrom(1, tagged(mac(1), mac(9), tag(77))).actions, ElementsAre(to(2)));
}

}  // namespace
}  // namespace midonet::simulation::testing
