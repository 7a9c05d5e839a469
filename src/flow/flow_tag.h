#pragma once

#include <boost/container/small_vector.hpp>
#include <compare>
#include <cstdint>
#include <string_view>

#include "base/id.h"
#include "flow/port_number.h"
#include "net/ip_address.h"
#include "net/mac.h"

namespace midonet::flow {

/// A reason why an installed flow may become wrong. Flows carry tags; a change invalidates a tag,
/// which removes every flow that carries it. Reference section 2.2 lists who sets and who
/// invalidates each. Tags are compared by a 64-bit hash of kind and arguments: a collision
/// only removes a flow too many.
class FlowTag {
public:
    enum class Kind : std::uint8_t {
        Device = 1,
        PortTx,
        PortRx,
        VlanFlood,
        BridgeArp,
        VlanPort,
        Broadcast,
        RouterPort,
        DatapathPort,
        TunnelRoute,
        TunnelKey,
        Destination,
        ArpEntry,
        User,
        StatePeers,
        State,
    };

    /// The device (bridge, port) changed or is gone.
    static FlowTag device(const Uuid& id);
    /// Flooded because `destination` is not in the table of (bridge, vlan).
    static FlowTag vlanFlood(BridgeId bridge, net::VlanId vlan, net::Mac destination);
    /// `mac` of (bridge, vlan) was taken to be behind `port`.
    static FlowTag vlanPort(BridgeId bridge, net::VlanId vlan, net::Mac mac, PortId port);
    /// Flooded to the set of exterior ports of the bridge.
    static FlowTag broadcast(BridgeId bridge);
    /// Enters or leaves through a port of the local datapath.
    static FlowTag datapathPort(PortNumber port);
    /// Uses the way to a peer host.
    static FlowTag tunnelRoute(net::Ipv4Address local, net::Ipv4Address remote);
    /// Decided by what the key of a tunnelled packet stands for here.
    static FlowTag tunnelKey(net::TunnelKey key);

    /// A MAC of the bridge was taken to be a router port's, or not to be one (RouterPort).
    static FlowTag routerMac(BridgeId bridge, net::Mac mac);
    /// Routed by what the router's table says of this block of 16 addresses (IPv4: /28, IPv6: /124).
    static FlowTag destination(RouterId router, const net::IpAddress& address);
    /// Uses what the ARP table of the router says of the address.
    static FlowTag arpEntry(RouterId router, const net::IpAddress& address);
    /// Uses what the bridge itself knows of the address: it is a router port's, or in its ARP table.
    static FlowTag bridgeArp(BridgeId bridge, const net::IpAddress& address);
    /// The state of its connections is shared with the hosts behind this port or port group.
    static FlowTag statePeers(const Uuid& portOrGroup);
    /// Rests on a key of the connection state, by its hash: there, or not there.
    static FlowTag state(std::uint64_t keyHash);

    /// Comes in, or goes out, through an exterior port of this host: for meters alone, nothing invalidates them.
    static FlowTag portRx(const PortId& port);
    static FlowTag portTx(const PortId& port);
    /// Matched a rule with a meter of this name: for meters alone too.
    static FlowTag user(std::string_view meter);

    /// What a tag is about. Of places (all but the last) there are as many as of devices, ports, tunnels and meters.
    enum class Sort : std::uint8_t {
        Meter,         ///< Counts packets, and nothing else.
        MeteredPlace,  ///< Packets pass it, and it counts them.
        Place,
        Single,  ///< A single address or connection.
    };
    Sort sort() const {
        switch (kind()) {
            case Kind::PortTx:
            case Kind::PortRx:
            case Kind::User: return Sort::Meter;
            case Kind::Device:
            case Kind::TunnelRoute: return Sort::MeteredPlace;
            case Kind::Broadcast:
            case Kind::DatapathPort:
            case Kind::TunnelKey:
            case Kind::StatePeers: return Sort::Place;
            case Kind::VlanFlood:
            case Kind::BridgeArp:
            case Kind::VlanPort:
            case Kind::RouterPort:
            case Kind::Destination:
            case Kind::ArpEntry:
            case Kind::State: return Sort::Single;
        }
        return Sort::Single;
    }
    bool isPlace() const { return sort() != Sort::Single; }
    bool isMetered() const { return sort() <= Sort::MeteredPlace; }
    bool isForMetersAlone() const { return sort() == Sort::Meter; }
    constexpr std::uint64_t value() const { return value_; }
    Kind kind() const { return static_cast<Kind>(value_ >> 56); }
    friend constexpr auto operator<=>(FlowTag, FlowTag) = default;

private:
    constexpr FlowTag(Kind kind, std::uint64_t hash)
        : value_((static_cast<std::uint64_t>(kind) << 56) | (hash & 0x00ffffffffffffffULL)) {}
    std::uint64_t value_;
};

using FlowTags = boost::container::small_vector<FlowTag, 12>;

}  // namespace midonet::flow

template <>
struct std::hash<midonet::flow::FlowTag> {
    std::size_t operator()(midonet::flow::FlowTag tag) const noexcept { return midonet::mixHash(tag.value()); }
};
