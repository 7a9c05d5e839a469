#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/uuid.h"
#include "net/ip_address.h"

namespace midonet::flowstate {

/// What a key of the connection state stands for (reference section 6).
enum class KeyKind : std::uint8_t {
    ConnTrack = 1,      ///< Packets like this, entering this device, are answers: no value.
    SourceNat = 2,      ///< Before translation -> new source.
    SourceUnnat = 3,    ///< Its answers -> the source before.
    DestinationNat = 4,
    DestinationUnnat = 5,
    StickyNat = 6,      ///< As DestinationNat for all connections of a client: its port is 0.
    StickyUnnat = 7,    ///< As DestinationUnnat, the client's port 0.
};

/// Packets of one connection in one direction, as they enter a device. Of ICMP echo both ports are the
/// identifier. Both address families.
struct StateKey {
    KeyKind kind = KeyKind::ConnTrack;
    std::uint8_t protocol = 0;
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    net::IpAddress source;
    net::IpAddress destination;
    Uuid device;  ///< Bridge, router or load balancer.

    std::uint64_t hash() const;
    std::string toString() const;
    friend bool operator==(const StateKey&, const StateKey&) = default;
};

/// What a translation leads to. Unused by ConnTrack.
struct Binding {
    net::IpAddress address;
    std::uint16_t port = 0;
    friend bool operator==(const Binding&, const Binding&) = default;
};

struct StateEntry {
    StateKey key;
    Binding binding;
    /// How long the entry outlives its last use.
    std::uint32_t idleSeconds = 60;
    friend bool operator==(const StateEntry&, const StateEntry&) = default;
};

/// The key of a translation's other direction, and what it leads back to.
/// Any kind but ConnTrack; reverseOf(reverseOf(x)) == x.
StateEntry reverseOf(const StateEntry& forward);

}  // namespace midonet::flowstate

template <>
struct std::hash<midonet::flowstate::StateKey> {
    std::size_t operator()(const midonet::flowstate::StateKey& key) const noexcept { return key.hash(); }
};
