#include "simulation/worker_state.h"

#include <gmock/gmock.h>

namespace midonet::simulation {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const BridgeId kA{Uuid{1, 1}};
const BridgeId kB{Uuid{1, 2}};
const PortId kOne{Uuid{2, 1}};
const PortId kTwo{Uuid{2, 2}};
const net::Mac kMac{0x020000000001ULL};
const net::Mac kOtherMac{0x020000000002ULL};
const RouterId kRouter{Uuid{3, 1}};
const RouterId kOtherRouter{Uuid{3, 2}};
const net::Ipv4Address kAddress{0x0a000001};
const net::Ipv4Address kNext{0x0a000002};
const event::TimePoint kNow{std::chrono::hours{1}};

TEST(WorkerStateTest, SetSaysWhatWasBefore) {
    WorkerState state;
    EXPECT_EQ(state.setMac(kA, {}, kMac, kOne), std::nullopt);
    EXPECT_EQ(state.setMac(kA, {}, kMac, kTwo), kOne);
    EXPECT_EQ(state.setMac(kA, {}, kMac, kTwo), kTwo);
    EXPECT_EQ(state.macPort(kA, {}, kMac), kTwo);
    EXPECT_EQ(state.macs(), 1U);
}

TEST(WorkerStateTest, RemoveSaysWhatWasThere) {
    WorkerState state;
    EXPECT_EQ(state.removeMac(kA, {}, kMac), std::nullopt);
    state.setMac(kA, {}, kMac, kOne);
    EXPECT_EQ(state.removeMac(kA, {}, kMac), kOne);
    EXPECT_EQ(state.macPort(kA, {}, kMac), std::nullopt);
    EXPECT_EQ(state.macs(), 0U);
}

TEST(WorkerStateTest, BridgeVlanAndMacAllCount) {
    WorkerState state;
    state.setMac(kA, net::VlanId{0}, kMac, kOne);
    state.setMac(kA, net::VlanId{5}, kMac, kTwo);
    EXPECT_EQ(state.macPort(kA, net::VlanId{0}, kMac), kOne);
    EXPECT_EQ(state.macPort(kA, net::VlanId{5}, kMac), kTwo);
    EXPECT_EQ(state.macPort(kB, net::VlanId{0}, kMac), std::nullopt);
    EXPECT_EQ(state.macPort(kA, net::VlanId{0}, kOtherMac), std::nullopt);
}

TEST(WorkerStateTest, ForEachMacGivesWhatWasSet) {
    WorkerState state;
    state.setMac(kB, net::VlanId{5}, kMac, kTwo);
    state.forEachMac([&](const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port) {
        EXPECT_EQ(std::tie(bridge, vlan, mac, port), std::tuple(kB, net::VlanId{5}, kMac, kTwo));
    });
}

TEST(WorkerStateTest, ArpEntriesAreOfARouterAndEndWhenTheirTimeIsOver) {
    WorkerState state;
    EXPECT_EQ(state.setArp(kRouter, kAddress, kMac, kNow + std::chrono::seconds{1}), std::nullopt);
    EXPECT_EQ(state.setArp(kRouter, kNext, kMac, kNow + std::chrono::seconds{2}), std::nullopt);
    EXPECT_EQ(state.arp(kRouter, kAddress), kMac);
    EXPECT_EQ(state.arp(kOtherRouter, kAddress), std::nullopt);
    EXPECT_THAT(state.expireArp(kNow), IsEmpty());
    EXPECT_THAT(state.expireArp(kNow + std::chrono::seconds{1}), UnorderedElementsAre(WorkerState::ArpKey{kRouter, kAddress}));
    EXPECT_EQ(state.arp(kRouter, kAddress), std::nullopt);
    EXPECT_EQ(state.arp(kRouter, kNext), kMac);
    EXPECT_EQ(state.arps(), 1U);
}

TEST(WorkerStateTest, ARenewedArpEntryLivesOn) {
    WorkerState state;
    state.setArp(kRouter, kAddress, kMac, kNow);
    EXPECT_EQ(state.setArp(kRouter, kAddress, kOtherMac, kNow + std::chrono::seconds{9}), kMac);
    EXPECT_THAT(state.expireArp(kNow), IsEmpty());
    EXPECT_EQ(state.removeArp(kRouter, kAddress), kOtherMac);
    EXPECT_EQ(state.removeArp(kRouter, kAddress), std::nullopt);
}

TEST(WorkerStateTest, BridgeArpIsApartFromTheArpOfRoutersAndFromMacs) {
    WorkerState state;
    EXPECT_EQ(state.setBridgeArp(kA, kAddress, kMac), std::nullopt);
    EXPECT_EQ(state.setBridgeArp(kA, kAddress, kOtherMac), kMac);
    EXPECT_EQ(state.bridgeArp(kA, kAddress), kOtherMac);
    EXPECT_EQ(state.bridgeArp(kB, kAddress), std::nullopt);
    EXPECT_EQ(state.arp(RouterId{kA.uuid()}, kAddress), std::nullopt);
    EXPECT_EQ(state.macs(), 0U);
    EXPECT_EQ(state.removeBridgeArp(kA, kAddress), kOtherMac);
    EXPECT_EQ(state.removeBridgeArp(kA, kAddress), std::nullopt);
}

TEST(WorkerStateTest, ConnectionStateIsThatOfTheAgent) {
    const flowstate::StateKey key{flowstate::KeyKind::SourceNat, 6, 1, 2, kAddress, kNext, kRouter.uuid()};
    const flowstate::Binding binding{kNext, 80};
    EXPECT_EQ(WorkerState{}.state(key), std::nullopt) << "without a table";
    flowstate::StateTable table;
    const WorkerState state{&table};
    EXPECT_EQ(state.state(key), std::nullopt);
    table.put({key, binding, 60}, kNow);
    EXPECT_EQ(state.state(key), binding);
}

TEST(WorkerStateTest, NatPortsAreThoseOfTheWorker) {
    const flowstate::NatRange range{kAddress, kAddress, 1, 65535};
    const flowstate::Binding remote{kNext, 80};
    EXPECT_EQ(WorkerState{}.freeNatPort(kRouter.uuid(), {&range, 1}, remote, 0), std::nullopt) << "without leased ports";
    flowstate::NatPorts ports;
    const WorkerState state{nullptr, &ports};
    EXPECT_EQ(state.freeNatPort(kRouter.uuid(), {&range, 1}, remote, 0), std::nullopt);
    ports.addBlock({kRouter.uuid(), kAddress, 5});
    const auto found = state.freeNatPort(kRouter.uuid(), {&range, 1}, remote, 0);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->address, net::IpAddress{kAddress});
    EXPECT_EQ(found->port / flowstate::kNatBlockPorts, 5U);
}

}  // namespace
}  // namespace midonet::simulation
