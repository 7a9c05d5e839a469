#include <memory>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/media_type.h"
#include "rest/paths.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Bridge;

/// What a bridge answers ARP requests with.
struct Entry {
    net::Ipv4Address ip;
    net::Mac mac;
};

std::string pathOf(const Uuid& bridge, const Entry& entry) {
    return fmt::format("/bridges/{}/arp_table/{}_{}", bridge, entry.ip, dashed(entry.mac));
}

void showEntry(model::JsonWriter& json, const std::string& base, const Uuid& bridge, const Entry& entry) {
    json.beginObject().key("ip").string(entry.ip.toString()).key("mac").string(entry.mac.toString());
    json.key("uri").string(base + pathOf(bridge, entry)).endObject();
}

Outcome<Entry> readEntry(const Call& call) {
    GET_OR_REFUSE(body, call.body());
    model::Violations violations;
    const auto text = body.text("ip");
    const auto ip = net::Ipv4Address::parse(text ? text->value_or("") : "");
    const auto mac = body.mac("mac");
    if (!ip) violations.push_back({"ip", "must be an IPv4 address"});
    if (!mac || !*mac) violations.push_back({"mac", "must be a MAC address"});
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    return Entry{*ip, **mac};
}

/// "10.0.0.1_aa-bb-cc-dd-ee-ff"; 400 when it is not.
Outcome<Entry> entryOf(const Call& call) {
    const std::string_view text = call.parameters["entry"];
    const auto underscore = text.find('_');
    const auto ip = net::Ipv4Address::parse(text.substr(0, underscore));
    if (!ip || underscore == text.npos) return refuse(400, "'{}' does not begin with an IPv4 address, as 10.0.0.1_aa-bb-cc-dd-ee-ff", text);
    const auto mac = net::Mac::parse(text.substr(underscore + 1));
    if (!mac) return refuse(400, "'{}' does not end with a MAC address, as 10.0.0.1_aa-bb-cc-dd-ee-ff", text);
    return Entry{*ip, *mac};
}

class ArpTables {
public:
    explicit ArpTables(ObjectApi& api) : api_(api) {}

    Outcome<http::Response> list(const Call& call) const {
        GET_OR_REFUSE(bridge, existingBridge(call));
        GET_OR_REFUSE(rows, api_.store().readTable(nsdb::bridgeArpTableName(bridge)));
        model::JsonWriter json;
        json.beginArray();
        for (const auto& row : rows) {
            GET_OR_REFUSE(ip, net::Ipv4Address::parse(row.key));
            GET_OR_REFUSE(mac, net::Mac::parse(row.value));
            showEntry(json, call.base, bridge, {ip, mac});
        }
        return call.ok(json.endArray().take());
    }
    Outcome<http::Response> get(const Call& call) const {
        GET_OR_REFUSE(bridge, existingBridge(call));
        GET_OR_REFUSE(wanted, entryOf(call));
        GET_OR_REFUSE(row, find(bridge, wanted.ip));
        if (!row || row->value != wanted.mac.toString()) return refuse(404, "bridge {} does not have {} at {}", bridge, wanted.ip, wanted.mac);
        model::JsonWriter json;
        showEntry(json, call.base, bridge, wanted);
        return call.ok(json.take());
    }
    Outcome<http::Response> create(const Call& call) const {
        GET_OR_REFUSE(bridge, call.id());
        GET_OR_REFUSE(entry, readEntry(call));
        const auto put = [&](nsdb::Transaction& transaction) -> Outcome<void> {
            DO_OR_REFUSE(transaction.get<Bridge>(bridge));
            GET_OR_REFUSE(row, find(bridge, entry.ip));
            if (row && row->persistent && row->value != entry.mac.toString())
                return refuse(409, "bridge {} has {} at {} already", bridge, entry.ip, row->value);
            DO_OR_REFUSE(transaction.putPersistent(nsdb::bridgeArpTableName(bridge), entry.ip.toString(), entry.mac.toString()));
            return {};
        };
        return transact(api_.store(), put).map([&] { return call.created(pathOf(bridge, entry)); });
    }
    Outcome<http::Response> remove(const Call& call) const {
        GET_OR_REFUSE(bridge, call.id());
        GET_OR_REFUSE(wanted, entryOf(call));
        const auto removeIt = [&](nsdb::Transaction& transaction) -> Outcome<void> {
            DO_OR_REFUSE(transaction.get<Bridge>(bridge));
            GET_OR_REFUSE(row, find(bridge, wanted.ip));
            if (row && row->persistent && row->value != wanted.mac.toString()) return {};
            DO_OR_REFUSE(transaction.removePersistent(nsdb::bridgeArpTableName(bridge), wanted.ip.toString()));
            return {};
        };
        return transact(api_.store(), removeIt).map([] { return Call::empty(204); });
    }

private:
    Outcome<Uuid> existingBridge(const Call& call) const {
        GET_OR_REFUSE(id, call.id());
        GET_OR_REFUSE(reads, api_.view());
        DO_OR_REFUSE(reads->get<Bridge>(id));
        return id;
    }
    Outcome<std::optional<nsdb::TableEntry>> find(const Uuid& bridge, net::Ipv4Address ip) const {
        GET_OR_REFUSE(rows, api_.store().readTable(nsdb::bridgeArpTableName(bridge)));
        for (auto& row : rows)
            if (row.key == ip.toString()) return std::optional{std::move(row)};
        return std::optional<nsdb::TableEntry>{};
    }

    ObjectApi& api_;
};

}  // namespace

void addArpTables(ObjectApi& api) {
    const auto tables = std::make_shared<const ArpTables>(api);
    const std::string all = "/bridges/{id}/arp_table";
    const std::string one = all + "/{entry}";
    const std::vector<std::string> items{itemType("IP4Mac", 1), std::string{kJson}};
    auto& service = api.service();
    service.add({.path = all, .produces = {collectionType("IP4Mac", 1), std::string{kJson}}, .consumes = {}, .blocks = true,
                 .run = [tables](const Call& call) { return tables->list(call); }});
    service.add({.method = http::Method::Post, .path = all, .produces = {}, .consumes = items, .blocks = true,
                 .run = [tables](const Call& call) { return tables->create(call); }});
    service.add({.path = one, .produces = items, .consumes = {}, .blocks = true, .run = [tables](const Call& call) { return tables->get(call); }});
    service.add({.method = http::Method::Delete, .path = one, .produces = {}, .consumes = {}, .blocks = true,
                 .run = [tables](const Call& call) { return tables->remove(call); }});
}

}  // namespace midonet::rest
