#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/paths.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Bridge;
using model::Port;
constexpr std::uint16_t kUntagged = 0;
constexpr std::uint16_t kLastVlan = 4095;

/// One entry of the MAC table of a bridge and VLAN.
struct MacPort {
    net::Mac mac;
    Uuid port;
    std::uint16_t vlan = kUntagged;
};

std::string pathOf(const Uuid& bridge, const MacPort& entry) {
    const auto vlan = entry.vlan == kUntagged ? std::string{} : fmt::format("/vlans/{}", entry.vlan);
    return fmt::format("/bridges/{}{}/mac_table/{}_{}", bridge, vlan, dashed(entry.mac), entry.port);
}

void showEntry(model::JsonWriter& json, const std::string& base, const Uuid& bridge, const MacPort& entry) {
    json.beginObject().key("macAddr").string(entry.mac.toString()).key("portId").string(entry.port.toString());
    json.key("vlanId").integer(entry.vlan).key("uri").string(base + pathOf(bridge, entry)).endObject();
}

std::optional<std::uint16_t> parseVlan(std::string_view text) {
    std::uint16_t vlan = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), vlan);
    if (error != std::errc{} || end != text.data() + text.size() || vlan > kLastVlan) return std::nullopt;
    return vlan;
}

/// 404 when the segment is not a VLAN id.
Outcome<std::uint16_t> vlanOf(const Call& call) {
    const auto& text = call.parameters["vlan"];
    const auto vlan = parseVlan(text);
    if (!vlan) return refuse(404, "there is no VLAN '{}': VLAN ids are 0 to {}", text, kLastVlan);
    return *vlan;
}

/// "aa-bb-cc-dd-ee-ff_<port id>"; 400 when it is not.
Outcome<MacPort> entryOf(const Call& call, std::uint16_t vlan) {
    const std::string_view text = call.parameters["entry"];
    const auto underscore = text.find('_');
    const auto mac = net::Mac::parse(text.substr(0, underscore));
    if (!mac || underscore == text.npos) return refuse(400, "'{}' does not begin with a MAC address, as aa-bb-cc-dd-ee-ff_<port id>", text);
    const auto port = Uuid::parse(text.substr(underscore + 1));
    if (!port) return refuse(400, "'{}' does not end with the UUID of a port", text);
    return MacPort{*mac, *port, vlan};
}

/// What the bridge goes by.
Outcome<std::vector<MacPort>> readTable(const ScopedStore& store, const Uuid& bridge, std::uint16_t vlan) {
    GET_OR_REFUSE(rows, store.readTable(nsdb::macTableName(bridge, vlan)));
    std::vector<MacPort> out;
    for (const auto& row : rows) {
        GET_OR_REFUSE(mac, net::Mac::parse(row.key));
        GET_OR_REFUSE(port, Uuid::parse(row.value));
        out.push_back({mac, port, vlan});
    }
    return out;
}

class MacTables {
public:
    explicit MacTables(ObjectApi& api) : api_(api) {}

