#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "event/loop.h"
#include "netlink/mirror.h"

namespace midonet::netlink {

/// Watches the kernel's links, addresses, neighbours and routes, and keeps a mirror of the first three. When
/// the kernel's queue to us runs over, everything is read anew and listeners hear the difference, and a
/// route change without content. In the network namespace of the thread that starts it. Loop thread only.
class Monitor {
public:
    /// Once per batch of changes, the mirror being up to date already.
    using Listener = std::function<void(const std::vector<Event>&)>;

    /// The mirror is complete when this returns.
    static Result<std::unique_ptr<Monitor>> start(event::Loop& loop);
    virtual ~Monitor() = default;

    virtual const Mirror& mirror() const = 0;
    /// Until the handle is destroyed (also inside a listener).
    [[nodiscard]] virtual event::HandlePtr onChange(Listener listener) = 0;
    /// How often the kernel's queue ran over.
    virtual std::uint64_t overruns() const = 0;
    /// Reads everything anew now, as after an overrun.
    virtual void resynchronise() = 0;
};

}  // namespace midonet::netlink
