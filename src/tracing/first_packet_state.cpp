#include "tracing/first_packet_state.h"

#include "topology/state_tables.h"

namespace midonet::tracing {
namespace {

/// Entries are used as they are now: they do not grow old while one packet passes.
constexpr auto kNever = event::TimePoint::max();

}  // namespace

Result<FirstPacketState> FirstPacketState::read(nsdb::Store& store, const topology::TopologySnapshot& topology) {
    FirstPacketState state;
    Result<void> done;
    topology.bridges.forEach([&](const BridgeId&, const topology::BridgePtr& bridge) {
        if (done) done = state.readBridge(store, *bridge);
    });
    topology.routers.forEach([&](const RouterId& id, const topology::RouterPtr&) {
        if (done) done = state.readRouter(store, id);
    });
    if (!done) return Unexpected{done.error()};
    return state;
}

Result<void> FirstPacketState::readBridge(nsdb::Store& store, const topology::Bridge& bridge) {
    TRY_VOID(readMacs(store, bridge.id, net::VlanId{0}));
    for (const auto vlan : bridge.vlans) TRY_VOID(readMacs(store, bridge.id, vlan));
    TRY(entries, store.readTable(nsdb::bridgeArpTableName(bridge.id.uuid())));
    for (const auto& entry : entries) {
        const auto address = net::Ipv4Address::parse(entry.key);
        const auto mac = net::Mac::parse(entry.value);
        if (address && mac) learned_.setBridgeArp(bridge.id, *address, *mac);
    }
    return {};
}

Result<void> FirstPacketState::readMacs(nsdb::Store& store, const BridgeId& bridge, net::VlanId vlan) {
    TRY(entries, store.readTable(nsdb::macTableName(bridge.uuid(), vlan.value())));
    for (const auto& entry : entries) {
        const auto mac = net::Mac::parse(entry.key);
        const auto port = Uuid::parse(entry.value);
        if (mac && port) learned_.setMac(bridge, vlan, *mac, PortId{*port});
    }
    return {};
}

Result<void> FirstPacketState::readRouter(nsdb::Store& store, const RouterId& router) {
    TRY(entries, store.readTable(nsdb::routerArpTableName(router.uuid())));
    for (const auto& entry : entries) {
        const auto address = net::Ipv4Address::parse(entry.key);
        const auto neighbour = topology::RouterArpEntry::parse(entry.value);
        if (address && neighbour) learned_.setArp(router, *address, neighbour->mac, kNever);
    }
    return {};
}

std::optional<flowstate::Binding> FirstPacketState::freeNatPort(const Uuid&, std::span<const flowstate::NatRange> ranges,
                                                                const flowstate::Binding&, std::uint64_t) const {
    if (ranges.empty()) return std::nullopt;
    return flowstate::Binding{ranges.front().firstAddress, ranges.front().firstPort};
}

std::optional<net::Mac> FirstPacketState::macBehind(const PortId& port) const {
    std::optional<net::Mac> found;
    learned_.forEachMac([&](const BridgeId&, net::VlanId, net::Mac mac, const PortId& known) {
        if (known == port && (!found || mac < *found)) found = mac;
    });
    return found;
}

}  // namespace midonet::tracing
