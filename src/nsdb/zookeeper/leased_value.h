#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "nsdb/backend.h"
#include "zookeeper/session.h"

namespace midonet::nsdb::zookeeper {

/// The value of an ephemeral znode names its lease, which outlives the session that wrote it.
inline std::string leasedValue(const Uuid& lease, std::string_view value) { return lease.toBytes() += value; }

/// Lease and value of any record's znode; nil when it is persistent (or not of this product).
inline std::pair<Uuid, std::string_view> splitValue(const midonet::zookeeper::Stat& stat, std::string_view value) {
    constexpr std::size_t kLeaseLength = 16;
    if (stat.owner == 0 || value.size() < kLeaseLength) return {Uuid{}, value};
    return {Uuid::fromBytes(value.substr(0, kLeaseLength)).value_or(Uuid{}), value.substr(kLeaseLength)};
}

}  // namespace midonet::nsdb::zookeeper
