#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "topology/rule_index.h"
#include "topology/snapshot.h"

/// For tests and benchmarks: snapshots written down directly, without a store.
namespace midonet::topology::testing {

inline PortId portId(std::uint64_t n) { return PortId{Uuid{0x706f727400000000ULL, n}}; }
inline BridgeId bridgeId(std::uint64_t n) { return BridgeId{Uuid{0x6272696467650000ULL, n}}; }
inline RouterId routerId(std::uint64_t n) { return RouterId{Uuid{0x726f757465720000ULL, n}}; }
inline RouteId routeId(std::uint64_t n) { return RouteId{Uuid{0x726f757465000000ULL, n}}; }
inline HostId hostId(std::uint64_t n) { return HostId{Uuid{0x686f737400000000ULL, n}}; }

/// A bridge port bound to host 1 that is up and active, with a tunnel key made of its number.
inline Port activePort(std::uint64_t number, BridgeId bridge, std::uint64_t host = 1) {
    Port port;
    port.id = portId(number);
    port.bridge = bridge;
    port.host = hostId(host);
    port.active = true;
    port.tunnelKey = net::TunnelKey{net::kLocalTunnelKeyType | static_cast<std::uint32_t>(number)};
    return port;
}

/// A port of a router that is up, with an address ("10.0.0.1/24") and a MAC made of its number. It is not bound.
inline Port routerPort(std::uint64_t number, RouterId router, std::string_view address) {
    Port port;
    port.id = portId(number);
    port.router = router;
    port.mac = net::Mac{0x02aa00000000ULL + number};
    port.address = net::Ipv4Address::parse(address.substr(0, address.find('/'))).value();
    port.subnet = net::IpPrefix::parse(address).value();
    return port;
}
/// The same, bound to host 1 and active.
inline Port activeRouterPort(std::uint64_t number, RouterId router, std::string_view address) {
    auto port = routerPort(number, router, address);
    const auto binding = activePort(number, {});
    port.host = binding.host;
    port.active = true;
    port.tunnelKey = binding.tunnelKey;
    return port;
}
/// To `destination` by port `port`, from anywhere.
inline Route routeTo(std::uint64_t number, std::string_view destination, std::uint64_t port, std::string_view gateway = {}) {
    Route route;
    route.id = routeId(number);
    route.destination = net::IpPrefix::parse(destination).value();
    route.port = portId(port);
    if (!gateway.empty()) route.gateway = net::IpAddress::parse(gateway).value();
    return route;
}

/// Collects devices; build() derives what a bridge knows of its ports as DeviceTracker does.
class SnapshotBuilder {
public:
    SnapshotBuilder& bridge(const BridgeId& id, bool adminUp = true) {
        Bridge bridge;
        bridge.id = id;
        bridge.adminUp = adminUp;
        return this->bridge(bridge);
    }
    SnapshotBuilder& bridge(const Bridge& bridge) {
        snapshot_.bridges.set(bridge.id, std::make_shared<Bridge>(bridge));
        return *this;
    }
    SnapshotBuilder& router(const RouterId& id, bool adminUp = true) {
        Router router;
        router.id = id;
        router.adminUp = adminUp;
        return this->router(router);
    }
    SnapshotBuilder& router(const Router& router) {
        snapshot_.routers.set(router.id, std::make_shared<Router>(router));
        routes_.try_emplace(router.id);
        return *this;
    }
    SnapshotBuilder& route(const RouterId& router, const Route& route) {
        routes_[router].push_back(route);
        return *this;
    }
    /// A port of a router, with what comes with it: the routes to its own address and to its subnet.
    SnapshotBuilder& routerPortWithRoutes(const Port& made) {
        auto local = routeTo(1'000'000 + made.id.uuid().low(), made.address->toString() + "/32", made.id.uuid().low());
        local.type = Route::Type::Local;
        auto subnet = routeTo(2'000'000 + made.id.uuid().low(), made.subnet.toString(), made.id.uuid().low());
        return route(made.router, local).route(made.router, subnet).port(made);
    }
    /// Links two ports that are here.
    SnapshotBuilder& link(const PortId& a, const PortId& b) {
        Port left = *snapshot_.port(a), right = *snapshot_.port(b);
        left.peer = b;
        right.peer = a;
        return port(left).port(right);
    }
    SnapshotBuilder& port(const Port& port) {
        snapshot_.ports.set(port.id, std::make_shared<Port>(port));
        return *this;
    }
    SnapshotBuilder& withoutPort(const PortId& id) {
        snapshot_.ports.erase(id);
        return *this;
    }
    TopologySnapshotPtr build() const {
        auto out = std::make_shared<TopologySnapshot>(snapshot_);
        snapshot_.bridges.forEach([&](const BridgeId& id, const BridgePtr& bridge) { out->bridges.set(id, filled(*bridge)); });
        snapshot_.routers.forEach([&](const RouterId& id, const RouterPtr& router) {
            auto full = std::make_shared<Router>(*router);
            full->routes = std::make_shared<RouteTable>(routes_.at(id));
            out->routers.set(id, std::move(full));
        });
        indexChains(*out);
        return out;
    }

