#pragma once

#include "nsdb/store.h"
#include "rest/fault.h"

namespace midonet::model {
class Port;
}

namespace midonet::rest {

/// A tunnel key is a VXLAN network identifier too (RFC 7348 section 5): 24 bits.
inline constexpr std::uint64_t kLastTunnelKey = 0xffffff;

/// Gives a new port the number packets to it carry between hosts; 503 when all have been used.
Outcome<void> allocateTunnelKey(nsdb::Transaction& transaction, model::Port& port);

}  // namespace midonet::rest
