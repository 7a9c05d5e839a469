#include "net/mac.h"

namespace midonet::net {
namespace {

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Result<Mac> Mac::parse(std::string_view text) {
    const auto bad = [&] { return fail(ErrorCode::Malformed, "'{}' is not a MAC address", text); };
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (int group = 0; group < 6; ++group) {
        if (group > 0) {
            if (at >= text.size() || (text[at] != ':' && text[at] != '-')) return bad();
            ++at;
        }
        int digits = 0;
        int byte = 0;
        for (; at < text.size() && digits < 2; ++at, ++digits) {
            const int digit = hexDigit(text[at]);
            if (digit < 0) break;
            byte = byte * 16 + digit;
        }
        if (digits == 0) return bad();
        value = (value << 8) | static_cast<std::uint64_t>(byte);
    }
    if (at != text.size()) return bad();
    return Mac{value};
}

std::string Mac::toString() const {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", value_ >> 40, (value_ >> 32) & 0xff,
                       (value_ >> 24) & 0xff, (value_ >> 16) & 0xff, (value_ >> 8) & 0xff, value_ & 0xff);
}

}  // namespace midonet::net
