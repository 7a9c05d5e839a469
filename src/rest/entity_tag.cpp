#include "rest/entity_tag.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace midonet::rest {

std::string entityTag(std::string_view text) {
    // The library's hash has no seed of the process; that clients meet servers of two versions costs them one more body.
    return fmt::format("\"{:016x}\"", std::hash<std::string_view>{}(text));
}

bool namesTag(std::string_view header, std::string_view tag) {
    while (!header.empty()) {
        auto one = header.substr(0, header.find(','));
        header.remove_prefix(std::min(one.size() + 1, header.size()));
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag || one == "*") return true;
    }
    return false;
}

Outcome<void> checkMatch(const http::Request& request, std::string_view shown) {
    const auto meant = request.headers.find("If-Match");
    if (!meant || namesTag(*meant, entityTag(shown))) return {};
    return refuse(412, "{} is not what If-Match names: it has been changed", request.path());
}

void tagAnswer(const http::Request& request, http::Response& response) {
    const bool read = request.method == http::Method::Get || request.method == http::Method::Head;
    if (!read || response.status != 200 || response.more) return;
    const auto tag = entityTag(response.body);
    response.headers.add("ETag", tag);
    if (const auto known = request.headers.find("If-None-Match"); known && namesTag(*known, tag)) {
        response.status = 304;
        response.body.clear();
    }
}

}  // namespace midonet::rest
