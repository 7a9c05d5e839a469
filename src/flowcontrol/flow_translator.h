#pragma once

#include "flowcontrol/physical_map.h"
#include "simulation/simulation_result.h"
#include "topology/snapshot.h"

namespace midonet::flowcontrol {

/// What to install: datapath actions and the tags that go with the physical side.
struct Translation {
    flow::FlowActions actions;  ///< Empty: a drop, for `reason`.
    flow::FlowTags tags;
    flow::DropReason reason = flow::DropReason::NoReceivers;
};

/// Turns virtual actions into datapath actions (reference section 1.7): a local port is an output,
/// a port of another host is its tunnel with the key that host chose. An exterior port that cannot
/// be reached is left out; when none is left the reason says why. Local outputs come before tunnels
/// where no change of the packet lies between them. Any thread.
Translation translate(const simulation::VirtualActions& actions, const topology::TopologySnapshot& topology,
                      const PhysicalMap& map);

/// The flow for a packet that came out of a tunnel: straight to the port that `key` names, nothing
/// simulated. Mask and tags of it are in `decision` (reference section 1.4).
struct Untunnelling {
    simulation::Decision decision;
    Translation translation;
};
Untunnelling untunnel(const flow::FlowKey& key, const PhysicalMap& map);

}  // namespace midonet::flowcontrol
