#include "model/topology.pb.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using Kind = Unserved::Kind;

Outcome<void> showTemplates(const Show& out, const model::Bridge& bridge) {
    const auto uri = fmt::format("{}/bridges/{}", out.base, model::idOf(bridge));
    out.json.key("vxLanPortIds").beginArray().endArray();
    out.json.key("vlanMacTableTemplate").string(uri + "/vlans/{vlanId}/mac_table");
    out.json.key("macPortTemplate").string(uri + "/mac_table/{macAddress}_{portId}");
    out.json.key("vlanMacPortTemplate").string(uri + "/vlans/{vlanId}/mac_table/{macAddress}_{portId}");
    return {};
}

/// VXLAN ports come with VTEP bindings only: not from a POST, and a PUT must say what is there.
void checkVxlanPorts(const model::JsonBody& body, model::Input input, model::Violations& out) {
    const auto ids = body.uuids("vxLanPortIds");
    const bool wrong = input == model::Input::Create ? body.given("vxLanPortIds") : !ids || !ids->empty();
    if (wrong) out.push_back({"vxLanPortIds", "cannot be set: VXLAN ports belong to VTEP bindings"});
}

}  // namespace

void addBridges(ObjectApi& api) {
    auto bridge = resource<model::Bridge>({.show = showTemplates, .checkBody = checkVxlanPorts});
    bridge.removeMissingIs404 = true;
    bridge.links = {{"ports", "/ports"}, {"peerPorts", "/peer_ports"}, {"vxLanPorts", "/vxlan_ports"}, {"macTable", "/mac_table"},
                    {"arpTable", "/arp_table"}, {"dhcpSubnets", "/dhcp"}, {"dhcpSubnet6s", "/dhcpV6"}};
    bridge.unserved = {{"inboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                       {"outboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                       {"qosPolicyId", Kind::Reference, "QoS policy", ""}};
    api.add(std::move(bridge));
}

}  // namespace midonet::rest
