#include "rest/list_query.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <charconv>

namespace midonet::rest {
namespace {

using google::protobuf::FieldDescriptor;

constexpr std::string_view kLimit = "limit", kAfter = "after", kTenant = "tenant_id";

std::optional<std::size_t> readLimit(const http::Request& request) {
    const auto text = request.query(kLimit);
    std::size_t limit = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), limit).ptr != text->data() + text->size()) return std::nullopt;
    return limit == 0 ? std::nullopt : std::optional{std::min(limit, ListQuery::kLongestPage)};
}

/// Clients give tenant_id with every list, so it is a condition only where they know it as one: where there is a `tenantId`.
std::string_view parameterOf(const model::FieldSchema& field) {
    if (field.internal || field.field->is_repeated() || field.field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return {};
    if (field.json == kTenant || field.json == kLimit || field.json == kAfter) return {};
    return field.json == "tenantId" ? kTenant : std::string_view{field.json};
}

}  // namespace

ListQuery::ListQuery(const http::Request& request, const model::ClassSchema& schema) : target_(request.target) {
    if (target_.find('?') == std::string::npos) return;
    for (const auto& field : schema.fields)
        if (const auto parameter = parameterOf(field); !parameter.empty())
            if (auto value = request.query(parameter)) conditions_.emplace_back(&field, std::move(*value));
    limit_ = readLimit(request);
    if (limit_) after_ = Uuid::parse(request.query(kAfter).value_or("")).value_or(Uuid{});
}

std::vector<std::pair<std::string, std::string>> ListQuery::parametersOf(const model::ClassSchema& schema) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& field : schema.fields)
        if (const auto parameter = parameterOf(field); !parameter.empty())
            out.emplace_back(parameter, fmt::format("Those with this {}; empty: those without.", field.json));
    out.emplace_back(kLimit, fmt::format("A page of so many objects in the order of their ids, at most {}. The header Link names the next one.",
                                         kLongestPage));
    out.emplace_back(kAfter, "With limit: those behind this id.");
    return out;
}

bool ListQuery::holds(const model::Message& object) const {
    return std::all_of(conditions_.begin(), conditions_.end(),
                       [&](const auto& condition) { return model::textOf(object, *condition.first) == condition.second; });
}

std::string ListQuery::targetAfter(const Uuid& id) const {
    auto rest = std::string_view{target_}.substr(target_.find('?') + 1);
    auto out = target_.substr(0, target_.find('?') + 1);
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (!pair.starts_with("after=")) (out += pair) += '&';
    }
    return fmt::format("{}after={}", out, id);
}

}  // namespace midonet::rest
