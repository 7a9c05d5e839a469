#include "flowcontrol/flow_translator.h"

#include "base/overloaded.h"

namespace midonet::flowcontrol {
namespace {

using flow::DropReason;
using flow::FlowTag;

/// One stretch of outputs between two changes of the packet: local ones first, so that the datapath
/// encapsulates after the last plain copy is out.
class OutputRun {
public:
    explicit OutputRun(Translation& out) : out_(out) {}

    void local(flow::PortNumber port) { locals_.push_back(flow::Output{port}); }
    void remote(flow::TunnelId tunnel, net::TunnelKey key) { tunnels_.push_back(flow::OutputTunnel{tunnel, key}); }
    void end() {
        out_.actions.insert(out_.actions.end(), locals_.begin(), locals_.end());
        out_.actions.insert(out_.actions.end(), tunnels_.begin(), tunnels_.end());
        locals_.clear();
        tunnels_.clear();
    }

private:
    Translation& out_;
    flow::FlowActions locals_;
    flow::FlowActions tunnels_;
};

bool isOutput(const flow::FlowAction& action) {
    return std::holds_alternative<flow::Output>(action) || std::holds_alternative<flow::OutputTunnel>(action);
}

}  // namespace

Translation translate(const simulation::VirtualActions& actions, const topology::TopologySnapshot& topology,
                      const PhysicalMap& map) {
    Translation out;
    OutputRun run(out);
    bool delivered = false;

    const auto toPort = [&](const PortId& id) {
        if (const auto number = map.portNumber(id)) {
            out.tags.push_back(FlowTag::datapathPort(*number));
            out.tags.push_back(FlowTag::portTx(id));
            run.local(*number);
            delivered = true;
            return;
        }
        const auto* port = topology.port(id);
        if (port == nullptr || !port->active || port->host == map.self) {
            out.reason = DropReason::EgressPortInactive;
            return;
        }
        // A route that appears or changes invalidates the device tag of the host.
        out.tags.push_back(FlowTag::device(port->host.uuid()));
        const auto route = map.routeTo(port->host);
        if (!route) {
            out.reason = DropReason::NoTunnelRoute;
            return;
        }
        out.tags.push_back(FlowTag::tunnelRoute(route->local, route->remote));
        run.remote(route->tunnel, port->tunnelKey);
        delivered = true;
    };
    for (const auto& action : actions) {
        std::visit(Overloaded{
                       [&](const simulation::ToPort& a) { toPort(a.port); },
                       [](const simulation::SetIcmpData&) {},  // done by the agent, in the packet itself
                       [&](const auto& change) {
                           run.end();
                           out.actions.push_back(change);
                       },
                   },
                   action);
    }
    run.end();
    // Changes of the packet after the last output serve nobody.
    while (!out.actions.empty() && !isOutput(out.actions.back())) out.actions.pop_back();
    if (!delivered) out.actions.clear();
    return out;
}

Untunnelling untunnel(const flow::FlowKey& key, const PhysicalMap& map) {
    Untunnelling out;
    auto& [decision, translation] = out;
    decision.mask.see(flow::Field::InPort);
    decision.mask.see(flow::Field::TunnelKey);
    decision.mask.see(flow::Field::TunnelSource);
    decision.mask.see(flow::Field::TunnelDestination);
    decision.tags.push_back(FlowTag::tunnelKey(key.tunnelKey));
    decision.tags.push_back(FlowTag::tunnelRoute(key.tunnelDestination, key.tunnelSource));
    const auto port = map.portOfKey(key.tunnelKey);
    const auto number = port ? map.portNumber(*port) : std::nullopt;
    if (!number) {
        translation.reason = DropReason::UnknownTunnelKey;
        return out;
    }
    translation.tags.push_back(FlowTag::datapathPort(*number));
    translation.tags.push_back(FlowTag::portTx(*port));
    translation.actions.push_back(flow::Output{*number});
    return out;
}

}  // namespace midonet::flowcontrol
