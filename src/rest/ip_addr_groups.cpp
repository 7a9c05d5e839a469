#include <algorithm>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::IpAddrGroup;

int versionOf(const net::IpAddress& address) { return static_cast<int>(address.family()); }

/// ':' does not stand in a path as it is.
std::string pathOf(const Uuid& group, const net::IpAddress& address) {
    return fmt::format("/ip_addr_groups/{}/versions/{}/ip_addrs/{}", group, versionOf(address), http::percentEncode(address.toString()));
}

void showAddress(const Show& out, const Uuid& group, const net::IpAddress& address) {
    out.json.beginObject().key("ipAddrGroupId").string(group.toString()).key("addr").string(address.toString());
    out.json.key("version").integer(versionOf(address));
    out.json.key("ipAddrGroup").string(fmt::format("{}/ip_addr_groups/{}", out.base, group));
    out.json.key("uri").string(out.base + pathOf(group, address)).endObject();
}

/// Clients know these of groups that Neutron makes.
Outcome<void> showUsers(const Show& out, const IpAddrGroup&) {
    for (const auto* key : {"ipAddrPorts", "ruleIds"}) out.json.key(key).beginArray().endArray();
    for (const auto* key : {"inboundChainId", "outboundChainId"}) out.json.key(key).null();
    return {};
}

Outcome<net::IpAddress> readAddress(const Call& call) {
    GET_OR_REFUSE(body, call.body());
    model::Violations violations;
    const auto text = body.text("addr");
    const auto version = body.integer("version");
    const auto address = net::IpAddress::parse(text ? text->value_or("") : "");
    if (!address) violations.push_back({"addr", "must be an IP address"});
    const bool known = version && (*version == 4 || *version == 6);
    if (!known || (address && **version != versionOf(*address))) violations.push_back({"version", "must be 4 or 6, as that of addr"});
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    return *address;
}

/// ".../versions/{version}/ip_addrs/{addr}"; 400 when the two do not fit.
Outcome<net::IpAddress> addressOf(const Call& call) {
    const auto& version = call.parameters["version"];
    const auto& text = call.parameters["addr"];
    const auto address = net::IpAddress::parse(text);
    if (!address || version != std::to_string(versionOf(*address))) return refuse(400, "'{}' is not an address of IP version '{}'", text, version);
    return *address;
}

/// Where the address stands, or would.
Outcome<int> placeOf(const IpAddrGroup& group, const net::IpAddress& address) {
    int place = 0;
    for (const auto& text : group.addresses()) {
        GET_OR_REFUSE(other, net::IpAddress::parse(text));
        if (address <= other) break;
        ++place;
    }
    return place;
}

bool standsAt(const IpAddrGroup& group, int place, const net::IpAddress& address) {
    return place < group.addresses_size() && group.addresses(place) == address.toString();
}

Outcome<http::Response> listAddresses(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(group, reads->get<IpAddrGroup>(id));
    model::JsonWriter json;
    json.beginArray();
    for (const auto& text : group.object->addresses()) {
        GET_OR_REFUSE(address, net::IpAddress::parse(text));
        showAddress({*reads, call.base, json}, id, address);
    }
    return call.ok(json.endArray().take());
}

Outcome<http::Response> getAddress(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(address, addressOf(call));
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(group, reads->get<IpAddrGroup>(id));
    GET_OR_REFUSE(place, placeOf(*group.object, address));
    if (!standsAt(*group.object, place, address)) return refuse(404, "IP address group {} does not have {}", id, address);
    model::JsonWriter json;
    showAddress({*reads, call.base, json}, id, address);
    return call.ok(json.take());
}

Outcome<http::Response> addAddress(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(address, readAddress(call));
    const auto add = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(group, transaction.get<IpAddrGroup>(id));
        GET_OR_REFUSE(place, placeOf(*group.object, address));
        if (standsAt(*group.object, place, address)) return refuse(409, "IP address group {} has {} already", id, address);
        IpAddrGroup next = *group.object;
        next.add_addresses(address.toString());
        std::rotate(next.mutable_addresses()->begin() + place, next.mutable_addresses()->end() - 1, next.mutable_addresses()->end());
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), add).map([&] { return call.created(pathOf(id, address)); });
}

Outcome<http::Response> removeAddress(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(address, addressOf(call));
    const auto remove = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        const auto group = transaction.get<IpAddrGroup>(id);
        if (!group && group.error().code == ErrorCode::NotFound) return {};
        if (!group) return tl::unexpected<Fault>{Fault{group.error()}};
        GET_OR_REFUSE(place, placeOf(*group->object, address));
        if (!standsAt(*group->object, place, address)) return {};
        DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { showAddress({transaction, call.base, json}, id, address); }));
        IpAddrGroup next = *group->object;
        next.mutable_addresses()->erase(next.mutable_addresses()->begin() + place);
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), remove).map([] { return Call::empty(204); });
}

}  // namespace

void addIpAddrGroups(ObjectApi& api) {
    auto group = resource<IpAddrGroup>({.show = showUsers});
    group.updatable = false;
    group.links = {{"addrs", "/ip_addrs"}};
    group.more = {{.name = "ipAddrPorts", .type = ValueType::Null, .list = true},
                  {.name = "ruleIds", .type = ValueType::Null, .list = true},
                  {.name = "inboundChainId", .type = ValueType::Null},
                  {.name = "outboundChainId", .type = ValueType::Null}};
    api.add(std::move(group));
    api.service().bodies()["IpAddrGroupAddr"] = {{.name = "ipAddrGroupId", .type = ValueType::Uuid},
                                                 {.name = "addr", .type = ValueType::Ip, .readOnly = false, .required = true},
                                                 {.name = "version", .type = ValueType::Integer, .readOnly = false, .required = true, .min = 4, .max = 6},
                                                 {.name = "ipAddrGroup", .type = ValueType::Uri},
                                                 {.name = "uri", .type = ValueType::Uri}};

    const std::string all = "/ip_addr_groups/{id}/ip_addrs";
    const std::string one = "/ip_addr_groups/{id}/versions/{version}/ip_addrs/{addr}";
    const std::vector<std::string> items{itemType("IpAddrGroupAddr", 1), std::string{kJson}};
    api.service().add({.path = all, .produces = {collectionType("IpAddrGroupAddr", 1), std::string{kJson}}, .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return listAddresses(api, call); }});
    api.service().add({.method = http::Method::Post, .path = all, .produces = {}, .consumes = items, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return addAddress(api, call); }});
    api.service().add({.path = one, .produces = items, .consumes = {}, .blocks = api.store().readsBlock(), .forTenants = true,
                       .run = [&api](const Call& call) { return getAddress(api, call); }});
    api.service().add({.method = http::Method::Delete, .path = one, .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                       .run = [&api](const Call& call) { return removeAddress(api, call); }});
}

}  // namespace midonet::rest
