#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "flow/flow_tag.h"
#include "flowcontrol/physical_map.h"
#include "topology/snapshot.h"

namespace midonet::agent {

/// What the names of the meters of rules begin with.
constexpr std::string_view kUserMeters = "meters:user:";

/// The meters that there can be on a host with this topology: `meters:device:UUID` of ports, bridges, routers, chains and groups,
/// `meters:port:rx:UUID` and `meters:port:tx:UUID` of ports, `meters:tunnel:LOCAL:REMOTE` (addresses as numbers) of tunnels, both
/// ways together, `meters:user:NAME` of rules. Those of devices, and of rules, that are gone have no name any more. A name that rules of
/// several chains share is visited for each.
void forEachMeter(const topology::TopologySnapshot& topology, const flowcontrol::PhysicalMap& map,
                  const std::function<void(flow::FlowTag, std::string name)>& visit);

}  // namespace midonet::agent
