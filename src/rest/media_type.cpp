#include "rest/media_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/message.h"

namespace midonet::rest {
namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Cuts the part before `separator` off `rest`.
std::string_view nextPart(std::string_view& rest, char separator) {
    const auto part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return trim(part);
}

struct Range {
    std::string_view type;
    double weight = 1;
};

Range parseRange(std::string_view text) {
    Range range{nextPart(text, ';')};
    while (!text.empty()) {
        const auto parameter = nextPart(text, ';');
        if (parameter.size() < 3 || !http::equalNoCase(parameter.substr(0, 2), "q=")) continue;
        const auto digits = parameter.substr(2);
        double weight = 1;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), weight).ec == std::errc{}) range.weight = weight;
    }
    return range;
}

/// The offered type a range stands for; empty when none.
std::string_view match(std::string_view range, const std::vector<std::string>& offered) {
    if (range == "*/*" || range == "*" || http::equalNoCase(range, "application/*")) {
        const auto json = std::find(offered.begin(), offered.end(), kJson);
        return json != offered.end() ? *json : offered.front();
    }
    for (const auto& type : offered)
        if (http::equalNoCase(type, range)) return type;
    return {};
}

}  // namespace

std::string itemType(std::string_view name, std::uint32_t version) {
    return fmt::format("application/vnd.org.midonet.{}-v{}+json", name, version);
}
std::string collectionType(std::string_view name, std::uint32_t version) {
    return fmt::format("application/vnd.org.midonet.collection.{}-v{}+json", name, version);
}

std::optional<std::string> negotiate(std::optional<std::string_view> accept, const std::vector<std::string>& offered) {
    auto rest = trim(accept.value_or("*/*"));
    if (rest.empty()) rest = "*/*";
    std::string_view best;
    double bestWeight = 0;
    while (!rest.empty()) {
        const auto range = parseRange(nextPart(rest, ','));
        if (range.weight <= bestWeight) continue;  // also q=0: not wanted
        if (const auto type = match(range.type, offered); !type.empty()) {
            best = type;
            bestWeight = range.weight;
        }
    }
    if (best.empty()) return std::nullopt;
    return std::string{best};
}

bool understands(std::optional<std::string_view> contentType, const std::vector<std::string>& consumed) {
    auto rest = trim(contentType.value_or(""));
    const auto type = nextPart(rest, ';');
    return type.empty() || !match(type, consumed).empty();
}

}  // namespace midonet::rest
