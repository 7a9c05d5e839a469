#include <charconv>

#include "rest/change_feed.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

constexpr const char* kLines = "application/x-ndjson";

Outcome<std::optional<nsdb::Revision>> sinceOf(const Call& call) {
    const auto text = call.request.query("since");
    if (!text) return std::optional<nsdb::Revision>{};
    nsdb::Revision since = 0;
    const auto [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), since);
    if (wrong != std::errc{} || end != text->data() + text->size()) return refuse(400, "since = '{}' is no revision", *text);
    return std::optional{since};
}

Outcome<std::set<nsdb::Class>> typesOf(const Call& call) {
    std::set<nsdb::Class> out;
    const auto text = call.request.query("types");
    if (!text) return out;
    for (std::string_view rest = *text;;) {
        const auto name = rest.substr(0, rest.find(','));
        const auto* type = model::Schema::get().byName(name);
        if (type == nullptr) return refuse(400, "types: there is no type '{}'", name);
        out.insert(type->type);
        if (name.size() == rest.size()) return out;
        rest.remove_prefix(name.size() + 1);
    }
}

Outcome<bool> waitOf(const Call& call) {
    const auto text = call.request.query("wait").value_or("true");
    if (text == "true" || text == "false") return text == "true";
    return refuse(400, "wait = '{}': write true or false", text);
}

/// What there is now. The last line says where to go on.
http::Response answerAtOnce(const Service& service, ChangeLines lines, std::string first) {
    http::Response response;
    response.body = std::move(first);
    if (!lines.more()) {
        response.body += lines.markIfNew();
        return response;
    }
    response.more = service.inPieces([all = std::make_shared<ChangeLines>(std::move(lines))]() -> Outcome<std::string> {
        if (!all->more()) return all->markIfNew();
        GET_OR_REFUSE(next, all->next());
        return next.empty() ? all->markIfNew() : next;
    });
    return response;
}

Outcome<http::Response> answerChanges(ObjectApi& api, ChangeFeed& feed, const Call& call) {
    GET_OR_REFUSE(since, sinceOf(call));
    GET_OR_REFUSE(types, typesOf(call));
    GET_OR_REFUSE(wait, waitOf(call));
    ChangeLines lines(api.store(), std::move(types));
    GET_OR_REFUSE(first, lines.begin(since));
    Outcome<http::Response> response = wait ? feed.follow(std::move(lines), std::move(first))
                                            : answerAtOnce(api.service(), std::move(lines), std::move(first));
    if (response) response->headers.add("Content-Type", kLines);
    return response;
}

}  // namespace

void addChanges(ObjectApi& api, ChangeFeed* feed) {
    api.service().add({.path = "/changes", .produces = {}, .consumes = {}, .blocks = true,
                       .run = [&api, feed](const Call& call) { return answerChanges(api, *feed, call); },
                       .about = {.answer = kLines,
                                 .query = {{"since", "The revision behind which to begin; absent: now."},
                                           {"types", "Only changes of these: names of classes with commas between."},
                                           {"wait", "false: what there is now, and no more."}},
                                 .refusals = {410}}});
}

}  // namespace midonet::rest
