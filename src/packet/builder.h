#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "net/ip_address.h"
#include "net/mac.h"
#include "net/numbers.h"
#include "packet/gre.h"
#include "packet/protocols.h"

/// Packets written header by header, for tests and for what the agent says itself:
///
///     auto p = eth(a, b) / vlan(10) / ipv4("10.0.1.2", "10.0.2.2").ttl(63) / udp(1000, 53) / "hi";
///     Frame bytes = p.toBytes();
///
/// Lengths, checksums, Ethernet types and IP protocols are filled in from what follows each header,
/// unless a setter was called: so broken packets can be written too. Addresses may be given as
/// text; text that is no address aborts, as literals are our own.
namespace midonet::packet {

/// The bytes of one frame, from the destination MAC on.
using Frame = std::vector<std::uint8_t>;

/// An argument that may be given as a value or as its text.
template <class T>
struct Literal {
    T value;
    Literal(const T& v) : value(v) {}
    Literal(const char* text) : Literal(std::string_view(text)) {}
    Literal(std::string_view text) {
        auto parsed = T::parse(text);
        MIDONET_ASSERT(parsed.has_value(), "an address literal is malformed");
        value = *parsed;
    }
};
using MacLiteral = Literal<net::Mac>;
using Ipv4Literal = Literal<net::Ipv4Address>;
using Ipv6Literal = Literal<net::Ipv6Address>;

struct Ethernet {
    net::Mac source;
    net::Mac destination;
    std::optional<std::uint16_t> typeField;
    Ethernet& type(std::uint16_t v) { return typeField = v, *this; }
};

struct Vlan {
    VlanTag tag;
    std::optional<std::uint16_t> typeField;
    Vlan& priority(unsigned v) {
        return tag.tci = static_cast<std::uint16_t>((tag.tci & 0x1fffU) | (v << 13)), *this;
    }
    Vlan& tpid(std::uint16_t v) { return tag.tpid = v, *this; }
    Vlan& type(std::uint16_t v) { return typeField = v, *this; }
};

struct Arp {
    std::uint16_t operation = arpop::kRequest;
    net::Mac senderMac;
    net::Ipv4Address senderIp;
    net::Mac targetMac;
    net::Ipv4Address targetIp;
};

struct Ipv4 {
    net::Ipv4Address source;
    net::Ipv4Address destination;
    std::uint8_t tosField = 0;
    std::uint8_t ttlField = 64;
    std::uint16_t idField = 0;
    std::uint16_t flagsAndOffset = 0;
    std::vector<std::uint8_t> optionBytes;  ///< Padded with zeros to a multiple of 4.
    std::optional<std::uint8_t> protocolField;
    std::optional<std::uint16_t> totalLengthField;
    std::optional<std::uint16_t> checksumField;

    Ipv4& tos(std::uint8_t v) { return tosField = v, *this; }
    Ipv4& ttl(std::uint8_t v) { return ttlField = v, *this; }
    Ipv4& id(std::uint16_t v) { return idField = v, *this; }
    Ipv4& dontFragment() { return flagsAndOffset |= 0x4000, *this; }
    /// `offset` in bytes, a multiple of 8.
    Ipv4& fragment(unsigned offset, bool more);
    Ipv4& options(std::vector<std::uint8_t> v) { return optionBytes = std::move(v), *this; }
    Ipv4& protocol(std::uint8_t v) { return protocolField = v, *this; }
    Ipv4& totalLength(std::uint16_t v) { return totalLengthField = v, *this; }
    Ipv4& checksum(std::uint16_t v) { return checksumField = v, *this; }
};

struct Ipv6 {
    net::Ipv6Address source;
    net::Ipv6Address destination;
    std::uint8_t trafficClassField = 0;
    std::uint32_t flowLabelField = 0;
    std::uint8_t hopLimitField = 64;
    std::optional<std::uint8_t> nextHeaderField;
    std::optional<std::uint16_t> payloadLengthField;

    Ipv6& trafficClass(std::uint8_t v) { return trafficClassField = v, *this; }
    Ipv6& flowLabel(std::uint32_t v) { return flowLabelField = v & 0xfffff, *this; }
    Ipv6& hopLimit(std::uint8_t v) { return hopLimitField = v, *this; }
    Ipv6& nextHeader(std::uint8_t v) { return nextHeaderField = v, *this; }
    Ipv6& payloadLength(std::uint16_t v) { return payloadLengthField = v, *this; }
};

/// Hop-by-hop, routing, destination options: `body` behind the two fixed bytes, padded to 8n - 2.
struct Ipv6Extension {
    std::uint8_t kind = ipproto::kHopByHop;
    std::vector<std::uint8_t> body;
    std::optional<std::uint8_t> nextHeaderField;
    Ipv6Extension& nextHeader(std::uint8_t v) { return nextHeaderField = v, *this; }
};

struct Ipv6Fragment {
    unsigned offset = 0;  ///< In bytes, a multiple of 8.
    bool more = false;
    std::uint32_t id = 0;
    std::optional<std::uint8_t> nextHeaderField;
    Ipv6Fragment& nextHeader(std::uint8_t v) { return nextHeaderField = v, *this; }
};

struct Tcp {
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    std::uint8_t flagBits = 0;
    std::uint32_t sequenceField = 0;
    std::uint32_t ackField = 0;
    std::uint16_t windowField = 65535;
    std::vector<std::uint8_t> optionBytes;  ///< Padded with zeros to a multiple of 4.
    std::optional<std::uint16_t> checksumField;

