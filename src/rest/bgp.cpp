#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::BgpNetwork;
using model::BgpPeer;
using model::Router;

/// A router talks to one peer once.
Outcome<void> checkPeer(const Change& change, const BgpPeer& peer) {
    const auto router = model::uuidOf(peer.router_id());
    GET_OR_REFUSE(ids, change.transaction.referrers<BgpPeer>("router_id", router));
    for (const auto& id : ids) {
        if (id == model::idOf(peer)) continue;
        GET_OR_REFUSE(other, change.transaction.get<BgpPeer>(id));
        if (other.object->address() == peer.address() && other.object->as_number() == peer.as_number())
            return refuseProperty("address", fmt::format("is that of peer {} of the router, of the same AS", id));
    }
    return {};
}

}  // namespace

void addBgp(ObjectApi& api) {
    auto peer = resource<BgpPeer>({
        .beforeCreate = [](const Change& change, BgpPeer& created) { return checkPeer(change, created); },
        .beforeUpdate = [](const Change& change, const BgpPeer&, BgpPeer& next) { return checkPeer(change, next); }});
    peer.listable = false;
    peer.creatable = false;  // below its router only
    api.add(std::move(peer));
    api.addChildren<Router, BgpPeer>("bgp_peers", "router_id");

    auto network = resource<BgpNetwork>();
    network.listable = false;
    network.creatable = false;
    network.updatable = false;
    api.add(std::move(network));
    api.addChildren<Router, BgpNetwork>("bgp_networks", "router_id");
}

}  // namespace midonet::rest
