#include <memory>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/paths.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Bridge;
using model::Port;

/// An IPv4 address and a MAC that belong together.
struct Entry {
    net::Ipv4Address ip;
    net::Mac mac;
};

/// What differs between the tables: whose they are, and which of the two addresses is the key.
struct Kind {
    std::string path;  ///< With the parameters of the owner: "/bridges/{id}/arp_table".
    std::string body;  ///< Its name in media types.
    bool plainListType = false;
    bool keyIsMac = false;
    /// The one the table belongs to; 404 when it is not there.
    Outcome<Uuid> (*owner)(nsdb::View&, const Call&) = nullptr;
    std::string (*pathOf)(const Call&) = nullptr;
    std::string (*table)(const Uuid& owner) = nullptr;

    std::string keyOf(const Entry& entry) const { return keyIsMac ? entry.mac.toString() : entry.ip.toString(); }
    std::string valueOf(const Entry& entry) const { return keyIsMac ? entry.ip.toString() : entry.mac.toString(); }
    Outcome<Entry> entryOf(const nsdb::TableEntry& row) const {
        GET_OR_REFUSE(ip, net::Ipv4Address::parse(keyIsMac ? row.value : row.key));
        GET_OR_REFUSE(mac, net::Mac::parse(keyIsMac ? row.key : row.value));
        return Entry{ip, mac};
    }
};

Outcome<Entry> readEntry(const Call& call) {
    GET_OR_REFUSE(body, call.body());
    model::Violations violations;
    const auto text = body.text("ip");
    const auto ip = net::Ipv4Address::parse(text ? text->value_or("") : "");
    const auto mac = body.mac("mac");
    if (!ip) violations.push_back({"ip", "must be an IPv4 address"});
    if (!mac || !*mac) violations.push_back({"mac", "must be a MAC address"});
    DO_OR_REFUSE(refuseIfAny(std::move(violations)));
    return Entry{*ip, **mac};
}

std::string segmentOf(const Entry& entry) { return fmt::format("{}_{}", entry.ip, dashed(entry.mac)); }

/// "10.0.0.1_aa-bb-cc-dd-ee-ff"; 400 when it is not.
Outcome<Entry> wantedEntry(const Call& call) {
    const std::string_view text = call.parameters["entry"];
    const auto underscore = text.find('_');
    const auto ip = net::Ipv4Address::parse(text.substr(0, underscore));
    if (!ip || underscore == text.npos) return refuse(400, "'{}' does not begin with an IPv4 address, as 10.0.0.1_aa-bb-cc-dd-ee-ff", text);
    const auto mac = net::Mac::parse(text.substr(underscore + 1));
    if (!mac) return refuse(400, "'{}' does not end with a MAC address, as 10.0.0.1_aa-bb-cc-dd-ee-ff", text);
    return Entry{*ip, *mac};
}

/// The tables of one kind; their persistent entries are the clients' to write.
class AddressTables {
public:
    AddressTables(ObjectApi& api, Kind kind) : api_(api), kind_(std::move(kind)) {}

    Outcome<http::Response> list(const Call& call) const {
        GET_OR_REFUSE(owner, existingOwner(call));
        GET_OR_REFUSE(rows, api_.storeOf(call).readTable(kind_.table(owner)));
        model::JsonWriter json;
        json.beginArray();
        for (const auto& row : rows) {
            GET_OR_REFUSE(entry, kind_.entryOf(row));
            show(json, call, entry);
        }
        return call.ok(json.endArray().take());
    }
    Outcome<http::Response> get(const Call& call) const {
        GET_OR_REFUSE(owner, existingOwner(call));
        GET_OR_REFUSE(wanted, wantedEntry(call));
        GET_OR_REFUSE(isThere, has(call, owner, wanted));
        if (!isThere) return refuse(404, "{} does not have {} at {}", owner, wanted.ip, wanted.mac);
        model::JsonWriter json;
        show(json, call, wanted);
        return call.ok(json.take());
    }
    Outcome<http::Response> create(const Call& call) const {
        GET_OR_REFUSE(entry, readEntry(call));
        const auto put = [&](nsdb::Transaction& transaction) -> Outcome<void> {
            GET_OR_REFUSE(owner, kind_.owner(transaction, call));
            GET_OR_REFUSE(known, transaction.persistent(kind_.table(owner), kind_.keyOf(entry)));
            if (known && *known != kind_.valueOf(entry)) return refuse(409, "{} has {} for {} already", owner, *known, kind_.keyOf(entry));
            DO_OR_REFUSE(transaction.putPersistent(kind_.table(owner), kind_.keyOf(entry), kind_.valueOf(entry)));
            return {};
        };
        return transact(api_.storeOf(call), put).map([&] { return call.created(pathOf(call, entry)); });
    }
    Outcome<http::Response> remove(const Call& call) const {
        GET_OR_REFUSE(wanted, wantedEntry(call));
        const auto removeIt = [&](nsdb::Transaction& transaction) -> Outcome<void> {
            GET_OR_REFUSE(owner, kind_.owner(transaction, call));
            GET_OR_REFUSE(known, transaction.persistent(kind_.table(owner), kind_.keyOf(wanted)));
            if (known != kind_.valueOf(wanted)) return {};
            DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { show(json, call, wanted); }));
            DO_OR_REFUSE(transaction.removePersistent(kind_.table(owner), kind_.keyOf(wanted)));
            return {};
        };
        return transact(api_.storeOf(call), removeIt).map([] { return Call::empty(204); });
    }

