#pragma once

#include <memory>

#include "nsdb/backend.h"

namespace midonet::nsdb {

/// The memory backend: one of several clients of `shared`. Leases are kept by timers of their loop, so
/// they work in virtual time.
std::unique_ptr<Backend> makeMemoryBackend(std::shared_ptr<SharedMemory> shared);

/// Faults, for tests and cluster simulation. Any thread.
/// Cuts one client (a Store of openMemory, or its backend) off: its calls fail with Unavailable, its
/// sessions report disconnected, and their leases end after their ttl. And connects it again.
void setReachable(Store& store, bool reachable);
void setReachable(Backend& backend, bool reachable);
/// Ends a lease at once, as if its owner had been frozen for longer than its ttl. False when there
/// is none.
bool expireSession(SharedMemory& shared, const Uuid& session);

}  // namespace midonet::nsdb
