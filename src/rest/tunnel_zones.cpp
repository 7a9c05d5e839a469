#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::TunnelZone;
using model::TunnelZoneMember;

std::string memberPath(const Message& object) {
    const auto& member = static_cast<const TunnelZoneMember&>(object);
    return fmt::format("/tunnel_zones/{}/hosts/{}", model::uuidOf(member.tunnel_zone_id()), model::uuidOf(member.host_id()));
}

/// What the member's agent finds wrong with the membership.
Outcome<void> showMember(const Show& out, const TunnelZoneMember& member) {
    GET_OR_REFUSE(status, out.view.state(TunnelZoneMember::descriptor(), model::idOf(member), "status"));
    out.json.key("status").stringOrNull(status.value_or(""));
    return {};
}

/// The id of a member is made of the two it joins, so the store refuses a second one: 409.
Outcome<void> nameMember(const Change& change, TunnelZoneMember& member) {
    const auto host = model::uuidOf(member.host_id());
    DO_OR_REFUSE(change.transaction.get<model::Host>(host));
    model::setId(member, model::memberId(model::uuidOf(member.tunnel_zone_id()), host));
    return {};
}

Outcome<Uuid> memberOf(const Call& call) {
    GET_OR_REFUSE(zone, call.id());
    GET_OR_REFUSE(host, call.id("host"));
    return model::memberId(zone, host);
}

}  // namespace

void addTunnelZones(ObjectApi& api) {
    auto zone = resource<TunnelZone>();
    zone.links = {{"hosts", "/hosts"}};
    api.add(std::move(zone));

    auto member = resource<TunnelZoneMember>({.show = showMember, .beforeCreate = nameMember});
    member.path = memberPath;
    member.otherMediaTypes = {"GreTunnelZoneHost"};
    member.wrongContentType = 415;
    member.removeMissingIs404 = true;
    member.more = {{.name = "status", .nullable = true}};
    const auto& added = api.add(std::move(member));
    api.addChildren<TunnelZone, TunnelZoneMember>("hosts", "tunnel_zone_id");
    const std::string path = "/tunnel_zones/{id}/hosts/{host}";
    api.service().add({.path = path, .produces = added.itemTypes(), .consumes = {}, .blocks = api.store().readsBlock(),
                       .run = [&api, &added](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, memberOf(call));
                           return api.answerItem(call, added, id);
                       }});
    api.service().add({.method = http::Method::Delete, .path = path, .produces = {}, .consumes = {}, .blocks = true,
                       .run = [&api, &added](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, memberOf(call));
                           return api.remove(call, added, id);
                       }});
}

}  // namespace midonet::rest
