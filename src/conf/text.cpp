#include "conf/text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace midonet::conf {
namespace {

namespace json = boost::json;
using config::FileValue;

FileValue leafOf(const json::value& value, std::string key) {
    FileValue out;
    out.key = std::move(key);
    if (value.is_string()) {
        out.type = FileValue::Type::String;
        out.text = std::string(value.as_string());
    } else if (value.is_int64()) {
        out.type = FileValue::Type::Integer;
        out.text = fmt::format("{}", value.as_int64());
    } else if (value.is_bool()) {
        out.type = FileValue::Type::Boolean;
        out.text = value.as_bool() ? "true" : "false";
    }
    return out;
}

void collect(const json::object& object, const std::string& prefix, std::vector<FileValue>& out) {
    for (const auto& [name, value] : object) {
        const auto key = prefix + std::string(name);
        if (value.is_object()) {
            collect(value.as_object(), key + ".", out);
        } else {
            out.push_back(leafOf(value, key));
        }
    }
}

json::value valueOf(const Entry& entry) {
    boost::system::error_code notJson;
    return entry.bare ? json::parse(entry.text, notJson) : json::value(entry.text);
}

/// The object that the last part of the key goes into. A key whose beginning is a value itself stays whole, at the top.
std::pair<json::object*, std::string> placeOf(json::object& root, std::string_view key) {
    auto* object = &root;
    auto rest = key;
    for (auto dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
        const auto part = rest.substr(0, dot);
        auto& inner = object->emplace(json::string_view{part.data(), part.size()}, json::object{}).first->value();
        if (!inner.is_object()) return {&root, std::string(key)};
        object = &inner.as_object();
        rest.remove_prefix(dot + 1);
    }
    if (object->contains(json::string_view{rest.data(), rest.size()})) return {&root, std::string(key)};
    return {object, std::string(rest)};
}

}  // namespace

Result<std::vector<FileValue>> parseText(std::string_view text, std::string_view name) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos || text[first] != '{') {
        auto values = config::parseToml(text, name);
        if (values) return values;
        return fail(ErrorCode::Malformed, "{} (texts stand in quotes: log.level = \"debug\")", values.error().message);
    }
    boost::system::error_code error;
    const auto parsed = json::parse({text.data(), text.size()}, error);
    if (error) return fail(ErrorCode::Malformed, "{}: not JSON, though it begins with '{{': {}", name, error.message());
    std::vector<FileValue> out;
    collect(parsed.as_object(), {}, out);
    return out;
}

std::string toToml(const std::vector<Entry>& entries, Comments comments) {
    std::string out;
    for (const auto& entry : entries) {
        if (comments == Comments::With) {
            if (entry.info != nullptr) out += fmt::format("# {}\n# {}; ", entry.info->doc, entry.info->kind);
            if (entry.info == nullptr) out += "# not known to this version; ";
            out += fmt::format("from: {}\n", entry.source);
        }
        out += fmt::format("{} = {}\n", entry.key, entry.bare ? entry.text : config::quoted(entry.text));
    }
    return out;
}

std::string toJson(const std::vector<Entry>& entries, Comments comments) {
    json::object root;
    for (const auto& entry : entries) {
        const auto [object, name] = placeOf(root, entry.key);
        object->insert_or_assign(name, valueOf(entry));
        if (comments == Comments::Without || entry.info == nullptr) continue;
        object->insert_or_assign(name + "_description", entry.info->doc);
        object->insert_or_assign(name + "_type", entry.info->kind);
    }
    return json::serialize(root) + "\n";
}

}  // namespace midonet::conf
