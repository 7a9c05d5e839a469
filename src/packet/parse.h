#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "net/ip_address.h"
#include "net/mac.h"
#include "packet/protocols.h"

namespace midonet::packet {

/// How deep a frame could be read. Fields of deeper layers hold their defaults.
enum class Layer : std::uint8_t {
    Ethernet,   ///< MACs, tags and type only: an unknown type, or what follows is malformed.
    Network,    ///< ARP, IPv4 or IPv6 too; no transport, an unknown one, a later fragment, or cut.
    Transport,  ///< TCP, UDP, SCTP, ICMP or ICMPv6 too.
};

/// Position of a packet in its datagram. Later fragments have no transport header.
enum class Fragment : std::uint8_t { None, First, Later };

/// The headers of one frame in host order, and where they are in the frame. It holds no reference
/// to the bytes: hand the same frame to payload().
struct ParsedPacket {
    Layer layer = Layer::Ethernet;
    Fragment fragment = Fragment::None;
    bool truncated = false;  ///< The IP header promises more bytes than the frame has.

    net::Mac source;
    net::Mac destination;
    std::uint8_t vlanCount = 0;
    std::array<VlanTag, 2> vlanTags{};  ///< Outermost first; `vlanCount` are set.
    /// The type behind the tags; below ethertype::kFirst it is the length of an 802.3 frame.
    std::uint16_t etherType = 0;

    /// IP protocol behind all extension headers that could be walked.
    std::uint8_t ipProtocol = 0;
    std::uint8_t tos = 0;          ///< IPv4 TOS or IPv6 traffic class, ECN bits included.
    std::uint8_t ttl = 0;          ///< IPv4 TTL or IPv6 hop limit.
    net::IpAddress ipSource;       ///< ARP: sender protocol address.
    net::IpAddress ipDestination;  ///< ARP: target protocol address.

    std::uint16_t arpOperation = 0;
    net::Mac arpSenderMac;
    net::Mac arpTargetMac;

    std::uint16_t sourcePort = 0;       ///< TCP, UDP, SCTP; ICMP and ICMPv6: type.
    std::uint16_t destinationPort = 0;  ///< TCP, UDP, SCTP; ICMP and ICMPv6: code.
    std::uint8_t tcpFlags = 0;          ///< tcpflag bits.
    std::uint16_t icmpId = 0;           ///< Echo messages of both families.
    std::uint16_t icmpSequence = 0;
    net::Ipv6Address ndTarget;  ///< Neighbour solicitation and advertisement.
    /// Source link-layer option of a solicitation, target link-layer option of an advertisement.
    std::optional<net::Mac> ndLinkLayer;

    /// Bytes from the start of the frame. Transport and payload offsets are those of the first byte
    /// behind the deepest header read, where there is no such layer.
    std::uint32_t networkOffset = 0;
    std::uint32_t transportOffset = 0;
    std::uint32_t payloadOffset = 0;
    std::uint32_t payloadEnd = 0;  ///< By the IP length, so without Ethernet padding.

    std::span<const VlanTag> vlans() const { return {vlanTags.data(), vlanCount}; }
    bool isArp() const { return layer >= Layer::Network && etherType == ethertype::kArp; }
    bool isIpv4() const { return layer >= Layer::Network && etherType == ethertype::kIpv4; }
    bool isIpv6() const { return layer >= Layer::Network && etherType == ethertype::kIpv6; }
    bool isIp() const { return isIpv4() || isIpv6(); }
    bool hasTransport(std::uint8_t protocol) const {
        return layer == Layer::Transport && ipProtocol == protocol;
    }
    ByteView payload(ByteView frame) const {
        return frame.subspan(payloadOffset, payloadEnd - payloadOffset);
    }
};

/// Reads a frame in one pass; allocates only for the message of an error. `outOfBandTag` is the tag
/// that the kernel keeps beside the bytes (skb->vlan_tci); it counts as the outermost. Fails
/// (Malformed) only below 14 bytes: whatever is wrong further up must still be bridged, and shows
/// in `layer`.
///
/// Bounds: two tags (a third stays as `etherType`), eight IPv6 extension headers (`ipProtocol` is
/// then the number of the next one). Checksums are not looked at.
Result<ParsedPacket> parse(ByteView frame, std::optional<VlanTag> outOfBandTag = std::nullopt);

}  // namespace midonet::packet
