#include "simulation/load_balancer.h"

#include <gtest/gtest.h>

#include <map>

#include "packet/builder.h"
#include "simulation/tests/rules_fixture.h"

namespace midonet::simulation::testing {
namespace {

using flowstate::KeyKind;
using topology::LoadBalancer;
using topology::PoolMember;
using LbKind = LoadBalancerResult::Kind;

struct Balanced {
    LoadBalancerResult result;
    flow::FlowKey now;
    Uuid deviceAfter;
    std::optional<PacketWalk::IcmpData> inside;
    Decision decision;
};

class Balancer : public ::testing::Test {
protected:
    Balancer() {
        balancer.id = LoadBalancerId{Uuid{0x6c62, 1}};
        balancer.vips.push_back({VipId{Uuid{0x7a, 1}}, true, ip("1.1.1.1").v4(), 80, false, 300, 0});
        balancer.pools.push_back({PoolId{Uuid{0x70, 1}}, true, {member(1), member(2), member(3)}});
    }
    static PoolMember member(std::uint64_t n, std::uint32_t weight = 1) {
        return {PoolMemberId{Uuid{0x6d, n}}, net::Ipv4Address{0x0a000000U + static_cast<std::uint32_t>(n)}, 8080, weight, true, true};
    }
    PoolMember& memberAt(const net::IpAddress& address) {
        for (auto& m : balancer.pools[0].members)
            if (net::IpAddress{m.address} == address) return m;
        throw std::logic_error("no such member");
    }
    Balanced run(LoadBalancerResult (*step)(PacketWalk&, const topology::Router&), const flow::FlowKey& key, ByteView frame = {}) {
        topology::Router router;
        router.loadBalancer = std::make_shared<LoadBalancer>(balancer);
        const PacketContext packet{in.id, key, frame};
        const auto topology = SnapshotBuilder{}.build();
        PacketWalk walk(packet, *topology, state, nullptr);
        walk.place = {&in, nullptr, &in, false};
        Balanced out;
        out.result = step(walk, router);
        out.now = walk.peek();
        out.deviceAfter = walk.device();
        if (!frame.empty()) out.inside = walk.icmpData();
        out.decision = std::get<Consume>(walk.result(PacketWalk::consume()));
        state.remember(out.decision);
        return out;
    }
    Balanced from(unsigned port, const char* client = "9.9.9.9") { return run(balance, tcpKey(client, port, "1.1.1.1", 80)); }
    Balanced answer(const net::IpAddress& backend, unsigned port) {
        return run(unbalance, tcpKey(backend.toString().c_str(), 8080, "9.9.9.9", port));
    }

