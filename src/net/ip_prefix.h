#pragma once

#include "net/ip_address.h"

namespace midonet::net {

/// An address block, "10.0.0.0/8" or "2001:db8::/32"; host bits are cleared on construction.
class IpPrefix {
public:
    constexpr IpPrefix() = default;
    /// `length` <= address.bits().
    constexpr IpPrefix(const IpAddress& address, unsigned length)
        : address_(address.masked(length)), length_(static_cast<std::uint8_t>(length)) {}

    static Result<IpPrefix> parse(std::string_view text);

    constexpr const IpAddress& address() const { return address_; }
    constexpr unsigned length() const { return length_; }
    constexpr bool contains(const IpAddress& a) const {
        return a.family() == address_.family() && a.masked(length_) == address_;
    }
    std::string toString() const;

    friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

private:
    IpAddress address_;
    std::uint8_t length_ = 0;
};

}  // namespace midonet::net

template <>
struct std::hash<midonet::net::IpPrefix> {
    std::size_t operator()(const midonet::net::IpPrefix& p) const noexcept {
        return midonet::combineHash(p.address().hash(), p.length());
    }
};
template <>
struct fmt::formatter<midonet::net::IpPrefix> : midonet::net::detail::TextFormatter<midonet::net::IpPrefix> {};
