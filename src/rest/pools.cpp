#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Pool;
using model::PoolMember;
using model::Vip;

Outcome<void> prepareMember(const Change&, PoolMember& member) {
    if (member.pool_id().empty()) return refuseProperty("poolId", "must be given");
    member.set_admin_state_up(true);  // whatever is asked for, as clients know it
    return {};
}

/// A pool that is missing is a fault of the body: 400, not 404.
Outcome<void> checkPool(const Change& change, const Vip& vip) {
    if (vip.pool_id().empty()) return refuseProperty("poolId", "must be given");
    const auto pool = change.transaction.get<Pool>(model::uuidOf(vip.pool_id()));
    if (pool) return {};
    if (pool.error().code == ErrorCode::NotFound) return refuseProperty("poolId", pool.error().message);
    return tl::unexpected<Fault>{Fault{pool.error()}};
}

Outcome<void> showLoadBalancer(const Show& out, const Vip& vip) {
    GET_OR_REFUSE(pool, out.view.get<Pool>(model::uuidOf(vip.pool_id())));
    const auto balancer = model::uuidOf(pool.object->load_balancer_id());
    out.json.key("loadBalancerId").stringOrNull(balancer.isNil() ? "" : balancer.toString());
    out.json.key("loadBalancer").stringOrNull(balancer.isNil() ? "" : fmt::format("{}/load_balancers/{}", out.base, balancer));
    return {};
}

Outcome<std::vector<Uuid>> poolsWatchedBy(nsdb::View& view, const Uuid& monitor) {
    GET_OR_REFUSE(pools, view.referrers<Pool>("health_monitor_id", monitor));
    return pools;
}

/// The VIPs of all pools of a load balancer.
Outcome<http::Response> answerVips(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    DO_OR_REFUSE(reads->get<model::LoadBalancer>(id));
    GET_OR_REFUSE(pools, reads->referrers<Pool>("load_balancer_id", id));
    std::vector<Uuid> vips;
    for (const auto& pool : pools) {
        GET_OR_REFUSE(some, reads->referrers<Vip>("pool_id", pool));
        vips.insert(vips.end(), some.begin(), some.end());
    }
    return api.answerList(call, api.of<Vip>(), *reads, vips);
}

}  // namespace

void addPools(ObjectApi& api) {
    auto pool = resource<Pool>();
    pool.links = {{"vips", "/vips"}, {"poolMembers", "/pool_members"}};
    pool.filters = {filterById("hm_id", "Those with this health monitor.", poolsWatchedBy)};
    api.add(std::move(pool));
    api.addChildren<model::LoadBalancer, Pool>("pools", "load_balancer_id");
    api.addChildren<model::HealthMonitor, Pool>("pools", "health_monitor_id", {.create = false});

    api.add(resource<PoolMember>({.beforeCreate = prepareMember}));
    api.addChildren<Pool, PoolMember>("pool_members", "pool_id");

    auto vips = resource<Vip>({
        .show = showLoadBalancer,
        .beforeCreate = [](const Change& change, Vip& created) { return checkPool(change, created); },
        .beforeUpdate = [](const Change& change, const Vip&, Vip& next) { return checkPool(change, next); }});
    vips.more = {{.name = "loadBalancerId", .type = ValueType::Uuid, .nullable = true}, {.name = "loadBalancer", .type = ValueType::Uri, .nullable = true}};
    const auto& vip = api.add(std::move(vips));
    api.addChildren<Pool, Vip>("vips", "pool_id");
    api.service().add({.path = "/load_balancers/{id}/vips", .produces = vip.collectionTypes(), .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return answerVips(api, call); }});
}

}  // namespace midonet::rest
