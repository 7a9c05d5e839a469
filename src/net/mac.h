#pragma once

#include <fmt/format.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace midonet::net {

/// A 48-bit Ethernet address (IEEE 802). The first byte on the wire is the most significant.
class Mac {
public:
    constexpr Mac() = default;
    constexpr explicit Mac(std::uint64_t value) : value_(value & 0xffffffffffffULL) {}

    /// Six groups of one or two hex digits, separated by ':' or by '-' (as in REST paths).
    static Result<Mac> parse(std::string_view text);
    /// Six bytes at `wire`, as on the wire.
    static Mac fromWire(const std::uint8_t* wire) {
        return Mac{(std::uint64_t{loadBe16(wire)} << 32) | loadBe32(wire + 2)};
    }
    void toWire(std::uint8_t* wire) const {
        storeBe16(wire, static_cast<std::uint16_t>(value_ >> 32));
        storeBe32(wire + 2, static_cast<std::uint32_t>(value_));
    }
    static constexpr Mac broadcast() { return Mac{0xffffffffffffULL}; }

    constexpr std::uint64_t value() const { return value_; }
    constexpr bool isBroadcast() const { return value_ == 0xffffffffffffULL; }
    /// Group bit set; includes broadcast.
    constexpr bool isMulticast() const { return (value_ >> 40) & 1; }
    constexpr bool isZero() const { return value_ == 0; }
    /// Lower-case, "aa:bb:cc:dd:ee:ff".
    std::string toString() const;

    friend constexpr auto operator<=>(Mac, Mac) = default;

private:
    std::uint64_t value_ = 0;
};

}  // namespace midonet::net

template <>
struct std::hash<midonet::net::Mac> {
    std::size_t operator()(midonet::net::Mac mac) const noexcept { return midonet::mixHash(mac.value()); }
};

template <>
struct fmt::formatter<midonet::net::Mac> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(midonet::net::Mac mac, Context& context) const {
        return fmt::formatter<std::string_view>::format(mac.toString(), context);
    }
};
