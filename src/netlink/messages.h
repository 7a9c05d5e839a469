#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/ip_address.h"
#include "net/ip_prefix.h"
#include "net/mac.h"

namespace midonet::netlink {

/// A network interface (RTM_NEWLINK).
struct Link {
    int index = 0;
    std::string name;
    std::optional<net::Mac> mac;  ///< None where the link layer has no 6-byte address.
    std::uint32_t mtu = 0;
    bool up = false;          ///< Set up by the administrator (IFF_UP).
    bool hasCarrier = false;  ///< IFF_LOWER_UP.
    bool loopback = false;
    bool usesNeighbours = true;  ///< Not IFF_NOARP.
    std::string kind;            ///< IFLA_INFO_KIND: "veth", "tun", "vxlan", ...; empty for hardware.
    std::string parentDevice;    ///< The bus device behind it; empty for virtual ones.
    int master = 0;              ///< Index of the bridge or bond it belongs to; 0 = none.
    friend bool operator==(const Link&, const Link&) = default;
};

/// An address of a link (RTM_NEWADDR).
struct Address {
    int linkIndex = 0;
    net::IpAddress address;
    unsigned prefixLength = 0;
    friend auto operator<=>(const Address&, const Address&) = default;
};

/// An entry of the ARP or neighbour discovery table (RTM_NEWNEIGH).
struct Neighbour {
    int linkIndex = 0;
    net::IpAddress address;
    std::optional<net::Mac> mac;
    std::uint16_t state = 0;  ///< NUD_* of linux/neighbour.h.

    /// Has a MAC that the kernel itself would send to now.
    bool usable() const;
    friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

/// A route, or the answer to "which way to this address?" (RTM_NEWROUTE).
struct Route {
    net::IpPrefix destination;
    std::optional<net::IpAddress> gateway;  ///< None: the destination is on the link.
    std::optional<net::IpAddress> preferredSource;
    int linkIndex = 0;  ///< 0: none (unreachable, blackhole) or several next hops.
    std::uint32_t table = 0;
    std::uint32_t priority = 0;
    std::uint8_t type = 0;  ///< RTN_* of linux/rtnetlink.h.
    bool viaLocalTable() const { return type == 2; }
    friend bool operator==(const Route&, const Route&) = default;
};

/// One object that is there (new or changed), or no longer.
template <class T>
struct Change {
    T object;
    bool removed = false;
    friend bool operator==(const Change&, const Change&) = default;
};
using Event = std::variant<Change<Link>, Change<Address>, Change<Neighbour>, Change<Route>>;

/// Parsers of kernel messages; no socket, no state. `message` is one message with its header, at any
/// alignment. Malformed = lengths that lie, missing fields.
Result<Link> parseLink(ByteView message);
Result<Address> parseAddress(ByteView message);
Result<Neighbour> parseNeighbour(ByteView message);
Result<Route> parseRoute(ByteView message);
/// By the message's type; nothing for types and families that are none of ours.
Result<std::optional<Event>> parseEvent(ByteView message);
/// Cuts a datagram into its messages.
Result<std::vector<ByteView>> splitDatagram(ByteView datagram);

/// The kernel's answer to a request: errno (0 = done) and its explanation, if it gives one.
struct Acknowledgement {
    int error = 0;
    std::string text;
};
Result<Acknowledgement> parseAcknowledgement(ByteView message);

}  // namespace midonet::netlink
