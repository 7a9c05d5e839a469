#include "rest/binding.h"

#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::rest {

Outcome<BindingStatus> bindingStatus(nsdb::View& view, const model::Port& port) {
    BindingStatus status;
    if (!isBound(port)) return status;
    GET_OR_REFUSE(state, view.state<model::PortState>(model::Port::descriptor(), model::uuidOf(port.id()), "state"));
    // What another host says is left over from before a move.
    if (state && state->host_id() == port.host_id()) {
        status.active = state->active();
        if (!status.active) status.reason = state->status().empty() ? "not active; the agent gave no reason" : state->status();
        return status;
    }
    const auto host = model::uuidOf(port.host_id());
    GET_OR_REFUSE(alive, view.state(model::Host::descriptor(), host, "alive"));
    status.reason = alive ? fmt::format("the agent of host {} has not taken the port up yet", host)
                          : fmt::format("no agent is running on host {}", host);
    return status;
}

Outcome<BindingStatus> statusForTenants(nsdb::View& view, const model::Port& port) {
    GET_OR_REFUSE(state, view.state<model::PortState>(model::Port::descriptor(), model::uuidOf(port.id()), "state"));
    return BindingStatus{.active = state && state->active(), .reason = {}};
}

}  // namespace midonet::rest
