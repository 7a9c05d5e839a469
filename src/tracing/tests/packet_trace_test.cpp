#include "tracing/packet_trace.h"

#include <gmock/gmock.h>

#include "flow/drop_reason.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "topology/state_tables.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::tracing {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using topology::testing::bridgeId;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::routeId;
using topology::testing::routerId;

/// Bridge 1 (10.0.1.0/24) has port 1 on host 1 and port 2 on host 2; bridge 2 (10.0.2.0/24) port 3 on host 2. Router 1 is between, with the ports
/// 11 (10.0.1.1) and 12 (10.0.2.1). Behind port n is the machine with the MAC 02:00:00:00:00:0n.
class PacketTraceTest : public testing::Test {
protected:
    PacketTraceTest() {
        change([](nsdb::Transaction& t) -> Result<void> {
            for (std::uint64_t n : {1, 2}) {
                TRY_VOID(t.create(named<model::Host>(hostId(n).uuid())));
                TRY_VOID(t.create(named<model::Bridge>(bridgeId(n).uuid())));
            }
            TRY_VOID(t.create(named<model::Router>(routerId(1).uuid())));
            TRY_VOID(t.create(named<model::Chain>(Uuid{7, 7})));
            for (const auto& [port, bridge, host] : {std::tuple{1, 1, 1}, {2, 1, 2}, {3, 2, 2}}) TRY_VOID(t.create(bridgePort(port, bridge, host)));
            for (const auto& [number, bridge] : {std::pair{11, 1}, {12, 2}}) {
                auto side = bridgePort(number + 10, bridge, 0);
                TRY_VOID(t.create(side));
                auto port = named<model::Port>(uuid(number));
                port.set_router_id(bytes(routerId(1).uuid()));
                port.add_port_subnet(fmt::format("10.0.{}.1/24", bridge));
                port.set_port_mac(fmt::format("02:aa:00:00:00:{}", number));
                port.set_peer_id(bytes(uuid(number + 10)));
                TRY_VOID(t.create(port));
                side.set_peer_id(bytes(uuid(number)));
                TRY_VOID(t.update(side));
                auto route = named<model::Route>(routeId(static_cast<std::uint64_t>(number)).uuid());
                route.set_router_id(bytes(routerId(1).uuid()));
                route.set_type(model::Route::NORMAL);
                route.set_src_network_addr("0.0.0.0");
                route.set_dst_network_addr(fmt::format("10.0.{}.0", bridge));
                route.set_dst_network_length(24);
                route.set_next_hop_port(bytes(uuid(number)));
                TRY_VOID(t.create(route));
            }
            return {};
        });
        for (std::uint64_t n : {1, 2, 3}) report(n, n == 1 ? 1 : 2);
        learn(1, 1);
        learn(1, 2);
        learn(2, 3);
    }

    static Uuid uuid(int port) { return portId(static_cast<std::uint64_t>(port)).uuid(); }
    static std::string bytes(const Uuid& id) { return model::bytesOf(id); }
    template <class T>
    static T named(const Uuid& id) {
        T object;
        object.set_id(bytes(id));
        if constexpr (requires { object.set_admin_state_up(true); }) object.set_admin_state_up(true);
        return object;
    }
    static model::Port bridgePort(int number, int bridge, int host) {
        auto port = named<model::Port>(uuid(number));
        port.set_bridge_id(bytes(bridgeId(static_cast<std::uint64_t>(bridge)).uuid()));
        if (host == 0) return port;
        port.set_host_id(bytes(hostId(static_cast<std::uint64_t>(host)).uuid()));
        port.set_interface_name(fmt::format("eth{}", number));
        return port;
    }
    void change(const std::function<Result<void>(nsdb::Transaction&)>& body) {
        const auto written = store->transact(body);
        ASSERT_TRUE(written.has_value()) << written.error().message;
    }
    void report(std::uint64_t port, std::uint64_t host) {
        model::PortState state;
        state.set_host_id(bytes(hostId(host).uuid()));
        state.set_active(true);
        state.set_tunnel_key(static_cast<std::uint32_t>(1000 + port));
        session->putState(model::Port::descriptor(), portId(port).uuid(), "state", state.SerializeAsString());
        loop->runReady();
    }
    void learn(std::uint64_t bridge, std::uint64_t port) {
        session->learn(nsdb::macTableName(bridgeId(bridge).uuid(), 0), machine(port).toString(), portId(port).toString());
        loop->runReady();
    }
    void learnArp(std::string_view address, std::uint64_t port) {
        session->learn(nsdb::routerArpTableName(routerId(1).uuid()), address, topology::RouterArpEntry::confirmed(machine(port), 1).toString());
        loop->runReady();
    }
    static net::Mac machine(std::uint64_t port) { return net::Mac{0x020000000000ULL + port}; }
    /// A UDP packet, its MACs left open.
    static flow::FlowKey udp(std::string_view source, std::string_view destination) {
        flow::FlowKey key;
        key.etherType = 0x0800;
        key.ipSource = net::IpAddress::parse(source).value();
        key.ipDestination = net::IpAddress::parse(destination).value();
        key.ipProtocol = 17;
        key.ipTtl = 64;
        key.l4Source = 1000;
        key.l4Destination = 53;
        return key;
    }
    PacketTrace trace(std::uint64_t port, const flow::FlowKey& packet) {
        auto traced = tracePacket(*store, portId(port), packet);
        EXPECT_TRUE(traced.has_value()) << traced.error().message;
        return traced.value_or(PacketTrace{});
    }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("agents");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> session = store->openSession(*loop, 30s);
};

