#include "agent/meter_names.h"

#include <fmt/format.h>

namespace midonet::agent {

using flow::FlowTag;

void forEachMeter(const topology::TopologySnapshot& topology, const flowcontrol::PhysicalMap& map,
                  const std::function<void(FlowTag, std::string name)>& visit) {
    const auto device = [&](const auto& id, const auto&) { visit(FlowTag::device(id.uuid()), fmt::format("meters:device:{}", id)); };
    topology.ports.forEach(device);
    topology.bridges.forEach(device);
    topology.routers.forEach(device);
    topology.chains.forEach(device);
    topology.portGroups.forEach(device);
    topology.ipAddrGroups.forEach(device);
    topology.ports.forEach([&](const PortId& id, const auto&) {
        visit(FlowTag::portRx(id), fmt::format("meters:port:rx:{}", id));
        visit(FlowTag::portTx(id), fmt::format("meters:port:tx:{}", id));
    });
    topology.chains.forEach([&](const ChainId&, const topology::ChainPtr& chain) {
        for (const auto& name : chain->meters) visit(FlowTag::user(name), std::string{kUserMeters} + name);
    });
    for (const auto& [host, route] : map.routes)
        visit(FlowTag::tunnelRoute(route.local, route.remote),
              fmt::format("meters:tunnel:{}:{}", route.local.toHostOrder(), route.remote.toHostOrder()));
}

}  // namespace midonet::agent
