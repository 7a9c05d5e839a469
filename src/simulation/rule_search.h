#pragma once

#include <cstddef>

#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// The first rule at `from` or later whose condition holds for the packet as it is now; chain.rules.size() when there is
/// none. By the index of the chain if it has one: then only fields that tell rules apart are looked at.
std::size_t findRule(PacketWalk& walk, const topology::Chain& chain, std::size_t from);

}  // namespace midonet::simulation
