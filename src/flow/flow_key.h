#pragma once

#include <cstdint>
#include <string>

#include "flow/port_number.h"
#include "net/ip_address.h"
#include "net/mac.h"

namespace midonet::flow {

/// The fields a flow can be told apart by. A new field goes to the end.
enum class Field : std::uint8_t {
    InPort,
    TunnelKey,
    TunnelSource,
    TunnelDestination,
    EthSource,
    EthDestination,
    EtherType,
    Vlan,           ///< Presence, priority and id of the outer tag, exactly.
    IpSource,       ///< Sender address for ARP. May be matched by prefix.
    IpDestination,  ///< Target address for ARP. May be matched by prefix.
    IpProtocol,     ///< Operation for ARP, next header for IPv6.
    IpTos,          ///< TOS byte / traffic class.
    IpTtl,          ///< TTL / hop limit.
    IpFragment,
    L4Source,       ///< TCP, UDP, SCTP port; ICMP and ICMPv6 type.
    L4Destination,  ///< TCP, UDP, SCTP port; ICMP and ICMPv6 code.
    IcmpId,         ///< Identifier of an ICMP(v6) echo; 0 for others.
};
constexpr unsigned kFieldCount = 17;

enum class Fragment : std::uint8_t { None = 0, First = 1, Later = 2 };

/// Outer VLAN tag as TCI with a presence bit in the place of CFI/DEI, as the kernel keeps it:
/// 0 = untagged. A tag with id 0 (priority tag) is present.
class VlanTci {
public:
    constexpr VlanTci() = default;
    constexpr explicit VlanTci(std::uint16_t raw) : raw_(raw) {}
    static constexpr VlanTci tagged(net::VlanId id, std::uint8_t priority = 0) {
        return VlanTci{static_cast<std::uint16_t>(kPresent | (priority << 13) | (id.value() & 0xfff))};
    }
    constexpr bool present() const { return (raw_ & kPresent) != 0; }
    constexpr net::VlanId id() const { return net::VlanId{static_cast<std::uint16_t>(raw_ & 0xfff)}; }
    constexpr std::uint16_t raw() const { return raw_; }
    friend constexpr auto operator<=>(VlanTci, VlanTci) = default;

    static constexpr std::uint16_t kPresent = 0x1000;

private:
    std::uint16_t raw_ = 0;
};

/// What the datapath saw of a packet: one value for every Field, both address families. Fields
/// that the packet does not have are zero. IP addresses of a non-IP, non-ARP packet are 0.0.0.0.
struct FlowKey {
    PortNumber inPort;
    net::TunnelKey tunnelKey;
    net::Ipv4Address tunnelSource;
    net::Ipv4Address tunnelDestination;
    net::Mac ethSource;
    net::Mac ethDestination;
    std::uint16_t etherType = 0;  ///< Below the VLAN tags; 0 for 802.3 length frames.
    VlanTci vlan;
    net::IpAddress ipSource;
    net::IpAddress ipDestination;
    std::uint8_t ipProtocol = 0;
    std::uint8_t ipTos = 0;
    std::uint8_t ipTtl = 0;
    Fragment ipFragment = Fragment::None;
    std::uint16_t l4Source = 0;
    std::uint16_t l4Destination = 0;
    std::uint16_t icmpId = 0;

    /// True when the packet came out of a tunnel.
    bool fromTunnel() const { return inPort == kTunnelIngress; }
    bool isIpv6() const { return etherType == 0x86dd; }
    std::uint64_t hash() const;
    /// `in_port=3,eth_src=..,...`, zero fields left out.
    std::string toString() const;
    friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

/// Which fields of a FlowKey a flow looks at: a set of fields, and for the two IP addresses how
/// many leading bits (0..32 or 0..128). Made by recording what a simulation read.
class FlowMask {
public:
    constexpr FlowMask() = default;
    /// Every field, every address bit.
    static constexpr FlowMask exact() {
        FlowMask m;
        m.fields_ = (1U << kFieldCount) - 1;
        m.sourceBits_ = m.destinationBits_ = 128;
        return m;
    }

    /// Marks a field as looked at; address fields in full.
    constexpr void see(Field field) {
        fields_ |= bit(field);
        if (field == Field::IpSource) sourceBits_ = 128;
        if (field == Field::IpDestination) destinationBits_ = 128;
    }
    /// Marks the first `bits` of an address field (IpSource or IpDestination) as looked at.
    constexpr void seePrefix(Field field, unsigned bits) {
        auto& have = field == Field::IpSource ? sourceBits_ : destinationBits_;
        if (bits > have) have = static_cast<std::uint8_t>(bits);
        if (bits > 0) fields_ |= bit(field);
    }
    /// Union: what either looked at.
    constexpr void merge(const FlowMask& other) {
        fields_ |= other.fields_;
        if (other.sourceBits_ > sourceBits_) sourceBits_ = other.sourceBits_;
        if (other.destinationBits_ > destinationBits_) destinationBits_ = other.destinationBits_;
    }
    /// Adds what a datapath needs to tell the seen fields apart: any L3 field pins the ethertype
    /// (and, for IPv4 and IPv6, the fragment kind when L4 is seen), any L4 field the protocol; the
    /// VLAN tag and the ingress port are always matched. Call once, before installing.
    void close();

    constexpr bool has(Field field) const { return (fields_ & bit(field)) != 0; }
    constexpr std::uint32_t fields() const { return fields_; }
    constexpr unsigned sourceBits() const { return sourceBits_; }
    constexpr unsigned destinationBits() const { return destinationBits_; }
    /// True when an IP address is looked at: such a flow belongs to one address family.
    constexpr bool looksAtAddresses() const { return has(Field::IpSource) || has(Field::IpDestination); }

    /// The key with every field that the mask does not look at set to zero.
    FlowKey apply(const FlowKey& key) const;
    std::string toString() const;
    friend constexpr bool operator==(const FlowMask&, const FlowMask&) = default;

private:
    static constexpr std::uint32_t bit(Field field) { return 1U << static_cast<unsigned>(field); }
    std::uint32_t fields_ = 0;
    std::uint8_t sourceBits_ = 0;
    std::uint8_t destinationBits_ = 0;
};

}  // namespace midonet::flow

template <>
struct std::hash<midonet::flow::FlowKey> {
    std::size_t operator()(const midonet::flow::FlowKey& key) const noexcept { return key.hash(); }
};