TEST_F(PacketTraceTest, OnOneBridge) {
    learnArp("10.0.1.2", 2);
    const auto traced = trace(1, udp("10.0.1.1", "10.0.1.2"));
    EXPECT_EQ(traced.host, hostId(1));
    EXPECT_EQ(traced.verdict, Verdict::Forwarded);
    EXPECT_EQ(traced.packet.ethSource, machine(1)) << "known behind the port";
    EXPECT_EQ(traced.packet.ethDestination, machine(2)) << "known to the router of the subnet";
    ASSERT_EQ(traced.outputs.size(), 1U);
    EXPECT_EQ(traced.outputs.front().port, portId(2));
    EXPECT_EQ(traced.outputs.front().host, hostId(2));
    EXPECT_EQ(traced.outputs.front().packet, traced.packet);
    EXPECT_THAT(traced.steps.toString(), HasSubstr("bridge " + bridgeId(1).toString()));
}

TEST_F(PacketTraceTest, ThroughARouterAsItLeaves) {
    learnArp("10.0.2.3", 3);
    const auto traced = trace(1, udp("10.0.1.5", "10.0.2.3"));
    EXPECT_EQ(traced.packet.ethDestination.toString(), "02:aa:00:00:00:11") << "the gateway";
    ASSERT_EQ(traced.outputs.size(), 1U);
    const auto& out = traced.outputs.front();
    EXPECT_EQ(out.port, portId(3));
    EXPECT_EQ(out.packet.ethSource.toString(), "02:aa:00:00:00:12");
    EXPECT_EQ(out.packet.ethDestination, machine(3));
    EXPECT_EQ(out.packet.ipTtl, 63);
}

TEST_F(PacketTraceTest, ANeighbourThatIsNotKnownIsWaitedFor) {
    const auto traced = trace(1, udp("10.0.1.5", "10.0.2.3"));
    EXPECT_EQ(traced.verdict, Verdict::Waits);
    EXPECT_TRUE(traced.outputs.empty());
}

TEST_F(PacketTraceTest, ADropHasItsReason) {
    change([&](nsdb::Transaction& t) -> Result<void> {
        TRY(chain, t.get<model::Chain>(Uuid{7, 7}));
        auto filter = *chain.object;
        auto* const rule = filter.add_rules();
        rule->set_id(bytes(Uuid{7, 8}));
        rule->set_type(model::Rule::DROP);
        rule->mutable_condition()->mutable_tp_dst()->set_start(53);
        rule->mutable_condition()->mutable_tp_dst()->set_end(53);
        TRY_VOID(t.update(filter));
        TRY(port, t.get<model::Port>(uuid(1)));
        auto guarded = *port.object;
        guarded.set_inbound_filter_id(bytes(Uuid{7, 7}));
        return t.update(guarded);
    });
    const auto traced = trace(1, udp("10.0.1.5", "10.0.2.3"));
    EXPECT_EQ(traced.verdict, Verdict::Dropped);
    EXPECT_EQ(traced.reason, flow::toString(flow::DropReason::RuleDropped));
    EXPECT_THAT(traced.steps.toString(), HasSubstr("rule " + Uuid{7, 8}.toString()));
}

TEST_F(PacketTraceTest, WithoutARouteToIt) {
    const auto traced = trace(1, udp("10.0.1.5", "10.0.9.9"));
    EXPECT_EQ(traced.verdict, Verdict::Dropped);
    EXPECT_EQ(traced.reason, flow::toString(flow::DropReason::NoRoute));
}

TEST_F(PacketTraceTest, RefusesWhatCannotBe) {
    const auto codeOf = [&](const PortId& port, const flow::FlowKey& packet) {
        const auto traced = tracePacket(*store, port, packet);
        return traced ? ErrorCode::Internal : traced.error().code;
    };
    EXPECT_EQ(codeOf(portId(99), udp("10.0.1.5", "10.0.2.3")), ErrorCode::NotFound);
    EXPECT_EQ(codeOf(portId(11), udp("10.0.1.5", "10.0.2.3")), ErrorCode::Conflict) << "bound to no host";
    EXPECT_EQ(codeOf(portId(1), udp("10.0.1.5", "10.0.1.77")), ErrorCode::Invalid) << "nobody knows its MAC";
    change([&](nsdb::Transaction& t) { return t.create(bridgePort(4, 1, 1)); });
    EXPECT_EQ(codeOf(portId(4), udp("10.0.1.5", "10.0.2.3")), ErrorCode::Invalid) << "nothing is known behind it";
}

}  // namespace
}  // namespace midonet::tracing
