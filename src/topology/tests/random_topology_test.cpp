// Routers, links, chains, groups and load balancers: what is loaded, which flows a change ends, and that a tracker that saw
// any sequence of changes equals one that starts now.
#include <gmock/gmock.h>

#include <random>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "topology/device_tracker.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::topology {
namespace {

using namespace std::chrono_literals;
using flow::FlowTag;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::bridgeId;
using testing::hostId;
using testing::portId;

enum class Kind : std::uint64_t { Router = 1, Chain, Group, Addresses, Balancer, Pool, Member, Vip, Route, Membership, Zone };
Uuid uuid(Kind kind, std::uint64_t n) { return Uuid{static_cast<std::uint64_t>(kind), n}; }
std::string bytes(const Uuid& id) { return model::bytesOf(id); }

/// Bridge 1 with port 1 (bound here) and port 2, linked to port 3 of router 1 (10.0.0.1/24), whose port 4
/// (10.0.1.1/24) is linked to port 5 of bridge 2, where port 6 is on host 2. Bridge 3 with port 7 is apart.
class RoutedTopologyTest : public ::testing::Test {
protected:
    RoutedTopologyTest() {
        change([](nsdb::Transaction& t) -> Result<void> {
            for (std::uint64_t n : {1, 2}) TRY_VOID(t.create(named<model::Host>(hostId(n).uuid())));
            for (std::uint64_t n : {1, 2}) TRY_VOID(t.create(named<model::TunnelZone>(uuid(Kind::Zone, n))));
            for (std::uint64_t n : {1, 2, 3}) TRY_VOID(t.create(named<model::Bridge>(bridgeId(n).uuid())));
            TRY_VOID(t.create(named<model::Router>(uuid(Kind::Router, 1))));
            for (std::uint64_t n : {1, 2, 3}) TRY_VOID(t.create(named<model::Chain>(uuid(Kind::Chain, n))));
            for (std::uint64_t n : {1, 2}) TRY_VOID(t.create(named<model::PortGroup>(uuid(Kind::Group, n))));
            auto addresses = named<model::IpAddrGroup>(uuid(Kind::Addresses, 1));
            addresses.set_name("a");
            TRY_VOID(t.create(addresses));
            TRY_VOID(t.create(named<model::LoadBalancer>(uuid(Kind::Balancer, 1))));
            auto pool = named<model::Pool>(uuid(Kind::Pool, 1));
            pool.set_load_balancer_id(bytes(uuid(Kind::Balancer, 1)));
            TRY_VOID(t.create(pool));
            for (const auto& [port, bridge] : {std::pair{1, 1}, {2, 1}, {5, 2}, {6, 2}, {7, 3}}) {
                auto object = named<model::Port>(id(port));
                object.set_bridge_id(bytes(bridgeId(static_cast<std::uint64_t>(bridge)).uuid()));
                TRY_VOID(t.create(object));
            }
            for (const auto& [port, subnet] : {std::pair{3, "10.0.0.1/24"}, {4, "10.0.1.1/24"}}) {
                auto object = named<model::Port>(id(port));
                object.set_router_id(bytes(uuid(Kind::Router, 1)));
                object.add_port_subnet("2001:db8::1/64");
                object.add_port_subnet(subnet);
                object.set_port_mac(net::Mac{static_cast<std::uint64_t>(port)}.toString());
                TRY_VOID(t.create(object));
            }
            return {};
        });
        bind(1, 1);
        bind(6, 2);
        link(2, 3);
        link(4, 5);
        tracker = makeTracker([this](const TopologyUpdate& update) {
            tags.insert(tags.end(), update.invalidated.begin(), update.invalidated.end());
            routes.insert(routes.end(), update.routesChanged.begin(), update.routesChanged.end());
        });
        settle();
        forget();
    }
    ~RoutedTopologyTest() override { expectSameAsFresh(); }

