#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "datapath/datapath.h"
#include "event/loop.h"
#include "net/ip_address.h"

namespace midonet::netlink {
class Monitor;
}

namespace midonet::host {

/// Which way packets leave this host towards the hosts behind tunnels, down to the MAC addresses: what
/// encapsulation by hand puts in front of a packet. Control loop.
class Underlay {
public:
    /// The path, or nothing when there is surely none: no route, interface down, next hop does not answer.
    using Callback = std::function<void(const std::optional<datapath::TunnelPath>&)>;

    virtual ~Underlay() = default;
    /// Follows the way from `local` (an address of this host) to `remote`, until the handle is destroyed.
    /// The callback comes at each change, first as soon as the answer is sure (perhaps before watch() returns).
    /// While the next hop is being asked for, the last answer stands.
    [[nodiscard]] virtual event::HandlePtr watch(const net::IpAddress& local, const net::IpAddress& remote,
                                                 Callback callback) = 0;
};

/// Asks the kernel's routes and neighbours, and follows their changes. Keeps next hops fresh, since
/// packets that are encapsulated by hand do not pass the kernel's own resolution. `loop` and `monitor` outlive it.
Result<std::unique_ptr<Underlay>> followUnderlay(event::Loop& loop, netlink::Monitor& monitor);

}  // namespace midonet::host
