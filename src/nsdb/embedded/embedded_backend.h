#pragma once

#include <memory>

#include "nsdb/backend.h"

namespace midonet::nsdb::embedded {

/// The backend on LMDB; openEmbedded() puts the object layer above it.
Result<std::unique_ptr<Backend>> makeBackend(const EmbeddedOptions& options);

/// Fault for tests: ends a lease as if its process had been frozen for too long.
Result<void> expireSession(Backend& backend, const Uuid& session);

}  // namespace midonet::nsdb::embedded
