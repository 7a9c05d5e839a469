#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace midonet::fuzz {

/// No checksum of the frame that can be proved wrong is wrong: IPv4, TCP, UDP, ICMP and ICMPv6. What is cut short or a fragment
/// cannot be proved.
bool rightChecksums(ByteView frame);
/// Puts the right ones in place, where there is room for them.
void completeChecksums(std::vector<std::uint8_t>& frame);

}  // namespace midonet::fuzz
