#pragma once

#include "simulation/packet_walk.h"
#include "topology/rule.h"

namespace midonet::simulation {

/// Whether the condition holds for the packet as it is now (reference section 5.3). Only what is needed to know is
/// looked at, first what has been looked at before: one test that fails is enough.
bool matches(PacketWalk& walk, const topology::Condition& condition);

/// False when the condition cannot hold for any packet at this place; asks nothing of the packet.
bool canMatchHere(PacketWalk& walk, const topology::Condition& condition);

/// IPv4, IPv6 and ARP have addresses and a protocol (ARP: its operation).
inline bool hasAddresses(PacketWalk& walk) { return walk.isIp() || walk.isArp(); }
/// TCP, UDP and SCTP ports, ICMP type and code: not in later fragments.
bool hasL4Fields(PacketWalk& walk);

// Whether an address (IpSource or IpDestination) is in the block or group: only the leading bits that decide it are
// recorded. The packet has addresses.
bool isIn(PacketWalk& walk, flow::Field address, const net::IpPrefix& block);
bool isIn(PacketWalk& walk, flow::Field address, const topology::IpAddrGroup& group);

}  // namespace midonet::simulation
