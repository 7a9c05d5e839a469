// The rules of a bridge without VLANs: learning, unicast, flood, admin states (reference 3.3 to 3.7).
#include "simulation/tests/bridge_fixture.h"

namespace midonet::simulation::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST_F(BridgeFixture, KnownUnicastGoesToTheOnePortOfItsDestination) {
    state.setMac(bridge, {}, mac(2), portId(2));
    const auto result = forwardFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(result.actions, toPorts({2}));
    EXPECT_THAT(tags(result),
                UnorderedElementsAre(FlowTag::device(portId(1).uuid()), FlowTag::device(bridge.uuid()),
                                     FlowTag::device(portId(2).uuid()), vlanPort(mac(1), 1), vlanPort(mac(2), 2),
                                     FlowTag::routerMac(bridge, mac(2))));
}

TEST_F(BridgeFixture, KnownUnicastLeavesThroughAPortOfAnotherHostInTheSameWay) {
    state.setMac(bridge, {}, mac(4), portId(4));
    EXPECT_EQ(forwardFrom(1, frame(mac(1), mac(4))).actions, toPorts({4}));
}

TEST_F(BridgeFixture, UnicastLooksAtTheMacsOnly) {
    state.setMac(bridge, {}, mac(2), portId(2));
    auto mask = forwardFrom(1, frame(mac(1), mac(2))).mask;
    EXPECT_TRUE(mask.has(Field::EthSource));
    EXPECT_TRUE(mask.has(Field::EthDestination));
    for (const auto field : {Field::EtherType, Field::IpSource, Field::IpDestination, Field::IpProtocol, Field::IpTos,
                             Field::IpTtl, Field::L4Source, Field::L4Destination})
        EXPECT_FALSE(mask.has(field)) << static_cast<int>(field);
}

TEST_F(BridgeFixture, SourceIsLearnedBehindTheIngressPort) {
    const auto result = forwardFrom(1, frame(mac(1), mac(2)));
    EXPECT_THAT(result.effects, ElementsAre(Effect{learned(mac(1), 1)}));
    EXPECT_THAT(tags(result), Contains(vlanPort(mac(1), 1)));
}

TEST_F(BridgeFixture, SimulationItselfLearnsNothing) {
    forwardFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(state.macs(), 0U);
}

TEST_F(BridgeFixture, UnknownUnicastIsFloodedToAllOthersLocalAndRemote) {
    const auto result = forwardFrom(2, frame(mac(2), mac(9)));
    EXPECT_EQ(result.actions, toPorts({1, 3, 4}));
    EXPECT_THAT(tags(result), UnorderedElementsAre(FlowTag::device(portId(2).uuid()), FlowTag::device(bridge.uuid()),
                                                   vlanPort(mac(2), 2), vlanFlood(mac(9)), FlowTag::broadcast(bridge),
                                                   FlowTag::routerMac(bridge, mac(9)), FlowTag::device(portId(1).uuid()),
                                                   FlowTag::device(portId(3).uuid()), FlowTag::device(portId(4).uuid())));
}

TEST_F(BridgeFixture, BroadcastAndMulticastAreFlooded) {
    for (const auto destination : {net::Mac::broadcast(), net::Mac{0x333300000001ULL}, net::Mac{0x01005e000001ULL}}) {
        const auto result = forwardFrom(1, frame(mac(1), destination));
        EXPECT_EQ(result.actions, toPorts({2, 3, 4}));
        EXPECT_THAT(tags(result), Contains(FlowTag::broadcast(bridge)));
        EXPECT_THAT(tags(result), Not(Contains(vlanFlood(destination))));
    }
}

TEST_F(BridgeFixture, MulticastDestinationIsNeverLookedUp) {
    state.setMac(bridge, {}, net::Mac::broadcast(), portId(2));
    EXPECT_EQ(forwardFrom(1, frame(mac(1), net::Mac::broadcast())).actions, toPorts({2, 3, 4}));
}

TEST_F(BridgeFixture, MulticastSourceIsDroppedAndNotLearned) {
    const auto drop = dropFrom(1, frame(net::Mac{0x01005e000001ULL}, mac(2)));
    EXPECT_EQ(drop.reason, DropReason::MulticastSource);
    EXPECT_THAT(drop.effects, IsEmpty());
    EXPECT_FALSE(drop.mask.has(Field::EthDestination));
}

