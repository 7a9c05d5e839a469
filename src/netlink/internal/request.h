#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "net/ip_address.h"

namespace midonet::netlink {

/// Builds one rtnetlink request, over libmnl. Small ones only: overflow is our own bug.
class Request {
public:
    Request(std::uint16_t type, std::uint16_t flags);

    /// The fixed part (ifinfomsg, rtmsg, ...), first of all.
    template <class Fixed>
    Request& fixed(const Fixed& value) {
        static_assert(std::is_trivially_copyable_v<Fixed>);
        std::memcpy(reserve(sizeof(Fixed)), &value, sizeof(Fixed));
        return *this;
    }
    template <class T>
    Request& number(std::uint16_t attribute, T value) {
        static_assert(std::is_integral_v<T>);
        return bytes(attribute, {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
    }
    Request& bytes(std::uint16_t attribute, ByteView value);
    Request& text(std::uint16_t attribute, std::string_view value);
    Request& address(std::uint16_t attribute, const net::IpAddress& value);
    /// Until the matching end().
    nlattr* begin(std::uint16_t attribute);
    void end(nlattr* nest);

    nlmsghdr& header() { return *header_; }

private:
    void* reserve(std::size_t size);

    alignas(nlmsghdr) std::array<std::uint8_t, 1024> buffer_{};
    nlmsghdr* header_;
};

int toAddressFamily(net::IpFamily family);

}  // namespace midonet::netlink
