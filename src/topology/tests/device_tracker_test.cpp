// What a tracker loads, what it says when something changes, and that it always equals one that starts now.
#include "topology/device_tracker.h"

#include <gmock/gmock.h>

#include <map>

#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::topology {
namespace {

using namespace std::chrono_literals;
using flow::FlowTag;
using testing::bridgeId;
using testing::hostId;
using testing::portId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

/// Host 1 is tracked. Bridge 1 has port 1 here and port 2 on host 2; bridge 2 has port 3 on host 2 only.
class DeviceTrackerTest : public ::testing::Test {
protected:
    DeviceTrackerTest() {
        change([](nsdb::Transaction& t) -> Result<void> {
            model::TunnelZone zone;
            zone.set_id(model::bytesOf(zoneId(1)));
            TRY_VOID(t.create(zone));
            for (std::uint64_t n : {1, 2, 3}) {
                model::Host host;
                host.set_id(model::bytesOf(hostId(n).uuid()));
                TRY_VOID(t.create(host));
                model::Bridge bridge;
                bridge.set_id(model::bytesOf(bridgeId(n).uuid()));
                bridge.set_admin_state_up(true);
                TRY_VOID(t.create(bridge));
            }
            return {};
        });
        createPort(1, 1, 1);
        createPort(2, 1, 2);
        createPort(3, 2, 2);
        report(2, true);
        tracker = std::make_unique<DeviceTracker>(
            *loop, *store, hostId(1), DeviceTracker::Options{},
            DeviceTracker::Listener{[this](const TopologyUpdate& update) {
                                        tags.insert(tags.end(), update.invalidated.begin(), update.invalidated.end());
                                        ++updates;
                                    },
                                    [this](const std::vector<MacChange>& changes) {
                                        for (const auto& c : changes) macs[c.mac.value()] = c.port.uuid().low();
                                    },
                                    [this](const BridgeId&, net::VlanId vlan) { goneTables.push_back(vlan.value()); },
                                    [this](const std::vector<WantedBinding>& w) { wanted = w; }});
        tracker->setLocalPorts({{portId(1), net::TunnelKey{77}}});
        settle();
    }
    ~DeviceTrackerTest() override { expectSameAsFresh(); }

