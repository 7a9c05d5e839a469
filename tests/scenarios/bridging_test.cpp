// One bridge, machines on one or two hosts: who gets what.
#include <gtest/gtest.h>

#include "matchers.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using flow::DropReason;

/// a and b on the first host, c on the second.
class BridgingTest : public ::testing::Test {
protected:
    World world;
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm a = world.vm(bridge, first);
    const Vm b = world.vm(bridge, first);
    const Vm c = world.vm(bridge, second);
    const net::Mac stranger{0x02ffffffffffULL};

    /// Everybody has spoken, so everybody is known.
    void introduceAll() {
        for (const auto& vm : {a, b, c}) world.sendOnce(vm, (eth(vm.mac, net::Mac::broadcast()) / "hello").toBytes());
    }
};

TEST_F(BridgingTest, KnownUnicastReachesItsMachineOnly) {
    introduceAll();
    const auto toB = eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "query";
    const auto toC = eth(a.mac, c.mac) / ipv4("10.0.0.1", "10.0.0.3") / udp(1000, 53) / "query";
    EXPECT_THAT(world.send(a, toB), Delivers({{b, toB}}));
    EXPECT_THAT(world.send(a, toC), Delivers({{c, toC}}));
    EXPECT_THAT(world.send(c, eth(c.mac, a.mac) / "x"), DeliversTo({a}, eth(c.mac, a.mac) / "x"));
}

TEST_F(BridgingTest, UnknownUnicastFloods) {
    const auto frame = eth(a.mac, stranger) / "anybody?";
    EXPECT_THAT(world.send(a, frame), DeliversTo({b, c}, frame));
}

TEST_F(BridgingTest, LearningOnOneHostEndsTheFloodOnAll) {
    const auto frame = eth(a.mac, c.mac) / "where are you";
    EXPECT_THAT(world.send(a, frame), DeliversTo({b, c}, frame));
    world.send(c, eth(c.mac, a.mac) / "here");
    EXPECT_THAT(world.send(a, frame), Delivers({{c, frame}})) << "the flood flow on the first host is gone";
}

TEST_F(BridgingTest, BroadcastReachesAllOthers) {
    const auto frame = eth(c.mac, net::Mac::broadcast()) / arpRequest(c.mac, "10.0.0.3", "10.0.0.1");
    EXPECT_THAT(world.send(c, frame), DeliversTo({a, b}, frame));
}

TEST_F(BridgingTest, MulticastSourceIsDropped) {
    EXPECT_THAT(world.send(a, eth(net::Mac{0x01005e000001ULL}, b.mac) / "x"), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::MulticastSource), 1U) << "the second one takes the drop flow";
}

TEST_F(BridgingTest, NothingComesBackToWhereItCameFrom) {
    introduceAll();
    EXPECT_THAT(world.send(a, eth(a.mac, a.mac) / "self"), DeliversNothing());
    // A second address behind the same port: a guest with a bridge of its own.
    const net::Mac inner{0x02aa00000001ULL};
    world.send(a, eth(inner, b.mac) / "x");
    EXPECT_THAT(world.send(a, eth(a.mac, inner) / "x"), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::Hairpin), 2U);
}

TEST_F(BridgingTest, SelfAddressedFirstFrameLeavesNoStaleFlow) {
    EXPECT_THAT(world.send(a, eth(a.mac, a.mac) / "self"), DeliversNothing());
}

TEST_F(BridgingTest, Ipv6NeighbourDiscoveryWorks) {
    const auto solicitation = eth(a.mac, "33:33:ff:00:00:03") / ipv6("fe80::1", "ff02::1:ff00:3").hopLimit(255) /
                              neighbourSolicitation("fe80::3", a.mac);
    EXPECT_THAT(world.send(a, solicitation), DeliversTo({b, c}, solicitation));
    const auto advertisement = eth(c.mac, a.mac) / ipv6("fe80::3", "fe80::1").hopLimit(255) / neighbourAdvertisement("fe80::3", c.mac);
    EXPECT_THAT(world.send(c, advertisement), Delivers({{a, advertisement}}));
    const auto echo = eth(a.mac, c.mac) / ipv6("fe80::1", "fe80::3") / icmpv6Echo(1, 1) / "ping";
    EXPECT_THAT(world.send(a, echo), Delivers({{c, echo}}));
}

