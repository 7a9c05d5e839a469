#include <algorithm>
#include <array>

#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "rest/binding.h"
#include "rest/links.h"
#include "rest/router_ports.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using Kind = Unserved::Kind;
constexpr std::string_view kTunnelKeys = "tunnel_key";
/// A tunnel key is a VXLAN network identifier too (RFC 7348 section 5): 24 bits.
constexpr std::uint64_t kLastTunnelKey = 0xffffff;

/// How clients write the types of ports; the longer ones are older spellings.
constexpr std::array<std::string_view, 3> kBridgeTypes{"Bridge", "ExteriorBridge", "InteriorBridge"};
constexpr std::array<std::string_view, 3> kRouterTypes{"Router", "ExteriorRouter", "InteriorRouter"};

bool isRouterPort(const model::Port& port) { return !port.router_id().empty(); }

/// The path says which type it has to be. Without one, PUT means the stored.
Outcome<void> checkType(const model::JsonBody& body, const model::Port& port, model::Input input) {
    const auto& known = isRouterPort(port) ? kRouterTypes : kBridgeTypes;
    const auto type = body.text("type");
    if (type && !*type && input == model::Input::Update) return {};
    if (type && *type && std::find(known.begin(), known.end(), **type) != known.end()) return {};
    return tl::unexpected<Fault>{Fault{model::Violations{{"type", fmt::format("must be {}", known.front())}}}};
}

Outcome<void> allocateTunnelKey(const Change& change, model::Port& port) {
    GET_OR_REFUSE(key, change.transaction.next(kTunnelKeys));
    if (key > kLastTunnelKey) return refuse(503, "all {} tunnel keys have been used", kLastTunnelKey);
    port.set_tunnel_key(static_cast<std::uint32_t>(key));
    return {};
}

Outcome<void> beforeCreate(const Change& change, model::Port& port) {
    DO_OR_REFUSE(checkType(change.body, port, model::Input::Create));
    if (isRouterPort(port)) DO_OR_REFUSE(readRouterPort(change.body, nullptr, port));
    return allocateTunnelKey(change, port);
}

Outcome<void> afterCreate(const Change& change, const model::Port& port) {
    DO_OR_REFUSE(movePeer(change.transaction, nullptr, port));
    if (isRouterPort(port)) DO_OR_REFUSE(followAddresses(change.transaction, nullptr, port));
    return {};
}

/// A port that moves remembers the host it leaves.
void rememberHost(const model::Port& stored, model::Port& next) {
    if (!stored.host_id().empty() && stored.host_id() != next.host_id()) next.set_previous_host_id(stored.host_id());
}

Outcome<void> beforeUpdate(const Change& change, const model::Port& stored, model::Port& next) {
    DO_OR_REFUSE(checkType(change.body, stored, model::Input::Update));
    rememberHost(stored, next);
    if (isRouterPort(stored)) {
        DO_OR_REFUSE(readRouterPort(change.body, &stored, next));
        DO_OR_REFUSE(followAddresses(change.transaction, &stored, next));
    }
    return movePeer(change.transaction, &stored, next);
}

Outcome<void> showPort(const Show& out, const model::Port& port) {
    GET_OR_REFUSE(status, bindingStatus(out.view, port));
    const bool router = isRouterPort(port);
    const auto device = model::uuidOf(router ? port.router_id() : port.bridge_id());
    out.json.key("type").string(router ? kRouterTypes.front() : kBridgeTypes.front());
    out.json.key("deviceId").string(device.toString());
    out.json.key("device").string(fmt::format("{}/{}/{}", out.base, router ? "routers" : "bridges", device));
    out.json.key("active").boolean(status.active);
    out.json.key("status").stringOrNull(status.reason);
    out.json.key("hostInterfacePort");
    if (isBound(port))
        out.json.string(fmt::format("{}/hosts/{}/ports/{}", out.base, model::uuidOf(port.host_id()), model::idOf(port)));
    else
        out.json.null();
    if (router) showRouterPort(out, port);
    return {};
}

/// Empty as long as there are no VTEPs; 404 for a missing bridge.
void addVxlanPorts(ObjectApi& api) {
    api.service().add({.path = "/bridges/{id}/vxlan_ports", .produces = api.of<model::Port>().collectionTypes(),
                       .consumes = {}, .blocks = api.store().readsBlock(), .run = [&api](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, call.id());
                           GET_OR_REFUSE(reads, api.view());
                           DO_OR_REFUSE(reads->get<model::Bridge>(id));
                           return call.ok("[]");
                       }});
}

}  // namespace

void addPorts(ObjectApi& api) {
    auto port = resource<model::Port>({
        .show = showPort, .beforeCreate = beforeCreate, .afterCreate = afterCreate, .beforeUpdate = beforeUpdate});
    port.creatable = false;  // below its device only
    port.removeMissingIs404 = true;
    port.shownState = "state";
    port.links = {{"link", "/link"}, {"portGroups", "/port_groups"}};
    port.unserved = {{"inboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"outboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"postInFilterMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"preOutFilterMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"insertionIds", Kind::EmptyList, "", ""},
                     {"qosPolicyId", Kind::Reference, "QoS policy", ""}};
    api.add(std::move(port));
    api.addChildren<model::Bridge, model::Port>("ports", "bridge_id");
    api.addChildren<model::Router, model::Port>("ports", "router_id");
    addVxlanPorts(api);
}

}  // namespace midonet::rest
