#include "rest/entity_tag.h"
#include "rest/vteps.h"

#include <algorithm>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"
#include "rest/tunnel_keys.h"

namespace midonet::rest {
namespace {

using model::Bridge;
using model::Port;
using model::TunnelZone;
using model::Vtep;
using model::VtepBinding;

/// Smaller VNIs are for other uses of the physical network.
constexpr std::uint64_t kFirstVni = 10'000;

Uuid vxlanPortId(const Vtep& vtep, const std::string& bridge) { return model::memberId(model::uuidOf(bridge), model::idOf(vtep)); }

/// What only the VTEP itself knows is not known: nothing talks to it yet.
Outcome<void> showConnection(const Show& out, const Vtep& vtep) {
    out.json.key("name").null().key("description").null().key("connectionState").string("disconnected");
    out.json.key("tunnelIpAddrs").beginArray().endArray();
    out.json.key("vtepBindingTemplate").string(fmt::format("{}/vteps/{}/bindings/{{portName}}/{{vlanId}}", out.base, model::idOf(vtep)));
    return {};
}

/// A zone that is missing or of another type is a fault of the body: 400.
Outcome<void> checkZone(const Change& change, Vtep& vtep) {
    if (vtep.tunnel_zone_id().empty()) return refuseProperty("tunnelZoneId", "must be given");
    const auto zone = change.transaction.get<TunnelZone>(model::uuidOf(vtep.tunnel_zone_id()));
    if (!zone && zone.error().code != ErrorCode::NotFound) return tl::unexpected<Fault>{Fault{zone.error()}};
    if (!zone || zone->object->type() != TunnelZone::VTEP) return refuseProperty("tunnelZoneId", "must be a tunnel zone of type vtep");
    return {};
}

Outcome<void> refuseWithBindings(nsdb::Transaction&, const Vtep& vtep) {
    if (vtep.bindings().empty()) return {};
    return refuse(400, "VTEP {} has {} bindings: remove them first", model::idOf(vtep), vtep.bindings_size());
}

const std::vector<model::FieldSchema>& bindingFields() {
    static const auto& fields = model::Schema::get().of<Vtep>().field("bindings")->embedded;
    return fields;
}

std::string pathOf(const Uuid& vtep, const VtepBinding& binding) {
    return fmt::format("/vteps/{}/bindings/{}/{}", vtep, http::percentEncode(binding.port_name()), binding.vlan_id());
}

void showBinding(model::JsonWriter& json, const std::string& base, const Uuid& vtep, const VtepBinding& binding) {
    const auto bridge = model::uuidOf(binding.bridge_id());
    json.beginObject();
    model::writeFields(json, bindingFields(), binding);
    json.key("vtepId").string(vtep.toString()).key("vtep").string(fmt::format("{}/vteps/{}", base, vtep));
    json.key("network").string(fmt::format("{}/bridges/{}", base, bridge));
    json.key("uri").string(base + pathOf(vtep, binding)).endObject();
}

Outcome<VtepBinding> readBinding(const Call& call) {
    GET_OR_REFUSE(body, call.body());
    VtepBinding binding;
    auto violations = model::fromJson(body, bindingFields(), model::Input::Create, binding);
    if (violations.empty()) violations = model::validate(bindingFields(), binding);
    DO_OR_REFUSE(refuseIfAny(std::move(violations)));
    return binding;
}

bool isNamed(const VtepBinding& binding, const Call& call) {
    return binding.port_name() == call.parameters["port"] && std::to_string(binding.vlan_id()) == call.parameters["vlan"];
}

bool binds(const Vtep& vtep, const std::string& bridge) {
    return std::any_of(vtep.bindings().begin(), vtep.bindings().end(), [&](const auto& binding) { return binding.bridge_id() == bridge; });
}

/// The first binding of a VTEP and a bridge.
Outcome<void> addVxlanPort(nsdb::Transaction& transaction, const Vtep& vtep, Bridge bridge) {
    if (bridge.vni() == 0) {
        GET_OR_REFUSE(number, transaction.next("vni"));
        const auto vni = kFirstVni - 1 + number;
        if (vni > kLastTunnelKey) return refuse(503, "all VXLAN network identifiers up to {} have been used", kLastTunnelKey);
        bridge.set_vni(static_cast<std::uint32_t>(vni));
        DO_OR_REFUSE(transaction.update(bridge));
    }
    Port port;
    model::setId(port, vxlanPortId(vtep, bridge.id()));
    port.set_bridge_id(bridge.id());
    port.set_vtep_id(vtep.id());
    port.set_admin_state_up(true);
    DO_OR_REFUSE(allocateTunnelKey(transaction, port));
    DO_OR_REFUSE(transaction.create(port));
    return {};
}

/// As `view.get()`; what is missing is a fault of the request: 400.
template <class T>
Outcome<std::shared_ptr<const T>> named(nsdb::View& view, const Uuid& id, const char* property) {
    auto found = view.get<T>(id);
    if (found) return std::move(found->object);
    if (found.error().code == ErrorCode::NotFound) return refuseProperty(property, found.error().message);
    return tl::unexpected<Fault>{Fault{found.error()}};
}

Outcome<http::Response> addBinding(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(binding, readBinding(call));
    return transact(api.storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(vtep, named<Vtep>(transaction, id, "vtepId"));
        GET_OR_REFUSE(bridge, named<Bridge>(transaction, model::uuidOf(binding.bridge_id()), "networkId"));
        for (const auto& other : vtep->bindings())
            if (other.port_name() == binding.port_name() && other.vlan_id() == binding.vlan_id())
                return refuse(409, "port '{}' and VLAN {} of VTEP {} are bound already", binding.port_name(), binding.vlan_id(), id);
        if (!binds(*vtep, binding.bridge_id())) DO_OR_REFUSE(addVxlanPort(transaction, *vtep, *bridge));
        Vtep next = *vtep;
        *next.add_bindings() = binding;
        DO_OR_REFUSE(transaction.update(next));
        return {};
    }).map([&] { return call.created(pathOf(id, binding)); });
}

/// With the last binding of a bridge its port goes. What is not there is gone already.
Outcome<http::Response> removeBinding(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    return transact(api.storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
        const auto vtep = transaction.get<Vtep>(id);
        if (!vtep && vtep.error().code == ErrorCode::NotFound) return {};
        if (!vtep) return tl::unexpected<Fault>{Fault{vtep.error()}};
        Vtep next = *vtep->object;
        auto& bindings = *next.mutable_bindings();
        const auto found = std::find_if(bindings.begin(), bindings.end(), [&](const auto& binding) { return isNamed(binding, call); });
        if (found == bindings.end()) return {};
        DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { showBinding(json, call.base, id, *found); }));
        const auto bridge = found->bridge_id();
        bindings.erase(found);
        DO_OR_REFUSE(transaction.update(next));
        if (!binds(next, bridge)) DO_OR_REFUSE(transaction.remove(Port::descriptor(), vxlanPortId(next, bridge)));
        return {};
    }).map([] { return Call::empty(204); });
}

