#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/ip_address.h"
#include "net/mac.h"

namespace midonet::netlink {
class Monitor;
struct Link;
}  // namespace midonet::netlink

namespace midonet::host {

/// What kind of interface it is; names as in REST.
enum class InterfaceType : std::uint8_t { Physical, Virtual, Tunnel, Unknown };
/// What is behind it; names as in REST.
enum class Endpoint : std::uint8_t { Datapath, Physical, Vm, Gre, Capwap, Localhost, TunTap, Unknown };

/// A network interface of this host (reference section 9.5).
struct Interface {
    std::string name;
    std::uint32_t ifindex = 0;
    net::Mac mac;
    std::uint32_t mtu = 0;
    bool up = false;       ///< By the administrator.
    bool hasLink = false;  ///< Carrier.
    std::vector<net::IpAddress> addresses;
    InterfaceType type = InterfaceType::Unknown;
    Endpoint endpoint = Endpoint::Unknown;
    friend bool operator==(const Interface&, const Interface&) = default;
};

/// The interfaces of this host that have a MAC address, ordered by index. Control loop.
class Interfaces {
public:
    virtual ~Interfaces() = default;
    virtual const std::vector<Interface>& list() const = 0;
    /// Called after each change of the list. One callback; a new one takes the place of the old, an
    /// empty one ends it.
    virtual void onChange(std::function<void()> callback) = 0;

    /// Nullptr when there is none of that name.
    const Interface* find(std::string_view name) const;
};

/// Those that the kernel reports. `monitor` outlives it.
std::unique_ptr<Interfaces> followInterfaces(netlink::Monitor& monitor);

/// What a link is; `driver` (from ETHTOOL, empty if none) decides where the kernel names no kind.
struct Classification {
    InterfaceType type = InterfaceType::Unknown;
    Endpoint endpoint = Endpoint::Unknown;
    friend bool operator==(const Classification&, const Classification&) = default;
};
Classification classify(const netlink::Link& link, std::string_view driver);

}  // namespace midonet::host
