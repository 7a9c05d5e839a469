#include "rest/rule_body.h"

#include <algorithm>
#include <cctype>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"

namespace midonet::rest {
namespace {

using model::Condition;
using model::Rule;
using model::Violations;

bool isForwardNat(const Rule& rule) { return rule.type() == Rule::DNAT || rule.type() == Rule::SNAT; }
bool isNat(const Rule& rule) { return isForwardNat(rule) || rule.type() == Rule::REV_DNAT || rule.type() == Rule::REV_SNAT; }
bool asksPorts(const Condition& condition) { return condition.has_tp_src() || condition.has_tp_dst(); }

/// One address for one other, whatever the ports.
bool isFloatingIp(const Rule& rule) {
    if (!isForwardNat(rule) || rule.nat_targets_size() != 1) return false;
    const auto& target = rule.nat_targets(0);
    return target.address_from() == target.address_to() && target.port_from() == 0 && target.port_to() == 0;
}

/// "ffff.ff00.0000"
bool isMacMask(std::string_view text) {
    if (text.size() != 14) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 5 == 4 ? text[i] != '.' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
    return true;
}

void checkMask(std::string& mask, const char* property, Violations& out) {
    if (mask.empty()) return;
    if (!isMacMask(mask)) out.push_back({property, "must be a MAC mask, as ffff.ff00.0000"});
    std::transform(mask.begin(), mask.end(), mask.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

void checkLength(const std::string& address, std::uint32_t length, const char* property, Violations& out) {
    const auto parsed = net::IpAddress::parse(address);
    if (parsed && length > parsed->bits()) out.push_back({property, fmt::format("must be from 0 to {}", parsed->bits())});
}

void checkRange(const Condition::Range& range, const char* property, Violations& out) {
    if (range.start() > range.end()) out.push_back({property, "must have start <= end"});
}

void checkCondition(Condition& condition, Violations& out) {
    checkMask(*condition.mutable_dl_src_mask(), "dlSrcMask", out);
    checkMask(*condition.mutable_dl_dst_mask(), "dlDstMask", out);
    checkLength(condition.nw_src_address(), condition.nw_src_length(), "nwSrcLength", out);
    checkLength(condition.nw_dst_address(), condition.nw_dst_length(), "nwDstLength", out);
    checkLength(condition.icmp_data_src_ip_address(), condition.icmp_data_src_ip_length(), "icmpDataSrcIpLength", out);
    checkLength(condition.icmp_data_dst_ip_address(), condition.icmp_data_dst_ip_length(), "icmpDataDstIpLength", out);
    checkRange(condition.tp_src(), "tpSrc", out);
    checkRange(condition.tp_dst(), "tpDst", out);
}

void checkTarget(const model::NatTarget& target, const std::string& property, Violations& out) {
    const auto from = net::IpAddress::parse(target.address_from());
    const auto to = net::IpAddress::parse(target.address_to());
    if (from && to && (from->family() != to->family() || *from > *to))
        out.push_back({property + ".addressTo", "must not be before addressFrom, and of its family"});
    if (target.port_from() > target.port_to()) out.push_back({property + ".portTo", "must not be less than portFrom"});
}

/// What the type needs is there; what it does not use goes.
void checkAction(Rule& rule, Violations& out) {
    if (rule.type() != Rule::JUMP)
        rule.clear_jump_chain_id();
    else if (rule.jump_chain_id().empty())
        out.push_back({"jumpChainId", "must be given"});
    if (!isNat(rule))
        rule.clear_flow_action();
    else if (rule.flow_action() == Rule::FLOW_ACTION_UNSPECIFIED)
        out.push_back({"flowAction", "must be given"});
    if (!isForwardNat(rule))
        rule.clear_nat_targets();
    else if (rule.nat_targets_size() == 0)
        out.push_back({"natTargets", "must have at least one target"});
    for (int i = 0; i < rule.nat_targets_size(); ++i) checkTarget(rule.nat_targets(i), fmt::format("natTargets[{}]", i), out);
}

/// Later fragments have no ports: what asks for ports, or has to translate them, cannot mean every fragment.
void settleFragmentPolicy(Rule& rule, Violations& out) {
    auto& condition = *rule.mutable_condition();
    const auto asked = condition.fragment_policy();
    const bool ports = asksPorts(condition);
    if (isForwardNat(rule) && (ports || !isFloatingIp(rule))) {
        if (asked != Condition::FRAGMENT_POLICY_UNSPECIFIED && asked != Condition::UNFRAGMENTED)
            out.push_back({"fragmentPolicy", "must be unfragmented: the rule translates ports, or asks for them"});
        condition.set_fragment_policy(Condition::UNFRAGMENTED);
        return;
    }
    if (ports && (asked == Condition::ANY || asked == Condition::NON_HEADER))
        out.push_back({"fragmentPolicy", "must be header or unfragmented, with tpSrc or tpDst"});
    if (asked == Condition::FRAGMENT_POLICY_UNSPECIFIED) condition.set_fragment_policy(ports ? Condition::HEADER : Condition::ANY);
}

}  // namespace

const std::vector<model::FieldSchema>& ruleFields() {
    static const auto& fields = model::Schema::get().of<model::Chain>().field("rules")->embedded;
    return fields;
}

Outcome<Rule> readRule(const model::JsonBody& body) {
    Rule rule;
    auto violations = model::fromJson(body, ruleFields(), model::Input::Create, rule);
    if (violations.empty()) violations = model::validate(ruleFields(), rule);
    if (violations.empty()) {
        checkAction(rule, violations);
        checkCondition(*rule.mutable_condition(), violations);
        settleFragmentPolicy(rule, violations);
    }
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    if (rule.id().empty()) model::setId(rule, Uuid::random());
    return rule;
}

Outcome<int> readPosition(const model::JsonBody& body, int count) {
    const auto given = body.integer("position");
    const auto position = given ? given->value_or(1) : -1;
    if (position == 0) return 0;  // as 1
    if (position < 0 || position > count + 1)
        return tl::unexpected<Fault>{Fault{Violations{{"position", fmt::format("must be from 1 to {}", count + 1)}}}};
    return static_cast<int>(position) - 1;
}

}  // namespace midonet::rest