/// Bindings of a VTEP; of one bridge where `bridge` is not empty.
struct Bindings {
    std::shared_ptr<const Vtep> vtep;
    std::string bridge;

    bool holds(const VtepBinding& binding) const { return bridge.empty() || binding.bridge_id() == bridge; }
};

Outcome<Bindings> ofVtep(nsdb::View& view, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(vtep, view.get<Vtep>(id));
    return Bindings{std::move(vtep.object), {}};
}

/// As seen from a VXLAN port of a bridge; 400 for any other port.
Outcome<Bindings> ofVxlanPort(nsdb::View& view, const Call& call) {
    GET_OR_REFUSE(bridge, call.id());
    GET_OR_REFUSE(id, call.id("vxlanPort"));
    GET_OR_REFUSE(port, view.get<Port>(id));
    if (model::uuidOf(port.object->bridge_id()) != bridge) return refuse(404, "bridge {} has no port {}", bridge, id);
    if (port.object->vtep_id().empty()) return refuse(400, "port {} is of no VTEP", id);
    GET_OR_REFUSE(vtep, view.get<Vtep>(model::uuidOf(port.object->vtep_id())));
    return Bindings{std::move(vtep.object), port.object->bridge_id()};
}

using Select = Outcome<Bindings> (*)(nsdb::View&, const Call&);

Outcome<http::Response> listBindings(const ObjectApi& api, Select select, const Call& call) {
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(bindings, select(*reads, call));
    model::JsonWriter json;
    json.beginArray();
    for (const auto& binding : bindings.vtep->bindings())
        if (bindings.holds(binding)) showBinding(json, call.base, model::idOf(*bindings.vtep), binding);
    return call.ok(json.endArray().take());
}

