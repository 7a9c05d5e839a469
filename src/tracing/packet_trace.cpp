#include "tracing/packet_trace.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "simulation/simulator.h"
#include "topology/device_tracker.h"
#include "tracing/first_packet_state.h"

namespace midonet::tracing {
namespace {

using flow::FlowKey;
using LocalPorts = std::map<PortId, net::TunnelKey>;

/// The ports that the host has in its datapath, as it reported.
Result<LocalPorts> activePortsOf(nsdb::View& view, const HostId& host) {
    TRY(ids, view.referrers<model::Port>("host_id", host.uuid()));
    TRY_VOID(view.readStatesAhead(model::Port::descriptor(), ids, "state"));
    LocalPorts ports;
    for (const auto& id : ids) {
        TRY(state, view.state<model::PortState>(model::Port::descriptor(), id, "state"));
        if (state && state->active() && model::uuidOf(state->host_id()) == host.uuid()) ports.emplace(PortId{id}, net::TunnelKey{state->tunnel_key()});
    }
    return ports;
}

/// The topology as the agent of the host has it.
Result<topology::TopologySnapshotPtr> snapshotOf(nsdb::Store& store, const HostId& host, LocalPorts ports, event::Duration patience) {
    const auto loop = event::Loop::create("trace");
    topology::TopologySnapshotPtr snapshot;
    std::unique_ptr<topology::DeviceTracker> tracker;
    event::HandlePtr timer;
    loop->post([&] {
        timer = loop->after(patience, [&] { loop->stop(); });
        const auto onTopology = [&](const topology::TopologyUpdate& update) {
            if (!tracker->synced()) return;
            snapshot = update.snapshot;
            loop->stop();
        };
        tracker = std::make_unique<topology::DeviceTracker>(
            *loop, store, host, topology::DeviceTracker::Options{},
            topology::DeviceTracker::Listener{onTopology, [](auto&&...) {}, [](auto&&...) {}, [](auto&&...) {}});
        tracker->setLocalPorts(std::move(ports));
    });
    loop->run();
    if (snapshot) return snapshot;
    return fail(ErrorCode::Unavailable, "the topology of host {} could not be loaded in time: is the NSDB reachable?", host);
}

/// The MAC that a machine behind the bridge would send to for this address: of the neighbour that has it, else of the gateway.
std::optional<net::Mac> nextHopMac(const topology::TopologySnapshot& topology, const FirstPacketState& state, const topology::Bridge& bridge,
                                   net::Ipv4Address address) {
    if (const auto* const router = bridge.routerWithAddress(address)) return router->mac;
    if (const auto mac = state.bridgeArp(bridge.id, address)) return mac;
    for (const auto& peer : bridge.routerPeers) {
        const auto* const port = topology.port(peer.port);
        const auto* const routerPort = port == nullptr ? nullptr : topology.port(port->peer);
        if (routerPort != nullptr && routerPort->subnet.contains(address)) return state.arp(routerPort->router, address);
    }
    if (bridge.routerPeers.size() != 1) return std::nullopt;
    return bridge.routerPeers.front().mac;
}

Result<FlowKey> completed(FlowKey packet, const topology::Port& port, const topology::TopologySnapshot& topology, const FirstPacketState& state) {
    if (packet.ethSource == net::Mac{}) {
        const auto mac = state.macBehind(port.id);
        if (!mac) return fail(ErrorCode::Invalid, "no MAC is known behind port {}: name the source MAC", port.id);
        packet.ethSource = *mac;
    }
    if (packet.ethDestination != net::Mac{}) return packet;
    const auto* const bridge = topology.bridge(port.bridge);
    const bool canAsk = bridge != nullptr && packet.ipDestination.isV4();
    const auto mac = port.isRouterPort() ? std::optional{port.mac} : canAsk ? nextHopMac(topology, state, *bridge, packet.ipDestination.v4()) : std::nullopt;
    if (!mac) return fail(ErrorCode::Invalid, "no MAC is known for {}: name the destination MAC", packet.ipDestination);
    packet.ethDestination = *mac;
    return packet;
}

/// The packets that leave: each change counts for what comes after it.
std::vector<Output> outputsOf(const simulation::VirtualActions& actions, FlowKey packet, const topology::TopologySnapshot& topology) {
    std::vector<Output> outputs;
    for (const auto& action : actions)
        std::visit(Overloaded{
                       [&](const simulation::ToPort& out) {
                           const auto* const port = topology.port(out.port);
                           outputs.push_back({out.port, port == nullptr ? HostId{} : port->host, packet});
                       },
                       [&](const flow::SetEthernet& set) {
                           packet.ethSource = set.source;
                           packet.ethDestination = set.destination;
                       },
                       [&](const flow::PushVlan& push) { packet.vlan = push.tci; },
                       [&](const flow::PopVlan&) { packet.vlan = {}; },
                       [&](const flow::SetIpAddresses& set) {
                           packet.ipSource = set.source;
                           packet.ipDestination = set.destination;
                       },
                       [&](const flow::SetL4Ports& set) {
                           packet.l4Source = set.source;
                           packet.l4Destination = set.destination;
                       },
                       [&](const flow::DecrementTtl& decrement) { packet.ipTtl = static_cast<std::uint8_t>(packet.ipTtl - decrement.by); },
                       [](const simulation::SetIcmpData&) {},  // of errors that carry a packet; a described one carries none
                   },
                   action);
    return outputs;
}

/// Names of devices may have anything in them: a step is one line.
std::string lineOf(const simulation::TraceStep& step) {
    auto line = simulation::toString(step);
    std::replace_if(line.begin(), line.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
    return line + "\n";
}

bool isOfDevice(simulation::TraceStep::Kind kind) {
    using Kind = simulation::TraceStep::Kind;
    switch (kind) {
        case Kind::Port:
        case Kind::Bridge:
        case Kind::Router:
        case Kind::LoadBalancer:
        case Kind::Verdict: return true;
        case Kind::Chain:
        case Kind::Rule:
        case Kind::Route:
        case Kind::Translation:
        case Kind::ConnTrack:
        case Kind::Arp: return false;
    }
    MIDONET_UNREACHABLE();
}

}  // namespace

PacketTrace traceOf(const FlowKey& packet, const simulation::SimulationResult& result, const topology::TopologySnapshot& topology,
                    simulation::Trace steps) {
    PacketTrace out;
    out.packet = packet;
    out.steps = std::move(steps);
    std::visit(Overloaded{
                   [&](const simulation::Forward& forward) {
                       out.verdict = Verdict::Forwarded;
                       out.outputs = outputsOf(forward.actions, packet, topology);
                   },
                   [&](const simulation::Drop& drop) {
                       out.verdict = Verdict::Dropped;
                       out.reason = flow::toString(drop.reason);
                   },
                   [&](const simulation::Consume&) { out.verdict = Verdict::Consumed; },
                   [&](const simulation::Park&) { out.verdict = Verdict::Waits; },
               },
               result);
    return out;
}

std::string describe(const PacketTrace& trace, Detail detail) {
    std::string out = trace.packet.toString() + "\n";
    for (const auto& step : trace.steps.steps)
        if (detail == Detail::Steps || isOfDevice(step.kind)) out += lineOf(step);
    out.append(toString(trace.verdict)).append(trace.reason.empty() ? "" : ": " + trace.reason).append("\n");
    for (const auto& output : trace.outputs)
        out += fmt::format("leaves by port {} of host {}: {}\n", output.port, output.host, output.packet.toString());
    return out;
}

std::string_view toString(Verdict verdict) {
    switch (verdict) {
        case Verdict::Forwarded: return "forwarded";
        case Verdict::Dropped: return "dropped";
        case Verdict::Consumed: return "consumed";
        case Verdict::Waits: return "waits";
    }
    MIDONET_UNREACHABLE();
}

Result<PacketTrace> tracePacket(nsdb::Store& store, const PortId& port, const FlowKey& packet, event::Duration patience) {
    LocalPorts ports;
    HostId host;
    {
        TRY(view, store.view());
        TRY(found, view->get<model::Port>(port.uuid()));
        host = HostId{model::uuidOf(found.object->host_id())};
        if (host.isNil()) return fail(ErrorCode::Conflict, "port {} is bound to no host: no packet comes in through it", port);
        TRY(active, activePortsOf(*view, host));
        ports = std::move(active);
    }
    TRY(topology, snapshotOf(store, host, std::move(ports), patience));
    const auto* const ingress = topology->port(port);
    if (ingress == nullptr) return fail(ErrorCode::Conflict, "the device of port {} is not complete: no packet comes in through it", port);
    TRY(state, FirstPacketState::read(store, *topology));

    TRY(whole, completed(packet, *ingress, *topology, state));
    simulation::Trace steps;
    const auto result = simulation::simulate({.port = port, .key = whole}, *topology, state, &steps);
    auto out = traceOf(whole, result, *topology, std::move(steps));
    out.host = host;
    return out;
}

}  // namespace midonet::tracing
