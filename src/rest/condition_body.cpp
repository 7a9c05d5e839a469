#include "rest/condition_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "model/topology.pb.h"
#include "net/ip_address.h"

namespace midonet::rest {

using model::Condition;
using model::Violations;

namespace {

/// "ffff.ff00.0000"
bool isMacMask(std::string_view text) {
    if (text.size() != 14) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 5 == 4 ? text[i] != '.' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
    return true;
}

void checkMask(std::string& mask, std::string property, Violations& out) {
    if (mask.empty()) return;
    if (!isMacMask(mask)) out.push_back({std::move(property), "must be a MAC mask, as ffff.ff00.0000"});
    std::transform(mask.begin(), mask.end(), mask.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

void checkLength(const std::string& address, std::uint32_t length, std::string property, Violations& out) {
    const auto parsed = net::IpAddress::parse(address);
    if (parsed && length > parsed->bits()) out.push_back({std::move(property), fmt::format("must be from 0 to {}", parsed->bits())});
}

void checkRange(const Condition::Range& range, std::string property, Violations& out) {
    if (range.start() > range.end()) out.push_back({std::move(property), "must have start <= end"});
}

}  // namespace

void checkCondition(Condition& condition, const std::string& prefix, Violations& out) {
    checkMask(*condition.mutable_dl_src_mask(), prefix + "dlSrcMask", out);
    checkMask(*condition.mutable_dl_dst_mask(), prefix + "dlDstMask", out);
    checkLength(condition.nw_src_address(), condition.nw_src_length(), prefix + "nwSrcLength", out);
    checkLength(condition.nw_dst_address(), condition.nw_dst_length(), prefix + "nwDstLength", out);
    checkLength(condition.icmp_data_src_ip_address(), condition.icmp_data_src_ip_length(), prefix + "icmpDataSrcIpLength", out);
    checkLength(condition.icmp_data_dst_ip_address(), condition.icmp_data_dst_ip_length(), prefix + "icmpDataDstIpLength", out);
    checkRange(condition.tp_src(), prefix + "tpSrc", out);
    checkRange(condition.tp_dst(), prefix + "tpDst", out);
}

bool asksPorts(const Condition& condition) { return condition.has_tp_src() || condition.has_tp_dst(); }

void settleFragments(Condition& condition, const std::string& prefix, Violations& out) {
    const auto asked = condition.fragment_policy();
    const bool ports = asksPorts(condition);
    if (ports && (asked == Condition::ANY || asked == Condition::NON_HEADER))
        out.push_back({prefix + "fragmentPolicy", "must be header or unfragmented, with tpSrc or tpDst"});
    if (asked == Condition::FRAGMENT_POLICY_UNSPECIFIED) condition.set_fragment_policy(ports ? Condition::HEADER : Condition::ANY);
}

}  // namespace midonet::rest