    Tcp& flags(unsigned v) { return flagBits = static_cast<std::uint8_t>(v), *this; }
    Tcp& sequence(std::uint32_t v) { return sequenceField = v, *this; }
    Tcp& ack(std::uint32_t v) { return ackField = v, flagBits |= tcpflag::kAck, *this; }
    Tcp& window(std::uint16_t v) { return windowField = v, *this; }
    Tcp& options(std::vector<std::uint8_t> v) { return optionBytes = std::move(v), *this; }
    Tcp& checksum(std::uint16_t v) { return checksumField = v, *this; }
};

struct Udp {
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    std::optional<std::uint16_t> lengthField;
    std::optional<std::uint16_t> checksumField;

    Udp& length(std::uint16_t v) { return lengthField = v, *this; }
    /// 0 = none, as tunnels over IPv4 send it.
    Udp& checksum(std::uint16_t v) { return checksumField = v, *this; }
};

/// ICMP (below IPv4) and ICMPv6 (below IPv6): the 8 fixed bytes; more goes behind as bytes.
struct Icmp {
    bool v6 = false;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t rest = 0;
    std::vector<std::uint8_t> body;  ///< ND target and options.
    std::optional<std::uint16_t> checksumField;
    Icmp& checksum(std::uint16_t v) { return checksumField = v, *this; }
};

struct Gre {
    GreHeader header;
    Gre& key(std::uint32_t v) { return header.key = v, *this; }
    Gre& sequence(std::uint32_t v) { return header.sequence = v, *this; }
    Gre& withChecksum() { return header.hasChecksum = true, *this; }
    Gre& protocol(std::uint16_t v) { return header.protocol = v, *this; }
};

struct Vxlan {
    net::TunnelKey key;
};

struct Payload {
    std::vector<std::uint8_t> bytes;
};

using Header = std::variant<Ethernet, Vlan, Arp, Ipv4, Ipv6, Ipv6Extension, Ipv6Fragment, Tcp, Udp,
                            Icmp, Gre, Vxlan, Payload>;

namespace detail {
template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);
}  // namespace detail

/// A list of headers and payload pieces. A value: copies share nothing.
class Packet {
public:
    Packet() = default;
    template <class H>
        requires detail::kIsAlternative<H, Header>
    Packet(H header) {
        headers_.emplace_back(std::move(header));
    }
    Packet(const char* text) : Packet(std::string_view(text)) {}
    Packet(std::string_view text) : Packet(Payload{{text.begin(), text.end()}}) {}
    Packet(Frame bytes) : Packet(Payload{std::move(bytes)}) {}

    /// The frame; zeros are appended up to `minimumSize` (60 for what a NIC would send).
    Frame toBytes(std::size_t minimumSize = 0) const;

    /// Appends headers; what operator/ does.
    Packet& append(Packet right) {
        for (auto& header : right.headers_) headers_.push_back(std::move(header));
        return *this;
    }

private:
    std::vector<Header> headers_;
};

/// No friend inside the class: there it would not be found for two headers.
inline Packet operator/(Packet left, Packet right) {
    left.append(std::move(right));
    return left;
}

inline Ethernet eth(MacLiteral source, MacLiteral destination) {
    return {source.value, destination.value, {}};
}
inline Vlan vlan(unsigned id) {
    return {{ethertype::kVlan, static_cast<std::uint16_t>(id & 0xfff)}, {}};
}

inline Arp arp(std::uint16_t operation, MacLiteral senderMac, Ipv4Literal senderIp,
               MacLiteral targetMac, Ipv4Literal targetIp) {
    return {operation, senderMac.value, senderIp.value, targetMac.value, targetIp.value};
}
inline Arp arpRequest(MacLiteral senderMac, Ipv4Literal senderIp, Ipv4Literal targetIp) {
    return arp(arpop::kRequest, senderMac, senderIp, net::Mac{}, targetIp);
}
inline Arp arpReply(MacLiteral senderMac, Ipv4Literal senderIp, MacLiteral targetMac,
                    Ipv4Literal targetIp) {
    return arp(arpop::kReply, senderMac, senderIp, targetMac, targetIp);
}

Ipv4 ipv4(Ipv4Literal source, Ipv4Literal destination);
Ipv6 ipv6(Ipv6Literal source, Ipv6Literal destination);
Ipv6Extension hopByHop(std::vector<std::uint8_t> body = {});
Ipv6Extension destinationOptions(std::vector<std::uint8_t> body = {});
Ipv6Extension routing(std::vector<std::uint8_t> body = {});
Ipv6Fragment ipv6Fragment(unsigned offset, bool more, std::uint32_t id = 1);

Tcp tcp(unsigned sourcePort, unsigned destinationPort);
Udp udp(unsigned sourcePort, unsigned destinationPort);

Icmp icmp(unsigned type, unsigned code, std::uint32_t rest = 0);
Icmp icmpEcho(std::uint16_t id, std::uint16_t sequence);
Icmp icmpEchoReply(std::uint16_t id, std::uint16_t sequence);
Icmp icmpv6(unsigned type, unsigned code, std::uint32_t rest = 0);
Icmp icmpv6Echo(std::uint16_t id, std::uint16_t sequence);
Icmp icmpv6EchoReply(std::uint16_t id, std::uint16_t sequence);
/// RFC 4861: solicitation with the source link-layer option, advertisement with the target one.
Icmp neighbourSolicitation(Ipv6Literal target, MacLiteral sourceMac);
struct AdvertisementFlags {
    bool router = false;
    bool solicited = true;
    bool override_ = true;
};
Icmp neighbourAdvertisement(Ipv6Literal target, MacLiteral targetMac,
                            AdvertisementFlags flags = {});

inline Gre gre() { return {}; }
inline Gre gre(std::uint32_t key) { return Gre{}.key(key); }
inline Vxlan vxlan(std::uint32_t key) { return {net::TunnelKey{key}}; }

}  // namespace midonet::packet
