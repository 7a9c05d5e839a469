#include <array>

#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

struct RootKey {
    std::string_view collection;  ///< Empty: none.
    std::string_view item;        ///< Empty: none.
    std::string_view segment;
};

/// Every key clients index, also of collections that this server answers with 404.
constexpr std::array<RootKey, 29> kKeys{{
    {"", "bgpNetworkTemplate", "bgp_networks"},
    {"", "bgpPeerTemplate", "bgp_peers"},
    {"bridges", "bridgeTemplate", "bridges"},
    {"chains", "chainTemplate", "chains"},
    {"healthMonitors", "healthMonitorTemplate", "health_monitors"},
    {"hosts", "hostTemplate", "hosts"},
    {"ipAddrGroups", "ipAddrGroupTemplate", "ip_addr_groups"},
    {"l2insertions", "l2InsertionTemplate", "l2insertions"},
    {"loadBalancers", "loadBalancerTemplate", "load_balancers"},
    {"mirrors", "mirrorTemplate", "mirrors"},
    {"neutron", "", "neutron"},
    {"poolMembers", "poolMemberTemplate", "pool_members"},
    {"pools", "poolTemplate", "pools"},
    {"portGroups", "portGroupTemplate", "port_groups"},
    {"ports", "portTemplate", "ports"},
    {"", "qosBwLimitRuleTemplate", "qos_bw_limit_rules"},
    {"", "qosDscpRuleTemplate", "qos_dscp_rules"},
    {"qosPolicies", "qosPolicyTemplate", "qos_policies"},
    {"routers", "routerTemplate", "routers"},
    {"", "routeTemplate", "routes"},
    {"", "ruleTemplate", "rules"},
    {"serviceContainerGroups", "serviceContainerGroupTemplate", "service_container_groups"},
    {"serviceContainers", "serviceContainerTemplate", "service_containers"},
    {"systemState", "", "system_state"},
    {"tenants", "tenantTemplate", "tenants"},
    {"traceRequests", "traceRequestTemplate", "traces"},
    {"tunnelZones", "tunnelZoneTemplate", "tunnel_zones"},
    {"vips", "vipTemplate", "vips"},
    {"vteps", "vtepTemplate", "vteps"},
}};

Outcome<http::Response> root(const Call& call) {
    model::JsonWriter json;
    // Clients compare the version, and cut the slash off the uri.
    json.beginObject().key("version").string("v5.0").key("uri").string(call.base + "/");
    for (const auto& [collection, item, segment] : kKeys) {
        const auto uri = fmt::format("{}/{}", call.base, segment);
        if (!collection.empty()) json.key(collection).string(uri);
        if (!item.empty()) json.key(item).string(uri + "/{id}");
    }
    return call.ok(json.endObject().take());
}

Outcome<http::Response> systemState(const Call& call) {
    model::JsonWriter json;
    json.beginObject().key("state").string("ACTIVE").key("availability").string("READWRITE");
    json.key("version").string("5.0.0").key("information").null().endObject();
    return call.ok(json.take());
}

void describeRoot(Bodies& bodies) {
    auto& application = bodies["Application"];
    application = {{.name = "version"}, {.name = "uri", .type = ValueType::Uri}};
    for (const auto& [collection, item, segment] : kKeys) {
        if (!collection.empty()) application.push_back({.name = std::string{collection}, .type = ValueType::Uri});
        if (!item.empty()) application.push_back({.name = std::string{item}});
    }
    bodies["SystemState"] = {{.name = "state"}, {.name = "availability"}, {.name = "version"}, {.name = "information", .type = ValueType::Null}};
}

}  // namespace

void addRoot(Service& service) {
    describeRoot(service.bodies());
    service.add({.path = "", .produces = {itemType("Application", 5), std::string{kJson}}, .consumes = {}, .forTenants = true, .run = root});
    service.add({.path = "/system_state", .produces = {itemType("SystemState", 2), std::string{kJson}}, .consumes = {}, .run = systemState});
}

}  // namespace midonet::rest
