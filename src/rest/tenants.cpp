#include "http/message.h"
#include "model/json_writer.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

/// Links to lists of what a tenant has, and their collections.
constexpr std::pair<const char*, const char*> kOwned[] = {
    {"routers", "routers"}, {"bridges", "bridges"}, {"chains", "chains"}, {"portGroups", "port_groups"}};

void showTenant(model::JsonWriter& json, const std::string& base, const Tenant& tenant) {
    const auto id = http::percentEncode(tenant.id);
    json.beginObject().key("id").string(tenant.id).key("name").string(tenant.name);
    json.key("description").string(tenant.description).key("enabled").boolean(tenant.enabled);
    json.key("uri").string(fmt::format("{}/tenants/{}", base, id));
    for (const auto& [link, segment] : kOwned) json.key(link).string(fmt::format("{}/{}?tenant_id={}", base, segment, id));
    json.endObject();
}

/// A tenant knows of itself only.
Outcome<std::vector<Tenant>> tenantsOf(Authenticator& authenticator, const Call& call) {
    if (call.caller.isAdministrator()) return authenticator.tenants({call.request.query("marker"), call.request.query("limit")});
    GET_OR_REFUSE(own, authenticator.tenant(call.caller.tenant));
    return std::vector{std::move(own)};
}

Outcome<http::Response> listTenants(Authenticator& authenticator, const Call& call) {
    GET_OR_REFUSE(tenants, tenantsOf(authenticator, call));
    model::JsonWriter json;
    json.beginArray();
    for (const auto& tenant : tenants) showTenant(json, call.base, tenant);
    return call.ok(json.endArray().take());
}

Outcome<http::Response> getTenant(Authenticator& authenticator, const Call& call) {
    const auto& id = call.parameters["id"];
    if (!call.caller.isAdministrator() && id != call.caller.tenant) return refuse(404, "there is no tenant '{}' that is yours", id);
    GET_OR_REFUSE(tenant, authenticator.tenant(id));
    model::JsonWriter json;
    showTenant(json, call.base, tenant);
    return call.ok(json.take());
}

}  // namespace

void addTenants(Service& service, Authenticator& authenticator) {
    auto& body = service.bodies()["Tenant"];
    body = {{.name = "id"}, {.name = "name"}, {.name = "description", .nullable = true}, {.name = "enabled", .type = ValueType::Flag}, {.name = "uri", .type = ValueType::Uri}};
    for (const auto& [link, segment] : kOwned) body.push_back({.name = link, .type = ValueType::Uri});
    service.add({.path = "/tenants", .produces = {collectionType("Tenant", 2), std::string{kJson}}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [&authenticator](const Call& call) { return listTenants(authenticator, call); },
                 .about = {.query = {{"marker", "Keystone's: tenants behind this one."}, {"limit", "Keystone's: so many at most."}}}});
    service.add({.path = "/tenants/{id}", .produces = {itemType("Tenant", 2), std::string{kJson}}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [&authenticator](const Call& call) { return getTenant(authenticator, call); }});
}

}  // namespace midonet::rest
