#include "conf/repository.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "rest/binding.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Host;
using model::HostState;
using model::Port;

std::string_view toString(HostState::InterfaceType type) {
    switch (type) {
        case HostState::PHYSICAL: return "Physical";
        case HostState::VIRTUAL: return "Virtual";
        case HostState::TUNNEL: return "Tunnel";
        case HostState::TYPE_UNKNOWN:
        default: return "Unknown";  // open enumeration: an agent may be newer
    }
}

std::string_view toString(HostState::Endpoint endpoint) {
    switch (endpoint) {
        case HostState::ENDPOINT_DATAPATH: return "DATAPATH";
        case HostState::ENDPOINT_PHYSICAL: return "PHYSICAL";
        case HostState::ENDPOINT_VM: return "VM";
        case HostState::ENDPOINT_GRE: return "GRE";
        case HostState::ENDPOINT_CAPWAP: return "CAPWAP";
        case HostState::ENDPOINT_LOCALHOST: return "LOCALHOST";
        case HostState::ENDPOINT_TUNTAP: return "TUNTAP";
        case HostState::ENDPOINT_UNKNOWN:
        default: return "UNKNOWN";
    }
}

Outcome<HostState> stateOf(nsdb::View& view, const Uuid& host) {
    GET_OR_REFUSE(state, view.state<HostState>(Host::descriptor(), host, "state"));
    return state.value_or(HostState{});
}

void showInterface(model::JsonWriter& json, const std::string& base, const Uuid& host, const HostState::Interface& interface) {
    constexpr int kUp = 1;
    constexpr int kHasLink = 2;
    json.beginObject().key("hostId").string(host.toString()).key("name").string(interface.name());
    json.key("mac").stringOrNull(interface.mac()).key("mtu").unsignedInteger(interface.mtu());
    json.key("type").string(toString(interface.type())).key("endpoint").string(toString(interface.endpoint()));
    json.key("portType").null().key("addresses").beginArray();
    for (const auto& address : interface.addresses()) json.string(address);
    json.endArray().key("status").integer((interface.up() ? kUp : 0) | (interface.has_link() ? kHasLink : 0));
    json.key("uri").string(fmt::format("{}/hosts/{}/interfaces/{}", base, host, http::percentEncode(interface.name())));
    json.endObject();
}

Outcome<void> showHost(const Show& out, const Host& host) {
    const auto id = model::idOf(host);
    GET_OR_REFUSE(alive, out.view.state(Host::descriptor(), id, "alive"));
    GET_OR_REFUSE(state, stateOf(out.view, id));
    out.json.key("alive").boolean(alive.has_value()).key("addresses").beginArray();
    for (const auto& interface : state.interfaces())
        for (const auto& address : interface.addresses()) out.json.string(address);
    out.json.endArray().key("hostInterfaces").beginArray();
    for (const auto& interface : state.interfaces()) showInterface(out.json, out.base, id, interface);
    out.json.endArray();
    // What agents find wrong: another host with the same id, or no tunnel zone.
    GET_OR_REFUSE(conflict, out.view.state(Host::descriptor(), id, "conflict"));
    GET_OR_REFUSE(status, out.view.state(Host::descriptor(), id, "status"));
    out.json.key("status").stringOrNull(conflict ? *conflict : status.value_or(""));
    return {};
}

/// Ports bound to an interface of the host.
Outcome<std::vector<std::shared_ptr<const Port>>> boundPorts(nsdb::View& view, const Uuid& host) {
    GET_OR_REFUSE(ids, view.referrers<Port>("host_id", host));
    DO_OR_REFUSE(view.readAhead(Port::descriptor(), ids));
    std::vector<std::shared_ptr<const Port>> out;
    for (const auto& id : ids) {
        GET_OR_REFUSE(port, view.get<Port>(id));
        if (isBound(*port.object)) out.push_back(std::move(port.object));
    }
    return out;
}

Outcome<void> refuseWhileUsed(nsdb::Transaction& transaction, const Host& host) {
    const auto id = model::idOf(host);
    GET_OR_REFUSE(alive, transaction.state(Host::descriptor(), id, "alive"));
    if (alive) return refuse(403, "host {} is alive: stop its agent first", id);
    GET_OR_REFUSE(ports, boundPorts(transaction, id));
    if (!ports.empty()) return refuse(403, "host {} has {} ports bound to it: unbind them first", id, ports.size());
    return {};
}

