#include "simulation/worker_state.h"

#include <boost/unordered/unordered_flat_map.hpp>

namespace midonet::simulation {
namespace {

std::uint64_t restOf(net::VlanId vlan, net::Mac mac) { return (std::uint64_t{vlan.value()} << 48) | mac.value(); }
std::uint64_t restOf(net::Ipv4Address address) { return address.toHostOrder(); }

template <class Table, class Key>
auto find(const Table& table, const Key& key) -> std::optional<typename Table::mapped_type> {
    const auto found = table.find(key);
    if (found == table.end()) return std::nullopt;
    return found->second;
}

template <class Table, class Key>
auto set(Table& table, const Key& key, const typename Table::mapped_type& value) -> std::optional<typename Table::mapped_type> {
    const auto [entry, isNew] = table.try_emplace(key, value);
    if (isNew) return std::nullopt;
    return std::exchange(entry->second, value);
}

template <class Table, class Key>
auto remove(Table& table, const Key& key) -> std::optional<typename Table::mapped_type> {
    const auto before = find(table, key);
    table.erase(key);
    return before;
}

template <class Neighbour>
std::optional<net::Mac> macOf(const std::optional<Neighbour>& neighbour) {
    return neighbour ? std::optional{neighbour->mac} : std::nullopt;
}

}  // namespace

std::optional<PortId> WorkerState::macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const {
    return find(macs_, Key{bridge.uuid(), restOf(vlan, mac)});
}
std::optional<net::Mac> WorkerState::arp(const RouterId& router, net::Ipv4Address address) const {
    return macOf(find(arps_, Key{router.uuid(), restOf(address)}));
}
std::optional<event::TimePoint> WorkerState::arpExpiry(const RouterId& router, net::Ipv4Address address) const {
    const auto found = arps_.find(Key{router.uuid(), restOf(address)});
    if (found == arps_.end()) return std::nullopt;
    return found->second.expiry;
}
std::optional<net::Mac> WorkerState::bridgeArp(const BridgeId& bridge, net::Ipv4Address address) const {
    return find(bridgeArps_, Key{bridge.uuid(), restOf(address)});
}
std::optional<flowstate::Binding> WorkerState::state(const flowstate::StateKey& key) const {
    return connections_ == nullptr ? std::nullopt : connections_->find(key);
}
std::optional<flowstate::Binding> WorkerState::freeNatPort(const Uuid& device, std::span<const flowstate::NatRange> ranges,
                                                           const flowstate::Binding& remote, std::uint64_t seed) const {
    return natPorts_ == nullptr ? std::nullopt : natPorts_->find(device, ranges, remote, seed);
}
bool WorkerState::natPortsRunLow(const Uuid& device, std::span<const flowstate::NatRange> ranges, const flowstate::Binding& remote,
                                 const flowstate::Binding& found) const {
    return natPorts_ != nullptr && natPorts_->runsLow(device, ranges, remote, found);
}

std::optional<PortId> WorkerState::setMac(const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port) {
    return set(macs_, Key{bridge.uuid(), restOf(vlan, mac)}, port);
}
std::optional<PortId> WorkerState::removeMac(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) {
    return remove(macs_, Key{bridge.uuid(), restOf(vlan, mac)});
}

std::optional<net::Mac> WorkerState::setArp(const RouterId& router, net::Ipv4Address address, net::Mac mac, event::TimePoint expiry) {
    return macOf(set(arps_, Key{router.uuid(), restOf(address)}, Neighbour{mac, expiry}));
}
std::optional<net::Mac> WorkerState::removeArp(const RouterId& router, net::Ipv4Address address) {
    return macOf(remove(arps_, Key{router.uuid(), restOf(address)}));
}
std::vector<WorkerState::ArpKey> WorkerState::expireArp(event::TimePoint now) {
    std::vector<ArpKey> gone;
    boost::unordered::erase_if(arps_, [&](const auto& entry) {
        if (entry.second.expiry > now) return false;
        gone.push_back({RouterId{entry.first.device}, net::Ipv4Address{static_cast<std::uint32_t>(entry.first.rest)}});
        return true;
    });
    return gone;
}

std::optional<net::Mac> WorkerState::setBridgeArp(const BridgeId& bridge, net::Ipv4Address address, net::Mac mac) {
    return set(bridgeArps_, Key{bridge.uuid(), restOf(address)}, mac);
}
std::optional<net::Mac> WorkerState::removeBridgeArp(const BridgeId& bridge, net::Ipv4Address address) {
    return remove(bridgeArps_, Key{bridge.uuid(), restOf(address)});
}

}  // namespace midonet::simulation
