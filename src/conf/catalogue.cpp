#include "conf/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"

namespace midonet::conf {
namespace {

constexpr std::string_view kFingerprint = "sha256:";

std::string fingerprintOf(std::string_view secret) { return fmt::format("{}{}", kFingerprint, hexOf(sha256(secret)).substr(0, 12)); }

}  // namespace

Catalogue::Catalogue(config::Settings settings) : settings_(std::move(settings)), list_(settings_.list()) {}

const config::SettingInfo* Catalogue::find(std::string_view key) const {
    const auto found = std::find_if(list_.begin(), list_.end(), [&](const auto& info) { return info.key == key; });
    return found == list_.end() ? nullptr : &*found;
}

/// A newer program may have secrets too.
bool Catalogue::isSecret(std::string_view key) const {
    if (const auto* info = find(key)) return info->secret;
    return key.ends_with("password") || key.ends_with("secret") || key.ends_with("token");
}

Result<void> Catalogue::check(const config::FileValue& value) const {
    if (value.type == config::FileValue::Type::Other)
        return fail(ErrorCode::Invalid, "{}: a text in quotes, a whole number, true or false is wanted", value.key);
    if (isSecret(value.key) && value.text.starts_with(kFingerprint))
        return fail(ErrorCode::Invalid, "{}: this is what is shown in the place of the secret, not the secret", value.key);
    return find(value.key) == nullptr ? Result<void>{} : settings_.validate(value);
}

Result<Catalogue::Accepted> Catalogue::accept(std::string_view text, std::string_view name, Local local) const {
    TRY(values, parseText(text, name));
    Accepted out;
    std::vector<std::string> mistakes;
    for (auto& value : values) {
        const auto* const info = find(value.key);
        if (info != nullptr && info->local) {
            if (local == Local::Refuse) mistakes.push_back(value.key + ": belongs into the settings of each machine, not into the NSDB");
            out.local.push_back(value.key);
        } else if (const auto good = check(value); !good) {
            mistakes.push_back(good.error().message);
        } else {
            if (info == nullptr) out.unknown.push_back(value.key);
            out.values.insert_or_assign(std::move(value.key), std::move(value.text));
        }
    }
    if (!mistakes.empty()) return fail(ErrorCode::Invalid, "{}", fmt::join(mistakes, "\n"));
    return out;
}

Entry Catalogue::entry(const std::string& key, const std::string& text, const std::string& source) const {
    const auto* const info = find(key);
    const bool shown = !isSecret(key) || text.empty();
    const bool bare = shown && info != nullptr && info->bare && settings_.validate(key, text);  // another version may have other types
    return {key, shown ? text : fingerprintOf(text), bare, source, info};
}

std::vector<Entry> Catalogue::entries(const Values& values, const std::string& source) const {
    std::vector<Entry> out;
    for (const auto& [key, text] : values) out.push_back(entry(key, text, source));
    return out;
}

std::vector<Entry> Catalogue::defaults() const {
    std::vector<Entry> out;
    for (const auto& info : list_) out.push_back(entry(info.key, info.defaultText, "default"));
    return out;
}

std::vector<Entry> Catalogue::effective(const std::vector<config::Layer>& layers) const {
    std::vector<Entry> out;
    for (const auto& info : list_) {
        if (info.local) continue;
        auto best = entry(info.key, info.defaultText, "default");
        for (const auto& layer : layers)
            if (const auto found = layer.values.find(info.key); found != layer.values.end() && settings_.validate(info.key, found->second))
                best = entry(info.key, found->second, layer.name);
        out.push_back(std::move(best));
    }
    std::map<std::string, Entry> unknown;
    for (const auto& layer : layers)
        for (const auto& [key, text] : layer.values)
            if (find(key) == nullptr) unknown.insert_or_assign(key, entry(key, text, layer.name));
    for (auto& [key, one] : unknown) out.push_back(std::move(one));
    return out;
}

}  // namespace midonet::conf
