#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::PortGroup;
using model::PortGroupPort;

std::string memberPath(const Message& object) {
    const auto& member = static_cast<const PortGroupPort&>(object);
    return fmt::format("/port_groups/{}/ports/{}", model::uuidOf(member.port_group_id()), model::uuidOf(member.port_id()));
}

/// The id of a member is made of the two it joins, so the store refuses a second one: 409.
Outcome<void> nameMember(const Change& change, PortGroupPort& member) {
    const auto port = model::uuidOf(member.port_id());
    DO_OR_REFUSE(change.transaction.get<model::Port>(port));
    model::setId(member, model::memberId(model::uuidOf(member.port_group_id()), port));
    return {};
}

Outcome<std::vector<Uuid>> groupsOf(nsdb::View& view, const Uuid& port) {
    std::vector<Uuid> out;
    GET_OR_REFUSE(members, view.referrers<PortGroupPort>("port_id", port));
    for (const auto& id : members) {
        GET_OR_REFUSE(member, view.get<PortGroupPort>(id));
        out.push_back(model::uuidOf(member.object->port_group_id()));
    }
    return out;
}

Outcome<Uuid> memberOf(const Call& call) {
    GET_OR_REFUSE(group, call.id());
    GET_OR_REFUSE(port, call.id("port"));
    return model::memberId(group, port);
}

/// 404 for a port that is no member; a port that is gone is out of the group: 204.
Outcome<http::Response> removeMember(const ObjectApi& api, const Resource& resource, const Call& call) {
    GET_OR_REFUSE(id, memberOf(call));
    GET_OR_REFUSE(port, call.id("port"));
    auto removed = api.remove(call, resource, id);
    if (removed || removed.error().status != 404) return removed;
    GET_OR_REFUSE(reads, api.view(call));
    const auto there = reads->get<model::Port>(port);
    if (!there && there.error().code == ErrorCode::NotFound) return Call::empty(204);
    return removed;
}

}  // namespace

void addPortGroups(ObjectApi& api) {
    auto group = resource<PortGroup>();
    group.links = {{"ports", "/ports"}};
    group.filters = {filterById("port_id", "Those with this port.", groupsOf)};
    api.add(std::move(group));

    auto member = resource<PortGroupPort>({.beforeCreate = nameMember});
    member.path = memberPath;
    member.removeMissingIs404 = true;
    const auto& added = api.add(std::move(member));
    api.addChildren<PortGroup, PortGroupPort>("ports", "port_group_id");
    api.addChildren<model::Port, PortGroupPort>("port_groups", "port_id", {.create = false});
    const std::string path = "/port_groups/{id}/ports/{port}";
    api.service().add({.path = path, .produces = added.itemTypes(), .consumes = {}, .blocks = api.store().readsBlock(), .forTenants = true,
                       .run = [&api, &added](const Call& call) -> Outcome<http::Response> {
                           GET_OR_REFUSE(id, memberOf(call));
                           return api.answerItem(call, added, id);
                       }});
    api.service().add({.method = http::Method::Delete, .path = path, .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api, &added](const Call& call) { return removeMember(api, added, call); }});
}

}  // namespace midonet::rest
