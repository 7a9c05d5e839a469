#pragma once

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "netlink/messages.h"

namespace midonet::netlink {

/// Our copy of the kernel's links, addresses and neighbours, kept by events. Pure: no socket. Routes are
/// not kept (a gateway may have a million): their changes are only passed on.
class Mirror {
public:
    /// Applies what the kernel reported; true when something is different now. A removed link takes its
    /// addresses and neighbours along.
    bool apply(const Event& event);
    /// After a dump: makes the mirror equal to it. The events that would have led here.
    std::vector<Event> replace(const std::vector<Link>& links, const std::vector<Address>& addresses,
                               const std::vector<Neighbour>& neighbours);

    const std::map<int, Link>& links() const { return links_; }
    const Link* link(int index) const;
    const Link* link(std::string_view name) const;
    const std::set<Address>& addresses() const { return addresses_; }
    std::vector<net::IpAddress> addressesOf(int linkIndex) const;
    const Neighbour* neighbour(int linkIndex, const net::IpAddress& address) const;

private:
    using NeighbourKey = std::pair<int, net::IpAddress>;

    bool applyChange(const Change<Link>& change);
    bool applyChange(const Change<Address>& change);
    bool applyChange(const Change<Neighbour>& change);
    bool applyChange(const Change<Route>&) { return true; }
    bool removeLink(int index);

    std::map<int, Link> links_;
    std::set<Address> addresses_;
    std::map<NeighbourKey, Neighbour> neighbours_;
};

}  // namespace midonet::netlink