    SnapshotBuilder& chain(const ChainId& id, std::vector<Rule> rules) {
        auto made = std::make_shared<Chain>();
        made->id = id;
        made->name = "chain";
        made->rules = std::move(rules);
        snapshot_.chains.set(id, std::move(made));
        return *this;
    }
    SnapshotBuilder& ipAddrGroup(const IpAddrGroupId& id, std::vector<net::IpAddress> addresses) {
        snapshot_.ipAddrGroups.set(id, std::make_shared<IpAddrGroup>(id, std::move(addresses)));
        return *this;
    }
    SnapshotBuilder& portGroup(const PortGroupId& id, std::vector<PortId> ports) {
        snapshot_.portGroups.set(id, std::make_shared<PortGroup>(PortGroup{id, false, std::move(ports), {}}));
        return *this;
    }

private:
    void indexChains(TopologySnapshot& snapshot) const {
        snapshot_.chains.forEach([&](const ChainId& id, const ChainPtr& chain) {
            auto full = std::make_shared<Chain>(*chain);
            full->index = makeRuleIndex(full->rules, [&](const IpAddrGroupId& group) { return snapshot.ipAddrGroup(group); });
            snapshot.chains.set(id, std::move(full));
        });
    }
    BridgePtr filled(const Bridge& bridge) const {
        auto full = std::make_shared<Bridge>(bridge);
        snapshot_.ports.forEach([&](const PortId& portId, const PortPtr& port) {
            if (port->bridge != bridge.id) return;
            const auto* peer = snapshot_.port(port->peer);
            if (port->exterior()) full->exteriorPorts.push_back(portId);
            else if (peer == nullptr) return;
            else if (peer->isRouterPort()) full->routerPeers.push_back({portId, peer->mac, peer->address});
            else full->bridgeLinks.push_back(portId);
            full->addVlan(port->vlan);
        });
        std::sort(full->exteriorPorts.begin(), full->exteriorPorts.end());
        std::sort(full->bridgeLinks.begin(), full->bridgeLinks.end());
        std::sort(full->routerPeers.begin(), full->routerPeers.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
        return full;
    }

    TopologySnapshot snapshot_;
    std::map<RouterId, std::vector<Route>> routes_;
};

inline ChainId chainId(std::uint64_t n) { return ChainId{Uuid{0x636861696e000000ULL, n}}; }
inline RuleId ruleId(std::uint64_t n) { return RuleId{Uuid{0x72756c6500000000ULL, n}}; }
inline PortGroupId portGroupId(std::uint64_t n) { return PortGroupId{Uuid{0x706f727447000000ULL, n}}; }
inline IpAddrGroupId ipAddrGroupId(std::uint64_t n) { return IpAddrGroupId{Uuid{0x6970470000000000ULL, n}}; }

}  // namespace midonet::topology::testing
