#pragma once

#include <optional>

#include "flowcontrol/physical_map.h"
#include "simulation/simulator.h"

namespace midonet::scenarios {

/// The actions of the flow that an agent would install for the packet now; none are a drop. nullopt: it would install no
/// flow. What every flow of a datapath is held against.
std::optional<flow::FlowActions> actionsNow(const flow::FlowKey& key, const topology::TopologySnapshot& topology,
                                            const simulation::StateView& state, const flowcontrol::PhysicalMap& map,
                                            simulation::Trace* trace = nullptr);

/// The actions can be carried out on the packet. With too few hops left, the datapath hands it to the agent instead.
bool hopsAreLeft(const flow::FlowKey& key, const flow::FlowActions& actions);

}  // namespace midonet::scenarios