Outcome<void> beforeRemove(nsdb::Transaction& transaction, const Host& host) {
    DO_OR_REFUSE(refuseWhileUsed(transaction, host));
    DO_OR_REFUSE(conf::removeHost(transaction, HostId{model::idOf(host)}));
    return {};
}

Outcome<http::Response> answerInterfaces(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(host, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(state, stateOf(*reads, host));
    model::JsonWriter json;
    json.beginArray();
    for (const auto& interface : state.interfaces()) showInterface(json, call.base, host, interface);
    return call.ok(json.endArray().take());
}

Outcome<http::Response> answerInterface(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(host, call.id());
    const auto& name = call.parameters["name"];
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(state, stateOf(*reads, host));
    for (const auto& interface : state.interfaces()) {
        if (interface.name() != name) continue;
        model::JsonWriter json;
        showInterface(json, call.base, host, interface);
        return call.ok(json.take());
    }
    return refuse(404, "host {} reports no interface '{}'", host, name);
}

std::string bindingPath(const Uuid& host, const Uuid& port) { return fmt::format("/hosts/{}/ports/{}", host, port); }

Outcome<void> showBinding(const Show& out, const Port& port) {
    const auto host = model::uuidOf(port.host_id());
    const auto id = model::idOf(port);
    GET_OR_REFUSE(status, bindingStatus(out.view, port));
    out.json.beginObject().key("hostId").string(host.toString()).key("portId").string(id.toString());
    out.json.key("interfaceName").string(port.interface_name()).key("status").stringOrNull(status.reason);
    out.json.key("host").string(fmt::format("{}/hosts/{}", out.base, host));
    out.json.key("port").string(fmt::format("{}/ports/{}", out.base, id));
    out.json.key("uri").string(out.base + bindingPath(host, id)).endObject();
    return {};
}

Outcome<http::Response> answerBindings(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(host, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    DO_OR_REFUSE(reads->get<Host>(host));
    GET_OR_REFUSE(ports, boundPorts(*reads, host));
    model::JsonWriter json;
    json.beginArray();
    for (const auto& port : ports) DO_OR_REFUSE(showBinding({*reads, call.base, json}, *port));
    return call.ok(json.endArray().take());
}

Outcome<http::Response> answerBinding(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(host, call.id());
    GET_OR_REFUSE(id, call.id("port"));
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(port, reads->get<Port>(id));
    if (!isBound(*port.object) || model::uuidOf(port.object->host_id()) != host)
        return refuse(404, "port {} is not bound to host {}", id, host);
    model::JsonWriter json;
    DO_OR_REFUSE(showBinding({*reads, call.base, json}, *port.object));
    return call.ok(json.take());
}

struct Binding {
    Uuid port;
    std::string interfaceName;
};

Outcome<Binding> readBinding(const model::JsonBody& body) {
    constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without the NUL
    Binding binding;
    model::Violations violations;
    const auto port = body.uuid("portId");
    const auto name = body.text("interfaceName");
    if (port && *port)
        binding.port = **port;
    else
        violations.push_back({"portId", "must be the UUID of a port"});
    if (name && *name && (*name)->size() <= kLongestName)
        binding.interfaceName = **name;
    else
        violations.push_back({"interfaceName", fmt::format("must be the name of an interface, of 1 to {} characters", kLongestName)});
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    return binding;
}

/// The order of the checks is part of the interface.
Outcome<void> bind(nsdb::Transaction& transaction, const Uuid& host, const Binding& binding) {
    DO_OR_REFUSE(transaction.get<Host>(host));
    GET_OR_REFUSE(zones, transaction.referrers<model::TunnelZoneMember>("host_id", host));
    if (zones.empty()) return refuse(409, "host {} is in no tunnel zone: add it to one first", host);
    GET_OR_REFUSE(port, transaction.get<Port>(binding.port));
    if (!port.object->interface_name().empty())
        return refuse(409, "port {} is bound to interface '{}' already: unbind it first", binding.port, port.object->interface_name());
    Port next = *port.object;
    next.set_host_id(model::bytesOf(host));
    next.set_interface_name(binding.interfaceName);
    followBinding(*port.object, next);
    DO_OR_REFUSE(transaction.update(next));
    return {};
}

Outcome<http::Response> answerBind(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(host, call.id());
    GET_OR_REFUSE(body, call.body());
    GET_OR_REFUSE(binding, readBinding(body));
    return transact(api.storeOf(call), [&](nsdb::Transaction& t) { return bind(t, host, binding); }).map([&] {
        return call.created(bindingPath(host, binding.port));
    });
}

/// The host of the path is not looked at, as clients expect.
Outcome<http::Response> answerUnbind(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id("port"));
    const auto unbind = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(port, transaction.get<Port>(id));
        if (isBound(*port.object))
            DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { return showBinding({transaction, call.base, json}, *port.object); }));
        Port next = *port.object;
        next.clear_host_id();
        next.clear_interface_name();
        followBinding(*port.object, next);
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), unbind).map([] { return Call::empty(204); });
}

