#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::L2Insertion;

Outcome<std::vector<Uuid>> ofPort(nsdb::View& view, const Uuid& port) {
    GET_OR_REFUSE(ids, view.referrers<L2Insertion>("port_id", port));
    return ids;
}
Outcome<std::vector<Uuid>> ofService(nsdb::View& view, const Uuid& port) {
    GET_OR_REFUSE(ids, view.referrers<L2Insertion>("srv_port_id", port));
    return ids;
}

/// A port is protected or gives a service, not both, and has a service once.
Outcome<void> checkPorts(const Change& change, L2Insertion& insertion) {
    auto& transaction = change.transaction;
    const auto port = model::uuidOf(insertion.port_id());
    const auto service = model::uuidOf(insertion.srv_port_id());
    if (port == service) return refuseProperty("srvPortId", "must not be portId");
    GET_OR_REFUSE(served, ofService(transaction, port));
    if (!served.empty()) return refuseProperty("portId", fmt::format("is the service port of {}", served.front()));
    GET_OR_REFUSE(protecting, ofPort(transaction, service));
    if (!protecting.empty()) return refuseProperty("srvPortId", fmt::format("has the insertion {} of its own", protecting.front()));
    GET_OR_REFUSE(others, ofPort(transaction, port));
    for (const auto& id : others) {
        GET_OR_REFUSE(other, transaction.get<L2Insertion>(id));
        if (other.object->srv_port_id() == insertion.srv_port_id())
            return refuseProperty("srvPortId", fmt::format("is that of insertion {} of the port already", id));
    }
    return {};
}

Outcome<void> tellPort(const Change& change, const L2Insertion& insertion) {
    GET_OR_REFUSE(found, change.transaction.get<model::Port>(model::uuidOf(insertion.port_id())));
    auto port = *found.object;
    port.add_insertion_ids(insertion.id());
    DO_OR_REFUSE(change.transaction.update(port));
    return {};
}

Outcome<void> refuseMove(const Change&, const L2Insertion& stored, L2Insertion& next) {
    if (stored.port_id() != next.port_id()) return refuseProperty("portId", "cannot be changed");
    if (stored.srv_port_id() != next.srv_port_id()) return refuseProperty("srvPortId", "cannot be changed");
    return {};
}

}  // namespace

void addL2Insertions(ObjectApi& api) {
    auto insertion = resource<L2Insertion>({.beforeCreate = checkPorts, .afterCreate = tellPort, .beforeUpdate = refuseMove});
    insertion.filters = {filterById("srv_port", "Those of this service port.", ofService), filterById("port", "Those that protect this port.", ofPort)};
    api.add(std::move(insertion));
}

}  // namespace midonet::rest
