#include "flow/flow_action.h"

#include "base/overloaded.h"

namespace midonet::flow {

std::string toString(const FlowAction& action) {
    return std::visit(
        Overloaded{
            [](const Output& a) { return fmt::format("output({})", a.port.value()); },
            [](const OutputTunnel& a) { return fmt::format("tunnel({},key={})", a.tunnel.value(), a.key.value()); },
            [](const SetEthernet& a) { return fmt::format("set_eth(src={},dst={})", a.source, a.destination); },
            [](const PushVlan& a) { return fmt::format("push_vlan({})", a.tci.id().value()); },
            [](const PopVlan&) { return std::string("pop_vlan"); },
            [](const SetIpAddresses& a) { return fmt::format("set_ip(src={},dst={})", a.source, a.destination); },
            [](const SetL4Ports& a) { return fmt::format("set_tp(src={},dst={})", a.source, a.destination); },
            [](const DecrementTtl& a) { return a.by == 1 ? std::string("dec_ttl") : fmt::format("dec_ttl({})", a.by); },
            [](const ToAgent&) { return std::string("to_agent"); },
        },
        action);
}

std::string toString(const FlowActions& actions) {
    if (actions.empty()) return "drop";
    std::string out;
    for (const auto& action : actions) {
        if (!out.empty()) out += ',';
        out += toString(action);
    }
    return out;
}

}  // namespace midonet::flow