    static Uuid id(int port) { return portId(static_cast<std::uint64_t>(port)).uuid(); }
    template <class T>
    static T named(const Uuid& uuid) {
        T object;
        object.set_id(bytes(uuid));
        if constexpr (requires { object.set_admin_state_up(true); }) object.set_admin_state_up(true);
        return object;
    }
    std::unique_ptr<DeviceTracker> makeTracker(std::function<void(const TopologyUpdate&)> onTopology) {
        DeviceTracker::Listener listener{std::move(onTopology), [](auto&&...) {}, [](auto&&...) {}, [](auto&&...) {}};
        listener.onArp = [this](const RouterId&, const std::vector<RouterArpChange>& changes) {
            arp.insert(arp.end(), changes.begin(), changes.end());
        };
        listener.onArpTableGone = [this](const RouterId& router) { goneArpTables.push_back(router); };
        listener.onBridgeArp = [this](const BridgeId&, const std::vector<BridgeArpChange>& changes) {
            bridgeArp.insert(bridgeArp.end(), changes.begin(), changes.end());
        };
        return std::make_unique<DeviceTracker>(*loop, *store, hostId(1), DeviceTracker::Options{}, std::move(listener));
    }
    void change(const std::function<Result<void>(nsdb::Transaction&)>& body) {
        const auto written = store->transact(body);
        ASSERT_TRUE(written.has_value()) << written.error().message;
        settle();
    }
    template <class T>
    void edit(const Uuid& uuid, const std::function<void(T&)>& how) {
        change([&](nsdb::Transaction& t) -> Result<void> {
            TRY(found, t.get<T>(uuid));
            T object = *found.object;
            how(object);
            return t.update(object);
        });
    }
    void bind(int port, std::uint64_t host) {
        edit<model::Port>(id(port), [&](model::Port& p) {
            p.set_host_id(bytes(hostId(host).uuid()));
            p.set_interface_name("eth0");
        });
    }
    /// The host is a member of the zone, or it is not.
    void setMember(std::uint64_t host, std::uint64_t zone, bool isMember) {
        const auto id = model::memberId(uuid(Kind::Zone, zone), hostId(host).uuid());
        change([&](nsdb::Transaction& t) -> Result<void> {
            if (t.get<model::TunnelZoneMember>(id).has_value()) TRY_VOID(t.remove(model::TunnelZoneMember::descriptor(), id));
            if (!isMember) return {};
            auto member = named<model::TunnelZoneMember>(id);
            member.set_tunnel_zone_id(bytes(uuid(Kind::Zone, zone)));
            member.set_host_id(bytes(hostId(host).uuid()));
            member.set_ip_address(fmt::format("198.18.{}.{}", zone, host));
            return t.create(member);
        });
    }
    void unbind(int port) {
        edit<model::Port>(id(port), [](model::Port& p) {
            p.clear_host_id();
            p.clear_interface_name();
        });
    }
    void link(int a, int b) {
        edit<model::Port>(id(a), [&](model::Port& p) { p.set_peer_id(bytes(id(b))); });
        edit<model::Port>(id(b), [&](model::Port& p) { p.set_peer_id(bytes(id(a))); });
    }
    void unlink(int a, int b) {
        for (int n : {a, b}) edit<model::Port>(id(n), [](model::Port& p) { p.clear_peer_id(); });
    }
    void createRoute(std::uint64_t n, model::Route::Type type, const std::string& destination, int port) {
        change([&](nsdb::Transaction& t) {
            auto route = named<model::Route>(uuid(Kind::Route, n));
            route.set_router_id(bytes(uuid(Kind::Router, 1)));
            route.set_type(type);
            route.set_src_network_addr("0.0.0.0");
            route.set_dst_network_addr(destination);
            route.set_dst_network_length(24);
            if (port != 0) route.set_next_hop_port(bytes(id(port)));
            return t.create(route);
        });
    }
    void setRule(std::uint64_t chain, const std::function<void(model::Rule&)>& how) {
        edit<model::Chain>(uuid(Kind::Chain, chain), [&](model::Chain& c) {
            c.clear_rules();
            auto& rule = *c.add_rules();
            rule.set_id(bytes(Uuid{99, chain}));
            rule.set_type(model::Rule::ACCEPT);
            how(rule);
        });
    }
    void jump(std::uint64_t from, std::uint64_t to) {
        setRule(from, [&](model::Rule& rule) {
            rule.set_type(model::Rule::JUMP);
            rule.set_jump_chain_id(bytes(uuid(Kind::Chain, to)));
        });
    }
    void join(int port, std::uint64_t group) {
        change([&](nsdb::Transaction& t) {
            auto membership = named<model::PortGroupPort>(model::memberId(uuid(Kind::Group, group), id(port)));
            membership.set_port_group_id(bytes(uuid(Kind::Group, group)));
            membership.set_port_id(bytes(id(port)));
            return t.create(membership);
        });
    }
    void settle() { loop->runReady(); }
    void forget() {
        tags.clear();
        routes.clear();
    }
    const Router* router() const { return tracker->snapshot()->router(RouterId{uuid(Kind::Router, 1)}); }
    void expectSameAsFresh() {
        settle();
        const auto fresh = makeTracker([](const TopologyUpdate&) {});
        settle();
        EXPECT_TRUE(fresh->synced());
        EXPECT_TRUE(tracker->synced());
        EXPECT_TRUE(fresh->snapshot()->sameDevices(*tracker->snapshot()));
    }
    static FlowTag device(Kind kind, std::uint64_t n) { return FlowTag::device(uuid(kind, n)); }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("control");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> peer = store->openSession(*loop, 30s);
    std::vector<FlowTag> tags;
    std::vector<RouteChange> routes;
    std::vector<RouterArpChange> arp;
    std::vector<BridgeArpChange> bridgeArp;
    std::vector<RouterId> goneArpTables;
    std::unique_ptr<DeviceTracker> tracker;
};

TEST_F(RoutedTopologyTest, FollowsLinksAndNoFurther) {
    const auto& now = *tracker->snapshot();
    ASSERT_NE(now.bridge(bridgeId(2)), nullptr);
    EXPECT_EQ(now.bridge(bridgeId(3)), nullptr);
    EXPECT_EQ(now.ports.size(), 6U);
    EXPECT_TRUE(now.chains.empty()) << "nobody uses them";
    const auto* port = now.port(PortId{id(3)});
    EXPECT_EQ(port->address->toString(), "10.0.0.1") << "the first of IPv4";
    EXPECT_EQ(port->subnet.toString(), "10.0.0.0/24");
    const auto& peers = now.bridge(bridgeId(1))->routerPeers;
    ASSERT_EQ(peers.size(), 1U);
    EXPECT_EQ(peers[0], (Bridge::RouterPeer{PortId{id(2)}, net::Mac{3}, port->address}));
}

TEST_F(RoutedTopologyTest, UnlinkedPartIsDroppedWithItsWatches) {
    const auto all = store->watchCount();
    unlink(2, 3);
    EXPECT_EQ(router(), nullptr);
    EXPECT_EQ(tracker->snapshot()->bridge(bridgeId(2)), nullptr);
    EXPECT_THAT(goneArpTables, ElementsAre(RouterId{uuid(Kind::Router, 1)}));
    EXPECT_THAT(tags, Contains(FlowTag::routerMac(bridgeId(1), net::Mac{3})));
    EXPECT_THAT(tags, Contains(FlowTag::bridgeArp(bridgeId(1), *net::IpAddress::parse("10.0.0.1"))));
    EXPECT_LT(store->watchCount(), all);
    link(2, 3);
    EXPECT_EQ(store->watchCount(), all);
    unbind(1);
    EXPECT_EQ(store->watchCount(), 1U);
}

TEST_F(RoutedTopologyTest, RoutesAreInForceWhenTheyLeadSomewhere) {
    createRoute(1, model::Route::NORMAL, "10.0.1.0", 4);
    EXPECT_THAT(routes, ElementsAre(RouteChange{RouterId{uuid(Kind::Router, 1)}, *net::IpPrefix::parse("10.0.1.0/24")}));
    EXPECT_THAT(tags, IsEmpty());
    createRoute(2, model::Route::LOCAL, "10.0.2.0", 4);
    createRoute(3, model::Route::BLACK_HOLE, "10.0.3.0", 0);
    createRoute(4, model::Route::NORMAL, "not an address", 4);
    EXPECT_EQ(router()->routes->routes().size(), 3U);
    forget();
    edit<model::Port>(id(4), [](model::Port& p) { p.set_admin_state_up(false); });
    EXPECT_EQ(router()->routes->routes().size(), 2U);
    EXPECT_EQ(routes.size(), 1U);
    EXPECT_THAT(tags, Not(Contains(device(Kind::Router, 1))));
    edit<model::Port>(id(4), [](model::Port& p) { p.set_admin_state_up(true); });
    unlink(4, 5);
    EXPECT_EQ(router()->routes->routes().size(), 2U);
}

TEST_F(RoutedTopologyTest, ExteriorNextHopNeedsAnActivePort) {
    unlink(4, 5);
    bind(4, 1);
    createRoute(1, model::Route::NORMAL, "10.0.1.0", 4);
    EXPECT_TRUE(router()->routes->routes().empty());
    tracker->setLocalPorts({{PortId{id(4)}, net::TunnelKey{1}}});
    settle();
    EXPECT_EQ(router()->routes->routes().size(), 1U);
    tracker->setLocalPorts({});
}

TEST_F(RoutedTopologyTest, ChangeOfARouterEndsItsFlows) {
    edit<model::Router>(uuid(Kind::Router, 1), [](model::Router& r) { r.set_admin_state_up(false); });
    EXPECT_THAT(tags, ElementsAre(device(Kind::Router, 1)));
    EXPECT_FALSE(router()->adminUp);
}

TEST_F(RoutedTopologyTest, ChainsComeWithAllTheyJumpToEvenInCircles) {
    jump(1, 2);
    jump(2, 1);
    edit<model::Port>(id(1), [](model::Port& p) { p.set_inbound_filter_id(bytes(uuid(Kind::Chain, 1))); });
    EXPECT_EQ(tracker->snapshot()->chains.size(), 2U);
    EXPECT_EQ(tracker->snapshot()->port(PortId{id(1)})->inboundFilter, ChainId{uuid(Kind::Chain, 1)});
    forget();
    jump(2, 3);
    EXPECT_EQ(tracker->snapshot()->chains.size(), 3U);
    EXPECT_THAT(tags, Contains(device(Kind::Chain, 2)));
    EXPECT_THAT(tags, Not(Contains(device(Kind::Chain, 1))));
}

TEST_F(RoutedTopologyTest, AddressGroupComesWithItsChain) {
    setRule(1, [](model::Rule& r) { r.mutable_condition()->set_ip_addr_group_src(bytes(uuid(Kind::Addresses, 1))); });
    edit<model::Bridge>(bridgeId(2).uuid(), [](model::Bridge& b) { b.set_inbound_filter_id(bytes(uuid(Kind::Chain, 1))); });
    forget();
    edit<model::IpAddrGroup>(uuid(Kind::Addresses, 1), [](model::IpAddrGroup& g) {
        g.add_addresses("10.0.0.9");
        g.add_addresses("broken");
    });
    EXPECT_EQ(tracker->snapshot()->ipAddrGroup(IpAddrGroupId{uuid(Kind::Addresses, 1)})->addresses().size(), 1U);
    EXPECT_THAT(tags, Contains(device(Kind::Addresses, 1)));
    EXPECT_THAT(tags, Contains(device(Kind::Chain, 1))) << "its index was made of the group";
}

TEST_F(RoutedTopologyTest, StatefulGroupKnowsTheHostsOfItsMembers) {
    edit<model::PortGroup>(uuid(Kind::Group, 1), [](model::PortGroup& g) { g.set_stateful(true); });
    join(1, 1);
    forget();
    join(7, 1);
    const PortGroupId id{uuid(Kind::Group, 1)};
    ASSERT_NE(tracker->snapshot()->portGroup(id), nullptr);
    EXPECT_THAT(tracker->snapshot()->portGroup(id)->hosts, ElementsAre(hostId(1)));
    EXPECT_THAT(tags, Not(Contains(FlowTag::statePeers(uuid(Kind::Group, 1))))) << "port 7 is nowhere";
    forget();
    bind(7, 2);
    EXPECT_THAT(tracker->snapshot()->portGroup(id)->hosts, ElementsAre(hostId(1), hostId(2)));
    EXPECT_THAT(tags, Contains(FlowTag::statePeers(uuid(Kind::Group, 1))));
    EXPECT_THAT(tags, Contains(device(Kind::Group, 1)));
}

TEST_F(RoutedTopologyTest, LoadBalancerFollowsItsMembers) {
    edit<model::Router>(uuid(Kind::Router, 1), [](model::Router& r) { r.set_load_balancer_id(bytes(uuid(Kind::Balancer, 1))); });
    ASSERT_NE(router()->loadBalancer, nullptr);
    forget();
    change([](nsdb::Transaction& t) -> Result<void> {
        auto member = named<model::PoolMember>(uuid(Kind::Member, 1));
        member.set_pool_id(bytes(uuid(Kind::Pool, 1)));
        member.set_address("10.0.1.9");
        TRY_VOID(t.create(member));
        auto vip = named<model::Vip>(uuid(Kind::Vip, 1));
        vip.set_pool_id(bytes(uuid(Kind::Pool, 1)));
        vip.set_address("10.0.0.100");
        return t.create(vip);
    });
    EXPECT_THAT(tags, Contains(device(Kind::Balancer, 1)));
    EXPECT_EQ(router()->loadBalancer->vips.size(), 1U);
    EXPECT_TRUE(router()->loadBalancer->pools.at(0).members.at(0).healthy);
    edit<model::PoolMember>(uuid(Kind::Member, 1), [](model::PoolMember& m) { m.set_status(model::PoolMember::INACTIVE); });
    EXPECT_FALSE(router()->loadBalancer->pools.at(0).members.at(0).healthy);
}

TEST_F(RoutedTopologyTest, ArpTablesAreToldAsTheyChange) {
    const auto routerTable = nsdb::routerArpTableName(uuid(Kind::Router, 1));
    const auto bridgeTable = nsdb::bridgeArpTableName(bridgeId(1).uuid());
    const auto address = *net::Ipv4Address::parse("10.0.0.7");
    peer->learn(routerTable, "10.0.0.7", net::Mac{7}.toString() + ";2000;1000;500");
    for (const auto* broken : {"", "x", "00:00:00:00:00:07;1;2", "00:00:00:00:00:07;1;2;3;4", "00:00:00:00:00:07;a;2;3"})
        peer->learn(routerTable, "10.0.0.8", broken), settle();
    peer->learn(bridgeTable, "10.0.0.7", net::Mac{8}.toString());
    settle();
    EXPECT_THAT(arp, ElementsAre(RouterArpChange{address, RouterArpEntry{net::Mac{7}, 2000, 1000}}));
    EXPECT_THAT(bridgeArp, ElementsAre(BridgeArpChange{address, net::Mac{8}}));
    peer->forget(routerTable, "10.0.0.7");
    peer->forget(bridgeTable, "10.0.0.7");
    settle();
    EXPECT_EQ(arp.back(), (RouterArpChange{address, std::nullopt}));
    EXPECT_EQ(bridgeArp.back(), (BridgeArpChange{address, std::nullopt}));
}

TEST_F(RoutedTopologyTest, AnySequenceOfChangesEqualsARebuild) {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
        const auto chainOrNone = [&] {
            const auto n = static_cast<std::uint64_t>(pick(4));
            return n == 0 ? std::string{} : bytes(uuid(Kind::Chain, n));
        };
        for (int step = 0; step < 60; ++step) {
            SCOPED_TRACE(fmt::format("seed {} step {}", seed, step));
            const int port = 1 + pick(7);
            switch (pick(10)) {
                case 0: bind(port, 1 + random() % 2); break;
                case 1: unbind(port); break;
                case 2: unlink(2, 3); break;
                case 3: link(2, 3); break;
                case 4: edit<model::Port>(id(port), [&](model::Port& p) {
                        p.set_admin_state_up(pick(2) == 0);
                        p.set_inbound_filter_id(chainOrNone());
                    });
                    break;
                case 5: jump(1 + random() % 3, 1 + random() % 3); break;
                case 6: setRule(1 + random() % 3, [&](model::Rule& r) {
                        r.mutable_condition()->set_ip_addr_group_src(bytes(uuid(Kind::Addresses, 1)));
                    });
                    break;
                case 7: edit<model::Router>(uuid(Kind::Router, 1), [&](model::Router& r) {
                        r.set_forward_chain_id(chainOrNone());
                        r.set_load_balancer_id(pick(2) == 0 ? std::string{} : bytes(uuid(Kind::Balancer, 1)));
                    });
                    break;
                case 8: setMember(1 + random() % 2, 1 + random() % 2, pick(2) == 0); break;
                default: {
                    createRoute(seed * 1000 + static_cast<std::uint64_t>(step), model::Route::NORMAL, fmt::format("10.{}.{}.0", seed, step), 3 + pick(2));
                }
            }
            expectSameAsFresh();
        }
    }
}

}  // namespace
}  // namespace midonet::topology
