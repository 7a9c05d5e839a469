#pragma once

#include <linux/netlink.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace midonet::netlink {

/// A struct of the kernel's at the beginning of `bytes`, copied out so that alignment does not matter.
template <class T>
std::optional<T> readStruct(ByteView bytes) {
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T out;
    std::memcpy(&out, bytes.data(), sizeof(T));
    return out;
}

constexpr std::size_t alignUp(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

/// One attribute (struct nlattr and what follows it).
struct Attribute {
    std::uint16_t type = 0;  // without the nested and byte-order flags
    ByteView payload;

    template <class T>
    std::optional<T> as() const {
        return readStruct<T>(payload);
    }
    std::string asText() const {
        const auto text = midonet::asText(payload);
        return std::string(text.substr(0, text.find('\0')));
    }
};

/// Calls `visit(attribute)` for each attribute in `bytes`. Malformed when a length lies.
template <class Visit>
Result<void> forEachAttribute(ByteView bytes, Visit visit) {
    while (!bytes.empty()) {
        const auto header = readStruct<nlattr>(bytes);
        // Less than a header may be left as padding.
        if (!header) break;
        if (header->nla_len < sizeof(nlattr) || header->nla_len > bytes.size())
            return fail(ErrorCode::Malformed, "netlink attribute of {} bytes where {} are left",
                        header->nla_len, bytes.size());
        visit(Attribute{static_cast<std::uint16_t>(header->nla_type & NLA_TYPE_MASK),
                        bytes.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr))});
        bytes = bytes.subspan(std::min(alignUp(header->nla_len), bytes.size()));
    }
    return {};
}

}  // namespace midonet::netlink
