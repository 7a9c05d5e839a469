// An address of the world outside for one machine inside: translated both ways, without state.
#include "nat_fixture.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using model::Condition;
using model::Rule;
using ::testing::SizeIs;

/// 172.16.0.100 is a, or what a test says.
class FloatingIpTest : public NatTest {
protected:
    FloatingIpTest() { assignTo("10.0.0.2"); }
    void assignTo(const char* fixed) {
        const auto toFloating = [](Condition& c) { c.set_nw_dst_address("172.16.0.100"), c.set_nw_dst_length(32); };
        const auto fromFixed = [&](Condition& c) { c.set_nw_src_address(fixed), c.set_nw_src_length(32); };
        network.setRouterFilters(router, network.chain({when(nat(Rule::DNAT, fixed, fixed), toFloating)}),
                                 network.chain({when(nat(Rule::SNAT, "172.16.0.100", "172.16.0.100"), fromFixed)}));
    }
    Packet atOutside(Packet l4) const {
        return eth(outside.port.mac, outside.machine.mac) / ipv4("172.16.0.100", "198.51.100.7").ttl(63) / std::move(l4);
    }
    /// The IPv4 header and the next eight bytes of a packet, as an ICMP error quotes them.
    static Frame quoted(const Packet& packet) {
        const auto whole = packet.toBytes();
        return Frame(whole.begin() + 14, whole.begin() + 14 + 28);
    }
    static net::Ipv4Address addressAt(const Delivery& delivery, std::size_t offset) {
        return net::Ipv4Address::fromWire(delivery.frame.data() + headersOf(delivery).payloadOffset + offset);
    }
    static constexpr std::size_t kQuotedSource = 12, kQuotedDestination = 16;
};

TEST_F(FloatingIpTest, TcpUdpAndPingsBothWaysWithoutState) {
    const std::vector<std::pair<Packet, Packet>> conversations = {
        {tcp(5000, 22), tcp(22, 5000)}, {udp(5000, 53) / "question", udp(53, 5000) / "answer"}, {icmpEcho(7, 1), icmpEchoReply(7, 1)}};
    for (const auto& [question, answer] : conversations) {
        EXPECT_THAT(world.send(outside.machine, in("172.16.0.100", question)), Delivers({{a, atA(question)}}));
        EXPECT_THAT(world.send(a, out(a, addressOfA(), answer)), Delivers({{outside.machine, atOutside(answer)}}));
    }
    EXPECT_EQ(world.stats(first).natPortsTaken, 0U);
    EXPECT_EQ(world.agent(first).states().size(), 0U);
}

TEST_F(FloatingIpTest, TracerouteFromOutside) {
    const auto probe = [&](std::uint8_t ttl) {
        return eth(outside.machine.mac, outside.port.mac) / ipv4("198.51.100.7", "172.16.0.100").ttl(ttl) / udp(40000, 33434) / "probe";
    };
    const auto atRouter = world.sendOnce(outside.machine, probe(1).toBytes());
    ASSERT_THAT(atRouter, SizeIs(1));
    EXPECT_EQ(headersOf(atRouter[0]).sourcePort, 11) << "time exceeded";
    EXPECT_EQ(headersOf(atRouter[0]).ipSource.toString(), "172.16.0.2");
    EXPECT_EQ(addressAt(atRouter[0], kQuotedDestination).toString(), "172.16.0.100") << "as the sender knows it";

    const auto atMachine = eth(inside.mac, a.mac) / ipv4("198.51.100.7", "10.0.0.2").ttl(1) / udp(40000, 33434) / "probe";
    EXPECT_THAT(world.send(outside.machine, probe(2)), Delivers({{a, atMachine}}));
    const auto answer = world.sendOnce(a, out(a, addressOfA(), icmp(3, 3) / quoted(atMachine)).toBytes());
    ASSERT_THAT(answer, SizeIs(1));
    EXPECT_EQ(answer[0].vm, outside.machine.name);
    EXPECT_EQ(headersOf(answer[0]).ipSource.toString(), "172.16.0.100");
    EXPECT_EQ(addressAt(answer[0], kQuotedDestination).toString(), "172.16.0.100");
}

TEST_F(FloatingIpTest, TracerouteFromInside) {
    const auto probe = [&](std::uint8_t ttl) { return eth(a.mac, inside.mac) / ipv4("10.0.0.2", "198.51.100.7").ttl(ttl) / udp(40000, 33434) / "probe"; };
    const auto atRouter = world.sendOnce(a, probe(1).toBytes());
    ASSERT_THAT(atRouter, SizeIs(1));
    EXPECT_EQ(headersOf(atRouter[0]).ipSource.toString(), "10.0.0.1");
    EXPECT_EQ(addressAt(atRouter[0], kQuotedSource).toString(), "10.0.0.2");

    const auto beyond = eth(outside.port.mac, outside.machine.mac) / ipv4("172.16.0.100", "198.51.100.7").ttl(1) / udp(40000, 33434) / "probe";
    EXPECT_THAT(world.send(a, probe(2)), Delivers({{outside.machine, beyond}}));
    const auto error = eth(outside.machine.mac, outside.port.mac) / ipv4("172.16.0.1", "172.16.0.100") / icmp(11, 0) / quoted(beyond);
    const auto answer = world.sendOnce(outside.machine, error.toBytes());
    ASSERT_THAT(answer, SizeIs(1));
    EXPECT_EQ(answer[0].vm, a.name);
    EXPECT_EQ(headersOf(answer[0]).ipDestination.toString(), "10.0.0.2");
    EXPECT_EQ(addressAt(answer[0], kQuotedSource).toString(), "10.0.0.2");
}

TEST_F(FloatingIpTest, OfAPortOfTheRouterAnswersPings) {
    assignTo("10.0.0.1");
    const auto got = world.sendOnce(outside.machine, in("172.16.0.100", icmpEcho(7, 1)).toBytes());
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(got[0].vm, outside.machine.name);
    EXPECT_EQ(headersOf(got[0]).sourcePort, 0) << "echo reply";
    EXPECT_EQ(headersOf(got[0]).ipSource.toString(), "172.16.0.100") << "the address that was asked";
}

TEST_F(FloatingIpTest, FollowsItsAddressToAnotherMachine) {
    const auto question = in("172.16.0.100", tcp(5000, 22));
    EXPECT_THAT(world.send(outside.machine, question), Delivers({{a, atA(tcp(5000, 22))}}));
    const net::Mac shared{0x00005e000101ULL};
    // With the machine's own MAC, and with one that the machines share.
    for (const auto& [vm, mac] : {std::pair{b, b.mac}, std::pair{a, a.mac}, std::pair{b, shared}, std::pair{a, shared}}) {
        world.sendOnce(vm, (eth(mac, net::Mac::broadcast()) / arpReply(mac, "10.0.0.2", mac, "10.0.0.2")).toBytes());
        EXPECT_THAT(world.send(outside.machine, question),
                    Delivers({{vm, eth(inside.mac, mac) / ipv4("198.51.100.7", "10.0.0.2").ttl(63) / tcp(5000, 22)}}))
            << vm.name << " has it by " << mac.toString();
    }
}

}  // namespace
}  // namespace midonet::scenarios
