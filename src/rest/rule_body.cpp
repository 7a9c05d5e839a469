#include "rest/rule_body.h"

#include <set>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/condition_body.h"

namespace midonet::rest {
namespace {

using model::Condition;
using model::Rule;
using model::Violations;

bool isForwardNat(const Rule& rule) { return rule.type() == Rule::DNAT || rule.type() == Rule::SNAT; }
bool isNat(const Rule& rule) { return isForwardNat(rule) || rule.type() == Rule::REV_DNAT || rule.type() == Rule::REV_SNAT; }

/// One address for one other, whatever the ports.
bool isFloatingIp(const Rule& rule) {
    if (!isForwardNat(rule) || rule.nat_targets_size() != 1) return false;
    const auto& target = rule.nat_targets(0);
    return target.address_from() == target.address_to() && target.port_from() == 0 && target.port_to() == 0;
}

void checkTarget(const model::NatTarget& target, const std::string& property, Violations& out) {
    const auto from = net::IpAddress::parse(target.address_from());
    const auto to = net::IpAddress::parse(target.address_to());
    if (from && to && (from->family() != to->family() || *from > *to))
        out.push_back({property + ".addressTo", "must not be before addressFrom, and of its family"});
    if (target.port_from() > target.port_to()) out.push_back({property + ".portTo", "must not be less than portFrom"});
}

/// Which ones a type has; none for most.
void checkFlowAction(Rule& rule, Violations& out) {
    const bool transforms = rule.type() == Rule::L2_TRANSFORM;
    const auto action = rule.flow_action();
    const bool redirects = action == Rule::FLOW_REDIRECT;
    if (!isNat(rule) && !transforms)
        rule.clear_flow_action();
    else if (action == Rule::FLOW_ACTION_UNSPECIFIED)
        out.push_back({"flowAction", "must be given"});
    else if (transforms && !redirects && action != Rule::FLOW_ACCEPT)
        out.push_back({"flowAction", "must be one of accept, redirect"});
    else if (!transforms && redirects)
        out.push_back({"flowAction", "must be one of accept, continue, return"});
}

void clearTrace(Rule& rule) {
    rule.clear_trace_request_id();
    rule.clear_limit();
}

void clearTransformation(Rule& rule) {
    rule.clear_pop_vlan();
    rule.clear_push_vlan();
    rule.clear_target_port_id();
    rule.clear_ingress();
    rule.clear_fail_open();
}

/// What the type needs is there; what it does not use goes.
void checkAction(Rule& rule, Violations& out) {
    if (rule.type() != Rule::JUMP)
        rule.clear_jump_chain_id();
    else if (rule.jump_chain_id().empty())
        out.push_back({"jumpChainId", "must be given"});
    checkFlowAction(rule, out);
    if (rule.type() != Rule::TRACE)
        clearTrace(rule);
    else if (rule.trace_request_id().empty())
        out.push_back({"requestId", "must be given"});
    if (rule.type() != Rule::L2_TRANSFORM)
        clearTransformation(rule);
    else if (rule.flow_action() == Rule::FLOW_REDIRECT && rule.target_port_id().empty())
        out.push_back({"targetPortId", "must be given"});
    if (!isForwardNat(rule))
        rule.clear_nat_targets();
    else if (rule.nat_targets_size() == 0)
        out.push_back({"natTargets", "must have at least one target"});
    for (int i = 0; i < rule.nat_targets_size(); ++i) checkTarget(rule.nat_targets(i), fmt::format("natTargets[{}]", i), out);
}

/// Later fragments have no ports: what asks for ports, or has to translate them, cannot mean every fragment.
void settleFragmentPolicy(Rule& rule, Violations& out) {
    auto& condition = *rule.mutable_condition();
    if (!isForwardNat(rule) || (isFloatingIp(rule) && !asksPorts(condition))) return settleFragments(condition, "", out);
    const auto asked = condition.fragment_policy();
    if (asked != Condition::FRAGMENT_POLICY_UNSPECIFIED && asked != Condition::UNFRAGMENTED)
        out.push_back({"fragmentPolicy", "must be unfragmented: the rule translates ports, or asks for them"});
    condition.set_fragment_policy(Condition::UNFRAGMENTED);
}

}  // namespace

const std::vector<model::FieldSchema>& ruleFields() {
    static const auto& fields = model::Schema::get().of<model::Chain>().field("rules")->embedded;
    return fields;
}

namespace {

using Names = std::set<std::string_view>;
const Names kOfTraces{"requestId", "limit"};
const Names kOfTransformations{"popVlan", "pushVlan", "targetPortId", "ingress", "failOpen"};

std::vector<model::FieldSchema> fieldsWithout(const Names& one, const Names& other) {
    auto out = ruleFields();
    std::erase_if(out, [&](const auto& field) { return one.contains(field.json) || other.contains(field.json); });
    return out;
}

}  // namespace

const std::vector<model::FieldSchema>& shownFields(const Rule& rule) {
    static const auto ofTraces = fieldsWithout(kOfTransformations, {});
    static const auto ofTransformations = fieldsWithout(kOfTraces, {});
    static const auto ofOthers = fieldsWithout(kOfTraces, kOfTransformations);
    if (rule.type() == Rule::TRACE) return ofTraces;
    return rule.type() == Rule::L2_TRANSFORM ? ofTransformations : ofOthers;
}

Outcome<Rule> readRule(const model::JsonBody& body) {
    Rule rule;
    auto violations = model::fromJson(body, ruleFields(), model::Input::Create, rule);
    if (violations.empty()) violations = model::validate(ruleFields(), rule);
    if (violations.empty()) {
        checkAction(rule, violations);
        checkCondition(*rule.mutable_condition(), "", violations);
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
