#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Route;

bool leadsToAPort(const Route& route) { return route.type() == Route::NORMAL || route.type() == Route::LOCAL; }

/// One family; lengths that fit it.
Outcome<void> checkAddresses(const Route& route) {
    GET_OR_REFUSE(source, net::IpAddress::parse(route.src_network_addr()));
    GET_OR_REFUSE(destination, net::IpAddress::parse(route.dst_network_addr()));
    if (source.family() != destination.family()) return refuseProperty("srcNetworkAddr", "must be of the family of dstNetworkAddr");
    if (route.src_network_length() > source.bits()) return refuseProperty("srcNetworkLength", fmt::format("must be from 0 to {}", source.bits()));
    if (route.dst_network_length() > source.bits()) return refuseProperty("dstNetworkLength", fmt::format("must be from 0 to {}", source.bits()));
    if (route.next_hop_gateway().empty()) return {};
    GET_OR_REFUSE(gateway, net::IpAddress::parse(route.next_hop_gateway()));
    if (gateway.family() != destination.family()) return refuseProperty("nextHopGateway", "must be of the family of dstNetworkAddr");
    return {};
}

/// A black hole belongs to the router alone; all else to a port of it.
Outcome<void> checkRoute(const Change& change, Route& route) {
    DO_OR_REFUSE(checkAddresses(route));
    if (!leadsToAPort(route)) {
        route.clear_next_hop_port();
        return {};
    }
    if (route.next_hop_port().empty()) return refuseProperty("nextHopPort", "must be given");
    const auto port = change.transaction.get<model::Port>(model::uuidOf(route.next_hop_port()));
    if (!port && port.error().code != ErrorCode::NotFound) return tl::unexpected<Fault>{Fault{port.error()}};
    if (!port || port->object->router_id() != route.router_id()) return refuseProperty("nextHopPort", "must be a port of the router");
    return {};
}

Outcome<void> showLearned(const Show& out, const Route&) {
    out.json.key("learned").boolean(false);
    return {};
}

}  // namespace

void addRoutes(ObjectApi& api) {
    auto route = resource<Route>({.show = showLearned, .beforeCreate = checkRoute});
    route.listable = false;
    route.creatable = false;  // below its router only
    route.updatable = false;
    route.more = {{.name = "learned", .type = ValueType::Flag}};
    api.add(std::move(route));
    api.addChildren<model::Router, Route>("routes", "router_id");
}

}  // namespace midonet::rest
