#pragma once

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simulation/simulation_result.h"
#include "simulation/state_view.h"

namespace midonet::simulation::testing {

/// Learned state as a test writes it down; remember() adds what a decision made.
class FakeState final : public StateView {
public:
    std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const override {
        return valueOf(macs, std::tuple{bridge, vlan, mac});
    }
    std::optional<net::Mac> arp(const RouterId& router, net::Ipv4Address address) const override {
        return valueOf(routerArp, std::pair{router, address});
    }
    std::optional<net::Mac> bridgeArp(const BridgeId& bridge, net::Ipv4Address address) const override {
        return valueOf(bridgeArps, std::pair{bridge, address});
    }
    std::optional<flowstate::Binding> state(const flowstate::StateKey& key) const override { return valueOf(entries, key); }
    /// The first of `natPorts` that is inside the ranges and not taken for this remote end.
    std::optional<flowstate::Binding> freeNatPort(const Uuid& device, std::span<const flowstate::NatRange> ranges,
                                                  const flowstate::Binding& remote, std::uint64_t) const override {
        for (const auto& port : natPorts) {
            const TakeNatPort use{device, port, remote};
            const bool inside = std::any_of(ranges.begin(), ranges.end(), [&](const flowstate::NatRange& r) {
                return !(port.address < r.firstAddress) && !(r.lastAddress < port.address) && r.firstPort <= port.port &&
                       port.port <= r.lastPort;
            });
            if (inside && std::find(taken.begin(), taken.end(), use) == taken.end()) return port;
        }
        return std::nullopt;
    }

    bool natPortsRunLow(const Uuid&, std::span<const flowstate::NatRange>, const flowstate::Binding&, const flowstate::Binding&) const override {
        return natPortsLow;
    }

    void remember(const Decision& decision) {
        for (const auto& event : decision.events) {
            if (const auto* added = std::get_if<AddState>(&event)) entries.insert_or_assign(added->entry.key, added->entry.binding);
            if (const auto* removed = std::get_if<RemoveState>(&event)) entries.erase(removed->key);
            if (const auto* port = std::get_if<TakeNatPort>(&event)) taken.push_back(*port);
        }
    }

    std::map<std::tuple<BridgeId, net::VlanId, net::Mac>, PortId> macs;
    std::map<std::pair<RouterId, net::Ipv4Address>, net::Mac> routerArp;
    std::map<std::pair<BridgeId, net::Ipv4Address>, net::Mac> bridgeArps;
    std::unordered_map<flowstate::StateKey, flowstate::Binding> entries;
    std::vector<flowstate::Binding> natPorts;
    bool natPortsLow = false;
    std::vector<TakeNatPort> taken;

private:
    template <class Map, class Key>
    static std::optional<typename Map::mapped_type> valueOf(const Map& map, const Key& key) {
        const auto found = map.find(key);
        return found == map.end() ? std::nullopt : std::optional{found->second};
    }
};

}  // namespace midonet::simulation::testing
