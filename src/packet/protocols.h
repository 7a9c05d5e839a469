#pragma once

#include <cstddef>
#include <cstdint>

#include "net/numbers.h"

namespace midonet::packet {

/// Values of the Ethernet type field (IEEE 802 numbers).
namespace ethertype {
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kArp = 0x0806;
inline constexpr std::uint16_t kTransparentBridging = 0x6558;  ///< An Ethernet frame inside GRE.
inline constexpr std::uint16_t kVlan = 0x8100;                 ///< IEEE 802.1Q.
inline constexpr std::uint16_t kIpv6 = 0x86dd;
inline constexpr std::uint16_t kQinQ = 0x88a8;          ///< IEEE 802.1ad.
inline constexpr std::uint16_t kExperimental = 0x88b5;  ///< Local experiments; for tests.
inline constexpr std::uint16_t kFirst = 0x0600;         ///< Anything below is an 802.3 length.
constexpr bool isVlan(std::uint16_t type) { return type == kVlan || type == kQinQ; }
}  // namespace ethertype

/// Values of the IPv4 protocol and IPv6 next header fields (IANA protocol numbers).
namespace ipproto {
inline constexpr std::uint8_t kHopByHop = 0;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kNoNext = 59;
inline constexpr std::uint8_t kDestinationOptions = 60;
inline constexpr std::uint8_t kSctp = 132;
}  // namespace ipproto

namespace arpop {
inline constexpr std::uint16_t kRequest = 1;
inline constexpr std::uint16_t kReply = 2;
}  // namespace arpop

/// ICMP types (RFC 792).
namespace icmptype {
inline constexpr std::uint8_t kEchoReply = 0;
inline constexpr std::uint8_t kUnreachable = 3;
inline constexpr std::uint8_t kEchoRequest = 8;
inline constexpr std::uint8_t kTimeExceeded = 11;
inline constexpr std::uint8_t kParameterProblem = 12;
}  // namespace icmptype

/// ICMPv6 types (RFC 4443, RFC 4861).
namespace icmpv6type {
inline constexpr std::uint8_t kUnreachable = 1;
inline constexpr std::uint8_t kPacketTooBig = 2;
inline constexpr std::uint8_t kEchoRequest = 128;
inline constexpr std::uint8_t kEchoReply = 129;
inline constexpr std::uint8_t kRouterSolicitation = 133;
inline constexpr std::uint8_t kRouterAdvertisement = 134;
inline constexpr std::uint8_t kNeighbourSolicitation = 135;
inline constexpr std::uint8_t kNeighbourAdvertisement = 136;
}  // namespace icmpv6type

/// TCP flag bits as in byte 13 of the header (RFC 9293).
namespace tcpflag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
}  // namespace tcpflag

inline constexpr std::uint16_t kVxlanPort = 4789;

/// Header sizes in bytes, without options.
inline constexpr std::size_t kEthernetSize = 14;
inline constexpr std::size_t kVlanSize = 4;
inline constexpr std::size_t kArpSize = 28;
inline constexpr std::size_t kIpv4Size = 20;
inline constexpr std::size_t kIpv6Size = 40;
inline constexpr std::size_t kTcpSize = 20;
inline constexpr std::size_t kUdpSize = 8;
inline constexpr std::size_t kIcmpSize = 8;
inline constexpr std::size_t kSctpSize = 12;
inline constexpr std::size_t kVxlanSize = 8;

/// One 802.1Q or 802.1ad tag. `tci` = priority (3 bits), drop eligible (1), VLAN id (12).
struct VlanTag {
    std::uint16_t tpid = ethertype::kVlan;
    std::uint16_t tci = 0;

    constexpr net::VlanId id() const {
        return net::VlanId{static_cast<std::uint16_t>(tci & 0xfff)};
    }
    constexpr std::uint8_t priority() const { return static_cast<std::uint8_t>(tci >> 13); }
    constexpr bool dropEligible() const { return (tci & 0x1000) != 0; }
    friend constexpr bool operator==(const VlanTag&, const VlanTag&) = default;
};

}  // namespace midonet::packet