    void change(const std::function<Result<void>(nsdb::Transaction&)>& body) {
        const auto written = store->transact(body);
        ASSERT_TRUE(written.has_value()) << written.error().message;
        settle();
    }
    void createPort(std::uint64_t n, std::uint64_t bridge, std::uint64_t host) {
        change([&](nsdb::Transaction& t) {
            model::Port port;
            port.set_id(model::bytesOf(portId(n).uuid()));
            port.set_bridge_id(model::bytesOf(bridgeId(bridge).uuid()));
            port.set_admin_state_up(true);
            bindTo(port, host);
            return t.create(port);
        });
    }
    static Uuid zoneId(std::uint64_t n) { return Uuid{0x7a6f6e6500000000ULL, n}; }
    /// Host n gets the address 198.18.Z.n in zone Z.
    void join(std::uint64_t host, std::uint64_t zone) {
        change([&](nsdb::Transaction& t) {
            model::TunnelZoneMember member;
            member.set_id(model::bytesOf(model::memberId(zoneId(zone), hostId(host).uuid())));
            member.set_tunnel_zone_id(model::bytesOf(zoneId(zone)));
            member.set_host_id(model::bytesOf(hostId(host).uuid()));
            member.set_ip_address(fmt::format("198.18.{}.{}", zone, host));
            return t.create(member);
        });
    }
    static void bindTo(model::Port& port, std::uint64_t host) {
        if (host == 0) {
            port.clear_host_id();
            port.clear_interface_name();
            return;
        }
        port.set_host_id(model::bytesOf(hostId(host).uuid()));
        port.set_interface_name("eth0");
    }
    void changePort(std::uint64_t n, const std::function<void(model::Port&)>& edit) {
        change([&](nsdb::Transaction& t) -> Result<void> {
            TRY(found, t.get<model::Port>(portId(n).uuid()));
            auto port = *found.object;
            edit(port);
            return t.update(port);
        });
    }
    /// Host 2 reports its port.
    void report(std::uint64_t n, bool active) {
        model::PortState state;
        state.set_host_id(model::bytesOf(hostId(2).uuid()));
        state.set_active(active);
        state.set_tunnel_key(static_cast<std::uint32_t>(1000 + n));
        peer->putState(model::Port::descriptor(), portId(n).uuid(), "state", state.SerializeAsString());
        settle();
    }
    void learn(std::uint64_t mac, std::uint64_t port) {
        peer->learn(nsdb::macTableName(bridgeId(1).uuid(), 0), net::Mac{mac}.toString(), portId(port).toString());
        settle();
    }
    void settle() { loop->runReady(); }
    std::vector<FlowTag> takeTags() { return std::exchange(tags, {}); }
    const Port* port(std::uint64_t n) { return tracker->snapshot()->port(portId(n)); }
    const Bridge* bridge(std::uint64_t n) { return tracker->snapshot()->bridge(bridgeId(n)); }
    static FlowTag device(const PortId& id) { return FlowTag::device(id.uuid()); }
    static FlowTag device(const BridgeId& id) { return FlowTag::device(id.uuid()); }
    void expectSameAsFresh() {
        settle();
        DeviceTracker fresh(*loop, *store, hostId(1), {},
                            {[](const TopologyUpdate&) {}, [](const std::vector<MacChange>&) {}, [](const BridgeId&, net::VlanId) {},
                             [](const std::vector<WantedBinding>&) {}});
        fresh.setLocalPorts({{portId(1), net::TunnelKey{77}}});
        settle();
        EXPECT_TRUE(fresh.snapshot()->sameDevices(*tracker->snapshot()));
    }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("control");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> peer = store->openSession(*loop, 30s);
    std::vector<FlowTag> tags;
    std::map<std::uint64_t, std::uint64_t> macs;
    std::vector<std::uint16_t> goneTables;
    std::vector<WantedBinding> wanted;
    int updates = 0;
    std::unique_ptr<DeviceTracker> tracker;
};

TEST_F(DeviceTrackerTest, LoadsWhatTheBindingsLeadToAndNoMore) {
    EXPECT_TRUE(tracker->synced());
    EXPECT_THAT(wanted, ElementsAre(WantedBinding{portId(1), "eth0"}));
    ASSERT_NE(bridge(1), nullptr);
    EXPECT_THAT(bridge(1)->exteriorPorts, ElementsAre(portId(1), portId(2)));
    EXPECT_EQ(bridge(2), nullptr);
    EXPECT_EQ(port(3), nullptr);
}

TEST_F(DeviceTrackerTest, OwnPortIsActiveWhenItsDatapathHasIt) {
    EXPECT_TRUE(port(1)->active);
    EXPECT_EQ(port(1)->tunnelKey.value(), 77U);
    takeTags();
    tracker->setLocalPorts({});
    settle();
    EXPECT_FALSE(port(1)->active);
    EXPECT_THAT(takeTags(), UnorderedElementsAre(device(portId(1)), FlowTag::broadcast(bridgeId(1))));
    tracker->setLocalPorts({{portId(1), net::TunnelKey{77}}});
}

TEST_F(DeviceTrackerTest, RemotePortIsWhatItsHostReports) {
    EXPECT_TRUE(port(2)->active);
    EXPECT_EQ(port(2)->tunnelKey.value(), 1002U);
    takeTags();
    report(2, false);
    EXPECT_FALSE(port(2)->active);
    EXPECT_THAT(takeTags(), UnorderedElementsAre(device(portId(2)), FlowTag::broadcast(bridgeId(1))));
}

TEST_F(DeviceTrackerTest, ReportOfAHostThatLostTheBindingSaysNothing) {
    changePort(2, [](model::Port& p) { bindTo(p, 1); });
    EXPECT_FALSE(port(2)->active);
    EXPECT_EQ(port(2)->host, hostId(1));
}

TEST_F(DeviceTrackerTest, ChangeOfAPortEndsItsFlowsAndFloods) {
    takeTags();
    changePort(2, [](model::Port& p) { p.set_admin_state_up(false); });
    EXPECT_THAT(takeTags(), UnorderedElementsAre(device(portId(2)), FlowTag::broadcast(bridgeId(1))));
    changePort(2, [](model::Port& p) { bindTo(p, 0); });
    const auto unbound = takeTags();
    EXPECT_THAT(unbound, UnorderedElementsAre(device(portId(2)), FlowTag::broadcast(bridgeId(1)), FlowTag::statePeers(portId(2).uuid())))
        << "unicast to others stays";
    EXPECT_THAT(bridge(1)->exteriorPorts, ElementsAre(portId(1)));
}

TEST_F(DeviceTrackerTest, ChangeOfABridgeEndsAllItsFlows) {
    takeTags();
    change([](nsdb::Transaction& t) -> Result<void> {
        TRY(found, t.get<model::Bridge>(bridgeId(1).uuid()));
        auto object = *found.object;
        object.set_admin_state_up(false);
        return t.update(object);
    });
    EXPECT_THAT(takeTags(), ElementsAre(device(bridgeId(1))));
}

TEST_F(DeviceTrackerTest, ChangeThatSimulationsDoNotSeeIsNoUpdate) {
    const auto before = updates;
    const auto snapshot = tracker->snapshot();
    change([](nsdb::Transaction& t) -> Result<void> {
        TRY(found, t.get<model::Bridge>(bridgeId(1).uuid()));
        auto object = *found.object;
        object.set_name("a new name");
        return t.update(object);
    });
    EXPECT_EQ(updates, before);
    EXPECT_EQ(tracker->snapshot(), snapshot);
}

TEST_F(DeviceTrackerTest, WhatDidNotChangeIsShared) {
    const auto before = tracker->snapshot();
    changePort(2, [](model::Port& p) { p.set_admin_state_up(false); });
    EXPECT_EQ(tracker->snapshot()->ports.get(portId(1)), before->ports.get(portId(1)));
    EXPECT_EQ(tracker->snapshot()->bridges.get(bridgeId(1)), before->bridges.get(bridgeId(1)));
    EXPECT_TRUE(before->port(portId(2))->adminUp) << "the old snapshot stays as it was";
    EXPECT_GT(tracker->snapshot()->generation, before->generation);
}

TEST_F(DeviceTrackerTest, NewPortJoinsTheFlood) {
    takeTags();
    createPort(4, 1, 2);
    EXPECT_THAT(bridge(1)->exteriorPorts, ElementsAre(portId(1), portId(2), portId(4)));
    EXPECT_THAT(takeTags(), Contains(FlowTag::broadcast(bridgeId(1))));
}

TEST_F(DeviceTrackerTest, RemovedPortIsGone) {
    takeTags();
    change([](nsdb::Transaction& t) { return t.remove(model::Port::descriptor(), portId(2).uuid()); });
    EXPECT_EQ(port(2), nullptr);
    const auto seen = takeTags();
    EXPECT_THAT(seen, Contains(device(portId(2))));
    EXPECT_THAT(seen, Contains(FlowTag::broadcast(bridgeId(1))));
    EXPECT_THAT(seen, Not(Contains(device(bridgeId(1)))));
}

TEST_F(DeviceTrackerTest, RemovedBridgeTakesItsPortsAlong) {
    takeTags();
    change([](nsdb::Transaction& t) { return t.remove(model::Bridge::descriptor(), bridgeId(1).uuid()); });
    EXPECT_TRUE(tracker->snapshot()->ports.empty());
    EXPECT_TRUE(tracker->snapshot()->bridges.empty());
    const auto seen = takeTags();
    for (const auto& tag : {device(portId(1)), device(portId(2)), device(bridgeId(1))}) EXPECT_THAT(seen, Contains(tag));
    EXPECT_THAT(wanted, IsEmpty());
}

TEST_F(DeviceTrackerTest, LastBindingOfABridgeDropsEveryWatchOfIt) {
    const auto watchesOfOne = store->watchCount();
    changePort(3, [](model::Port& p) { bindTo(p, 1); });
    EXPECT_NE(bridge(2), nullptr);
    EXPECT_GT(store->watchCount(), watchesOfOne);
    changePort(3, [](model::Port& p) { bindTo(p, 2); });
    EXPECT_EQ(bridge(2), nullptr);
    EXPECT_EQ(store->watchCount(), watchesOfOne);
    changePort(1, [](model::Port& p) { bindTo(p, 0); });
    EXPECT_EQ(store->watchCount(), 1U) << "the bindings of the host themselves";
}

TEST_F(DeviceTrackerTest, NothingIsWatchedAfterTheEnd) {
    expectSameAsFresh();
    tracker.reset();
    EXPECT_EQ(store->watchCount(), 0U);
    tracker = std::make_unique<DeviceTracker>(*loop, *store, hostId(1), DeviceTracker::Options{},
                                              DeviceTracker::Listener{[](const TopologyUpdate&) {}, [](const std::vector<MacChange>&) {},
                                                                      [](const BridgeId&, net::VlanId) {},
                                                                      [](const std::vector<WantedBinding>&) {}});
    tracker->setLocalPorts({{portId(1), net::TunnelKey{77}}});
}

TEST_F(DeviceTrackerTest, HostsOfPortsComeWithTheirUnderlayAddresses) {
    const auto host = [&](std::uint64_t n) { return tracker->snapshot()->hosts.find(hostId(n)); };
    ASSERT_NE(host(2), nullptr);
    EXPECT_THAT(host(2)->memberships, IsEmpty());
    takeTags();
    join(2, 1);
    ASSERT_EQ(host(2)->memberships.size(), 1U);
    EXPECT_EQ(host(2)->memberships.front().address.toString(), "198.18.1.2");
    EXPECT_EQ(host(2)->memberships.front().zone.uuid(), zoneId(1));
    EXPECT_THAT(takeTags(), IsEmpty()) << "flows know of tunnels, not of hosts";
    changePort(2, [](model::Port& p) { bindTo(p, 0); });
    EXPECT_EQ(host(2), nullptr) << "nothing leads there any more";
}

TEST_F(DeviceTrackerTest, OfHostsThatNothingLeadsToNothingIsKnown) {
    const auto watches = store->watchCount();
    const auto before = updates;
    join(3, 1);
    EXPECT_EQ(updates, before);
    EXPECT_EQ(store->watchCount(), watches);
    EXPECT_EQ(tracker->snapshot()->hosts.find(hostId(3)), nullptr);
}

TEST_F(DeviceTrackerTest, APortIsNeverThereWithoutItsHost) {
    join(2, 1);
    int incomplete = 0;
    DeviceTracker other(*loop, *store, hostId(2), {},
                        {[&](const TopologyUpdate& update) {
                             update.snapshot->ports.forEach([&](const PortId&, const PortPtr& p) {
                                 const auto* const host = update.snapshot->hosts.find(p->host);
                                 if (host == nullptr || host->memberships.size() != (p->host == hostId(2) ? 1U : 0U)) ++incomplete;
                             });
                         },
                         [](const std::vector<MacChange>&) {}, [](const BridgeId&, net::VlanId) {}, [](const std::vector<WantedBinding>&) {}});
    settle();
    EXPECT_EQ(other.snapshot()->ports.size(), 3U);
    EXPECT_EQ(incomplete, 0);
}

TEST_F(DeviceTrackerTest, BridgeAppearsOnlyWithAllItsPorts) {
    // In no update seen so far was a bridge without the state of its ports.
    int incomplete = 0;
    DeviceTracker other(*loop, *store, hostId(2), {},
                        {[&](const TopologyUpdate& update) {
                             update.snapshot->bridges.forEach([&](const BridgeId& id, const BridgePtr& b) {
                                 if (b->exteriorPorts.size() != (id == bridgeId(1) ? 2U : 1U)) ++incomplete;
                             });
                         },
                         [](const std::vector<MacChange>&) {}, [](const BridgeId&, net::VlanId) {}, [](const std::vector<WantedBinding>&) {}});
    settle();
    EXPECT_TRUE(other.synced());
    EXPECT_EQ(other.snapshot()->bridges.size(), 2U);
    EXPECT_EQ(incomplete, 0);
}

TEST_F(DeviceTrackerTest, ABindingIsToldBeforeWhatItLeadsToIsThere) {
    std::optional<std::size_t> portsThen;
    std::unique_ptr<DeviceTracker> other;
    const auto onBindings = [&](const std::vector<WantedBinding>& told) {
        EXPECT_THAT(told, ElementsAre(WantedBinding{portId(2), "eth0"}, WantedBinding{portId(3), "eth0"}));
        portsThen = other->snapshot()->ports.size();
    };
    other = std::make_unique<DeviceTracker>(*loop, *store, hostId(2), DeviceTracker::Options{},
                                            DeviceTracker::Listener{[](const TopologyUpdate&) {}, [](const std::vector<MacChange>&) {},
                                                                    [](const BridgeId&, net::VlanId) {}, onBindings});
    settle();
    EXPECT_EQ(portsThen, 0U);
    EXPECT_EQ(other->snapshot()->ports.size(), 3U);
}

TEST_F(DeviceTrackerTest, TheStateOfAPortIsKnownBeforeItIsBound) {
    changePort(2, [](model::Port& p) { bindTo(p, 0); });
    EXPECT_FALSE(port(2)->active) << "what a host says counts only while the port is bound to it";
    const auto watches = store->watchCount();
    const auto before = updates;
    changePort(2, [](model::Port& p) { bindTo(p, 2); });
    EXPECT_TRUE(port(2)->active);
    EXPECT_EQ(updates, before + 1);
    EXPECT_EQ(store->watchCount(), watches + 1) << "the tunnel zones of the host, and nothing of the port";
}

TEST_F(DeviceTrackerTest, OneTransactionIsOneUpdate) {
    const auto before = updates;
    change([](nsdb::Transaction& t) -> Result<void> {
        for (std::uint64_t n : {1, 2}) {
            TRY(found, t.get<model::Port>(portId(n).uuid()));
            auto port = *found.object;
            port.set_admin_state_up(false);
            TRY_VOID(t.update(port));
        }
        return {};
    });
    EXPECT_EQ(updates, before + 1);
}

TEST_F(DeviceTrackerTest, DeadAgentsPortsStayForTheGraceTime) {
    peer.reset();
    settle();
    EXPECT_TRUE(port(2)->active);
    loop->advance(29s);
    EXPECT_TRUE(port(2)->active);
    takeTags();
    loop->advance(2s);
    EXPECT_FALSE(port(2)->active);
    EXPECT_THAT(takeTags(), Contains(device(portId(2))));
}

TEST_F(DeviceTrackerTest, AgentThatComesBackInTimeIsNotNoticed) {
    const auto before = tracker->snapshot();
    peer.reset();
    loop->advance(10s);
    peer = store->openSession(*loop, 30s);
    report(2, true);
    loop->advance(60s);
    EXPECT_EQ(tracker->snapshot(), before);
}

TEST_F(DeviceTrackerTest, UnbindingIsNotADeath) {
    learn(5, 2);
    changePort(2, [](model::Port& p) { bindTo(p, 0); });
    peer->removeState(model::Port::descriptor(), portId(2).uuid(), "state");
    peer->forget(nsdb::macTableName(bridgeId(1).uuid(), 0), net::Mac{5}.toString());
    settle();
    loop->advance(2s);
    EXPECT_EQ(macs[5], 0U) << "its MACs are not kept for a host that is alive";
}

TEST_F(DeviceTrackerTest, MacTableIsToldAsItChanges) {
    learn(5, 2);
    EXPECT_EQ(macs[5], 2U);
    learn(5, 1);
    EXPECT_EQ(macs[5], 1U);
    peer->forget(nsdb::macTableName(bridgeId(1).uuid(), 0), net::Mac{5}.toString());
    settle();
    loop->advance(2s);
    EXPECT_EQ(macs[5], 0U);
}

TEST_F(DeviceTrackerTest, MacsOfADeadAgentStayAsLongAsItsPorts) {
    learn(5, 2);
    peer.reset();
    settle();
    loop->advance(20s);
    EXPECT_EQ(macs[5], 2U);
    loop->advance(15s);
    EXPECT_EQ(macs[5], 0U);
}

TEST_F(DeviceTrackerTest, VlanOfAPortBringsItsTableAndTakesItAway) {
    const auto before = store->watchCount();
    takeTags();
    changePort(2, [](model::Port& p) { p.set_vlan_id(10); });
    EXPECT_EQ(store->watchCount(), before + 1);
    EXPECT_TRUE(bridge(1)->hasVlan(net::VlanId{10}));
    EXPECT_THAT(takeTags(), Contains(device(bridgeId(1)))) << "other tables are asked now";
    changePort(2, [](model::Port& p) { p.set_vlan_id(0); });
    EXPECT_EQ(store->watchCount(), before);
    EXPECT_THAT(goneTables, ElementsAre(10));
    EXPECT_FALSE(bridge(1)->vlanAware());
}

TEST_F(DeviceTrackerTest, UnreadableMacEntriesAreLeftOut) {
    peer->learn(nsdb::macTableName(bridgeId(1).uuid(), 0), "not a MAC", portId(2).toString());
    peer->learn(nsdb::macTableName(bridgeId(1).uuid(), 0), net::Mac{6}.toString(), "not a port");
    learn(7, 2);
    EXPECT_EQ(macs, (std::map<std::uint64_t, std::uint64_t>{{7, 2}}));
}

}  // namespace
}  // namespace midonet::topology