private:
    std::string pathOf(const Call& call, const Entry& entry) const { return fmt::format("{}/{}", kind_.pathOf(call), segmentOf(entry)); }
    void show(model::JsonWriter& json, const Call& call, const Entry& entry) const {
        json.beginObject().key("ip").string(entry.ip.toString()).key("mac").string(entry.mac.toString());
        json.key("uri").string(call.base + pathOf(call, entry)).endObject();
    }
    Outcome<Uuid> existingOwner(const Call& call) const {
        GET_OR_REFUSE(reads, api_.view(call));
        return kind_.owner(*reads, call);
    }
    /// As a persistent entry, though a learned one may hide it, or as what its device goes by.
    Outcome<bool> has(const Call& call, const Uuid& owner, const Entry& wanted) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(known, reads->persistent(kind_.table(owner), kind_.keyOf(wanted)));
        if (known == kind_.valueOf(wanted)) return true;
        GET_OR_REFUSE(rows, api_.storeOf(call).readTable(kind_.table(owner)));
        return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.key == kind_.keyOf(wanted) && row.value == kind_.valueOf(wanted); });
    }

    ObjectApi& api_;
    const Kind kind_;
};

Outcome<Uuid> bridgeOf(nsdb::View& view, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    DO_OR_REFUSE(view.get<Bridge>(id));
    return id;
}

Outcome<Uuid> routerPortOf(nsdb::View& view, const Call& call) {
    GET_OR_REFUSE(router, call.id());
    GET_OR_REFUSE(id, call.id("port"));
    GET_OR_REFUSE(port, view.get<Port>(id));
    if (model::uuidOf(port.object->router_id()) != router) return refuse(404, "router {} has no port {}", router, id);
    return id;
}

void addTables(ObjectApi& api, Kind kind) {
    const std::string all = kind.path;
    const std::string one = all + "/{entry}";
    const std::vector<std::string> items{itemType(kind.body, 1), std::string{kJson}};
    const std::vector<std::string> lists{kind.plainListType ? itemType(kind.body, 1) : collectionType(kind.body, 1), std::string{kJson}};
    api.service().bodies()[kind.body] = {{.name = "ip", .type = ValueType::Ipv4, .readOnly = false, .required = true},
                                         {.name = "mac", .type = ValueType::Mac, .readOnly = false, .required = true},
                                         {.name = "uri", .type = ValueType::Uri}};
    const auto tables = std::make_shared<const AddressTables>(api, std::move(kind));
    auto& service = api.service();
    service.add({.path = all, .produces = lists, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->list(call); },
                 .about = {.isList = true}});
    service.add({.method = http::Method::Post, .path = all, .produces = {}, .consumes = items, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->create(call); }});
    service.add({.path = one, .produces = items, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->get(call); }});
    service.add({.method = http::Method::Delete, .path = one, .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->remove(call); }});
}

}  // namespace

/// What bridges answer ARP requests with.
void addArpTables(ObjectApi& api) {
    addTables(api, {.path = "/bridges/{id}/arp_table",
                    .body = "IP4Mac",
                    .owner = bridgeOf,
                    .pathOf = [](const Call& call) { return fmt::format("/bridges/{}/arp_table", call.parameters["id"]); },
                    .table = nsdb::bridgeArpTableName});
}

/// Behind which VTEP the machines of another site are. The type of the list has no "collection" in it, as clients know it.
void addPeeringTables(ObjectApi& api) {
    addTables(api, {.path = "/routers/{id}/ports/{port}/peering_table",
                    .body = "MacIp",
                    .plainListType = true,
                    .keyIsMac = true,
                    .owner = routerPortOf,
                    .pathOf = [](const Call& call) {
                        return fmt::format("/routers/{}/ports/{}/peering_table", call.parameters["id"], call.parameters["port"]);
                    },
                    .table = nsdb::peeringTableName});
}

}  // namespace midonet::rest
