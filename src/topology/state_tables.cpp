#include "topology/state_tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/log.h"

namespace midonet::topology {
namespace {

const Logger kLog{"topology"};

Result<std::int64_t> parseMs(std::string_view text) {
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end) return fail(ErrorCode::Malformed, "'{}' is no time", text);
    return value;
}

void warnOfEntry(const Uuid& device, const nsdb::TableEntry& entry) {
    kLog.warn("table entry ignored: it cannot be read", {kv("device", device), kv("key", entry.key), kv("value", entry.value)});
}

/// All that is known of the table, taken back.
template <class Value, class Addresses>
std::vector<ArpChange<Value>> takenBack(const Addresses& addresses) {
    std::vector<ArpChange<Value>> out;
    for (const auto address : addresses) out.push_back({address, std::nullopt});
    return out;
}

/// Ends the tables of devices that are not in `wanted`, after `gone` was told of each.
template <class Tables, class Wanted, class Gone>
void dropTables(Tables& tables, const Wanted& wanted, Gone gone) {
    for (auto table = tables.begin(); table != tables.end();) {
        if (wanted.contains(table->first)) {
            ++table;
            continue;
        }
        auto ended = tables.extract(table++);
        ended.mapped().watch.reset();
        gone(ended.key(), ended.mapped());
    }
}

}  // namespace

RouterArpEntry RouterArpEntry::confirmed(net::Mac mac, std::int64_t nowMs) {
    const auto after = [&](std::chrono::milliseconds time) { return nowMs + time.count(); };
    return {mac, after(kLifetime), after(kStaleAfter)};
}

std::string RouterArpEntry::toString() const { return fmt::format("{};{};{};0", mac, expiryMs, staleMs); }

Result<RouterArpEntry> RouterArpEntry::parse(std::string_view text) {
    std::array<std::string_view, 4> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto end = text.find(';');
        if ((end == std::string_view::npos) != (i + 1 == fields.size()))
            return fail(ErrorCode::Malformed, "not of the form mac;expiry;stale;lastArp");
        fields.at(i) = text.substr(0, end);
        if (end != std::string_view::npos) text.remove_prefix(end + 1);
    }
    TRY(mac, net::Mac::parse(fields[0]));
    TRY(expiry, parseMs(fields[1]));
    TRY(stale, parseMs(fields[2]));
    TRY_VOID(parseMs(fields[3]));
    return RouterArpEntry{mac, expiry, stale};
}

StateTables::StateTables(event::Loop& loop, nsdb::Store& store, TableListener listener, std::function<bool(const PortId&)> isLost)
    : loop_(loop), store_(store), listener_(std::move(listener)), isLost_(std::move(isLost)) {}

void StateTables::follow(const TopologySnapshot& snapshot) {
    dropOthers(snapshot);
    const auto followMacs = [&](const MacTableId& id) {
        auto& table = macTables_[id];
        if (table.watch) return;
        table.watch = store_.watchTable(loop_, nsdb::macTableName(id.bridge.uuid(), id.vlan.value()),
                                        [this, id](const nsdb::TableChange& change) { onMacTable(id, change); });
    };
    snapshot.bridges.forEach([&](const BridgeId& id, const BridgePtr& bridge) {
        followMacs({id, net::VlanId{0}});
        for (const auto vlan : bridge->vlans) followMacs({id, vlan});
        auto& arp = bridgeArp_[id];
        if (arp.watch) return;
        arp.watch = store_.watchTable(loop_, nsdb::bridgeArpTableName(id.uuid()), [this, id](const nsdb::TableChange& change) {
            const auto news = readArp<net::Mac>(bridgeArp_.at(id), id.uuid(), change, net::Mac::parse);
            if (!news.empty()) listener_.onBridgeArp(id, news);
        });
    });
    snapshot.routers.forEach([&](const RouterId& id, const RouterPtr&) {
        auto& arp = routerArp_[id];
        if (arp.watch) return;
        arp.watch = store_.watchTable(loop_, nsdb::routerArpTableName(id.uuid()), [this, id](const nsdb::TableChange& change) {
            const auto news = readArp<RouterArpEntry>(routerArp_.at(id), id.uuid(), change, RouterArpEntry::parse);
            if (!news.empty()) listener_.onArp(id, news);
        });
    });
}

