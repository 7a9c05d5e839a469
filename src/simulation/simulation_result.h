#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/id.h"
#include "flow/drop_reason.h"
#include "flow/flow_action.h"
#include "flow/flow_key.h"
#include "flow/flow_tag.h"
#include "flowstate/nat_ports.h"
#include "flowstate/state_key.h"

namespace midonet::simulation {

/// Leaves the virtual topology through an exterior port; which host that is on, and how to get
/// there, is the translator's business.
struct ToPort {
    PortId port;
    friend bool operator==(const ToPort&, const ToPort&) = default;
};
/// The connection named inside an ICMP error, as it is to be there (RFC 5508 section 4.2): addresses, and
/// ports (of an echo both are its identifier). Only the agent can do this: such packets have no flow.
struct SetIcmpData {
    net::IpAddress source;
    net::IpAddress destination;
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    friend bool operator==(const SetIcmpData&, const SetIcmpData&) = default;
};

/// What the virtual topology does with the packet, in order.
using VirtualAction = std::variant<ToPort, flow::SetEthernet, flow::PushVlan, flow::PopVlan, flow::SetIpAddresses,
                                   flow::SetL4Ports, flow::DecrementTtl, SetIcmpData>;
using VirtualActions = boost::container::small_vector<VirtualAction, 4>;

// Effects: what a flow keeps alive as long as it lives.

/// `mac` was seen coming in through `port`.
struct LearnMac {
    BridgeId bridge;
    net::VlanId vlan;
    net::Mac mac;
    PortId port;
    friend bool operator==(const LearnMac&, const LearnMac&) = default;
};
/// The entry of the ARP table is in use: it is asked for again before it is too old.
struct UseArp {
    RouterId router;
    PortId port;  ///< Of the router, where the address is.
    net::Ipv4Address address;
    friend bool operator==(const UseArp&, const UseArp&) = default;
};
/// Was routed by what the router's table says of this block (the addresses of one FlowTag::destination).
struct UseRoute {
    RouterId router;
    net::IpAddress block;
    std::uint8_t prefixLength = 0;  ///< Of the routes that were chosen from; 0 also when there was none.
    friend bool operator==(const UseRoute&, const UseRoute&) = default;
};
/// Rests on this key of the connection state, which is there or added by the same decision.
struct UseState {
    flowstate::StateKey key;
    friend bool operator==(const UseState&, const UseState&) = default;
};
using Effect = std::variant<LearnMac, UseArp, UseRoute, UseState>;
using Effects = boost::container::small_vector<Effect, 1>;

// Events: what happens once, with this packet, before it goes on.

/// The neighbour of a router port told its MAC.
struct LearnArp {
    RouterId router;
    net::Ipv4Address address;
    net::Mac mac;
    friend bool operator==(const LearnArp&, const LearnArp&) = default;
};
/// Somebody on the bridge announced that the address is its own (gratuitous ARP).
struct LearnBridgeArp {
    BridgeId bridge;
    net::Ipv4Address address;
    net::Mac mac;
    friend bool operator==(const LearnBridgeArp&, const LearnBridgeArp&) = default;
};
/// The router asks for the MAC of a neighbour of its port.
struct AskArp {
    RouterId router;
    PortId port;
    net::Ipv4Address address;
    friend bool operator==(const AskArp&, const AskArp&) = default;
};
/// A frame of a virtual device: it leaves that device through `port`.
struct SendFrame {
    PortId port;
    std::vector<std::uint8_t> frame;
    bool isError = false;  ///< An ICMP error: at most so many a second for each port.
    friend bool operator==(const SendFrame&, const SendFrame&) = default;
};
/// New connection state, to be shared with the hosts that may see the answers.
struct AddState {
    flowstate::StateEntry entry;
    friend bool operator==(const AddState&, const AddState&) = default;
};
/// A source translation took this port (of `device`) for its connection with `remote`.
struct TakeNatPort {
    Uuid device;
    flowstate::Binding port;
    flowstate::Binding remote;
    friend bool operator==(const TakeNatPort&, const TakeNatPort&) = default;
};
/// No leased port is left, or soon none: a block is wanted.
struct LeaseNatBlock {
    Uuid device;
    bool deviceIsBridge = false;
    std::vector<flowstate::NatRange> ranges;
    friend bool operator==(const LeaseNatBlock&, const LeaseNatBlock&) = default;
};
/// State that contradicts the topology, as a binding to a pool member that is gone.
struct RemoveState {
    flowstate::StateKey key;
    friend bool operator==(const RemoveState&, const RemoveState&) = default;
};
using Event = std::variant<LearnArp, LearnBridgeArp, AskArp, SendFrame, AddState, TakeNatPort, LeaseNatBlock, RemoveState>;
using Events = std::vector<Event>;

/// How long a flow may live without traffic (reference section 2.4).
enum class FlowClass : std::uint8_t {
    Error,   ///< 5 s, with or without traffic: drops that nothing invalidates.
    Normal,  ///< 60 s without traffic.
    /// As Normal, and shortly after its sender has closed: TCP packets that rest on connection state.
    TcpConnection,
    Tunnel,  ///< 300 s without traffic: un-tunnelling.
};

/// What every decided packet has: the fields that were looked at, what would change the decision,
/// and what is to be done beside forwarding.
struct Decision {
    flow::FlowMask mask;
    flow::FlowTags tags;
    Effects effects;
    Events events;
    FlowClass flowClass = FlowClass::Normal;
    /// Something was looked at that no flow can match (the inside of an ICMP error): for this packet only.
    bool onlyThisPacket = false;
    /// A key of the connection state that was looked for and is not there, or not yet: the last one.
    std::optional<flow::FlowTag> missedState;
};

struct Forward : Decision {
    VirtualActions actions;  ///< At least one ToPort.
};
struct Drop : Decision {
    flow::DropReason reason;
};
/// The virtual network answered or used up the packet: no flow.
struct Consume : Decision {};
/// Something is not known yet: simulate again from the start when it may be. Of the decision only the events
/// count that are to bring it (AskArp, LeaseNatBlock).
struct Park : Decision {
    flow::FlowTag until;  ///< A change of this wakes it.
};

using SimulationResult = std::variant<Forward, Drop, Consume, Park>;

}  // namespace midonet::simulation