    /// All VLANs.
    Outcome<http::Response> listAll(const Call& call) const {
        GET_OR_REFUSE(bridge, existingBridge(call));
        GET_OR_REFUSE(vlans, vlansOf(call, bridge));
        return list(call, bridge, vlans);
    }
    Outcome<http::Response> listOne(const Call& call) const {
        GET_OR_REFUSE(bridge, existingBridge(call));
        GET_OR_REFUSE(vlan, vlanOf(call));
        GET_OR_REFUSE(vlans, vlansOf(call, bridge));
        if (!vlans.contains(vlan)) return refuse(404, "bridge {} has no MAC table of VLAN {}", bridge, vlan);
        return list(call, bridge, {vlan});
    }
    Outcome<http::Response> get(const Call& call, std::uint16_t vlan) const {
        GET_OR_REFUSE(bridge, existingBridge(call));
        GET_OR_REFUSE(wanted, entryOf(call, vlan));
        GET_OR_REFUSE(isThere, has(call, bridge, wanted));
        if (!isThere) return refuse(404, "bridge {} has no MAC {} at port {} in VLAN {}", bridge, wanted.mac, wanted.port, vlan);
        model::JsonWriter json;
        showEntry(json, call.base, bridge, wanted);
        return call.ok(json.take());
    }
    Outcome<http::Response> create(const Call& call, std::optional<std::uint16_t> vlanOfPath) const {
        GET_OR_REFUSE(bridge, call.id());
        GET_OR_REFUSE(body, call.body());
        GET_OR_REFUSE(entry, readEntry(body, vlanOfPath));
        return transact(api_.storeOf(call), [&](nsdb::Transaction& transaction) { return put(transaction, bridge, entry); }).map([&] {
            return call.created(pathOf(bridge, entry));
        });
    }
    Outcome<http::Response> remove(const Call& call, std::uint16_t vlan) const {
        GET_OR_REFUSE(bridge, call.id());
        GET_OR_REFUSE(wanted, entryOf(call, vlan));
        const auto removeIt = [&](nsdb::Transaction& transaction) -> Outcome<void> {
            DO_OR_REFUSE(transaction.get<Bridge>(bridge));
            const auto table = nsdb::macTableName(bridge, vlan);
            GET_OR_REFUSE(port, transaction.persistent(table, wanted.mac.toString()));
            if (port != wanted.port.toString()) return {};
            DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { showEntry(json, call.base, bridge, wanted); }));
            DO_OR_REFUSE(transaction.removePersistent(table, wanted.mac.toString()));
            return {};
        };
        return transact(api_.storeOf(call), removeIt).map([] { return Call::empty(204); });
    }

private:
    Outcome<Uuid> existingBridge(const Call& call) const {
        GET_OR_REFUSE(id, call.id());
        GET_OR_REFUSE(reads, api_.view(call));
        DO_OR_REFUSE(reads->get<Bridge>(id));
        return id;
    }

    /// As a persistent entry, though a learned one may hide it, or as what the bridge goes by.
    Outcome<bool> has(const Call& call, const Uuid& bridge, const MacPort& wanted) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(port, reads->persistent(nsdb::macTableName(bridge, wanted.vlan), wanted.mac.toString()));
        if (port == wanted.port.toString()) return true;
        GET_OR_REFUSE(entries, readTable(api_.storeOf(call), bridge, wanted.vlan));
        return std::any_of(entries.begin(), entries.end(),
                           [&](const auto& entry) { return entry.mac == wanted.mac && entry.port == wanted.port; });
    }

    Outcome<std::set<std::uint16_t>> vlansOf(const Call& call, const Uuid& bridge) const;

    Outcome<http::Response> list(const Call& call, const Uuid& bridge, const std::set<std::uint16_t>& vlans) const {
        model::JsonWriter json;
        json.beginArray();
        for (const auto vlan : vlans) {
            GET_OR_REFUSE(entries, readTable(api_.storeOf(call), bridge, vlan));
            for (const auto& entry : entries) showEntry(json, call.base, bridge, entry);
        }
        return call.ok(json.endArray().take());
    }

    static Outcome<MacPort> readEntry(const model::JsonBody& body, std::optional<std::uint16_t> vlanOfPath) {
        MacPort entry;
        model::Violations violations;
        const auto mac = body.mac("macAddr");
        const auto port = body.uuid("portId");
        const auto vlan = body.integer("vlanId");
        if (mac && *mac)
            entry.mac = **mac;
        else
            violations.push_back({"macAddr", "must be a MAC address"});
        if (port && *port)
            entry.port = **port;
        else
            violations.push_back({"portId", "must be the UUID of a port"});
        if (vlanOfPath)
            entry.vlan = *vlanOfPath;
        else if (vlan && vlan->value_or(kUntagged) >= 0 && vlan->value_or(kUntagged) <= kLastVlan)
            entry.vlan = static_cast<std::uint16_t>(vlan->value_or(kUntagged));
        else
            violations.push_back({"vlanId", fmt::format("must be from 0 to {}", kLastVlan)});
        if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
        return entry;
    }

    static Outcome<void> put(nsdb::Transaction& transaction, const Uuid& bridge, const MacPort& entry) {
        DO_OR_REFUSE(transaction.get<Bridge>(bridge));
        GET_OR_REFUSE(port, transaction.get<Port>(entry.port));
        if (model::uuidOf(port.object->bridge_id()) != bridge)
            return refuse(400, "port {} is not a port of bridge {}", entry.port, bridge);
        if (port.object->vlan_id() != kUntagged && port.object->vlan_id() != entry.vlan)
            return refuse(400, "port {} is in VLAN {}, not {}", entry.port, port.object->vlan_id(), entry.vlan);
        const auto table = nsdb::macTableName(bridge, entry.vlan);
        GET_OR_REFUSE(known, transaction.persistent(table, entry.mac.toString()));
        if (known) return refuse(409, "bridge {} has MAC {} at port {} already", bridge, entry.mac, *known);
        DO_OR_REFUSE(transaction.putPersistent(table, entry.mac.toString(), entry.port.toString()));
        return {};
    }

    ObjectApi& api_;
};

