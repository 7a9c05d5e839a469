#pragma once

#include <vector>

#include "flow/flow_tag.h"
#include "net/ip_prefix.h"
#include "topology/snapshot.h"

namespace midonet::topology {

/// A route of this router came into force, or is no longer.
struct RouteChange {
    RouterId router;
    net::IpPrefix destination;
    friend auto operator<=>(const RouteChange&, const RouteChange&) = default;
};

/// The newest snapshot, and which flows of the one before are wrong now: those with an invalidated tag, and
/// those that a router of `routesChanged` forwards to an address inside of the destination. A router that came
/// or went has its tag instead of its routes.
struct TopologyUpdate {
    TopologySnapshotPtr snapshot;
    std::vector<flow::FlowTag> invalidated;
    std::vector<RouteChange> routesChanged;
    bool hostsChanged = false;  ///< Those that packets go to, or their addresses; which flows that makes wrong is not said here.
    bool changesNothing() const { return invalidated.empty() && routesChanged.empty() && !hostsChanged; }
};

/// What follows from putting `after` in the place of `before`. Devices shared by both are not looked at.
TopologyUpdate updateBetween(const TopologySnapshot& before, TopologySnapshotPtr after);

}  // namespace midonet::topology