    LoadBalancer balancer;
    const topology::Port in = routerPort(1);
    FakeState state;
};

TEST_F(Balancer, ThereAndBack) {
    const auto there = from(1000);
    EXPECT_EQ(there.result.kind, LbKind::Accept);
    EXPECT_EQ(there.now.l4Destination, 8080);
    EXPECT_NE(there.now.ipDestination, ip("1.1.1.1"));
    EXPECT_EQ(there.deviceAfter, in.device()) << "the router is the device again";
    EXPECT_EQ(there.decision.events.size(), 2U);
    EXPECT_EQ(std::get<AddState>(there.decision.events[0]).entry.key.device, balancer.id.uuid());
    EXPECT_TRUE(from(1000).decision.events.empty()) << "known by now";

    const auto back = answer(there.now.ipDestination, 1000);
    EXPECT_EQ(back.result.kind, LbKind::Accept);
    EXPECT_EQ(back.now.ipSource, ip("1.1.1.1"));
    EXPECT_EQ(back.now.l4Source, 80);
}

TEST_F(Balancer, OtherPacketsPassWithFewFieldsSeen) {
    const auto elsewhere = run(balance, tcpKey("9.9.9.9", 1, "129.0.0.1", 80));
    EXPECT_EQ(elsewhere.result.kind, LbKind::Continue);
    EXPECT_EQ(elsewhere.decision.mask.destinationBits(), 1U);
    EXPECT_FALSE(elsewhere.decision.mask.has(Field::IpProtocol));
    EXPECT_EQ(elsewhere.decision.tags.size(), 1U) << "the load balancer itself";
    EXPECT_EQ(run(balance, tcpKey("9.9.9.9", 1, "1.1.1.1", 81)).result.kind, LbKind::Continue);
    EXPECT_EQ(run(balance, packetKey(17, "9.9.9.9", 1, "1.1.1.1", 80)).result.kind, LbKind::Continue);
    EXPECT_EQ(run(balance, tcpKey("2001:db8::1", 1, "2001:db8::2", 80)).result.kind, LbKind::Continue);
    EXPECT_EQ(run(unbalance, tcpKey("10.0.0.1", 8080, "9.9.9.9", 1)).result.kind, LbKind::Continue);
    balancer.vips[0].adminUp = false;
    EXPECT_EQ(from(1).result.kind, LbKind::Continue);
    balancer.vips[0].adminUp = true;
    balancer.adminUp = false;
    EXPECT_EQ(from(1).result.kind, LbKind::Continue);

    topology::Router none;
    const auto key = tcpKey("9.9.9.9", 1, "1.1.1.1", 80);
    const auto topology = SnapshotBuilder{}.build();
    PacketWalk walk({in.id, key}, *topology, state, nullptr);
    EXPECT_EQ(balance(walk, none).kind, LbKind::Continue);
    EXPECT_EQ(unbalance(walk, none).kind, LbKind::Continue);
}

TEST_F(Balancer, SharesFollowWeights) {
    balancer.pools[0].members = {member(1, 1), member(2, 3), member(3, 0)};
    std::map<net::IpAddress, unsigned> share;
    for (unsigned port = 1; port <= 2000; ++port) ++share[from(port).now.ipDestination];
    EXPECT_EQ(share.size(), 2U) << "weight 0 takes nothing new";
    EXPECT_NEAR(share[ip("10.0.0.1")], 500, 100);
}

TEST_F(Balancer, AMemberThatGoesMovesOnlyItsOwn) {
    std::map<unsigned, net::IpAddress> before;
    for (unsigned port = 1; port <= 200; ++port) before[port] = from(port).now.ipDestination;
    state.entries.clear();
    memberAt(ip("10.0.0.2")).healthy = false;
    for (const auto& [port, address] : before) {
        const auto now = from(port).now.ipDestination;
        EXPECT_EQ(now == address, address != ip("10.0.0.2"));
    }
}

TEST_F(Balancer, PoolDownDrops) {
    balancer.pools[0].adminUp = false;
    EXPECT_EQ(from(1).result.kind, LbKind::Drop);
    balancer.pools[0] = {PoolId{}, true, {member(1, 0)}};
    EXPECT_EQ(from(1).result.kind, LbKind::Drop);
    EXPECT_EQ(from(1).result.reason, flow::DropReason::PoolDown);
}

TEST_F(Balancer, SwitchedOffMembersFinishTheirConnections) {
    const auto backend = from(1000).now.ipDestination;
    memberAt(backend).adminUp = false;
    EXPECT_EQ(from(1000).now.ipDestination, backend);
    EXPECT_EQ(answer(backend, 1000).result.kind, LbKind::Accept);
    for (auto& m : balancer.pools[0].members) m.adminUp = false;
    EXPECT_EQ(from(1000).now.ipDestination, backend) << "even if it is the last one";
    EXPECT_EQ(from(1001).result.kind, LbKind::Drop);
}

TEST_F(Balancer, UnhealthyMembersLoseTheirs) {
    const auto backend = from(1000).now.ipDestination;
    memberAt(backend).healthy = false;
    EXPECT_EQ(answer(backend, 1000).result.kind, LbKind::Drop);
    const auto moved = from(1000);
    EXPECT_EQ(moved.result.kind, LbKind::Accept);
    EXPECT_NE(moved.now.ipDestination, backend);
    ASSERT_EQ(moved.decision.events.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<RemoveState>(moved.decision.events[0]));
    EXPECT_TRUE(std::holds_alternative<RemoveState>(moved.decision.events[1]));
    EXPECT_EQ(from(1000).now.ipDestination, moved.now.ipDestination);
}

TEST_F(Balancer, StickyClientsKeepOneMember) {
    balancer.vips[0].stickySource = true;
    const auto first = from(1000);
    const auto backend = first.now.ipDestination;
    const auto& entry = std::get<AddState>(first.decision.events.at(0)).entry;
    EXPECT_EQ(entry.key.kind, KeyKind::StickyNat);
    EXPECT_EQ(entry.key.sourcePort, 0);
    EXPECT_EQ(entry.idleSeconds, 300U);
    for (unsigned port = 1001; port < 1050; ++port) EXPECT_EQ(from(port).now.ipDestination, backend);
    const auto back = answer(backend, 1049);
    EXPECT_EQ(back.now.ipSource, ip("1.1.1.1"));
    EXPECT_EQ(back.now.l4Destination, 1049);

    memberAt(backend).adminUp = false;
    EXPECT_EQ(answer(backend, 1049).result.kind, LbKind::Drop);
    EXPECT_NE(from(1000).now.ipDestination, backend) << "sticky ones move at once";
    for (auto& m : balancer.pools[0].members) m.adminUp = false;
    EXPECT_EQ(from(1000).result.kind, LbKind::Drop);
}

TEST_F(Balancer, AnswersOfWhatIsGoneAreDropped) {
    const auto backend = from(1000).now.ipDestination;
    balancer.adminUp = false;
    EXPECT_EQ(answer(backend, 1000).result.kind, LbKind::Drop);
    balancer.adminUp = true;
    balancer.vips[0].adminUp = false;
    EXPECT_EQ(answer(backend, 1000).result.kind, LbKind::Drop);
    balancer.vips[0].adminUp = true;
    balancer.pools[0].members.clear();
    EXPECT_EQ(answer(backend, 1000).result.kind, LbKind::Drop);
}

TEST_F(Balancer, ErrorsFollowTheirConnection) {
    const auto backend = from(1000).now.ipDestination;
    auto raw = (packet::ipv4("1.1.1.1", "9.9.9.9") / packet::tcp(80, 1000)).toBytes();
    raw.resize(28);
    const auto frame = (packet::eth("02:00:00:00:00:01", "02:00:00:00:00:02") / packet::ipv4("7.7.7.7", "1.1.1.1") / packet::icmp(3, 4) /
                        std::move(raw)).toBytes();
    const auto key = packetKey(1, "7.7.7.7", 3, "1.1.1.1", 4);
    const auto ran = run(balance, key, frame);
    EXPECT_EQ(ran.result.kind, LbKind::Accept);
    EXPECT_EQ(ran.now.ipDestination, backend);
    ASSERT_TRUE(ran.inside);
    EXPECT_EQ(ran.inside->source, backend);
    EXPECT_EQ(ran.inside->sourcePort, 8080);
    state.entries.clear();
    EXPECT_EQ(run(balance, key, frame).result.kind, LbKind::Continue) << "an error opens no connection";
}

}  // namespace
}  // namespace midonet::simulation::testing