/// The VLANs a bridge has MAC tables of: untagged always, those with entries, those of its ports.
Outcome<std::set<std::uint16_t>> MacTables::vlansOf(const Call& call, const Uuid& bridge) const {
    std::set<std::uint16_t> out{kUntagged};
    GET_OR_REFUSE(names, api_.storeOf(call).listTables(nsdb::macTablesOf(bridge)));
    for (const auto& name : names)
        if (const auto vlan = parseVlan(name)) out.insert(*vlan);
    GET_OR_REFUSE(reads, api_.view(call));
    GET_OR_REFUSE(ports, reads->referrers<Port>("bridge_id", bridge));
    for (const auto& id : ports) {
        const auto port = reads->get<Port>(id);
        if (port) out.insert(static_cast<std::uint16_t>(port->object->vlan_id()));
    }
    return out;
}

}  // namespace

void addMacTables(ObjectApi& api) {
    auto& service = api.service();
    const auto tables = std::make_shared<const MacTables>(api);
    const std::vector<std::string> items{itemType("MacPort", 2), std::string{kJson}};
    const std::vector<std::string> collections{collectionType("MacPort", 2), std::string{kJson}};
    using http::Method;

    service.bodies()["MacPort"] = {{.name = "macAddr", .type = ValueType::Mac, .readOnly = false, .required = true},
                                   {.name = "portId", .type = ValueType::Uuid, .readOnly = false, .required = true, .of = "Port"},
                                   {.name = "vlanId", .type = ValueType::Integer, .readOnly = false, .min = 0, .max = kLastVlan},
                                   {.name = "uri", .type = ValueType::Uri}};

    const std::string all = "/bridges/{id}/mac_table";
    service.add({.path = all, .produces = collections, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->listAll(call); }});
    service.add({.method = Method::Post, .path = all, .produces = {}, .consumes = items, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->create(call, std::nullopt); }});
    service.add({.path = all + "/{entry}", .produces = items, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->get(call, kUntagged); }});
    service.add({.method = Method::Delete, .path = all + "/{entry}", .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->remove(call, kUntagged); }});

    const std::string one = "/bridges/{id}/vlans/{vlan}/mac_table";
    service.add({.path = one, .produces = collections, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) { return tables->listOne(call); }});
    service.add({.method = Method::Post, .path = one, .produces = {}, .consumes = items, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) -> Outcome<http::Response> {
                     GET_OR_REFUSE(vlan, vlanOf(call));
                     return tables->create(call, vlan);
                 }});
    service.add({.path = one + "/{entry}", .produces = items, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) -> Outcome<http::Response> {
                     GET_OR_REFUSE(vlan, vlanOf(call));
                     return tables->get(call, vlan);
                 }});
    service.add({.method = Method::Delete, .path = one + "/{entry}", .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [tables](const Call& call) -> Outcome<http::Response> {
                     GET_OR_REFUSE(vlan, vlanOf(call));
                     return tables->remove(call, vlan);
                 }});
}

}  // namespace midonet::rest
