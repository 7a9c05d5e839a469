#pragma once

#include "simulation/filter.h"
#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// A frame enters a router through `in` (reference section 4.2).
Fate processRouter(PacketWalk& walk, const topology::Router& router, const topology::Port& in);

/// Tells the sender of the packet, out of the router port `from`, that it is administratively prohibited (ICMP
/// 3/13), unless nothing may be told about such a packet (reference section 4.8).
void sendProhibited(PacketWalk& walk, const topology::Port& from);

/// What a verdict other than Accept makes of the packet. `in`: where it entered the device that the filter is of;
/// a router port tells the sender that it was rejected, and that a first fragment was dropped (the others
/// of its datagram would be in vain). nullptr: the device itself sent it.
Fate refuse(PacketWalk& walk, const topology::Port* in, const FilterResult& result);

}  // namespace midonet::simulation
