#include "topology/address_ranges.h"

#include <algorithm>
#include <bit>

namespace midonet::topology {
namespace {

using net::IpAddress;
using net::Ipv4Address;
using net::Ipv6Address;

IpAddress addressBefore(const IpAddress& address) {
    if (address.isV4()) return Ipv4Address{address.v4().toHostOrder() - 1};
    const auto v6 = address.v6();
    return Ipv6Address{v6.high() - (v6.low() == 0 ? 1 : 0), v6.low() - 1};
}

}  // namespace

unsigned commonBits(const IpAddress& a, const IpAddress& b) {
    if (a.isV4()) return static_cast<unsigned>(std::countl_zero(a.v4().toHostOrder() ^ b.v4().toHostOrder()));
    const auto high = a.v6().high() ^ b.v6().high();
    if (high != 0) return static_cast<unsigned>(std::countl_zero(high));
    return 64 + static_cast<unsigned>(std::countl_zero(a.v6().low() ^ b.v6().low()));
}

std::optional<IpAddress> addressBehind(const net::IpPrefix& block) {
    // Counts up the last bit of the prefix; what carries over the first one is the end of the family.
    const auto length = block.length();
    if (length == 0) return std::nullopt;
    if (block.address().isV4()) {
        const auto next = block.address().v4().toHostOrder() + (1U << (32 - length));
        return next == 0 ? std::nullopt : std::optional<IpAddress>{Ipv4Address{next}};
    }
    const auto v6 = block.address().v6();
    const auto low = length <= 64 ? 0 : v6.low() + (1ULL << (128 - length));
    const auto carry = length <= 64 ? 1ULL << (64 - length) : (low == 0 ? 1ULL : 0ULL);
    const auto high = v6.high() + carry;
    if (high == 0 && carry != 0) return std::nullopt;
    return Ipv6Address{high, low};
}

AddressRanges::AddressRanges(std::uint32_t answer) : v4_{{Ipv4Address{}, answer}}, v6_{{Ipv6Address{}, answer}} {}

void AddressRanges::from(const IpAddress& first, std::uint32_t answer) {
    auto& ranges = first.isV4() ? v4_ : v6_;
    if (ranges.back().first == first)
        ranges.back().answer = answer;
    else
        ranges.push_back({first, answer});
    if (ranges.size() > 1 && ranges[ranges.size() - 2].answer == answer) ranges.pop_back();
}

AddressRanges::Found AddressRanges::find(const IpAddress& address) const {
    const auto& ranges = family(address);
    const auto next = std::upper_bound(ranges.begin(), ranges.end(), address,
                                       [](const IpAddress& a, const Range& range) { return a < range.first; });
    const auto here = next - 1;
    // The largest aligned block around the address that reaches neither neighbour.
    unsigned bits = 0;
    if (here != ranges.begin()) bits = commonBits(address, addressBefore(here->first)) + 1;
    if (next != ranges.end()) bits = std::max(bits, commonBits(address, next->first) + 1);
    return {here->answer, bits};
}

}  // namespace midonet::topology
