#include <algorithm>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/rule_body.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Chain;
using model::Rule;

std::string pathOf(const Rule& rule) { return fmt::format("/rules/{}", model::uuidOf(rule.id())); }

/// Where a rule is.
struct Place {
    nsdb::Stored<Chain> chain;
    int index = 0;
};

Outcome<Place> placeOf(nsdb::View& view, const Uuid& id) {
    GET_OR_REFUSE(chain, view.findUnique(Chain::descriptor(), "rules.id", id.toString()));
    if (!chain) return refuse(404, "no Rule has the id {}", id);
    GET_OR_REFUSE(stored, view.get<Chain>(*chain));
    for (int i = 0; i < stored.object->rules_size(); ++i)
        if (model::uuidOf(stored.object->rules(i).id()) == id) return Place{std::move(stored), i};
    return refuse(404, "no Rule has the id {}", id);
}

/// The chain a rule jumps to, by its name too.
Outcome<void> showJump(const Show& out, const Rule& rule) {
    if (rule.jump_chain_id().empty()) {
        out.json.key("jumpChain").null().key("jumpChainName").null();
        return {};
    }
    const auto id = model::uuidOf(rule.jump_chain_id());
    GET_OR_REFUSE(chain, out.view.get<Chain>(id));
    out.json.key("jumpChain").string(fmt::format("{}/chains/{}", out.base, id));
    out.json.key("jumpChainName").stringOrNull(chain.object->name());
    return {};
}

Outcome<void> showRule(const Show& out, const Chain& chain, int index) {
    const auto& rule = chain.rules(index);
    const auto chainId = model::idOf(chain);
    out.json.beginObject();
    model::writeFields(out.json, shownFields(rule), rule);
    out.json.key("chainId").string(chainId.toString()).key("position").integer(index + 1);
    out.json.key("chain").string(fmt::format("{}/chains/{}", out.base, chainId));
    DO_OR_REFUSE(showJump(out, rule));
    out.json.key("uri").string(out.base + pathOf(rule)).endObject();
    return {};
}

Outcome<http::Response> listRules(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(chain, reads->get<Chain>(id));
    model::JsonWriter json;
    json.beginArray();
    for (int i = 0; i < chain.object->rules_size(); ++i) DO_OR_REFUSE(showRule({*reads, call.base, json}, *chain.object, i));
    return call.ok(json.endArray().take());
}

Outcome<http::Response> getRule(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(reads, api.view(call));
    GET_OR_REFUSE(place, placeOf(*reads, id));
    model::JsonWriter json;
    DO_OR_REFUSE(showRule({*reads, call.base, json}, *place.chain.object, place.index));
    return call.ok(json.take());
}

Outcome<http::Response> addRule(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    GET_OR_REFUSE(body, call.body());
    GET_OR_REFUSE(rule, readRule(body));
    const auto add = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(chain, transaction.get<Chain>(id));
        GET_OR_REFUSE(position, readPosition(body, chain.object->rules_size()));
        Chain next = *chain.object;
        *next.add_rules() = rule;
        auto& rules = *next.mutable_rules();
        std::rotate(rules.pointer_begin() + position, rules.pointer_end() - 1, rules.pointer_end());
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), add).map([&] { return call.created(pathOf(rule)); });
}

/// What GET would answer within the transaction.
Outcome<void> showNow(const ObjectApi& api, const Call& call, nsdb::Transaction& transaction, const Place& place, model::JsonWriter& json) {
    const auto store = api.storeOf(call);
    if (!store.isOfTenant()) return showRule({transaction, call.base, json}, *place.chain.object, place.index);
    const auto reads = store.shown(transaction);
    GET_OR_REFUSE(part, reads->get<Chain>(model::idOf(*place.chain.object)));
    return showRule({*reads, call.base, json}, *part.object, place.index);
}

Outcome<http::Response> removeRule(const ObjectApi& api, const Call& call) {
    GET_OR_REFUSE(id, call.id());
    const auto remove = [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(place, placeOf(transaction, id));
        DO_OR_REFUSE(checkMatch(call.request, [&](model::JsonWriter& json) { return showNow(api, call, transaction, place, json); }));
        Chain next = *place.chain.object;
        next.mutable_rules()->DeleteSubrange(place.index, 1);
        DO_OR_REFUSE(transaction.update(next));
        return {};
    };
    return transact(api.storeOf(call), remove).map([] { return Call::empty(204); });
}

void describeRule(Bodies& bodies) {
    Properties out;
    describe(ruleFields(), out, bodies);
    out.push_back({.name = "chainId", .type = ValueType::Uuid});
    out.push_back({.name = "position", .type = ValueType::Integer, .readOnly = false, .doc = "From 1; POST inserts before the rule that has it. Default: 1."});
    out.push_back({.name = "chain", .type = ValueType::Uri});
    out.push_back({.name = "jumpChain", .type = ValueType::Uri, .nullable = true});
    out.push_back({.name = "jumpChainName", .nullable = true});
    out.push_back({.name = "uri", .type = ValueType::Uri});
    bodies["Rule"] = std::move(out);
}

}  // namespace

void addRules(ObjectApi& api) {
    auto& service = api.service();
    const std::vector<std::string> items{itemType("Rule", 2), std::string{kJson}};
    const std::string below = "/chains/{id}/rules";
    service.add({.path = below, .produces = {collectionType("Rule", 2), std::string{kJson}}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [&api](const Call& call) { return listRules(api, call); }});
    service.add({.method = http::Method::Post, .path = below, .produces = {}, .consumes = items, .blocks = true, .forTenants = true,
                 .run = [&api](const Call& call) { return addRule(api, call); }});
    describeRule(service.bodies());
    service.addBare("/rules");
    service.add({.path = "/rules/{id}", .produces = items, .consumes = {}, .blocks = api.store().readsBlock(), .forTenants = true,
                 .run = [&api](const Call& call) { return getRule(api, call); }});
    service.add({.method = http::Method::Delete, .path = "/rules/{id}", .produces = {}, .consumes = {}, .blocks = true, .forTenants = true,
                 .run = [&api](const Call& call) { return removeRule(api, call); }});
}

}  // namespace midonet::rest
