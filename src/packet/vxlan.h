#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "net/numbers.h"
#include "packet/protocols.h"

namespace midonet::packet {

/// The VXLAN header (RFC 7348): 8 bytes between UDP and the inner Ethernet frame.
struct VxlanHeader {
    net::TunnelKey key;  ///< The 24-bit VNI.
};

/// `bytes` start behind the UDP header. Malformed: cut, or the I flag is not set. Reserved bits are
/// ignored.
Result<VxlanHeader> parseVxlan(ByteView bytes);

/// Writes kVxlanSize bytes; the caller has the room.
void writeVxlan(const VxlanHeader& header, std::uint8_t* to);

}  // namespace midonet::packet