void addBindings(ObjectApi& api) {
    auto& service = api.service();
    const std::string bindings = "/hosts/{id}/ports";
    const std::string binding = "/hosts/{id}/ports/{port}";
    const std::vector<std::string> items{itemType("HostInterfacePort", 1), std::string{kJson}};
    service.add({.path = bindings, .produces = {collectionType("HostInterfacePort", 1), std::string{kJson}}, .consumes = {}, .blocks = true,
                 .run = [&api](const Call& call) { return answerBindings(api, call); }});
    service.add({.path = binding, .produces = items, .consumes = {}, .blocks = api.store().readsBlock(),
                 .run = [&api](const Call& call) { return answerBinding(api, call); }});
    service.add({.method = http::Method::Post, .path = bindings, .produces = {}, .consumes = items, .wrongContentType = 415, .blocks = true,
                 .run = [&api](const Call& call) { return answerBind(api, call); }});
    service.add({.method = http::Method::Delete, .path = binding, .produces = {}, .consumes = {}, .blocks = true,
                 .run = [&api](const Call& call) { return answerUnbind(api, call); }});
}

void describeHostParts(Bodies& bodies) {
    bodies["Interface"] = {{.name = "hostId", .type = ValueType::Uuid},
                           {.name = "name"},
                           {.name = "mac", .type = ValueType::Mac, .nullable = true},
                           {.name = "mtu", .type = ValueType::Integer},
                           {.name = "type", .values = {"Physical", "Virtual", "Tunnel", "Unknown"}},
                           {.name = "endpoint", .values = {"DATAPATH", "PHYSICAL", "VM", "GRE", "CAPWAP", "LOCALHOST", "TUNTAP", "UNKNOWN"}},
                           {.name = "portType", .type = ValueType::Null},
                           {.name = "addresses", .type = ValueType::Ip, .list = true},
                           {.name = "status", .type = ValueType::Integer, .doc = "Bits: 1 = up, 2 = has link."},
                           {.name = "uri", .type = ValueType::Uri}};
    bodies["HostInterfacePort"] = {{.name = "hostId", .type = ValueType::Uuid},
                                   {.name = "portId", .type = ValueType::Uuid, .readOnly = false, .required = true, .of = "Port"},
                                   {.name = "interfaceName", .readOnly = false, .required = true, .maxLength = 15},
                                   {.name = "status", .nullable = true},
                                   {.name = "host", .type = ValueType::Uri},
                                   {.name = "port", .type = ValueType::Uri},
                                   {.name = "uri", .type = ValueType::Uri}};
}

}  // namespace

void addHosts(ObjectApi& api) {
    auto host = resource<Host>({.show = showHost, .beforeRemove = beforeRemove});
    host.creatable = false;  // agents register themselves
    host.removeMissingIs404 = true;
    host.updated = 200;
    host.removed = 200;
    host.wrongContentType = 415;
    host.links = {{"interfaces", "/interfaces"}, {"ports", "/ports"}};
    host.more = {{.name = "alive", .type = ValueType::Flag},
                 {.name = "addresses", .type = ValueType::Ip, .list = true},
                 {.name = "hostInterfaces", .type = ValueType::Object, .list = true, .of = "Interface"},
                 {.name = "status", .nullable = true}};
    api.add(std::move(host));
    describeHostParts(api.service().bodies());

    const bool readsBlock = api.store().readsBlock();
    const std::string interfaces = "/hosts/{id}/interfaces";
    api.service().add({.path = interfaces, .produces = {collectionType("Interface", 1), std::string{kJson}}, .consumes = {}, .blocks = readsBlock,
                       .run = [&api](const Call& call) { return answerInterfaces(api, call); }});
    api.service().add({.path = interfaces + "/{name}", .produces = {itemType("Interface", 1), std::string{kJson}}, .consumes = {},
                       .blocks = readsBlock, .run = [&api](const Call& call) { return answerInterface(api, call); }});
    addBindings(api);
}

}  // namespace midonet::rest
