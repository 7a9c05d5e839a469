#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

#include "event/clock.h"
#include "flowstate/nat_ports.h"
#include "flowstate/state_table.h"
#include "simulation/state_view.h"

namespace midonet::simulation {

/// What one worker has learned or was told: the MAC tables of bridges, the ARP tables of routers and bridges
/// (what other hosts published, and at once what the worker itself has learned), and the connection state
/// of its agent. One thread, but for the connection state.
class WorkerState final : public StateView {
public:
    WorkerState() = default;
    /// Both outlive this; nullptr: nothing is found.
    explicit WorkerState(const flowstate::StateTable* connections, const flowstate::NatPorts* natPorts = nullptr)
        : connections_(connections), natPorts_(natPorts) {}

    std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const override;
    std::optional<net::Mac> arp(const RouterId& router, net::Ipv4Address address) const override;
    std::optional<net::Mac> bridgeArp(const BridgeId& bridge, net::Ipv4Address address) const override;
    std::optional<flowstate::Binding> state(const flowstate::StateKey& key) const override;
    std::optional<flowstate::Binding> freeNatPort(const Uuid& device, std::span<const flowstate::NatRange> ranges,
                                                  const flowstate::Binding& remote, std::uint64_t seed) const override;
    bool natPortsRunLow(const Uuid& device, std::span<const flowstate::NatRange> ranges, const flowstate::Binding& remote,
                        const flowstate::Binding& found) const override;

    // Changes return what was there before; nullopt: nothing.

    std::optional<PortId> setMac(const BridgeId& bridge, net::VlanId vlan, net::Mac mac, const PortId& port);
    std::optional<PortId> removeMac(const BridgeId& bridge, net::VlanId vlan, net::Mac mac);
    std::size_t macs() const { return macs_.size(); }
    template <class Visit>
    void forEachMac(const Visit& visit) const {
        for (const auto& [key, port] : macs_)
            visit(BridgeId{key.device}, net::VlanId{static_cast<std::uint16_t>(key.rest >> 48)}, net::Mac{key.rest}, port);
    }

    /// Known until `expiry`: then expireArp() takes it out.
    std::optional<net::Mac> setArp(const RouterId& router, net::Ipv4Address address, net::Mac mac, event::TimePoint expiry);
    std::optional<net::Mac> removeArp(const RouterId& router, net::Ipv4Address address);
    struct ArpKey {
        RouterId router;
        net::Ipv4Address address;
        friend bool operator==(const ArpKey&, const ArpKey&) = default;
    };
    /// Takes out the entries whose time is over. What went is returned, unordered, for the flows that rest on it.
    std::vector<ArpKey> expireArp(event::TimePoint now);
    /// nullopt: it is not there.
    std::optional<event::TimePoint> arpExpiry(const RouterId& router, net::Ipv4Address address) const;
    std::size_t arps() const { return arps_.size(); }

    std::optional<net::Mac> setBridgeArp(const BridgeId& bridge, net::Ipv4Address address, net::Mac mac);
    std::optional<net::Mac> removeBridgeArp(const BridgeId& bridge, net::Ipv4Address address);

private:
    /// A device, and in one word what its table is asked for.
    struct Key {
        Uuid device;
        std::uint64_t rest;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        using is_avalanching = void;
        std::size_t operator()(const Key& key) const noexcept { return combineHash(std::hash<Uuid>{}(key.device), key.rest); }
    };
    template <class Value>
    using Table = boost::unordered_flat_map<Key, Value, KeyHash>;
    struct Neighbour {
        net::Mac mac;
        event::TimePoint expiry;
    };

    Table<PortId> macs_;
    Table<Neighbour> arps_;
    Table<net::Mac> bridgeArps_;
    const flowstate::StateTable* connections_ = nullptr;
    const flowstate::NatPorts* natPorts_ = nullptr;
};

}  // namespace midonet::simulation
