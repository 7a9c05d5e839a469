#include "net/ip_address.h"

#include <arpa/inet.h>

namespace midonet::net {

Result<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    std::array<std::uint8_t, 4> wire{};
    if (text.find('\0') != text.npos || inet_pton(AF_INET, std::string(text).c_str(), wire.data()) != 1)
        return fail(ErrorCode::Malformed, "'{}' is not an IPv4 address", text);
    return fromWire(wire.data());
}

std::string Ipv4Address::toString() const {
    return fmt::format("{}.{}.{}.{}", value_ >> 24, (value_ >> 16) & 0xff, (value_ >> 8) & 0xff, value_ & 0xff);
}

Result<Ipv6Address> Ipv6Address::parse(std::string_view text) {
    std::array<std::uint8_t, 16> wire{};
    if (text.find('\0') != text.npos || inet_pton(AF_INET6, std::string(text).c_str(), wire.data()) != 1)
        return fail(ErrorCode::Malformed, "'{}' is not an IPv6 address", text);
    return fromWire(wire.data());
}

std::string Ipv6Address::toString() const {
    std::array<std::uint8_t, 16> wire{};
    toWire(wire.data());
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, wire.data(), text, sizeof text);
    return text;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find(':') != text.npos) {
        TRY(v6, Ipv6Address::parse(text));
        return IpAddress{v6};
    }
    auto v4 = Ipv4Address::parse(text);
    if (!v4) return fail(ErrorCode::Malformed, "'{}' is not an IP address", text);
    return IpAddress{*v4};
}

}  // namespace midonet::net
