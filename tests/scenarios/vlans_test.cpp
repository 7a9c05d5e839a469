// Trunks and access ports, on one host and across two (reference 3.5, 3.7).
#include <gtest/gtest.h>

#include "matchers.h"
#include "packet/protocols.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using flow::DropReason;
using ::testing::Contains;

class VlansTest : public ::testing::Test {
protected:
    World world;
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm trunk = world.vm(bridge, first);
    const Vm farTrunk = world.vm(bridge, second);
    const Vm ten = world.vm(bridge, first, {.vlan = 10});
    const Vm farTen = world.vm(bridge, second, {.vlan = 10});
    const Vm twenty = world.vm(bridge, second, {.vlan = 20});

    static Packet tagged(const net::Mac& source, const net::Mac& destination, unsigned id) {
        return eth(source, destination) / vlan(id) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x";
    }
    static Packet plain(const net::Mac& source, const net::Mac& destination) {
        return eth(source, destination) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x";
    }
};

TEST_F(VlansTest, FloodFromAnAccessPort) {
    const auto all = net::Mac::broadcast();
    EXPECT_THAT(world.send(ten, plain(ten.mac, all)),
                Delivers({{farTen, plain(ten.mac, all)}, {trunk, tagged(ten.mac, all, 10)}, {farTrunk, tagged(ten.mac, all, 10)}}));
}

TEST_F(VlansTest, FloodFromATrunk) {
    const auto all = net::Mac::broadcast();
    EXPECT_THAT(world.send(trunk, tagged(trunk.mac, all, 10)),
                Delivers({{ten, plain(trunk.mac, all)}, {farTen, plain(trunk.mac, all)}, {farTrunk, tagged(trunk.mac, all, 10)}}));
    EXPECT_THAT(world.send(trunk, tagged(trunk.mac, all, 20)),
                Delivers({{twenty, plain(trunk.mac, all)}, {farTrunk, tagged(trunk.mac, all, 20)}}));
    EXPECT_THAT(world.send(trunk, tagged(trunk.mac, all, 77)), Delivers({{farTrunk, tagged(trunk.mac, all, 77)}}));
    EXPECT_THAT(world.send(trunk, plain(trunk.mac, all)), Delivers({{farTrunk, plain(trunk.mac, all)}}));
}

TEST_F(VlansTest, UnicastBetweenTrunkAndAccess) {
    world.send(twenty, plain(twenty.mac, net::Mac::broadcast()));
    world.send(trunk, tagged(trunk.mac, net::Mac::broadcast(), 20));
    EXPECT_THAT(world.send(trunk, tagged(trunk.mac, twenty.mac, 20)), Delivers({{twenty, plain(trunk.mac, twenty.mac)}}));
    EXPECT_THAT(world.send(twenty, plain(twenty.mac, trunk.mac)), Delivers({{trunk, tagged(twenty.mac, trunk.mac, 20)}}));
}

TEST_F(VlansTest, AccessPortsOfDifferentVlansAreApart) {
    world.send(twenty, plain(twenty.mac, net::Mac::broadcast()));
    const auto frame = plain(ten.mac, twenty.mac);
    EXPECT_THAT(world.send(ten, frame), Delivers({{farTen, frame},
                                                  {trunk, tagged(ten.mac, twenty.mac, 10)},
                                                  {farTrunk, tagged(ten.mac, twenty.mac, 10)}}))
        << "unknown in VLAN 10, however well known in VLAN 20";
}

TEST_F(VlansTest, TagInsideATagIsCarried) {
    const auto inner = eth(ten.mac, net::Mac::broadcast()) / vlan(5) / "long enough for a kernel";
    const auto outer = eth(ten.mac, net::Mac::broadcast()) / vlan(10) / vlan(5) / "long enough for a kernel";
    EXPECT_THAT(world.send(ten, inner), Delivers({{farTen, inner}, {trunk, outer}, {farTrunk, outer}}));
}

TEST_F(VlansTest, PriorityAndProtocolOfATagArePreservedBetweenTrunks) {
    const auto frame = eth(trunk.mac, net::Mac::broadcast()) / vlan(10).priority(6).tpid(ethertype::kQinQ) / "long enough for a kernel";
    EXPECT_THAT(world.send(trunk, frame), Contains(Delivery{farTrunk.name, unpadded(frame.toBytes())}));
}

TEST_F(VlansTest, TagsInTablesThatNoPortHasAreSharedBetweenTrunks) {
    world.send(farTrunk, tagged(farTrunk.mac, net::Mac::broadcast(), 77));
    const auto third = world.vm(bridge, second);
    const auto frame = tagged(trunk.mac, farTrunk.mac, 77);
    EXPECT_THAT(world.send(trunk, frame), Delivers({{farTrunk, frame}}));
    world.send(third, tagged(farTrunk.mac, net::Mac::broadcast(), 77));
    EXPECT_THAT(world.send(trunk, frame), Delivers({{third, frame}})) << "it moved, and other hosts have heard";
}

TEST_F(VlansTest, PortThatBecomesAnAccessPortChangesFlowsAtOnce) {
    const auto all = net::Mac::broadcast();
    world.send(ten, plain(ten.mac, all));
    world.setVlan(farTrunk, 10);
    EXPECT_THAT(world.send(ten, plain(ten.mac, all)),
                Delivers({{farTen, plain(ten.mac, all)}, {farTrunk, plain(ten.mac, all)}, {trunk, tagged(ten.mac, all, 10)}}));
    world.setVlan(farTrunk, 0);
    EXPECT_THAT(world.send(ten, plain(ten.mac, all)),
                Delivers({{farTen, plain(ten.mac, all)}, {trunk, tagged(ten.mac, all, 10)}, {farTrunk, tagged(ten.mac, all, 10)}}));
}

TEST_F(VlansTest, LastVlanOfABridgeGoesAndItsTablesToo) {
    world.send(ten, plain(ten.mac, net::Mac::broadcast()));
    const auto watches = world.watchCount(first);
    world.setVlan(twenty, 0);
    EXPECT_EQ(world.watchCount(first), watches - 1) << "the table of VLAN 20 is followed no more";
    world.setVlan(ten, 0);
    world.setVlan(farTen, 0);
    EXPECT_EQ(world.watchCount(first), watches - 2);
    const auto frame = tagged(trunk.mac, net::Mac::broadcast(), 10);
    EXPECT_THAT(world.send(trunk, frame), DeliversTo({farTrunk, ten, farTen, twenty}, frame)) << "tags pass untouched";
}

}  // namespace
}  // namespace midonet::scenarios
