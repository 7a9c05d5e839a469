#pragma once

#include "packet/builder.h"
#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// An ARP packet comes to a router through `in` (reference section 4.5): the port answers for its own
/// address, and learns from what is told to it or to everybody.
Fate processRouterArp(PacketWalk& walk, const topology::Router& router, const topology::Port& in);

/// The request by which the port of a router looks for a neighbour. The port has an address.
std::vector<std::uint8_t> arpRequestFrame(const topology::Port& port, net::Ipv4Address address);

/// Tells the sender of the ARP request in `request` that `address` is at `mac`; nullopt when there is no
/// request in it.
std::optional<packet::Frame> arpReplyFrame(ByteView request, net::Ipv4Address address, net::Mac mac);

}  // namespace midonet::simulation
