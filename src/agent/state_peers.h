#pragma once

#include <vector>

#include "simulation/simulation_result.h"
#include "topology/snapshot.h"

namespace midonet::agent {

/// The hosts that may see packets of a connection which comes in through one port and leaves through others, so
/// that its state has to be known there (reference section 6.4): where those ports are bound, and where the other
/// ports of their stateful groups are. Without `self`; ordered, each once. A change of it invalidates the tags.
struct StatePeers {
    std::vector<PortId> ports;
    std::vector<HostId> hosts;
    flow::FlowTags tags;
};
StatePeers statePeersOf(std::vector<PortId> ports, const topology::TopologySnapshot& topology, const HostId& self);
/// The port that a packet comes in through, and those that it leaves through.
std::vector<PortId> portsOf(const PortId& ingress, const simulation::VirtualActions& actions);

}  // namespace midonet::agent
