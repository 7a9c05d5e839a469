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

/// The two families; the enumerators are their header version numbers.
enum class IpFamily : std::uint8_t { V4 = 4, V6 = 6 };

/// An IPv4 address (RFC 791), held in host order.
class Ipv4Address {
public:
    constexpr Ipv4Address() = default;
    constexpr explicit Ipv4Address(std::uint32_t hostOrder) : value_(hostOrder) {}

    /// Dotted decimal, four groups, nothing else.
    static Result<Ipv4Address> parse(std::string_view text);
    static Ipv4Address fromWire(const std::uint8_t* wire) { return Ipv4Address{loadBe32(wire)}; }
    void toWire(std::uint8_t* wire) const { storeBe32(wire, value_); }

    constexpr std::uint32_t toHostOrder() const { return value_; }
    constexpr bool isMulticast() const { return (value_ >> 28) == 0xe; }
    constexpr bool isBroadcast() const { return value_ == 0xffffffffU; }
    constexpr bool isUnspecified() const { return value_ == 0; }
    std::string toString() const;

    friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

private:
    std::uint32_t value_ = 0;
};

/// An IPv6 address (RFC 4291); two words in host order, the first on the wire is `high`.
class Ipv6Address {
public:
    constexpr Ipv6Address() = default;
    constexpr Ipv6Address(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

    /// Any RFC 4291 text form, without zone.
    static Result<Ipv6Address> parse(std::string_view text);
    static Ipv6Address fromWire(const std::uint8_t* wire) { return {loadBe64(wire), loadBe64(wire + 8)}; }
    void toWire(std::uint8_t* wire) const {
        storeBe64(wire, high_);
        storeBe64(wire + 8, low_);
    }

    constexpr std::uint64_t high() const { return high_; }
    constexpr std::uint64_t low() const { return low_; }
    constexpr bool isMulticast() const { return (high_ >> 56) == 0xff; }
    constexpr bool isLinkLocal() const { return (high_ >> 54) == 0x3fa; }
    constexpr bool isUnspecified() const { return high_ == 0 && low_ == 0; }
    /// RFC 5952 canonical text.
    std::string toString() const;

    friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;

private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

/// An address of either family. Default: IPv4 0.0.0.0. Ordered by family, then value.
class IpAddress {
public:
    constexpr IpAddress() = default;
    constexpr IpAddress(Ipv4Address v4) : family_(IpFamily::V4), low_(v4.toHostOrder()) {}
    constexpr IpAddress(const Ipv6Address& v6) : family_(IpFamily::V6), high_(v6.high()), low_(v6.low()) {}

    static Result<IpAddress> parse(std::string_view text);

    constexpr IpFamily family() const { return family_; }
    constexpr bool isV4() const { return family_ == IpFamily::V4; }
    constexpr bool isV6() const { return family_ == IpFamily::V6; }
    /// Meaningful for the matching family only.
    constexpr Ipv4Address v4() const { return Ipv4Address{static_cast<std::uint32_t>(low_)}; }
    constexpr Ipv6Address v6() const { return {high_, low_}; }
    constexpr unsigned bits() const { return isV4() ? 32 : 128; }
    constexpr bool isMulticast() const { return isV4() ? v4().isMulticast() : v6().isMulticast(); }
    std::string toString() const { return isV4() ? v4().toString() : v6().toString(); }
    std::uint64_t hash() const { return combineHash(high_ + static_cast<std::uint64_t>(family_), low_); }
    /// The address with all bits beyond the first `length` cleared; length <= bits().
    constexpr IpAddress masked(unsigned length) const {
        IpAddress out = *this;
        if (isV4()) {
            out.low_ = length == 0 ? 0 : low_ & (0xffffffffULL << (32 - length)) & 0xffffffffULL;
            return out;
        }
        if (length <= 64) {
            out.low_ = 0;
            out.high_ = length == 0 ? 0 : high_ & (~0ULL << (64 - length));
        } else if (length < 128) {
            out.low_ = low_ & (~0ULL << (128 - length));
        }
        return out;
    }

    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    IpFamily family_ = IpFamily::V4;
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

}  // namespace midonet::net

template <>
struct std::hash<midonet::net::Ipv4Address> {
    std::size_t operator()(midonet::net::Ipv4Address a) const noexcept { return midonet::mixHash(a.toHostOrder()); }
};
template <>
struct std::hash<midonet::net::IpAddress> {
    std::size_t operator()(const midonet::net::IpAddress& a) const noexcept { return a.hash(); }
};

namespace midonet::net::detail {
template <class T>
struct TextFormatter : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const T& value, Context& context) const {
        return fmt::formatter<std::string_view>::format(value.toString(), context);
    }
};
}  // namespace midonet::net::detail

template <>
struct fmt::formatter<midonet::net::Ipv4Address> : midonet::net::detail::TextFormatter<midonet::net::Ipv4Address> {};
template <>
struct fmt::formatter<midonet::net::Ipv6Address> : midonet::net::detail::TextFormatter<midonet::net::Ipv6Address> {};
template <>
struct fmt::formatter<midonet::net::IpAddress> : midonet::net::detail::TextFormatter<midonet::net::IpAddress> {};
