#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "flow/flow_key.h"
#include "nsdb/store.h"
#include "simulation/simulation_result.h"
#include "simulation/trace.h"
#include "topology/snapshot.h"
#include "tracing/tracer.h"

namespace midonet::tracing {

/// What became of a packet.
enum class Verdict : std::uint8_t {
    Forwarded,
    Dropped,
    Consumed,  ///< The virtual network answered or used it up.
    Waits,     ///< Something has to be learned first, as the MAC of a neighbour.
};
std::string_view toString(Verdict verdict);

/// A packet that leaves the virtual network.
struct Output {
    PortId port;
    HostId host;           ///< Where the port is bound.
    flow::FlowKey packet;  ///< As it leaves.
};

struct PacketTrace {
    HostId host;           ///< Whose view it is: the one that the packet comes in at.
    flow::FlowKey packet;  ///< As it came in, with what was left open.
    Verdict verdict = Verdict::Dropped;
    std::string reason;    ///< Of a drop: its name in docs/drop-reasons.md. Else empty.
    std::vector<Output> outputs;
    simulation::Trace steps;
};

/// What a simulation made of the packet, and the steps that led there. The host is left open.
PacketTrace traceOf(const flow::FlowKey& packet, const simulation::SimulationResult& result, const topology::TopologySnapshot& topology,
                    simulation::Trace steps);

/// The way of the packet in lines, for people: the packet, each step that counts as `detail`, the verdict, what leaves where.
std::string describe(const PacketTrace& trace, Detail detail);

/// What would happen to a packet that comes in through `port`, as its host sees the network now: the first packet of a
/// connection. Of `packet` the ingress port and the tunnel do not matter. Zero MACs are filled in: as source one that is known behind the
/// port, as destination that of the neighbour with the address, or of the gateway to it.
///
/// NotFound: there is no such port. Conflict: it is bound to no host, or its host does not have it. Invalid: a MAC is to be filled in and
/// none is known. Unavailable: the topology could not be loaded in time. Blocks; any thread.
Result<PacketTrace> tracePacket(nsdb::Store& store, const PortId& port, const flow::FlowKey& packet,
                                event::Duration patience = std::chrono::seconds{10});

}  // namespace midonet::tracing
