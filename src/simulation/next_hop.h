#pragma once

#include <optional>

#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// Who packets of this route go to next; nullopt: each to its own destination.
std::optional<net::Ipv4Address> gatewayOf(const topology::Route& route);

/// The neighbour of a router's port (reference section 4.6). Neither: it cannot be reached from there.
struct NextHop {
    std::optional<net::Mac> mac;
    std::optional<Fate> wait;  ///< It was asked for.
};
NextHop resolveNextHop(PacketWalk& walk, const topology::Router& router, const topology::Port& out, net::Ipv4Address address);

}  // namespace midonet::simulation
