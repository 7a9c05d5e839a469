#include "simulation/simulator.h"

#include "simulation/bridge.h"
#include "simulation/packet_walk.h"

namespace midonet::simulation {

SimulationResult simulate(const PacketContext& packet, const topology::TopologySnapshot& topology,
                          const StateView& state) {
    const auto* in = topology.port(packet.ingress);
    if (in == nullptr) return Park{packet.ingress.uuid()};
    const auto* bridge = topology.bridge(in->bridge);
    if (bridge == nullptr) return Park{in->bridge.uuid()};

    PacketWalk walk(packet.key, topology, state);
    walk.tag(flow::FlowTag::device(in->id.uuid()));
    if (!in->adminUp) return walk.drop(flow::DropReason::PortAdminDown);
    return processBridge(walk, *bridge, *in);
}

}  // namespace midonet::simulation
