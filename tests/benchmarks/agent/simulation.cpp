// One packet through the virtual topology, in user space only. Budget: L2 in 1 us.
#include "measure.h"
#include "simulation/simulator.h"
#include "simulation/worker_state.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;

constexpr std::uint64_t kBridges = 100;
constexpr std::uint64_t kPortsOfBridge = 100;

net::Mac macOf(std::uint64_t port) { return net::Mac{0x020000000000ULL + port}; }

/// Bridges of a hundred ports, half of them on another host; every machine is known.
struct Cloud {
    topology::TopologySnapshotPtr snapshot;
    simulation::WorkerState state;
};
Cloud makeCloud(bool vlans) {
    SnapshotBuilder builder;
    Cloud cloud;
    std::uint64_t number = 0;
    for (std::uint64_t b = 1; b <= kBridges; ++b) {
        builder.bridge(bridgeId(b));
        for (std::uint64_t p = 0; p < kPortsOfBridge; ++p) {
            ++number;
            auto port = activePort(number, bridgeId(b), 1 + number % 2);
            if (vlans && p >= 2) port.vlan = net::VlanId{10};
            builder.port(port);
            cloud.state.setMac(bridgeId(b), port.vlan, macOf(number), port.id);
        }
    }
    cloud.snapshot = builder.build();
    return cloud;
}

flow::FlowKey packet(std::uint64_t from, net::Mac to) {
    flow::FlowKey key;
    key.inPort = flow::PortNumber{1};
    key.ethSource = macOf(from);
    key.ethDestination = to;
    key.etherType = 0x0800;
    return key;
}

/// From each port in turn to a neighbour, so that the caches see the whole cloud.
template <class Destination>
void measure(const char* figure, const Cloud& cloud, const Destination& destination) {
    std::uint64_t from = 0;
    benchmarks::report("simulation", figure, benchmarks::nanosecondsOf([&] {
        from = from % (kBridges * kPortsOfBridge) + 1;
        const auto key = packet(from, destination(from));
        benchmarks::keep(simulation::simulate({portId(from), key}, *cloud.snapshot, cloud.state));
    }), "ns");
}

}  // namespace

int main() {
    const auto plain = makeCloud(false);
    const auto neighbour = [](std::uint64_t from) { return macOf((from - 1) / kPortsOfBridge * kPortsOfBridge + from % kPortsOfBridge + 1); };
    measure("l2_unicast", plain, neighbour);
    measure("l2_flood_100_ports", plain, [](std::uint64_t) { return net::Mac::broadcast(); });
    const auto vlans = makeCloud(true);
    measure("l2_unicast_with_vlans", vlans, neighbour);
    return 0;
}
