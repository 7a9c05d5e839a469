#include <algorithm>
#include <array>
#include <span>

#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "rest/binding.h"
#include "rest/links.h"
#include "rest/router_ports.h"
#include "rest/topology_api.h"
#include "rest/tunnel_keys.h"

namespace midonet::rest {
namespace {

/// How clients write the types of ports; the longer ones are older spellings.
constexpr std::array<std::string_view, 3> kBridgeTypes{"Bridge", "ExteriorBridge", "InteriorBridge"};
constexpr std::array<std::string_view, 3> kRouterTypes{"Router", "ExteriorRouter", "InteriorRouter"};
constexpr std::array<std::string_view, 1> kVxlanTypes{"Vxlan"};

bool isRouterPort(const model::Port& port) { return !port.router_id().empty(); }
bool isVxlanPort(const model::Port& port) { return !port.vtep_id().empty(); }

/// The one that is shown is the first.
std::span<const std::string_view> typesOf(const model::Port& port) {
    if (isRouterPort(port)) return kRouterTypes;
    if (isVxlanPort(port)) return kVxlanTypes;
    return kBridgeTypes;
}

/// The path says which type it has to be. Without one, PUT means the stored.
Outcome<void> checkType(const model::JsonBody& body, const model::Port& port, model::Input input) {
    const auto known = typesOf(port);
    const auto type = body.text("type");
    if (type && !*type && input == model::Input::Update) return {};
    if (type && *type && std::find(known.begin(), known.end(), **type) != known.end()) return {};
    return refuseProperty("type", fmt::format("must be {}", known.front()));
}

Outcome<void> beforeCreate(const Change& change, model::Port& port) {
    DO_OR_REFUSE(checkType(change.body, port, model::Input::Create));
    if (isRouterPort(port)) DO_OR_REFUSE(readRouterPort(change.body, nullptr, port));
    followBinding({}, port);
    return allocateTunnelKey(change.transaction, port);
}

Outcome<void> afterCreate(const Change& change, const model::Port& port) {
    DO_OR_REFUSE(movePeer(change.transaction, nullptr, port));
    if (isRouterPort(port)) DO_OR_REFUSE(followAddresses(change.transaction, nullptr, port));
    return {};
}

Outcome<void> beforeUpdate(const Change& change, const model::Port& stored, model::Port& next) {
    DO_OR_REFUSE(checkType(change.body, stored, model::Input::Update));
    followBinding(stored, next);
    if (isRouterPort(stored)) {
        DO_OR_REFUSE(readRouterPort(change.body, &stored, next));
        DO_OR_REFUSE(followAddresses(change.transaction, &stored, next));
    }
    return movePeer(change.transaction, &stored, next);
}

Outcome<void> refuseVxlanPort(nsdb::Transaction&, const model::Port& port) {
    if (!isVxlanPort(port)) return {};
    return refuse(409, "port {} stands for bindings to VTEP {}: it goes with the last of them", model::idOf(port), model::uuidOf(port.vtep_id()));
}

Outcome<void> showVtep(const Show& out, const model::Port& port) {
    const auto vtep = model::uuidOf(port.vtep_id());
    out.json.key("vtepId").stringOrNull(vtep.isNil() ? "" : vtep.toString());
    out.json.key("vtep").stringOrNull(vtep.isNil() ? "" : fmt::format("{}/vteps/{}", out.base, vtep));
    return {};
}

Outcome<void> showPort(const Show& out, const model::Port& port) {
    GET_OR_REFUSE(status, out.toTenant ? statusForTenants(out.view, port) : bindingStatus(out.view, port));
    const bool router = isRouterPort(port);
    const auto device = model::uuidOf(router ? port.router_id() : port.bridge_id());
    out.json.key("type").string(typesOf(port).front());
    out.json.key("deviceId").string(device.toString());
    out.json.key("device").string(fmt::format("{}/{}/{}", out.base, router ? "routers" : "bridges", device));
    out.json.key("active").boolean(status.active);
    out.json.key("status").stringOrNull(status.reason);
    out.json.key("hostInterfacePort");
    if (isBound(port))
        out.json.string(fmt::format("{}/hosts/{}/ports/{}", out.base, model::uuidOf(port.host_id()), model::idOf(port)));
    else
        out.json.null();
    return router ? showRouterPort(out, port) : showVtep(out, port);
}

}  // namespace

void addPorts(ObjectApi& api) {
    auto port = resource<model::Port>({
        .show = showPort, .beforeCreate = beforeCreate, .afterCreate = afterCreate, .beforeUpdate = beforeUpdate,
        .beforeRemove = refuseVxlanPort});
    port.creatable = false;  // below its device only
    port.removeMissingIs404 = true;
    port.shownState = "state";
    port.links = {{"link", "/link"}, {"portGroups", "/port_groups"}};
    port.more = {{.name = "type", .readOnly = false,
                  .values = {"Bridge", "Router", "Vxlan", "ExteriorBridge", "InteriorBridge", "ExteriorRouter", "InteriorRouter"},
                  .doc = "Required in POST. The longer ones are older spellings, for input."},
                 {.name = "deviceId", .type = ValueType::Uuid},
                 {.name = "device", .type = ValueType::Uri},
                 {.name = "active", .type = ValueType::Flag},
                 {.name = "status", .nullable = true, .doc = "Why a bound port is not active."},
                 {.name = "hostInterfacePort", .type = ValueType::Uri, .nullable = true},
                 {.name = "vtepId", .type = ValueType::Uuid, .nullable = true},
                 {.name = "vtep", .type = ValueType::Uri, .nullable = true}};
    describeRouterPort(port.more);
    api.add(std::move(port));
    api.addChildren<model::Bridge, model::Port>("ports", "bridge_id");
    api.addChildren<model::Router, model::Port>("ports", "router_id");
}

}  // namespace midonet::rest
