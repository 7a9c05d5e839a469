#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::LoadBalancer;

/// The router that names it; nil when none does.
Outcome<Uuid> routerOf(nsdb::View& view, const LoadBalancer& balancer) {
    GET_OR_REFUSE(routers, view.referrers<model::Router>("load_balancer_id", model::idOf(balancer)));
    return routers.empty() ? Uuid{} : routers.front();
}

Outcome<void> showRouter(const Show& out, const LoadBalancer& balancer) {
    GET_OR_REFUSE(router, routerOf(out.view, balancer));
    out.json.key("routerId").stringOrNull(router.isNil() ? "" : router.toString());
    out.json.key("router").stringOrNull(router.isNil() ? "" : fmt::format("{}/routers/{}", out.base, router));
    return {};
}

/// The router names its load balancer, not the other way round.
Outcome<void> checkRouter(const Change& change, const Uuid& router) {
    const auto given = change.body.uuid("routerId");
    if (given && (!*given || **given == router)) return {};
    return refuseProperty("routerId", "cannot be set here: set loadBalancerId of the router");
}

Outcome<void> checkUpdate(const Change& change, const LoadBalancer& stored, LoadBalancer&) {
    GET_OR_REFUSE(router, routerOf(change.transaction, stored));
    return checkRouter(change, router);
}

}  // namespace

void addLoadBalancers(ObjectApi& api) {
    auto balancer = resource<LoadBalancer>({
        .show = showRouter,
        .beforeCreate = [](const Change& change, LoadBalancer&) { return checkRouter(change, Uuid{}); },
        .beforeUpdate = checkUpdate});
    balancer.links = {{"pools", "/pools"}, {"vips", "/vips"}};
    balancer.more = {{.name = "routerId", .type = ValueType::Uuid, .nullable = true}, {.name = "router", .type = ValueType::Uri, .nullable = true}};
    api.add(std::move(balancer));

    auto monitor = resource<model::HealthMonitor>({.beforeCreate = [](const Change&, model::HealthMonitor& created) -> Outcome<void> {
        created.set_admin_state_up(true);  // whatever is asked for, as clients know it
        return {};
    }});
    monitor.links = {{"pools", "/pools"}};
    api.add(std::move(monitor));
}

}  // namespace midonet::rest
