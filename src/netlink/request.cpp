#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "netlink/internal/request.h"

namespace midonet::netlink {

Request::Request(std::uint16_t type, std::uint16_t flags)
    : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

Request& Request::bytes(std::uint16_t attribute, ByteView value) {
    const bool fits =
        mnl_attr_put_check(header_, buffer_.size(), attribute, value.size(), value.data());
    MIDONET_ASSERT(fits, "requests are small");
    return *this;
}

Request& Request::text(std::uint16_t attribute, std::string_view value) {
    const std::string terminated(value);
    return bytes(attribute, {reinterpret_cast<const std::uint8_t*>(terminated.c_str()), value.size() + 1});
}

Request& Request::address(std::uint16_t attribute, const net::IpAddress& value) {
    std::array<std::uint8_t, 16> wire{};
    if (value.isV4()) {
        value.v4().toWire(wire.data());
    } else {
        value.v6().toWire(wire.data());
    }
    return bytes(attribute, ByteView(wire).first(value.bits() / 8));
}

nlattr* Request::begin(std::uint16_t attribute) {
    nlattr* const nest = mnl_attr_nest_start_check(header_, buffer_.size(), attribute);
    MIDONET_ASSERT(nest != nullptr, "requests are small");
    return nest;
}

void Request::end(nlattr* nest) { mnl_attr_nest_end(header_, nest); }

void* Request::reserve(std::size_t size) {
    MIDONET_ASSERT(header_->nlmsg_len + size <= buffer_.size(), "requests are small");
    return mnl_nlmsg_put_extra_header(header_, size);
}

int toAddressFamily(net::IpFamily family) {
    switch (family) {
        case net::IpFamily::V4: return AF_INET;
        case net::IpFamily::V6: return AF_INET6;
    }
    MIDONET_UNREACHABLE();
}

}  // namespace midonet::netlink
