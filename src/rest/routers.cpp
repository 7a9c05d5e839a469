#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

Outcome<void> refuseWithLoadBalancer(nsdb::Transaction&, const model::Router& router) {
    if (router.load_balancer_id().empty()) return {};
    return refuse(409, "router {} has load balancer {}: unset loadBalancerId first", model::idOf(router),
                  model::uuidOf(router.load_balancer_id()));
}

}  // namespace

void addRouters(ObjectApi& api) {
    auto router = resource<model::Router>({.beforeRemove = refuseWithLoadBalancer});
    router.links = {{"ports", "/ports"}, {"peerPorts", "/peer_ports"}, {"routes", "/routes"}, {"bgpNetworks", "/bgp_networks"},
                    {"bgpPeers", "/bgp_peers"}};
    api.add(std::move(router));
}

}  // namespace midonet::rest
