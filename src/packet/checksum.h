#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "net/ip_address.h"

namespace midonet::packet {

/// The Internet checksum (RFC 1071), gathered piece by piece. Pieces of odd size are allowed
/// anywhere.
class Checksum {
public:
    Checksum& add(ByteView bytes);
    Checksum& add(std::uint16_t word);  ///< Host order; only behind an even number of bytes.
    /// The pseudo header of TCP, UDP and ICMPv6 (RFC 9293, RFC 768, RFC 8200). `length` is that of
    /// the transport header and its payload.
    Checksum& addPseudoHeader(const net::IpAddress& source, const net::IpAddress& destination,
                              std::uint8_t protocol, std::uint32_t length);

    /// The sum folded to 16 bits, not inverted: what a CHECKSUM_PARTIAL packet carries when only
    /// the pseudo header was added.
    std::uint16_t folded() const;
    /// What goes into the header, host order. Over data that includes its right checksum: 0.
    std::uint16_t value() const { return static_cast<std::uint16_t>(~folded()); }

private:
    std::uint64_t sum_ = 0;
    bool odd_ = false;
};

inline std::uint16_t checksumOf(ByteView bytes) { return Checksum{}.add(bytes).value(); }

/// The checksum after a word it covers has changed (RFC 1624, equation 3). Host order throughout.
std::uint16_t updateChecksum(std::uint16_t checksum, std::uint16_t before, std::uint16_t after);
std::uint16_t updateChecksum(std::uint16_t checksum, std::uint32_t before, std::uint32_t after);
/// For an address in the pseudo header. Both of one family.
std::uint16_t updateChecksum(std::uint16_t checksum, const net::IpAddress& before,
                             const net::IpAddress& after);

/// UDP sends 0xffff in place of 0, as 0 means "no checksum" (RFC 768).
constexpr std::uint16_t udpChecksum(std::uint16_t computed) {
    return computed == 0 ? 0xffff : computed;
}

}  // namespace midonet::packet
