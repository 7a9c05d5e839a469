#pragma once

#include "flowstate/state_key.h"

namespace midonet::flowstate::testing {

inline net::IpAddress address(std::string_view text) { return *net::IpAddress::parse(text); }

constexpr Uuid kDevice{0x1111, 0x2222};

/// The n-th of many translations over IPv4.
inline StateEntry natEntry(std::uint32_t n) {
    return {{KeyKind::SourceNat, 6, static_cast<std::uint16_t>(n), 80, net::Ipv4Address{0x0a000000 + n},
             net::Ipv4Address{0xc0000201}, kDevice},
            {net::Ipv4Address{0xcb007101}, static_cast<std::uint16_t>(40000 + n % 20000)},
            60};
}
/// The n-th of many tracked connections over IPv6.
inline StateEntry ipv6Entry(std::uint32_t n) {
    return {{KeyKind::ConnTrack, 17, 53, static_cast<std::uint16_t>(n), net::Ipv6Address{0x20010db8ULL << 32, n},
             net::Ipv6Address{0x20010db8ULL << 32, 0xffff0000U}, kDevice},
            {},
            30};
}

}  // namespace midonet::flowstate::testing
