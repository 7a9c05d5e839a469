#include "simulation/mac_tables.h"

namespace midonet::simulation {

std::optional<PortId> MacTables::macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const {
    const auto found = entries_.find(keyOf(bridge, vlan, mac));
    if (found == entries_.end()) return std::nullopt;
    return found->second;
}

std::optional<PortId> MacTables::set(const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port) {
    const auto [entry, isNew] = entries_.try_emplace(keyOf(bridge, vlan, mac), port);
    if (isNew) return std::nullopt;
    return std::exchange(entry->second, port);
}

std::optional<PortId> MacTables::remove(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) {
    const auto found = entries_.find(keyOf(bridge, vlan, mac));
    if (found == entries_.end()) return std::nullopt;
    const PortId before = found->second;
    entries_.erase(found);
    return before;
}

}  // namespace midonet::simulation
