#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "event/loop.h"
#include "net/ip_address.h"
#include "net/mac.h"
#include "net/numbers.h"
#include "nsdb/store.h"
#include "topology/snapshot.h"

namespace midonet::topology {

/// A change of a bridge's MAC table, as published by other hosts (and by this one).
struct MacChange {
    BridgeId bridge;
    net::VlanId vlan;
    net::Mac mac;
    PortId port;           ///< Nil when removed.
};

/// What the hosts tell each other of a neighbour of a router.
struct RouterArpEntry {
    net::Mac mac;
    std::int64_t expiryMs = 0;  ///< Since 1970: when it is removed by its writer.
    std::int64_t staleMs = 0;   ///< Since 1970: from when on it is asked for again.

    static constexpr std::chrono::seconds kLifetime{90};
    static constexpr std::chrono::seconds kStaleAfter{60};

    /// The neighbour said so at `nowMs`.
    static RouterArpEntry confirmed(net::Mac mac, std::int64_t nowMs);
    bool isStale(std::int64_t nowMs) const { return nowMs >= staleMs; }
    /// "mac;expiry;stale;lastArp".
    static Result<RouterArpEntry> parse(std::string_view text);
    std::string toString() const;
    friend bool operator==(const RouterArpEntry&, const RouterArpEntry&) = default;
};

/// A change of an ARP table.
template <class Value>
struct ArpChange {
    net::Ipv4Address address;
    std::optional<Value> value;  ///< nullopt when removed.
    friend bool operator==(const ArpChange&, const ArpChange&) = default;
};
using RouterArpChange = ArpChange<RouterArpEntry>;
using BridgeArpChange = ArpChange<net::Mac>;

/// Who hears of the tables. "Gone": not followed any more; comes after all that was told of it was taken back.
struct TableListener {
    std::function<void(const std::vector<MacChange>&)> onMacs;
    std::function<void(const BridgeId&, net::VlanId)> onMacTableGone;
    std::function<void(const RouterId&, const std::vector<RouterArpChange>&)> onArp;
    std::function<void(const RouterId&)> onArpTableGone;
    std::function<void(const BridgeId&, const std::vector<BridgeArpChange>&)> onBridgeArp;
    std::function<void(const BridgeId&)> onBridgeArpTableGone;
};

/// The state tables of the devices of a snapshot: MAC tables of bridges, one for each VLAN and that of VLAN 0; ARP
/// tables of bridges and of routers. MACs that vanish with the agent of their port are kept as long as
/// `isLost` says of the port that its host is believed. Belongs to the loop of its maker.
class StateTables {
public:
    StateTables(event::Loop& loop, nsdb::Store& store, TableListener listener, std::function<bool(const PortId&)> isLost);

    /// Exactly the tables of this snapshot, from now on.
    void follow(const TopologySnapshot& snapshot);

private:
    struct MacTableId {
        BridgeId bridge;
        net::VlanId vlan;
        friend auto operator<=>(const MacTableId&, const MacTableId&) = default;
    };
    struct MacTable {
        event::HandlePtr watch;
        std::map<net::Mac, PortId> macs;  // as told to the listener
        std::set<net::Mac> vanished;      // of these: gone from the NSDB
    };
    struct ArpTable {
        event::HandlePtr watch;
        std::set<net::Ipv4Address> addresses;  // as told to the listener
    };

    void dropOthers(const TopologySnapshot& snapshot);
    void dropMacTables(const TopologySnapshot& snapshot);
    void onMacTable(const MacTableId& id, const nsdb::TableChange& change);
    void checkVanishedMacs();
    template <class Value, class Parse>
    static std::vector<ArpChange<Value>> readArp(ArpTable& table, const Uuid& device, const nsdb::TableChange& change, Parse parse);

    event::Loop& loop_;
    nsdb::Store& store_;
    const TableListener listener_;
    const std::function<bool(const PortId&)> isLost_;
    std::map<MacTableId, MacTable> macTables_;
    std::map<RouterId, ArpTable> routerArp_;
    std::map<BridgeId, ArpTable> bridgeArp_;
    event::HandlePtr vanishedTimer_;
};

}  // namespace midonet::topology
