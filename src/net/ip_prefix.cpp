#include "net/ip_prefix.h"

#include <charconv>

namespace midonet::net {

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos) return fail(ErrorCode::Malformed, "'{}' has no '/'", text);
    TRY(address, IpAddress::parse(text.substr(0, slash)));
    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (problem != std::errc{} || end != digits.data() + digits.size() || length > address.bits())
        return fail(ErrorCode::Malformed, "'{}' has a prefix length that is not 0..{}", text, address.bits());
    return IpPrefix{address, length};
}

std::string IpPrefix::toString() const { return fmt::format("{}/{}", address_.toString(), length_); }

}  // namespace midonet::net
