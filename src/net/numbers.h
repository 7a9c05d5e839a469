#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>

namespace midonet::net {

/// A number that is not interchangeable with other numbers.
template <class Tag, class Value>
class Number {
public:
    constexpr Number() = default;
    constexpr explicit Number(Value value) : value_(value) {}
    constexpr Value value() const { return value_; }
    friend constexpr auto operator<=>(Number, Number) = default;

private:
    Value value_ = 0;
};

/// IEEE 802.1Q VLAN identifier, 0..4095; 0 = no VLAN (or priority tag only).
using VlanId = Number<struct VlanIdTag, std::uint16_t>;

/// The 24-bit key of a tunnelled packet: VXLAN VNI, or the low 24 bits of the GRE key (RFC 2890).
/// Bit 23 = trace, bits 20..22 = type (0 legacy, 1 local, 7 flow state), bits 0..19 = value.
/// See reference section 9.4.
using TunnelKey = Number<struct TunnelKeyTag, std::uint32_t>;
constexpr std::uint32_t kMaxTunnelKey = 0xffffff;
constexpr std::uint32_t kLocalTunnelKeyType = 1U << 20;
/// Messages between agents (connection state): no port has it, no flow is looked up for it.
constexpr TunnelKey kStateTunnelKey{kMaxTunnelKey};

}  // namespace midonet::net

template <class Tag, class Value>
struct std::hash<midonet::net::Number<Tag, Value>> {
    std::size_t operator()(midonet::net::Number<Tag, Value> n) const noexcept { return std::hash<Value>{}(n.value()); }
};
template <class Tag, class Value>
struct fmt::formatter<midonet::net::Number<Tag, Value>> : fmt::formatter<Value> {
    template <class Context>
    auto format(midonet::net::Number<Tag, Value> n, Context& context) const {
        return fmt::formatter<Value>::format(n.value(), context);
    }
};
