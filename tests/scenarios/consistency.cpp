// The differential checks of a world: what grew change by change equals what is made anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "flow/testing/key_blend.h"
#include "flow_now.h"
#include "topology/device_tracker.h"
#include "world.h"

namespace midonet::scenarios {
namespace {

/// What the agent would install for a packet now.
flow::FlowActions decide(const flow::FlowKey& key, const agent::PacketWorker& worker, const flowcontrol::PhysicalMap& map) {
    const auto actions = actionsNow(key, *worker.snapshot(), worker.state(), map);
    EXPECT_TRUE(actions.has_value()) << "no flow is made for " << key.toString() << " now, but there is one";
    return actions.value_or(flow::FlowActions{});
}

/// How the packet goes now, step by step: what a failing check shows.
std::string explain(const flow::FlowKey& key, const agent::PacketWorker& worker, const flowcontrol::PhysicalMap& map) {
    simulation::Trace trace;
    actionsNow(key, *worker.snapshot(), worker.state(), map, &trace);
    return "\nthe way of " + key.toString() + " now:\n" + trace.toString();
}

flow::FlowKey randomKey(std::mt19937& random) {
    const auto any = [&](auto limit) { return std::uniform_int_distribution<std::uint32_t>(0, limit)(random); };
    flow::FlowKey key;
    key.inPort = flow::PortNumber{any(8U)};
    key.ethSource = net::Mac{0x020000000000ULL + any(8U)};
    key.ethDestination = any(4U) == 0 ? net::Mac::broadcast() : net::Mac{0x020000000000ULL + any(8U)};
    key.etherType = any(1U) == 0 ? 0x0800 : 0x86dd;
    key.vlan = any(1U) == 0 ? flow::VlanTci{} : flow::VlanTci::tagged(net::VlanId{static_cast<std::uint16_t>(any(30U))});
    if (key.isIpv6()) {
        key.ipSource = net::Ipv6Address{any(9U), any(9U)};
        key.ipDestination = net::Ipv6Address{any(9U), any(9U)};
    } else {
        key.ipSource = net::Ipv4Address{any(9U)};
        key.ipDestination = net::Ipv4Address{any(9U)};
    }
    key.ipProtocol = static_cast<std::uint8_t>(any(255U));
    key.ipTos = static_cast<std::uint8_t>(any(255U));
    key.ipTtl = static_cast<std::uint8_t>(any(255U));
    key.ipFragment = static_cast<flow::Fragment>(any(2U));
    key.l4Source = static_cast<std::uint16_t>(any(65535U));
    key.l4Destination = static_cast<std::uint16_t>(any(65535U));
    key.icmpId = static_cast<std::uint16_t>(any(65535U));
    return key;
}

template <class MacEntries>
std::string textOf(const MacEntries& macs) {
    std::string out;
    for (const auto& [key, port] : macs) {
        const auto& [bridge, vlan, mac] = key;
        fmt::format_to(std::back_inserter(out), "bridge {} vlan {} {} -> {}\n", bridge, vlan, mac, port);
    }
    return out;
}

}  // namespace

void World::check() {
    // MACs that vanish from the NSDB are judged once a second; some may vanish meanwhile.
    constexpr int kPatience = 3;
    for (int i = 0; i < kPatience; ++i) {
        advance(std::chrono::milliseconds{1100});
        if (std::all_of(hosts_.begin(), hosts_.end(), [&](const auto& host) { return !host->agent || knowsMacsOfStore(*host); })) break;
    }
    for (auto& host : hosts_) {
        if (!host->agent) continue;
        SCOPED_TRACE(host->name);
        checkSnapshot(*host);
        checkFlows(*host);
    }
}

World::FreshView World::readAnew(Host& host) {
    MacEntries macs;
    topology::DeviceTracker fresh(*loop_, *store_, host.id, {},
                                  {[](const topology::TopologyUpdate&) {},
                                   [&](const std::vector<topology::MacChange>& changes) {
                                       for (const auto& c : changes) {
                                           if (c.port.isNil())
                                               macs.erase({c.bridge, c.vlan, c.mac});
                                           else
                                               macs.insert_or_assign(MacKey{c.bridge, c.vlan, c.mac}, c.port);
                                       }
                                   },
                                   [](const BridgeId&, net::VlanId) {},
                                   [](const std::vector<topology::WantedBinding>&) {}});
    std::map<PortId, net::TunnelKey> local;
    for (const auto& [key, port] : host.agent->map()->keys) local.emplace(port, key);
    fresh.setLocalPorts(std::move(local));
    settle();
    return {fresh.snapshot(), std::move(macs)};
}

World::MacEntries World::macsOf(const agent::PacketWorker& worker) {
    MacEntries known;
    worker.state().forEachMac([&](const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port) {
        known.emplace(MacKey{bridge, vlan, mac}, port);
    });
    return known;
}

bool World::knowsMacsOfStore(Host& host) {
    const auto fresh = readAnew(host);
    for (std::size_t i = 0; i < host.agent->workers().size(); ++i)
        if (macsOf(host.agent->workers().worker(i)) != fresh.macs) return false;
    return true;
}

/// A tracker that starts now, and sees the store of now, has the same devices and the same MACs.
void World::checkSnapshot(Host& host) {
    const auto fresh = readAnew(host);
    EXPECT_TRUE(fresh.snapshot->sameDevices(*host.agent->snapshot())) << "the snapshot is not what a rebuild makes";
    const auto& workers = host.agent->workers();
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const auto& worker = workers.worker(i);
        EXPECT_EQ(worker.snapshot(), host.agent->snapshot()) << "worker " << i << " has an old snapshot";
        EXPECT_EQ(textOf(macsOf(worker)), textOf(fresh.macs)) << "MAC tables of worker " << i << " and of the NSDB";
    }
}

/// Every flow in the datapath is what a simulation of now would install, for the packet it was made of
/// and for others that it matches; and the worker knows it.
void World::checkFlows(Host& host) {
    std::mt19937 random{20261121};
    const auto& workers = host.agent->workers();
    std::size_t known = 0;
    for (std::size_t i = 0; i < workers.size(); ++i) known += workers.worker(i).flows().size();
    const auto flows = host.recording->flows();
    EXPECT_EQ(flows.size(), known) << "the workers know other flows than the datapath has";
    for (const auto& flow : flows) {
        const auto& worker = workers.worker(flow.worker);
        EXPECT_EQ(toString(flow.actions), toString(decide(flow.key, worker, *host.agent->map())))
            << "flow of " << flow.key.toString() << " by " << flow.mask.toString() << explain(flow.key, worker, *host.agent->map());
        for (int i = 0; i < 20; ++i) {
            const auto twin = flow::testing::blend(flow.mask, flow.key, randomKey(random));
            // The datapath hands such a packet to the agent instead.
            if (!hopsAreLeft(twin, flow.actions)) continue;
            EXPECT_EQ(toString(flow.actions), toString(decide(twin, worker, *host.agent->map())))
                << "flow of " << flow.key.toString() << " by " << flow.mask.toString() << " also matches " << twin.toString()
                << explain(twin, worker, *host.agent->map());
        }
    }
}

}  // namespace midonet::scenarios
