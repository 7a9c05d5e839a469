#pragma once

#include "base/bytes.h"
#include "simulation/simulation_result.h"
#include "simulation/state_view.h"
#include "simulation/trace.h"
#include "topology/snapshot.h"

namespace midonet::simulation {

/// A packet at the edge of the virtual topology.
struct PacketContext {
    PortId port;                ///< Virtual port it comes in through (or, `leaves`, goes out through).
    const flow::FlowKey& key;   ///< As the datapath saw it.
    /// The frame, outer VLAN tag in its place. Without it (a described packet) what needs more than the key
    /// (ARP, ICMP answers, the inside of ICMP errors) is left out.
    ByteView frame = {};
    /// A frame that a virtual device made: it is about to leave that device through `port`, is never a
    /// forward flow to rules, and makes no state.
    bool leaves = false;
    /// It has waited for long enough: for a neighbour that does not answer now it is dropped.
    bool lastTry = false;
};

/// Takes a packet through the virtual topology, from its ingress port to where it leaves (reference
/// sections 1.8 and 3 to 7). A pure function of its arguments: no I/O, no clock, nothing kept, so it
/// also serves what-if tracing and replays.
///
/// Any thread. Does not allocate for unicast between ports.
SimulationResult simulate(const PacketContext& packet, const topology::TopologySnapshot& topology,
                          const StateView& state, Trace* trace = nullptr);

}  // namespace midonet::simulation
