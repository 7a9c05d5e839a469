#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "packet/protocols.h"

namespace midonet::packet {

/// The GRE header (RFC 2784 with the key and sequence number of RFC 2890), 4..16 bytes.
struct GreHeader {
    std::uint16_t protocol = ethertype::kTransparentBridging;  ///< Ethernet type of what follows.
    std::optional<std::uint32_t> key;
    std::optional<std::uint32_t> sequence;
    bool hasChecksum = false;

    std::size_t size() const {
        return 4U + (hasChecksum ? 4U : 0U) + (key ? 4U : 0U) + (sequence ? 4U : 0U);
    }
    friend bool operator==(const GreHeader&, const GreHeader&) = default;
};

/// `bytes` start at the GRE header and reach to the end of its payload. Malformed: cut, another
/// version, source routing (RFC 1701) or another bit that must be zero, or a wrong checksum.
Result<GreHeader> parseGre(ByteView bytes);

/// Writes header.size() bytes; the caller has the room. A checksum field is written as 0: the owner
/// of the whole packet fills in checksumOf(header and payload) at offset 4.
void writeGre(const GreHeader& header, std::uint8_t* to);

}  // namespace midonet::packet
