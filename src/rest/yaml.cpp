#include "rest/yaml.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <string_view>

namespace midonet::rest {
namespace {

namespace json = boost::json;

constexpr std::size_t kLine = 130;

/// Text that means itself without quotes; braces do so in block style only.
bool isPlain(std::string_view text, bool block) {
    constexpr std::array<std::string_view, 8> kWords{"true", "false", "null", "yes", "no", "on", "off", "y"};
    const auto begins = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '$'; };
    const auto goesOn = [block](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view{"-_./+$"}.find(c) != std::string_view::npos || (block && (c == '{' || c == '}'));
    };
    return !text.empty() && begins(text.front()) && std::all_of(text.begin(), text.end(), goesOn) &&
           std::find(kWords.begin(), kWords.end(), text) == kWords.end();
}

/// Double-quoted scalars are as in JSON.
std::string scalar(const json::value& value, bool block) {
    const auto* text = value.if_string();
    return text != nullptr && isPlain({text->data(), text->size()}, block) ? std::string{text->data(), text->size()} : json::serialize(value);
}

/// In one line: `{type: array, items: [1, 2]}`.
std::string flow(const json::value& value) {
    std::string out;
    if (const auto* object = value.if_object()) {
        for (const auto& [key, inner] : *object) out += (out.empty() ? "" : ", ") + scalar(json::value(key), false) + ": " + flow(inner);
        return "{" + out + "}";
    }
    if (const auto* array = value.if_array()) {
        for (const auto& inner : *array) out += (out.empty() ? "" : ", ") + flow(inner);
        return "[" + out + "]";
    }
    return scalar(value, false);
}

void append(std::string& out, const json::value& value, std::size_t indent);

/// What follows a key, or the dash of a list: on its line where it fits there.
void appendBehind(std::string& out, const json::value& value, std::size_t indent, bool ofKey) {
    const auto inner = value.is_structured() ? flow(value) : scalar(value, true);
    if (!value.is_structured() || indent + inner.size() <= kLine) {
        out += (ofKey ? " " : "") + inner + "\n";
    } else {
        if (ofKey) out += "\n";
        append(out, value, indent);
    }
}

void append(std::string& out, const json::value& value, std::size_t indent) {
    const std::string margin(indent, ' ');
    if (const auto* object = value.if_object()) {
        for (const auto& [key, inner] : *object) {
            out += margin + scalar(json::value(key), true) + ":";
            appendBehind(out, inner, indent + 2, true);
        }
        return;
    }
    for (const auto& inner : value.get_array()) {
        std::string text;
        appendBehind(text, inner, indent + 2, false);
        if (text.starts_with(margin + "  ")) text.erase(0, indent + 2);
        out += margin + "- " + text;
    }
}

}  // namespace

std::string toYaml(const json::value& value) {
    std::string out;
    if (value.is_structured())
        append(out, value, 0);
    else
        out = scalar(value, true) + "\n";
    return out;
}

}  // namespace midonet::rest