TEST_F(BridgeFixture, NoHairpin) {
    state.setMac(bridge, {}, mac(2), portId(1));
    const auto drop = dropFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(drop.reason, DropReason::Hairpin);
    EXPECT_THAT(tags(drop), Contains(vlanPort(mac(2), 1))) << "the flow must end when the destination moves";
    EXPECT_THAT(drop.effects, ElementsAre(Effect{learned(mac(1), 1)})) << "a dropped frame is learned from too";
}

TEST_F(BridgeFixture, FrameToItsOwnSourceIsAHairpinEvenWhenTheSourceIsNew) {
    EXPECT_EQ(dropFrom(1, frame(mac(1), mac(1))).reason, DropReason::Hairpin);
}

TEST_F(BridgeFixture, FrameToItsOwnSourceThatWasElsewhereIsAHairpin) {
    state.setMac(bridge, {}, mac(1), portId(2));
    const auto drop = dropFrom(1, frame(mac(1), mac(1)));
    EXPECT_EQ(drop.reason, DropReason::Hairpin);
    EXPECT_THAT(tags(drop), Contains(vlanPort(mac(1), 1)));
}

TEST_F(BridgeFixture, IngressPortDown) {
    auto down = activePort(1, bridge);
    down.adminUp = false;
    topology.port(down);
    const auto drop = dropFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(drop.reason, DropReason::PortAdminDown);
    EXPECT_EQ(drop.flowClass, FlowClass::Normal);
    EXPECT_THAT(tags(drop), ElementsAre(FlowTag::device(portId(1).uuid())));
    EXPECT_EQ(drop.mask, flow::FlowMask{}) << "one flow drops everything from this port";
    EXPECT_THAT(drop.effects, IsEmpty());
}

TEST_F(BridgeFixture, EgressPortDown) {
    auto down = activePort(2, bridge);
    down.adminUp = false;
    topology.port(down);
    state.setMac(bridge, {}, mac(2), portId(2));
    const auto drop = dropFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(drop.reason, DropReason::PortAdminDown);
    EXPECT_THAT(tags(drop), Contains(FlowTag::device(portId(2).uuid())));
}

TEST_F(BridgeFixture, BridgeDown) {
    topology.bridge(bridge, false);
    const auto drop = dropFrom(1, frame(mac(1), mac(2)));
    EXPECT_EQ(drop.reason, DropReason::BridgeAdminDown);
    EXPECT_THAT(tags(drop), Contains(FlowTag::device(bridge.uuid())));
    EXPECT_THAT(drop.effects, IsEmpty());
    EXPECT_EQ(drop.mask, flow::FlowMask{}) << "one flow drops everything from this port";
}

TEST_F(BridgeFixture, PortThatIsDownIsLeftOutOfAFlood) {
    auto down = activePort(2, bridge);
    down.adminUp = false;
    topology.port(down);
    EXPECT_EQ(forwardFrom(1, frame(mac(1), net::Mac::broadcast())).actions, toPorts({3, 4}));
}

TEST_F(BridgeFixture, InactivePortIsLeftOutOfAFlood) {
    auto inactive = activePort(4, bridge, 2);
    inactive.active = false;
    topology.port(inactive);
    EXPECT_EQ(forwardFrom(1, frame(mac(1), net::Mac::broadcast())).actions, toPorts({2, 3}));
}

TEST_F(BridgeFixture, FloodThatLeavesOutACopyEndsWhenWhatTheCopyWaitsForIsThere) {
    auto waits = activePort(2, bridge);
    waits.outboundFilter = topology::testing::chainId(1);
    topology.port(waits);
    const auto result = forwardFrom(1, frame(mac(1), mac(9)));
    EXPECT_EQ(result.actions, toPorts({3, 4}));
    EXPECT_THAT(tags(result), Contains(FlowTag::device(topology::testing::chainId(1).uuid())));
    EXPECT_EQ(result.flowClass, FlowClass::Error);
}

TEST_F(BridgeFixture, UnboundPortIsNeverFloodedTo) {
    auto unbound = activePort(4, bridge);
    unbound.host = {};
    topology.port(unbound);
    EXPECT_EQ(forwardFrom(1, frame(mac(1), net::Mac::broadcast())).actions, toPorts({2, 3}));
}

