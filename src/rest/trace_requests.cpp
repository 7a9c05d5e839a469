#include <chrono>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/condition_body.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::TraceRequest;

std::int64_t nowMs() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// `deviceId`, kept in the reference of its type: a device that is missing is found by the store.
Outcome<void> setDevice(const model::JsonBody& body, TraceRequest& request) {
    const auto device = body.uuid("deviceId");
    if (!device || !*device) return refuseProperty("deviceId", "must be the UUID of a device");
    const auto bytes = model::bytesOf(**device);
    request.clear_bridge_id();
    request.clear_port_id();
    request.clear_router_id();
    switch (request.device_type()) {
        case TraceRequest::BRIDGE: request.set_bridge_id(bytes); break;
        case TraceRequest::PORT: request.set_port_id(bytes); break;
        case TraceRequest::ROUTER:
        default: request.set_router_id(bytes); break;  // the schema let no other through
    }
    return {};
}

Outcome<void> prepare(const Change& change, TraceRequest& request) {
    DO_OR_REFUSE(setDevice(change.body, request));
    model::Violations violations;
    checkCondition(*request.mutable_condition(), "condition.", violations);
    settleFragments(*request.mutable_condition(), "condition.", violations);
    if (request.creation_timestamp_ms() == 0) request.set_creation_timestamp_ms(nowMs());
    return refuseIfAny(std::move(violations));
}

Outcome<void> showDevice(const Show& out, const TraceRequest& request) {
    const auto& [segment, id] = !request.bridge_id().empty() ? std::pair{"bridges", request.bridge_id()}
                                : !request.port_id().empty() ? std::pair{"ports", request.port_id()}
                                                             : std::pair{"routers", request.router_id()};
    const auto device = model::uuidOf(id);
    out.json.key("deviceId").string(device.toString());
    out.json.key("device").string(fmt::format("{}/{}/{}", out.base, segment, device));
    return {};
}

template <class Device>
Outcome<std::string> tenantOf(nsdb::View& view, const std::string& id) {
    GET_OR_REFUSE(device, view.get<Device>(model::uuidOf(id)));
    return device.object->tenant_id();
}

/// The tenant of the traced device; of a port, of the device that has it.
Outcome<std::string> tenantOf(nsdb::View& view, const TraceRequest& request) {
    if (!request.bridge_id().empty()) return tenantOf<model::Bridge>(view, request.bridge_id());
    if (!request.router_id().empty()) return tenantOf<model::Router>(view, request.router_id());
    GET_OR_REFUSE(port, view.get<model::Port>(model::uuidOf(request.port_id())));
    if (!port.object->router_id().empty()) return tenantOf<model::Router>(view, port.object->router_id());
    return tenantOf<model::Bridge>(view, port.object->bridge_id());
}

Outcome<std::vector<Uuid>> tracesOf(nsdb::View& view, const std::string& tenant) {
    GET_OR_REFUSE(requests, view.list<TraceRequest>());
    std::vector<Uuid> out;
    for (const auto& request : requests) {
        GET_OR_REFUSE(owner, tenantOf(view, *request.object));
        if (owner == tenant) out.push_back(model::idOf(*request.object));
    }
    return out;
}

}  // namespace

void addTraceRequests(ObjectApi& api) {
    auto request = resource<TraceRequest>({
        .show = showDevice,
        .beforeCreate = prepare,
        .beforeUpdate = [](const Change& change, const TraceRequest&, TraceRequest& next) { return prepare(change, next); }});
    request.filters = {{"tenant_id", "Those of devices of this tenant.", tracesOf}};
    request.more = {{.name = "deviceId", .type = ValueType::Uuid, .readOnly = false, .required = true}, {.name = "device", .type = ValueType::Uri}};
    api.add(std::move(request));
}

}  // namespace midonet::rest
