#pragma once

#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// A frame enters a bridge through `in` (reference section 3.3): learn its source, find its
/// destination, send it there or flood it.
Fate processBridge(PacketWalk& walk, const topology::Bridge& bridge, const topology::Port& in);

}  // namespace midonet::simulation
