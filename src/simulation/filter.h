#pragma once

#include <optional>

#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// What a chain decided.
struct FilterResult {
    enum class Kind : std::uint8_t { Accept, Drop, Reject, Park };
    Kind kind = Kind::Accept;
    flow::DropReason reason = flow::DropReason::RuleDropped;  ///< Of Drop.
    std::optional<flow::FlowTag> until;                       ///< Of Park: a NAT block has to be leased first.
};

/// Runs a chain on the packet as it is now, at walk.place (reference section 5.2): rules may translate it, make and
/// use connection state. A nil id, and a chain that ends without a verdict, accept; a chain that this host
/// does not have yet parks.
FilterResult runFilter(PacketWalk& walk, const ChainId& chain);

}  // namespace midonet::simulation
