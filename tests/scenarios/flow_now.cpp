#include "flow_now.h"

#include "base/overloaded.h"
#include "flowcontrol/flow_translator.h"

namespace midonet::scenarios {

std::optional<flow::FlowActions> actionsNow(const flow::FlowKey& key, const topology::TopologySnapshot& topology,
                                            const simulation::StateView& state, const flowcontrol::PhysicalMap& map,
                                            simulation::Trace* trace) {
    if (key.fromTunnel()) return flowcontrol::untunnel(key, map).translation.actions;
    const auto port = map.virtualPort(key.inPort);
    if (!port) return flow::FlowActions{};
    const auto result = simulation::simulate({*port, key}, topology, state, trace);
    using Actions = std::optional<flow::FlowActions>;
    return std::visit(Overloaded{
                          [&](const simulation::Forward& f) -> Actions { return flowcontrol::translate(f.actions, topology, map).actions; },
                          [](const simulation::Drop&) -> Actions { return flow::FlowActions{}; },
                          [](const simulation::Consume&) -> Actions { return std::nullopt; },
                          [](const simulation::Park&) -> Actions { return std::nullopt; },
                      },
                      result);
}

bool hopsAreLeft(const flow::FlowKey& key, const flow::FlowActions& actions) {
    const auto* decrement = actions.empty() ? nullptr : std::get_if<flow::DecrementTtl>(&actions.front());
    return decrement == nullptr || key.ipTtl > decrement->by;
}

}  // namespace midonet::scenarios
