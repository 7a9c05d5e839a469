#pragma once

#include "simulation/simulation_result.h"
#include "simulation/state_view.h"
#include "topology/snapshot.h"

namespace midonet::simulation {

/// A packet that enters the virtual topology.
struct PacketContext {
    PortId ingress;            ///< Virtual port it comes in through.
    const flow::FlowKey& key;  ///< As the datapath saw it.
};

/// Takes a packet through the virtual topology, from its ingress port to where it leaves (reference
/// sections 1.8 and 3). A pure function of its arguments: no I/O, no clock, nothing kept, so it
/// also serves what-if tracing and replays.
///
/// Any thread. Does not allocate for unicast between ports.
SimulationResult simulate(const PacketContext& packet, const topology::TopologySnapshot& topology,
                          const StateView& state);

}  // namespace midonet::simulation
