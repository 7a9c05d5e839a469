#include <algorithm>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"
#include "rest/vteps.h"

namespace midonet::rest {
namespace {

Outcome<void> showMore(const Show& out, const model::Bridge& bridge) {
    const auto uri = fmt::format("{}/bridges/{}", out.base, model::idOf(bridge));
    GET_OR_REFUSE(vxlanPorts, vxlanPortsOf(out.view, bridge));
    out.json.key("vxLanPortIds").beginArray();
    for (const auto& port : vxlanPorts) out.json.string(port.toString());
    out.json.endArray();
    out.json.key("vlanMacTableTemplate").string(uri + "/vlans/{vlanId}/mac_table");
    out.json.key("macPortTemplate").string(uri + "/mac_table/{macAddress}_{portId}");
    out.json.key("vlanMacPortTemplate").string(uri + "/vlans/{vlanId}/mac_table/{macAddress}_{portId}");
    return {};
}

tl::unexpected<Fault> refuseVxlanPorts() {
    return refuseProperty("vxLanPortIds", "cannot be set: VXLAN ports belong to VTEP bindings");
}

/// VXLAN ports come with VTEP bindings only: not from a POST.
Outcome<void> checkCreate(const Change& change, model::Bridge&) {
    if (change.body.given("vxLanPortIds")) return refuseVxlanPorts();
    return {};
}

/// A PUT that speaks of VXLAN ports must say what is there.
Outcome<void> checkUpdate(const Change& change, const model::Bridge& stored, model::Bridge&) {
    if (!change.body.given("vxLanPortIds")) return {};
    auto given = change.body.uuids("vxLanPortIds");
    GET_OR_REFUSE(ports, vxlanPortsOf(change.transaction, stored));
    if (!given || !std::is_permutation(given->begin(), given->end(), ports.begin(), ports.end())) return refuseVxlanPorts();
    return {};
}

/// Its bindings to VTEPs would be left behind.
Outcome<void> refuseWithVxlanPorts(nsdb::Transaction& transaction, const model::Bridge& bridge) {
    GET_OR_REFUSE(ports, vxlanPortsOf(transaction, bridge));
    if (ports.empty()) return {};
    return refuse(409, "bridge {} is bound to {} VTEPs: remove the bindings first", model::idOf(bridge), ports.size());
}

Outcome<http::Response> answerVxlanPorts(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(bridge, reads->get<model::Bridge>(id));
    GET_OR_REFUSE(ports, vxlanPortsOf(*reads, *bridge.object));
    return api.answerList(call, api.of<model::Port>(), *reads, ports);
}

}  // namespace

void addBridges(ObjectApi& api) {
    auto bridge = resource<model::Bridge>({
        .show = showMore, .beforeCreate = checkCreate, .beforeUpdate = checkUpdate, .beforeRemove = refuseWithVxlanPorts});
    bridge.removeMissingIs404 = true;
    bridge.links = {{"ports", "/ports"}, {"peerPorts", "/peer_ports"}, {"vxLanPorts", "/vxlan_ports"}, {"macTable", "/mac_table"},
                    {"arpTable", "/arp_table"}, {"dhcpSubnets", "/dhcp"}, {"dhcpSubnet6s", "/dhcpV6"}};
    bridge.more = {{.name = "vxLanPortIds", .type = ValueType::Uuid, .list = true},
                   {.name = "vlanMacTableTemplate"},
                   {.name = "macPortTemplate"},
                   {.name = "vlanMacPortTemplate"}};
    api.add(std::move(bridge));
}

void addVxlanPorts(ObjectApi& api) {
    api.service().add({.path = "/bridges/{id}/vxlan_ports", .produces = api.of<model::Port>().collectionTypes(), .consumes = {}, .blocks = true,
                       .run = [&api](const Call& call) { return answerVxlanPorts(api, call); }});
}

}  // namespace midonet::rest
