#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "simulation/state_view.h"

namespace midonet::simulation {

/// MAC tables of all bridges as one worker knows them: what other hosts published, and at once what
/// the worker itself has learned. One thread.
class MacTables final : public StateView {
public:
    std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const override;

    /// Returns the port before; nullopt when the MAC was unknown.
    std::optional<PortId> set(const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port);
    std::optional<PortId> remove(const BridgeId& bridge, net::VlanId vlan, net::Mac mac);
    std::size_t size() const { return entries_.size(); }
    template <class Visit>
    void forEach(const Visit& visit) const {
        for (const auto& [key, port] : entries_)
            visit(key.bridge, net::VlanId{static_cast<std::uint16_t>(key.vlanAndMac >> 48)},
                  net::Mac{key.vlanAndMac & 0xffffffffffffULL}, port);
    }

private:
    struct Key {
        BridgeId bridge;
        std::uint64_t vlanAndMac;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        using is_avalanching = void;
        std::size_t operator()(const Key& key) const noexcept {
            return combineHash(std::hash<BridgeId>{}(key.bridge), key.vlanAndMac);
        }
    };
    static Key keyOf(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) {
        return {bridge, (std::uint64_t{vlan.value()} << 48) | mac.value()};
    }
    boost::unordered_flat_map<Key, PortId, KeyHash> entries_;
};

}  // namespace midonet::simulation
