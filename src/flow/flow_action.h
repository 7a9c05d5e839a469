#pragma once

#include <boost/container/small_vector.hpp>
#include <string>
#include <variant>

#include "flow/flow_key.h"

namespace midonet::flow {

/// What a datapath does with a packet, in order. Changes apply to all outputs that follow. An empty
/// list drops the packet.
struct Output {
    PortNumber port;
    friend bool operator==(const Output&, const Output&) = default;
};
struct OutputTunnel {
    TunnelId tunnel;
    net::TunnelKey key;
    friend bool operator==(const OutputTunnel&, const OutputTunnel&) = default;
};
struct SetEthernet {
    net::Mac source;
    net::Mac destination;
    friend bool operator==(const SetEthernet&, const SetEthernet&) = default;
};
/// Pushes an 802.1Q tag (TPID 0x8100) outside the others.
struct PushVlan {
    VlanTci tci;
    friend bool operator==(const PushVlan&, const PushVlan&) = default;
};
struct PopVlan {
    friend bool operator==(const PopVlan&, const PopVlan&) = default;
};
/// Both of one family; the packet's checksums follow.
struct SetIpAddresses {
    net::IpAddress source;
    net::IpAddress destination;
    friend bool operator==(const SetIpAddresses&, const SetIpAddresses&) = default;
};
/// TCP or UDP ports; the checksum follows.
struct SetL4Ports {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
    friend bool operator==(const SetL4Ports&, const SetL4Ports&) = default;
};
/// IPv4 TTL or IPv6 hop limit minus `by`. A packet that would be left with less than 1 goes to the agent
/// instead, as it came in and with reason "action": so this is the first action of its list. Other places are
/// allowed where the flow matches the TTL exactly.
struct DecrementTtl {
    std::uint8_t by = 1;
    friend bool operator==(const DecrementTtl&, const DecrementTtl&) = default;
};
/// Sends the packet to the agent (reason "action").
struct ToAgent {
    friend bool operator==(const ToAgent&, const ToAgent&) = default;
};

using FlowAction = std::variant<Output, OutputTunnel, SetEthernet, PushVlan, PopVlan, SetIpAddresses,
                                SetL4Ports, DecrementTtl, ToAgent>;
/// Six hold a unicast flow with rewrites without allocation.
using FlowActions = boost::container::small_vector<FlowAction, 6>;

std::string toString(const FlowAction& action);
std::string toString(const FlowActions& actions);

}  // namespace midonet::flow
