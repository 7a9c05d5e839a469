#include <array>

#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "rest/binding.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using Kind = Unserved::Kind;
constexpr std::string_view kTunnelKeys = "tunnel_key";
/// A tunnel key is a VXLAN network identifier too (RFC 7348 section 5): 24 bits.
constexpr std::uint64_t kLastTunnelKey = 0xffffff;

/// The types of bridge ports; the two longer ones are older spellings.
constexpr std::array<std::string_view, 3> kBridgeTypes{"Bridge", "ExteriorBridge", "InteriorBridge"};

void checkType(const model::JsonBody& body, model::Input input, model::Violations& out) {
    const auto type = body.text("type");
    if (type && !*type && input == model::Input::Update) return;  // the stored one
    if (type && *type)
        for (const auto known : kBridgeTypes)
            if (**type == known) return;
    out.push_back({"type", "must be Bridge"});
}

Outcome<void> allocateTunnelKey(const Change& change, model::Port& port) {
    GET_OR_REFUSE(key, change.transaction.next(kTunnelKeys));
    if (key > kLastTunnelKey) return refuse(503, "all {} tunnel keys have been used", kLastTunnelKey);
    port.set_tunnel_key(static_cast<std::uint32_t>(key));
    return {};
}

/// A port that moves remembers the host it leaves.
Outcome<void> rememberHost(const Change&, const model::Port& stored, model::Port& next) {
    if (!stored.host_id().empty() && stored.host_id() != next.host_id()) next.set_previous_host_id(stored.host_id());
    return {};
}

Outcome<void> showPort(const Show& out, const model::Port& port) {
    GET_OR_REFUSE(status, bindingStatus(out.view, port));
    out.json.key("type").string("Bridge");
    out.json.key("active").boolean(status.active);
    out.json.key("status").stringOrNull(status.reason);
    out.json.key("hostInterfacePort");
    if (isBound(port))
        out.json.string(fmt::format("{}/hosts/{}/ports/{}", out.base, model::uuidOf(port.host_id()), model::idOf(port)));
    else
        out.json.null();
    return {};
}

/// The array that is empty as long as no objects of the kind exist; 404 for a missing bridge.
void addEmptyPortList(ObjectApi& api, const char* segment) {
    api.service().add({.path = fmt::format("/bridges/{{id}}/{}", segment), .produces = api.of<model::Port>().collectionTypes(),
                       .consumes = {}, .blocks = api.store().readsBlock(), .run = [&api](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, call.id());
                           GET_OR_REFUSE(reads, api.view());
                           DO_OR_REFUSE(reads->get<model::Bridge>(id));
                           return call.ok("[]");
                       }});
}

}  // namespace

void addPorts(ObjectApi& api) {
    auto port = resource<model::Port>({.show = showPort, .checkBody = checkType, .beforeCreate = allocateTunnelKey,
                                       .beforeUpdate = rememberHost, .beforeRemove = {}});
    port.creatable = false;  // below its bridge only
    port.removeMissingIs404 = true;
    port.links = {{"link", "/link"}, {"portGroups", "/port_groups"}};
    port.unserved = {{"inboundFilterId", Kind::Reference, "chain", "inboundFilter"},
                     {"outboundFilterId", Kind::Reference, "chain", "outboundFilter"},
                     {"peerId", Kind::Reference, "port that can be a peer:", "peer"},
                     {"inboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"outboundMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"postInFilterMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"preOutFilterMirrorIds", Kind::ReferenceList, "mirror", ""},
                     {"insertionIds", Kind::EmptyList, "", ""},
                     {"qosPolicyId", Kind::Reference, "QoS policy", ""}};
    api.add(std::move(port));
    api.addChildren<model::Bridge, model::Port>("ports", "bridge_id");
    addEmptyPortList(api, "peer_ports");
    addEmptyPortList(api, "vxlan_ports");
}

}  // namespace midonet::rest
