#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "net/ip_address.h"

namespace midonet::model {

/// The id in a `bytes` field of format UUID; nil when the field is empty or not 16 bytes long.
Uuid uuidOf(std::string_view bytes);
/// The other way: empty for nil, as an unset field is stored.
std::string bytesOf(const Uuid& id);

/// Id of the TunnelZoneMember that joins a host to a zone: made from both (a version 8 UUID,
/// RFC 9562 5.8), so that a host cannot be twice in one zone.
Uuid memberId(const Uuid& zone, const Uuid& host);

/// Id of the NatBlock that stands for ports 64*block .. 64*block+63 of `address` on a router or bridge: made from the
/// three in the same way, so that a block cannot be leased twice.
Uuid natBlockId(const Uuid& device, const net::IpAddress& address, std::uint32_t block);

/// Id of the ConfigTemplate of this name.
Uuid configTemplateId(std::string_view name);

}  // namespace midonet::model