TEST_F(BridgingTest, OneFlowServesEverythingBetweenTwoMachines) {
    introduceAll();
    world.send(a, eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x");
    const auto before = world.stats(first).upcalls;
    world.send(a, eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.9.9.9").ttl(3) / tcp(80, 1234));
    world.send(a, eth(a.mac, b.mac) / ipv6("fe80::1", "fe80::2") / udp(7, 7));
    world.send(a, eth(a.mac, b.mac) / arpReply(a.mac, "10.0.0.1", b.mac, "10.0.0.2"));
    EXPECT_EQ(world.stats(first).upcalls, before);
}

TEST_F(BridgingTest, MalformedNetworkLayersAreBridgedAsTheyAre) {
    introduceAll();
    const std::vector<Packet> broken{
        eth(a.mac, b.mac).type(0x0800) / "no IP header",
        eth(a.mac, b.mac).type(0x0800) / "",
        eth(a.mac, b.mac).type(0x86dd) / "short",
        eth(a.mac, b.mac).type(0x0806) / "no ARP either",
        eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2").totalLength(9) / udp(1, 2),
        eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2").protocol(6) / "x",
        eth(a.mac, b.mac).type(0x0010) / "802.3 length frame",
        eth(a.mac, b.mac).type(0x88cc) / "LLDP",
    };
    for (const auto& frame : broken) EXPECT_THAT(world.send(a, frame), Delivers({{b, frame}}));
}

TEST_F(BridgingTest, FragmentsOfBothKindsPass) {
    introduceAll();
    const auto firstPart = eth(a.mac, c.mac) / ipv4("10.0.0.1", "10.0.0.3").fragment(0, true) / udp(1, 2) / "12345678";
    const auto laterPart = eth(a.mac, c.mac) / ipv4("10.0.0.1", "10.0.0.3").fragment(16, false).protocol(17) / "rest";
    EXPECT_THAT(world.send(a, firstPart), Delivers({{c, firstPart}}));
    EXPECT_THAT(world.send(a, laterPart), Delivers({{c, laterPart}}));
}

TEST_F(BridgingTest, BridgesAreIsolated) {
    const auto other = world.bridge();
    const auto d = world.vm(other, first);
    const auto e = world.vm(other, second);
    introduceAll();
    const auto shout = eth(d.mac, net::Mac::broadcast()) / "x";
    EXPECT_THAT(world.send(d, shout), Delivers({{e, shout}}));
    // Even when a frame carries the address of a machine of the other bridge.
    const auto stray = eth(d.mac, a.mac) / "x";
    EXPECT_THAT(world.send(d, stray), Delivers({{e, stray}}));
}

TEST_F(BridgingTest, SameAddressOnTwoBridgesIsTwoMachines) {
    const auto other = world.bridge();
    const auto d = world.vm(other, first);
    const auto e = world.vm(other, second);
    introduceAll();
    world.send(e, eth(a.mac, net::Mac::broadcast()) / "I use that address too");
    const auto frame = eth(d.mac, a.mac) / "x";
    EXPECT_THAT(world.send(d, frame), Delivers({{e, frame}}));
    EXPECT_THAT(world.send(c, eth(c.mac, a.mac) / "x"), Delivers({{a, eth(c.mac, a.mac) / "x"}}));
}

TEST_F(BridgingTest, MacEntryWrittenByHandIsBelievedUntilLearnedOtherwise) {
    world.putMac(bridge, 0, stranger, c.port);
    const auto frame = eth(a.mac, stranger) / "x";
    EXPECT_THAT(world.send(a, frame), Delivers({{c, frame}}));
    world.send(b, eth(stranger, net::Mac::broadcast()) / "I am here");
    EXPECT_THAT(world.send(a, frame), Delivers({{b, frame}}));
}

TEST_F(BridgingTest, MacEntryThatNamesAPortOfAnotherBridgeLeaksNothing) {
    const auto other = world.bridge();
    const auto d = world.vm(other, first);
    world.putMac(bridge, 0, stranger, d.port);
    const auto frame = eth(a.mac, stranger) / "x";
    EXPECT_THAT(world.send(a, frame), DeliversTo({b, c}, frame)) << "flooded, but never into the other bridge";
}

TEST_F(BridgingTest, AloneOnABridgeNobodyHears) {
    const auto lonely = world.vm(world.bridge(), first);
    EXPECT_THAT(world.send(lonely, eth(lonely.mac, net::Mac::broadcast()) / "x"), DeliversNothing());
    EXPECT_EQ(world.drops(first, DropReason::NoReceivers), 1U);
}

TEST(SeveralWorkersTest, WorkersOfOneHostLearnFromEachOther) {
    World world{{.workers = 4}};
    const auto host = world.host();
    const auto bridge = world.bridge();
    std::vector<Vm> vms;
    for (int i = 0; i < 6; ++i) vms.push_back(world.vm(bridge, host));
    for (const auto& vm : vms) world.send(vm, eth(vm.mac, net::Mac::broadcast()) / "hello");
    for (const auto& from : vms)
        for (const auto& to : vms) {
            if (from.port == to.port) continue;
            const auto frame = eth(from.mac, to.mac) / "x";
            EXPECT_THAT(world.send(from, frame), Delivers({{to, frame}}));
        }
}

}  // namespace
}  // namespace midonet::scenarios
