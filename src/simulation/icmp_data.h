#pragma once

#include <optional>
#include <span>

#include "base/bytes.h"
#include "simulation/packet_walk.h"

namespace midonet::simulation {

/// What an ICMP error is about (RFC 792, RFC 5508): the IPv4 header in it and the first 8 bytes behind. nullopt
/// when the frame is no ICMP error, or too little of the packet is in it to know its connection.
std::optional<PacketWalk::IcmpData> readIcmpData(ByteView frame);

/// Changes the connection named inside the ICMP error, with all checksums that cover it (RFC 5508 section 4.2): that
/// of the quoted IPv4 header, that of TCP or UDP as far as it is quoted, and that of the ICMP message. Nothing is
/// changed where readIcmpData() finds nothing.
void writeIcmpData(std::span<std::uint8_t> frame, const SetIcmpData& data);

}  // namespace midonet::simulation
