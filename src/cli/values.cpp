#include "cli/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/assert.h"
#include "base/uuid.h"
#include "cli/nat_targets.h"
#include "net/ip_address.h"
#include "net/mac.h"

namespace midonet::cli {

namespace json = boost::json;

namespace {

constexpr std::string_view kNoLimit = "no-limit";

struct Spelling {
    std::string_view word;
    std::string_view json;
};

std::vector<Spelling> spellings(const Field& field) {
    std::vector<Spelling> out;
    for (const auto entry : splitAt(field.words, ' ')) {
        const auto equals = entry.find('=');
        out.push_back({entry.substr(0, equals), equals == entry.npos ? entry : entry.substr(equals + 1)});
    }
    return out;
}

Unexpected invalid(const Field& field, std::string_view text) {
    return fail(ErrorCode::Invalid, "Invalid value field {}: {}", field.name, text);
}
Unexpected badNetwork(std::string_view text) { return fail(ErrorCode::Invalid, "Invalid network address: {}", text); }

std::optional<std::int64_t> toInteger(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Where the field's keys are: the object itself, or one in it.
const json::object* holder(const Field& field, const json::object& body) {
    if (field.inside.empty()) return &body;
    const auto* inner = body.if_contains(field.inside);
    return inner ? inner->if_object() : nullptr;
}
json::object& holder(const Field& field, json::object& body) {
    if (field.inside.empty()) return body;
    auto& inner = body[field.inside];
    return inner.is_object() ? inner.as_object() : inner.emplace_object();
}

const json::value* find(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
}
bool isTrue(const json::object& body, std::string_view key) {
    const auto* value = find(body, key);
    return value && value->is_bool() && value->get_bool();
}

/// A scalar as people write it; anything else as JSON.
std::string plain(const json::value& value) {
    if (const auto* text = value.if_string()) return {text->data(), text->size()};
    return json::serialize(value);
}

std::string prefixText(std::string address, const json::value* length) {
    const auto bits = address.find(':') == address.npos ? "32" : "128";
    const auto written = length ? plain(*length) : bits;
    return written == bits ? address : address + "/" + written;
}

std::string rangeText(const json::value& value) {
    const auto* range = value.if_object();
    if (!range) return plain(value);
    const auto end = [&](std::string_view key) { const auto* v = find(*range, key); return v ? plain(*v) : std::string{}; };
    return end("start") + "-" + end("end");
}

/// One value of a field, which is one element where the field is a list.
std::string oneText(const Field& field, const json::value& value, const NameOf& nameOf) {
    switch (field.kind) {
        case Kind::Reference: return nameOf(field, plain(value));
        case Kind::Range: return rangeText(value);
        case Kind::NatTargets: return value.is_array() ? natTargetsText(value.get_array()) : std::string{};
        case Kind::Limit: return plain(value) == "-1" ? std::string{kNoLimit} : plain(value);
        case Kind::Switch: {
            const auto words = spellings(field);
            return std::string{value.is_bool() && value.get_bool() ? words[0].word : words[1].word};
        }
        case Kind::Word:
            for (const auto& [word, spelled] : spellings(field))
                if (spelled == plain(value)) return std::string{word};
            return plain(value);
        case Kind::Text: case Kind::Number: case Kind::Ip: case Kind::Mac: case Kind::MacMask: case Kind::Prefix:
        case Kind::Cidr: case Kind::Either: return plain(value);
    }
    MIDONET_UNREACHABLE();
}

std::optional<std::string> unsignedText(const Field& field, const json::object& body, const NameOf& nameOf) {
    if (field.kind == Kind::Either) {
        const auto words = spellings(field);
        if (isTrue(body, field.json)) return std::string{words[0].word};
        if (isTrue(body, field.companion)) return std::string{words[1].word};
        return std::nullopt;
    }
    const auto* value = find(body, field.json);
    if (!value) return std::nullopt;
    if (field.kind == Kind::Cidr) return prefixText(plain(*value), find(body, field.companion));
    const auto* elements = value->if_array();
    if (elements && elements->empty()) return std::nullopt;
    if (!field.many || !elements) return oneText(field, *value, nameOf);
    std::string out;
    for (const auto& element : *elements) out += (out.empty() ? "" : ",") + oneText(field, element, nameOf);
    return out;
}

bool isMac(std::string_view text) { return text.find('-') == text.npos && net::Mac::parse(text).has_value(); }

bool isMacMask(std::string_view text) {
    const auto groups = splitAt(text, '.');
    return groups.size() == 3 && std::all_of(groups.begin(), groups.end(), [](std::string_view group) {
        return group.size() == 4 && group.find_first_not_of("0123456789abcdefABCDEF") == group.npos;
    });
}

/// Any IPv4 text that inet_aton(3) takes, or IPv6.
bool isAddress(const std::string& text) {
    in_addr v4{};
    return ::inet_aton(text.c_str(), &v4) != 0 || net::Ipv6Address::parse(text).has_value();
}

struct Prefix {
    std::string address;
    std::int64_t length;
};

std::optional<Prefix> parsePrefix(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = net::IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const auto bits = static_cast<std::int64_t>(address->bits());
    const auto length = slash == text.npos ? bits : toInteger(text.substr(slash + 1)).value_or(-1);
    if (length < 0 || length > bits) return std::nullopt;
    return Prefix{std::string{text.substr(0, slash)}, length};
}

std::optional<json::value> parseRange(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = toInteger(text.substr(0, dash));
    const auto last = dash == text.npos ? first : toInteger(text.substr(dash + 1));
    if (!first || !last || *first < 0 || *first > *last || *last > 65535) return std::nullopt;
    return json::object{{"start", *first}, {"end", *last}};
}

Result<json::value> number(const Field& field, std::string_view text) {
    const bool bounded = field.least != Field{}.least || field.most != Field{}.most;
    const auto value = toInteger(text);
    if (bounded && (!value || *value < field.least || *value > field.most)) return invalid(field, text);
    return json::value(text);
}

/// The JSON of one value: see oneText().
Result<json::value> oneValue(const Field& field, std::string_view text, const IdOf& idOf) {
    switch (field.kind) {
        case Kind::Text: return json::value(text);
        case Kind::Number: return number(field, text);
        case Kind::Limit:
            if (text == kNoLimit) return json::value(-1);
            if (const auto value = toInteger(text)) return json::value(*value);
            return invalid(field, text);
        case Kind::Ip:
            if (!isAddress(std::string{text})) return invalid(field, text);
            return json::value(text);
        case Kind::Mac:
            if (!isMac(text)) return invalid(field, text);
            return json::value(text);
        case Kind::MacMask:
            if (!isMacMask(text)) return invalid(field, text);
            return json::value(text);
        case Kind::Prefix:
            if (text.find('/') == text.npos || !parsePrefix(text)) return badNetwork(text);
            return json::value(text);
        case Kind::Range:
            if (auto range = parseRange(text)) return std::move(*range);
            return invalid(field, text);
        case Kind::Word:
            for (const auto& [word, spelled] : spellings(field))
                if (word == text) return json::value(spelled);
            return invalid(field, text);
        case Kind::Switch: {
            const auto words = spellings(field);
            if (text == words[0].word || text == words[1].word) return json::value(text == words[0].word);
            return invalid(field, "None");
        }
        case Kind::Reference:
            if (const auto id = idOf(text)) return json::value(*id);
            return invalid(field, text);
        case Kind::NatTargets: {
            TRY(targets, parseNatTargets(text));
            return json::value(std::move(targets));
        }
        case Kind::Cidr: case Kind::Either: break;  // two keys: assign() sees to them
    }
    MIDONET_UNREACHABLE();
}

Result<void> assignEither(const Field& field, json::object& body, std::string_view text) {
    const auto words = spellings(field);
    if (text != words[0].word && text != words[1].word) return fail(ErrorCode::Invalid, "{} is not a valid {}", text, field.name);
    body[field.json] = text == words[0].word;
    body[field.companion] = text == words[1].word;
    return {};
}

Result<void> assignCidr(const Field& field, json::object& body, std::string_view text) {
    const auto prefix = parsePrefix(text);
    if (!prefix) return badNetwork(text);
    body[field.json] = prefix->address;
    body[field.companion] = prefix->length;
    return {};
}

Result<void> assignList(const Field& field, json::object& body, std::string_view text, const IdOf& idOf) {
    json::array list;
    for (const auto part : splitAt(text, ',')) {
        TRY(value, oneValue(field, part, idOf));
        list.push_back(std::move(value));
    }
    body[field.json] = std::move(list);
    return {};
}

Result<void> assignUnsigned(const Field& field, json::object& body, std::string_view text, const IdOf& idOf) {
    if (field.kind == Kind::Either) return assignEither(field, body, text);
    if (field.kind == Kind::Cidr) return assignCidr(field, body, text);
    if (field.many) return assignList(field, body, text, idOf);
    TRY(value, oneValue(field, text, idOf));
    body[field.json] = std::move(value);
    if (!field.companion.empty()) body[field.companion] = text.find(':') == text.npos ? 4 : 6;
    return {};
}

bool applies(const Field& field, const json::object& body) {
    if (field.selector.empty()) return true;
    const auto* value = find(body, field.selector);
    return value && plain(*value) == field.selected;
}

}  // namespace

std::string idAsName(const Field& /*field*/, std::string_view id) { return std::string{id}; }

std::optional<std::string> uuidOnly(std::string_view word) {
    const auto id = Uuid::parse(word);
    return id ? std::optional{id->toString()} : std::nullopt;
}

std::optional<std::string> valueText(const Field& field, const json::object& body, const NameOf& nameOf) {
    if (!applies(field, body)) return std::nullopt;
    const auto* keys = holder(field, body);
    auto text = keys ? unsignedText(field, *keys, nameOf) : std::nullopt;
    if (text && !field.inverted.empty() && isTrue(*keys, field.inverted)) text->insert(0, 1, '!');
    return text;
}

Result<void> assign(const Field& field, json::object& body, std::string_view text, const IdOf& idOf) {
    if (field.readOnly) return fail(ErrorCode::PermissionDenied, "{} is a read-only attribute.", field.name);
    auto& keys = holder(field, body);
    const bool inverted = !field.inverted.empty() && text.starts_with('!');
    if (inverted) text.remove_prefix(1);
    TRY_VOID(assignUnsigned(field, keys, text, idOf));
    if (!field.inverted.empty()) keys[field.inverted] = inverted;
    if (!field.selector.empty()) body[field.selector] = field.selected;
    return {};
}

Result<void> clear(const Field& field, json::object& body) {
    if (!field.clearable) return fail(ErrorCode::Unsupported, "Field {} cannot be cleared.", field.name);
    auto& keys = holder(field, body);
    keys[field.json] = nullptr;
    if (!field.companion.empty()) keys[field.companion] = nullptr;
    return {};
}

std::vector<std::string_view> wordsOf(const Field& field) {
    std::vector<std::string_view> out;
    for (const auto& spelling : spellings(field)) out.push_back(spelling.word);
    return out;
}

std::vector<std::string> referredIds(const Field& field, const json::object& body) {
    const auto* keys = holder(field, body);
    const auto* value = keys && applies(field, body) ? find(*keys, field.json) : nullptr;
    if (!value) return {};
    if (!value->is_array()) return {plain(*value)};
    std::vector<std::string> out;
    for (const auto& element : value->get_array()) out.push_back(plain(element));
    return out;
}

bool matches(const Field& field, const json::object& body, std::string_view word, const IdOf& idOf) {
    const auto text = valueText(field, body, idAsName);
    if (!text || *text == word) return text.has_value();
    if (field.kind != Kind::Reference) return false;
    const auto id = idOf(word);
    return id && *text == *id;
}

std::vector<std::string_view> splitAt(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = text.find(separator);
        out.push_back(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return out;
}

}  // namespace midonet::cli
