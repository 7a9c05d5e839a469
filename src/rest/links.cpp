#include "rest/links.h"

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Port;

Outcome<void> setPeer(nsdb::Transaction& transaction, const Port& port, const Uuid& peer) {
    Port next = port;
    next.set_peer_id(model::bytesOf(peer));
    DO_OR_REFUSE(transaction.update(next));
    return {};
}

/// A bridge or a router linked to itself would only send frames around.
Outcome<void> checkPair(const Port& one, const Port& other) {
    if (one.bridge_id() == other.bridge_id() && one.router_id() == other.router_id())
        return refuse(400, "ports {} and {} are of the same device: they cannot be linked", model::idOf(one), model::idOf(other));
    return {};
}

Outcome<void> link(nsdb::Transaction& transaction, const Uuid& id, const Uuid& peer) {
    GET_OR_REFUSE(port, transaction.get<Port>(id));
    DO_OR_REFUSE(transaction.get<Port>(peer));
    const auto& stored = *port.object;
    if (!stored.peer_id().empty())
        return refuse(409, "port {} is linked to port {} already: unlink it first", id, model::uuidOf(stored.peer_id()));
    Port next = stored;
    next.set_peer_id(model::bytesOf(peer));
    DO_OR_REFUSE(movePeer(transaction, &stored, next));
    DO_OR_REFUSE(transaction.update(next));
    return {};
}

Outcome<http::Response> answerLink(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(body, call.body());
    const auto peer = body.uuid("peerId");
    if (!peer || !*peer) return refuseProperty("peerId", "must be the UUID of a port");
    return transact(api.storeOf(call), [&](nsdb::Transaction& t) { return link(t, id, **peer); }).map([] { return Call::empty(201); });
}

Outcome<http::Response> answerUnlink(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    const auto unlink = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(port, transaction.get<Port>(id));
        Port next = *port.object;
        next.clear_peer_id();
        DO_OR_REFUSE(movePeer(transaction, port.object.get(), next));
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), unlink).map([] { return Call::empty(204); });
}

/// The ports at the other end of the device's own: "/<devices>/{id}/peer_ports".
template <class Device>
void addPeerPorts(ObjectApi& api, std::string_view field) {
    const auto& resource = api.of<Port>();
    api.service().add({.path = fmt::format("/{}/{{id}}/peer_ports", api.of<Device>().schema->rest), .produces = resource.collectionTypes(),
                       .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api, &resource, name = std::string{field}](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, call.id());
                           GET_OR_REFUSE(reads, api.view(call));
                           DO_OR_REFUSE(reads->get<Device>(id));
                           GET_OR_REFUSE(ports, reads->referrers<Port>(name, id));
                           std::vector<Uuid> peers;
                           for (const auto& port : ports) {
                               GET_OR_REFUSE(peer, reads->referrers<Port>("peer_id", port));
                               peers.insert(peers.end(), peer.begin(), peer.end());
                           }
                           return api.answerList(call, resource, *reads, peers);
                       }});
}

}  // namespace

Outcome<void> movePeer(nsdb::Transaction& transaction, const Port* before, const Port& now) {
    const auto id = model::idOf(now);
    const auto old = before == nullptr ? Uuid{} : model::uuidOf(before->peer_id());
    const auto next = model::uuidOf(now.peer_id());
    if (old == next) return {};
    if (!old.isNil()) {
        const auto peer = transaction.get<Port>(old);
        if (!peer && peer.error().code == ErrorCode::NotFound)  // references name what is there: it is not the caller's
            return refuse(403, "port {} is linked to a port of somebody else: only an administrator can unlink it", id);
        if (!peer) return tl::unexpected<Fault>{Fault{peer.error()}};
        DO_OR_REFUSE(setPeer(transaction, *peer->object, Uuid{}));
    }
    if (next.isNil()) return {};
    GET_OR_REFUSE(peer, transaction.get<Port>(next));
    DO_OR_REFUSE(checkPair(now, *peer.object));
    if (const auto taken = model::uuidOf(peer.object->peer_id()); !taken.isNil())
        return refuse(409, "port {} is linked to port {} already: unlink it first", next, taken);
    return setPeer(transaction, *peer.object, id);
}

void addLinks(ObjectApi& api) {
    const std::string path = "/ports/{id}/link";
    api.service().add({.method = http::Method::Post, .path = path, .produces = {},
                       .consumes = {itemType("PortLink", 1), std::string{kJson}}, .wrongContentType = 415, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return answerLink(api, call); }});
    api.service().add({.method = http::Method::Delete, .path = path, .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return answerUnlink(api, call); }});
    api.service().bodies()["PortLink"] = {{.name = "peerId", .type = ValueType::Uuid, .readOnly = false, .required = true, .of = "Port"}};
    addPeerPorts<model::Bridge>(api, "bridge_id");
    addPeerPorts<model::Router>(api, "router_id");
}

}  // namespace midonet::rest
