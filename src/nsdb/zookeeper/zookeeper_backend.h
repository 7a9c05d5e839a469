#pragma once

#include <memory>

#include "nsdb/backend.h"

namespace midonet::nsdb::zookeeper {

/// The backend on an ensemble; openZookeeper() puts the object layer above it.
Result<std::unique_ptr<Backend>> makeBackend(const ZookeeperOptions& options);

/// Fault for tests: ends a lease as if its process had been frozen for too long; it is open again afterwards.
Result<void> expireSession(Backend& backend, const Uuid& session);

}  // namespace midonet::nsdb::zookeeper
