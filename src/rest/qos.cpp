#include <google/protobuf/message.h>

#include <map>
#include <optional>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::QosBwLimitRule;
using model::QosDscpRule;
using model::QosPolicy;

using RulePtr = std::shared_ptr<Message>;

/// A whole number of a rule inside a policy; nullopt when not given.
std::optional<std::uint32_t> readNumber(const model::JsonBody& body, const std::string& prefix, const char* key, model::Violations& out) {
    const auto value = body.integer(key);
    if (value && !*value) return std::nullopt;
    if (value && **value >= 0 && **value <= INT32_MAX) return static_cast<std::uint32_t>(**value);
    out.push_back({prefix + key, fmt::format("must be from 0 to {}", INT32_MAX)});
    return std::nullopt;
}

/// One rule as Neutron writes it inside its policy.
RulePtr readRule(const model::JsonBody& body, const std::string& prefix, model::Violations& out) {
    const auto type = body.text("type");
    const auto word = type ? type->value_or("") : "";
    RulePtr rule;
    if (word == "bandwidth_limit") {
        const auto limit = std::make_shared<QosBwLimitRule>();
        limit->set_max_kbps(readNumber(body, prefix, "max_kbps", out).value_or(0));
        if (const auto burst = readNumber(body, prefix, "max_burst_kbps", out)) limit->set_max_burst_kb(*burst);
        rule = limit;
    } else if (word == "dscp_marking") {
        const auto mark = std::make_shared<QosDscpRule>();
        mark->set_dscp_mark(readNumber(body, prefix, "dscp_mark", out).value_or(0));
        for (const auto& violation : model::validate(model::Schema::get().of<QosDscpRule>(), *mark))
            out.push_back({prefix + "dscp_mark", violation.message});
        rule = mark;
    } else {
        out.push_back({prefix + "type", "must be one of bandwidth_limit, dscp_marking"});
        return nullptr;
    }
    const auto id = body.uuid("id");
    if (!id) out.push_back({prefix + "id", "must be a UUID"});
    model::setId(*rule, id && *id ? **id : Uuid::random());
    return rule;
}

/// `rules` of a policy; nullopt when they are not given.
Outcome<std::optional<std::vector<RulePtr>>> readRules(const model::JsonBody& body) {
    if (!body.given("rules")) return std::optional<std::vector<RulePtr>>{};
    const auto bodies = body.objects("rules");
    if (!bodies) return refuseProperty("rules", "must be an array of objects");
    model::Violations violations;
    std::vector<RulePtr> rules;
    for (std::size_t i = 0; i < bodies->size(); ++i) rules.push_back(readRule((*bodies)[i], fmt::format("rules[{}].", i), violations));
    DO_OR_REFUSE(refuseIfAny(std::move(violations)));
    return std::optional{std::move(rules)};
}

void setPolicy(Message& rule, const QosPolicy& policy) {
    const auto* reference = model::Schema::get().of(rule).reference("policy_id");
    rule.GetReflection()->SetString(&rule, reference->path.front(), policy.id());
}

/// Makes the rules of the policy exactly those of the body; those it does not speak of stay when it has none at all.
Outcome<void> replaceRules(const Change& change, const QosPolicy& policy) {
    GET_OR_REFUSE(wanted, readRules(change.body));
    if (!wanted) return {};
    auto& transaction = change.transaction;
    std::map<std::pair<model::Class, Uuid>, RulePtr> added;
    for (const auto& rule : *wanted) {
        setPolicy(*rule, policy);
        added[{rule->GetDescriptor(), model::idOf(*rule)}] = rule;
    }
    for (const auto type : {QosBwLimitRule::descriptor(), QosDscpRule::descriptor()}) {
        GET_OR_REFUSE(ids, transaction.referrers(type, "policy_id", model::idOf(policy)));
        for (const auto& id : ids) {
            if (auto kept = added.extract(std::pair{type, id}))
                DO_OR_REFUSE(transaction.update(*kept.mapped()));
            else
                DO_OR_REFUSE(transaction.remove(type, id));
        }
    }
    for (const auto& [key, rule] : added) DO_OR_REFUSE(transaction.create(*rule));
    return {};
}

/// Rules are resources of their own; inside the policy they are for input only.
Outcome<void> showNoRules(const Show& out, const QosPolicy&) {
    out.json.key("rules").null();
    return {};
}

template <class Rule>
void addRuleClass(ObjectApi& api) {
    auto rule = resource<Rule>();
    rule.listable = false;
    rule.creatable = false;  // below its policy only
    const auto& added = api.add(std::move(rule));
    api.addChildren<QosPolicy, Rule>(added.schema->rest, "policy_id");
}

}  // namespace

void addQos(ObjectApi& api) {
    auto policy = resource<QosPolicy>({
        .show = showNoRules,
        .afterCreate = replaceRules,
        .beforeUpdate = [](const Change& change, const QosPolicy& stored, QosPolicy&) { return replaceRules(change, stored); }});
    policy.links = {{"bwLimitRules", "/qos_bw_limit_rules"}, {"dscpRules", "/qos_dscp_rules"}};
    policy.more = {{.name = "rules", .type = ValueType::Object, .list = true, .nullable = true, .readOnly = false, .of = "QosPolicyRule",
                    .doc = "For input: the rules are to be exactly these. Shown as null."}};
    api.service().bodies()["QosPolicyRule"] = {{.name = "id", .type = ValueType::Uuid, .readOnly = false},
                                               {.name = "type", .readOnly = false, .required = true, .values = {"bandwidth_limit", "dscp_marking"}},
                                               {.name = "max_kbps", .type = ValueType::Integer, .readOnly = false, .min = 0, .max = INT32_MAX},
                                               {.name = "max_burst_kbps", .type = ValueType::Integer, .readOnly = false, .min = 0, .max = INT32_MAX},
                                               {.name = "dscp_mark", .type = ValueType::Integer, .readOnly = false, .min = 0, .max = 63}};
    api.add(std::move(policy));
    addRuleClass<QosBwLimitRule>(api);
    addRuleClass<QosDscpRule>(api);
}

}  // namespace midonet::rest
