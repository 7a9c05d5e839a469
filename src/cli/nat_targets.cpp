#include "cli/nat_targets.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>

#include "cli/values.h"
#include "net/ip_address.h"

namespace midonet::cli {

namespace json = boost::json;

namespace {

struct Bounds {
    std::string_view from;
    std::string_view to;
};

/// "a-b" -> a, b; "a" -> a, a.
Bounds bounds(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == text.npos) return {text, text};
    return {text.substr(0, dash), text.substr(dash + 1)};
}

std::optional<int> toPort(std::string_view text) {
    int port = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (wrong != std::errc{} || end != text.data() + text.size() || port < 0 || port > 65535) return std::nullopt;
    return port;
}

/// Addresses and ports of one target. The colon before the ports is the only one, or behind a bracket.
Bounds addressesAndPorts(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.rfind(']');
        if (end == text.npos) return {};
        const auto ports = text.substr(end + 1);
        if (!ports.empty() && !ports.starts_with(':')) return {};
        return {text.substr(1, end - 1), ports.empty() ? ports : ports.substr(1)};
    }
    const auto colon = text.find(':');
    if (colon == text.npos || text.find(':', colon + 1) != text.npos) return {text, {}};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

Result<json::value> parseTarget(std::string_view text) {
    const auto wrong = fail(ErrorCode::Invalid, "Invalid NAT target: {}", text);
    const auto [addresses, ports] = addressesAndPorts(text);
    const auto [first, last] = bounds(addresses);
    if (!net::IpAddress::parse(first) || !net::IpAddress::parse(last)) return wrong;
    const auto [low, high] = ports.empty() ? Bounds{"0", "0"} : bounds(ports);
    const auto from = toPort(low);
    const auto to = toPort(high);
    if (!from || !to || *from > *to || text.ends_with(':')) return wrong;
    return json::object{{"addressFrom", first}, {"addressTo", last}, {"portFrom", *from}, {"portTo", *to}};
}

std::string textOf(const json::object& target, std::string_view key) {
    const auto* value = target.if_contains(key);
    if (!value || value->is_null()) return {};
    return value->is_string() ? std::string{value->get_string()} : json::serialize(*value);
}

std::string join(const std::string& from, const std::string& to) { return from == to || to.empty() ? from : from + "-" + to; }

std::string targetText(const json::object& target) {
    const auto addresses = join(textOf(target, "addressFrom"), textOf(target, "addressTo"));
    const auto ports = join(textOf(target, "portFrom"), textOf(target, "portTo"));
    if (ports.empty() || ports == "0") return addresses;
    return addresses.find(':') == addresses.npos ? addresses + ":" + ports : "[" + addresses + "]:" + ports;
}

}  // namespace

Result<json::array> parseNatTargets(std::string_view text) {
    json::array out;
    for (const auto part : splitAt(text, ',')) {
        TRY(target, parseTarget(part));
        out.push_back(std::move(target));
    }
    if (out.empty()) return fail(ErrorCode::Invalid, "Invalid NAT target: {}", text);
    return out;
}

std::string natTargetsText(const json::array& targets) {
    std::string out;
    for (const auto& target : targets)
        if (const auto* one = target.if_object()) out += (out.empty() ? "" : ",") + targetText(*one);
    return out;
}

}  // namespace midonet::cli
