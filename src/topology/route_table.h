#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/id.h"
#include "net/ip_prefix.h"

namespace midonet::topology {

struct Route {
    enum class Type : std::uint8_t { Normal, Local, BlackHole, Reject };
    RouteId id;
    Type type = Type::Normal;
    net::IpPrefix source;
    net::IpPrefix destination;
    PortId port;                             ///< Of Normal and Local.
    std::optional<net::IpAddress> gateway;   ///< None: the destination is next to the port.
    std::uint32_t weight = 100;
    friend bool operator==(const Route&, const Route&) = default;
};

/// The routes of a router that are in force now: longest destination prefix first, at one prefix those
/// whose source prefix holds the packet's source, of these the ones of least weight; else the next
/// shorter prefix (reference section 4.3). Immutable; both address families.
class RouteTable {
public:
    RouteTable();
    explicit RouteTable(std::vector<Route> routes);
    ~RouteTable();
    RouteTable(const RouteTable&) = delete;
    RouteTable& operator=(const RouteTable&) = delete;

    struct Found {
        /// Equally good; empty: there is none. Ordered by id, so that a choice among them by hash is stable.
        /// Valid as long as the table.
        std::span<const Route* const> routes;
        /// How many leading bits of each address the answer depends on: every packet that agrees on them gets
        /// the same answer.
        unsigned sourceBits = 0;
        unsigned destinationBits = 0;
    };
    Found find(const net::IpAddress& source, const net::IpAddress& destination) const;
    const std::vector<Route>& routes() const { return routes_; }  ///< Ordered by id.

    friend bool operator==(const RouteTable& a, const RouteTable& b) { return a.routes_ == b.routes_; }

private:
    struct Index;
    std::vector<Route> routes_;
    std::unique_ptr<const Index> index_;
};

/// Of equally good routes the one that this flow takes: by highest random weight (rendezvous hashing), so a
/// route that goes or comes moves no flows but its own. `routes` is not empty.
const Route& chooseRoute(std::span<const Route* const> routes, std::uint64_t flowHash);

}  // namespace midonet::topology