void StateTables::dropOthers(const TopologySnapshot& snapshot) {
    dropMacTables(snapshot);
    dropTables(bridgeArp_, snapshot.bridges, [&](const BridgeId& id, const ArpTable& table) {
        if (!table.addresses.empty()) listener_.onBridgeArp(id, takenBack<net::Mac>(table.addresses));
        listener_.onBridgeArpTableGone(id);
    });
    dropTables(routerArp_, snapshot.routers, [&](const RouterId& id, const ArpTable& table) {
        if (!table.addresses.empty()) listener_.onArp(id, takenBack<RouterArpEntry>(table.addresses));
        listener_.onArpTableGone(id);
    });
}

void StateTables::dropMacTables(const TopologySnapshot& snapshot) {
    struct Wanted {
        const TopologySnapshot& snapshot;
        bool contains(const MacTableId& id) const {
            const auto* const bridge = snapshot.bridge(id.bridge);
            return bridge != nullptr && (id.vlan.value() == 0 || bridge->hasVlan(id.vlan));
        }
    };
    dropTables(macTables_, Wanted{snapshot}, [&](const MacTableId& id, const MacTable& table) {
        std::vector<MacChange> gone;
        for (const auto& [mac, port] : table.macs) gone.push_back({id.bridge, id.vlan, mac, PortId{}});
        if (!gone.empty()) listener_.onMacs(gone);
        listener_.onMacTableGone(id.bridge, id.vlan);
    });
}

void StateTables::onMacTable(const MacTableId& id, const nsdb::TableChange& change) {
    auto& table = macTables_.at(id);
    std::vector<MacChange> changes;
    for (const auto& entry : change.updated) {
        const auto mac = net::Mac::parse(entry.key);
        const auto port = Uuid::parse(entry.value);
        if (!mac || !port) {
            warnOfEntry(id.bridge.uuid(), entry);
            continue;
        }
        table.vanished.erase(*mac);
        table.macs.insert_or_assign(*mac, PortId{*port});
        changes.push_back({id.bridge, id.vlan, *mac, PortId{*port}});
    }
    for (const auto& key : change.removed) {
        const auto mac = net::Mac::parse(key);
        if (mac && table.macs.contains(*mac)) table.vanished.insert(*mac);
    }
    if (!table.vanished.empty() && !vanishedTimer_)
        vanishedTimer_ = loop_.every(std::chrono::seconds{1}, [this] { checkVanishedMacs(); });
    if (!changes.empty()) listener_.onMacs(changes);
}

/// The entries and the port states of a dead agent vanish in any order: judged a moment later.
void StateTables::checkVanishedMacs() {
    std::vector<MacChange> changes;
    bool waiting = false;
    for (auto& [id, table] : macTables_) {
        std::erase_if(table.vanished, [&, &macs = table.macs, id = id](net::Mac mac) {
            const auto known = macs.find(mac);
            if (isLost_(known->second)) return false;
            macs.erase(known);
            changes.push_back({id.bridge, id.vlan, mac, PortId{}});
            return true;
        });
        waiting = waiting || !table.vanished.empty();
    }
    if (!waiting) vanishedTimer_.reset();
    if (!changes.empty()) listener_.onMacs(changes);
}

template <class Value, class Parse>
std::vector<ArpChange<Value>> StateTables::readArp(ArpTable& table, const Uuid& device, const nsdb::TableChange& change, Parse parse) {
    std::vector<ArpChange<Value>> out;
    for (const auto& entry : change.updated) {
        const auto address = net::Ipv4Address::parse(entry.key);
        const Result<Value> value = parse(entry.value);
        if (!address || !value) {
            warnOfEntry(device, entry);
            continue;
        }
        table.addresses.insert(*address);
        out.push_back({*address, *value});
    }
    for (const auto& key : change.removed) {
        const auto address = net::Ipv4Address::parse(key);
        if (address && table.addresses.erase(*address) > 0) out.push_back({*address, std::nullopt});
    }
    return out;
}

}  // namespace midonet::topology