TEST_F(BridgeFixture, InactiveEgressIsAShortDropThatItsReturnEnds) {
    auto inactive = activePort(4, bridge, 2);
    inactive.active = false;
    topology.port(inactive);
    state.setMac(bridge, {}, mac(4), portId(4));
    const auto drop = dropFrom(1, frame(mac(1), mac(4)));
    EXPECT_EQ(drop.reason, DropReason::EgressPortInactive);
    EXPECT_EQ(drop.flowClass, FlowClass::Error);
    EXPECT_THAT(tags(drop), Contains(FlowTag::device(portId(4).uuid())));
}

TEST_F(BridgeFixture, EntryOfAnUnboundOrMissingPortIsFlooded) {
    auto unbound = activePort(4, bridge);
    unbound.host = {};
    topology.port(unbound);
    state.setMac(bridge, {}, mac(4), portId(4));
    state.setMac(bridge, {}, mac(5), portId(5));
    for (const unsigned gone : {4U, 5U}) {
        const auto result = forwardFrom(1, frame(mac(1), mac(gone)));
        EXPECT_EQ(result.actions, toPorts({2, 3}));
        EXPECT_THAT(result.tags, Contains(vlanPort(mac(gone), gone))) << "the machine's next frame ends it";
        EXPECT_THAT(result.tags, Contains(FlowTag::device(portId(gone).uuid()))) << "and so does the port's return";
    }
}

TEST_F(BridgeFixture, MacEntryThatNamesAPortOfAnotherBridgeLeaksNothing) {
    topology.bridge(bridgeId(2)).port(activePort(8, bridgeId(2)));
    state.setMac(bridge, {}, mac(8), portId(8));
    const auto result = forwardFrom(1, frame(mac(1), mac(8)));
    EXPECT_EQ(result.actions, toPorts({2, 3, 4}));
    EXPECT_THAT(result.tags, Contains(vlanPort(mac(8), 8)));
}

TEST_F(BridgeFixture, AloneOnTheBridge) {
    SnapshotBuilder lonely;
    lonely.bridge(bridge).port(activePort(1, bridge));
    const auto key = frame(mac(1), net::Mac::broadcast());
    const auto result = simulate({portId(1), key}, *lonely.build(), state);
    const auto& drop = std::get<Drop>(result);
    EXPECT_EQ(drop.reason, DropReason::NoReceivers);
    EXPECT_THAT(tags(drop), Contains(FlowTag::broadcast(bridge))) << "a first receiver ends it";
    EXPECT_THAT(drop.effects, ElementsAre(Effect{learned(mac(1), 1)}));
}

TEST_F(BridgeFixture, TablesOfTwoBridgesAreApart) {
    state.setMac(bridgeId(2), {}, mac(2), portId(2));
    EXPECT_EQ(forwardFrom(1, frame(mac(1), mac(2))).actions, toPorts({2, 3, 4})) << "unknown here";
}

TEST_F(BridgeFixture, TagsPassThroughABridgeWithoutVlans) {
    auto key = frame(mac(1), mac(2));
    key.vlan = flow::VlanTci::tagged(net::VlanId{100}, 3);
    const auto result = forwardFrom(1, key);
    EXPECT_EQ(result.actions, toPorts({2, 3, 4}));
    EXPECT_THAT(result.effects, ElementsAre(Effect{learned(mac(1), 1, 0)})) << "one table for all tags";
}

TEST_F(BridgeFixture, WaitsForAPortThatIsNotLoaded) {
    const auto result = simulateFrom(77, frame(mac(1), mac(2)));
    EXPECT_EQ(std::get<Park>(result).until, FlowTag::device(portId(77).uuid()));
}

TEST_F(BridgeFixture, WaitsForABridgeThatIsNotLoaded) {
    topology.port(activePort(77, bridgeId(9)));
    const auto result = simulateFrom(77, frame(mac(1), mac(2)));
    EXPECT_EQ(std::get<Park>(result).until, FlowTag::device(bridgeId(9).uuid()));
}

}  // namespace
}  // namespace midonet::simulation::testing
