#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/ip_prefix.h"

namespace midonet::topology {

/// How many leading bits two addresses of one family have in common.
unsigned commonBits(const net::IpAddress& a, const net::IpAddress& b);
/// The first address behind a block; nullopt at the end of the family.
std::optional<net::IpAddress> addressBehind(const net::IpPrefix& block);

/// Cuts the address space of both families into ranges, each with an answer, and says how much of an address its
/// answer depends on. Filled in ascending order, then only read.
class AddressRanges {
public:
    struct Found {
        std::uint32_t answer;
        unsigned bits;  ///< Every address of the family that agrees on so many leading bits has this answer.
    };

    /// Both families have `answer` all over.
    explicit AddressRanges(std::uint32_t answer = 0);
    /// From `first` to the end of its family the answer is another one. No later call goes back in order.
    void from(const net::IpAddress& first, std::uint32_t answer);
    Found find(const net::IpAddress& address) const;

private:
    struct Range {
        net::IpAddress first;
        std::uint32_t answer;
    };
    using Family = std::vector<Range>;  // ordered; the first begins with the family; neighbours differ
    const Family& family(const net::IpAddress& of) const { return of.isV4() ? v4_ : v6_; }
    Family v4_;
    Family v6_;
};

}  // namespace midonet::topology
