#pragma once

#include <optional>
#include <span>

#include "base/id.h"
#include "flowstate/nat_ports.h"
#include "flowstate/state_key.h"
#include "net/ip_address.h"
#include "net/mac.h"
#include "net/numbers.h"

namespace midonet::simulation {

/// What the simulation asks of learned state. Read only; one worker's view, at one moment.
class StateView {
public:
    virtual ~StateView() = default;
    /// The port behind which `mac` was last seen on this VLAN of the bridge.
    virtual std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const = 0;

    /// The MAC of a neighbour of the router; nullopt when it is not known, or too long ago.
    virtual std::optional<net::Mac> arp(const RouterId& router, net::Ipv4Address address) const = 0;
    /// The MAC that the ARP table of the bridge has for the address.
    virtual std::optional<net::Mac> bridgeArp(const BridgeId& bridge, net::Ipv4Address address) const = 0;

    /// Connection state; nullopt when there is none. (A ConnTrack key that is there has an empty binding.)
    virtual std::optional<flowstate::Binding> state(const flowstate::StateKey& key) const = 0;
    /// NatPorts::find() of the worker.
    virtual std::optional<flowstate::Binding> freeNatPort(const Uuid& device, std::span<const flowstate::NatRange> ranges,
                                                          const flowstate::Binding& remote, std::uint64_t seed) const = 0;
    /// NatPorts::runsLow() of the worker.
    virtual bool natPortsRunLow(const Uuid& device, std::span<const flowstate::NatRange> ranges, const flowstate::Binding& remote,
                                const flowstate::Binding& found) const = 0;
};

}  // namespace midonet::simulation