Outcome<http::Response> getBinding(const ObjectApi& api, Select select, const Call& call) {
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(bindings, select(*reads, call));
    const auto vtep = model::idOf(*bindings.vtep);
    for (const auto& binding : bindings.vtep->bindings()) {
        if (!bindings.holds(binding) || !isNamed(binding, call)) continue;
        model::JsonWriter json;
        showBinding(json, call.base, vtep, binding);
        return call.ok(json.take());
    }
    return refuse(404, "VTEP {} has no binding of port '{}' and VLAN '{}'", vtep, call.parameters["port"], call.parameters["vlan"]);
}

/// The VTEP itself would have to be asked.
Outcome<http::Response> refusePorts(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    DO_OR_REFUSE(reads->get<Vtep>(id));
    return refuse(503, "VTEP {} is not connected: its ports are not known", id);
}

void addReads(ObjectApi& api, const std::string& path, Select select) {
    auto& service = api.service();
    service.add({.path = path, .produces = {collectionType("VTEPBinding", 2), std::string{kJson}}, .consumes = {}, .blocks = true,
                 .run = [&api, select](const Call& call) { return listBindings(api, select, call); }});
    service.add({.path = path + "/{port}/{vlan}", .produces = {itemType("VTEPBinding", 2), std::string{kJson}}, .consumes = {}, .blocks = true,
                 .run = [&api, select](const Call& call) { return getBinding(api, select, call); }});
}

void addBindings(ObjectApi& api) {
    auto& service = api.service();
    const std::string path = "/vteps/{id}/bindings";
    addReads(api, path, ofVtep);
    addReads(api, "/bridges/{id}/ports/{vxlanPort}/vtep_bindings", ofVxlanPort);
    service.add({.method = http::Method::Post, .path = path, .produces = {},
                 .consumes = {itemType("VTEPBinding", 2), std::string{kJson}}, .blocks = true,
                 .run = [&api](const Call& call) { return addBinding(api, call); }});
    service.add({.method = http::Method::Delete, .path = path + "/{port}/{vlan}", .produces = {}, .consumes = {}, .blocks = true,
                 .run = [&api](const Call& call) { return removeBinding(api, call); }});
}

void describeVtepParts(Bodies& bodies) {
    Properties binding;
    describe(bindingFields(), binding, bodies);
    binding.push_back({.name = "vtepId", .type = ValueType::Uuid});
    for (const auto* link : {"vtep", "network", "uri"}) binding.push_back({.name = link, .type = ValueType::Uri});
    bodies["VTEPBinding"] = std::move(binding);
    bodies["VTEPPort"] = {{.name = "name"}, {.name = "description", .nullable = true}};
}

}  // namespace

Outcome<std::vector<Uuid>> vxlanPortsOf(nsdb::View& view, const Bridge& bridge) {
    std::vector<Uuid> out;
    if (bridge.vni() == 0) return out;  // never bound
    GET_OR_REFUSE(vteps, view.referrers<Vtep>("bindings.bridge_id", model::idOf(bridge)));
    for (const auto& vtep : vteps) out.push_back(model::memberId(model::idOf(bridge), vtep));
    return out;
}

void addVteps(ObjectApi& api) {
    auto vtep = resource<Vtep>({.show = showConnection, .beforeCreate = checkZone, .beforeRemove = refuseWithBindings});
    vtep.updatable = false;
    vtep.removeMissingIs404 = true;
    vtep.links = {{"bindings", "/bindings"}, {"ports", "/ports"}};
    vtep.more = {{.name = "name", .type = ValueType::Null},
                 {.name = "description", .type = ValueType::Null},
                 {.name = "connectionState"},
                 {.name = "tunnelIpAddrs", .type = ValueType::Ipv4, .list = true},
                 {.name = "vtepBindingTemplate"}};
    api.add(std::move(vtep));
    describeVtepParts(api.service().bodies());
    addBindings(api);
    for (const auto& [path, type] : {std::pair{"/vteps/{id}/ports", collectionType("VTEPPort", 1)},
                                     std::pair{"/vteps/{id}/ports/{name}", itemType("VTEPPort", 1)}})
        api.service().add({.path = path, .produces = {type, std::string{kJson}}, .consumes = {}, .blocks = true,
                           .run = [&api](const Call& call) { return refusePorts(api, call); }});
}

}  // namespace midonet::rest
