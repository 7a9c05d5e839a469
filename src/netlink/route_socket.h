#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/messages.h"

namespace midonet::netlink {

/// A kernel vxlan device in external mode: the tunnel's ends and key come with each packet.
struct VxlanOptions {
    std::string name;
    std::uint16_t udpPort = 4789;
    std::uint32_t mtu = 0;  ///< 0 = the kernel's choice.
};

/// Requests to the kernel's rtnetlink, in the network namespace of the thread that opened it. Each call
/// waits for the kernel's answer, which takes microseconds; after 5 s it gives up (Timeout). One thread.
/// Errors carry the kernel's own words and name the privilege that is missing.
class RouteSocket {
public:
    static Result<RouteSocket> open();
    ~RouteSocket();
    RouteSocket(RouteSocket&&) noexcept;
    RouteSocket& operator=(RouteSocket&&) noexcept;

    Result<std::vector<Link>> links();
    Result<std::vector<Address>> addresses();
    Result<std::vector<Neighbour>> neighbours();
    Result<std::vector<Route>> routes();

    /// NotFound when there is none.
    Result<Link> link(std::string_view name);
    Result<Link> link(int index);
    Result<void> setUp(int linkIndex, bool up);
    Result<void> setMtu(int linkIndex, std::uint32_t mtu);
    /// The new device's index; it is down. AlreadyExists when the name is taken; Unsupported without the kernel's vxlan.
    Result<int> createVxlan(const VxlanOptions& options);
    Result<void> removeLink(int linkIndex);

    /// Which way the kernel would send a packet of `from` (if given, an address of this host) to `to`.
    /// NotFound: no route.
    Result<Route> lookupRoute(const net::IpAddress& to, std::optional<net::IpAddress> from = std::nullopt);
    /// Nothing when the kernel has no entry.
    Result<std::optional<Neighbour>> neighbour(int linkIndex, const net::IpAddress& address);
    /// Makes the kernel resolve the address, or confirm what it knows, as if a packet was sent there. The
    /// outcome comes as a neighbour event.
    Result<void> probe(int linkIndex, const net::IpAddress& address);

private:
    struct State;
    explicit RouteSocket(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace midonet::netlink
