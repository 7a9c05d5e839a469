#include "config/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>

#include "base/assert.h"
#include "config/internal/toml_file.h"
#include "config/units.h"

namespace midonet::config {
namespace {

constexpr std::string_view kEnvironmentPrefix = "MIDO_";

bool isKey(std::string_view key) {
    const auto dot = key.find('.');
    if (dot == key.npos || dot == 0 || dot + 1 == key.size()) return false;
    return std::count(key.begin(), key.end(), '.') == 1 &&
           key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == key.npos;
}

/// Levenshtein's distance: insertions, deletions and replacements from `a` to `b`.
std::size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.push_back('\\');
        if (c == '\n') {
            out += "\\n";
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
    return out;
}

bool typeFits(detail::FileType wanted, FileValue::Type got) {
    switch (wanted) {
        case detail::FileType::String: return got == FileValue::Type::String;
        case detail::FileType::Integer: return got == FileValue::Type::Integer;
        case detail::FileType::Boolean: return got == FileValue::Type::Boolean;
        case detail::FileType::StringOrInteger:
            return got == FileValue::Type::String || got == FileValue::Type::Integer;
    }
    MIDONET_UNREACHABLE();
}

std::string tomlText(const detail::Slot& slot, std::string_view text) {
    const bool bare = slot.fileType == detail::FileType::Integer ||
                      slot.fileType == detail::FileType::Boolean;
    return bare ? std::string(text) : quoted(text);
}

template <class T, class Format>
Result<T> within(T value, Range<T> range, Format format) {
    if (value >= range.min && value <= range.max) return value;
    return fail(ErrorCode::Invalid, "{} is out of range: {} to {} is allowed", format(value),
                format(range.min), format(range.max));
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? "" : std::string(separator)) + part;
    return out;
}

}  // namespace

template <class T>
std::shared_ptr<detail::TypedSlot<T>> Settings::add(std::string key, T fallback, std::string doc) {
    MIDONET_ASSERT(isKey(key), "a key is section.key of [a-z0-9_]");
    MIDONET_ASSERT(find(key) == nullptr, "a setting is declared once");
    auto slot = std::make_shared<detail::TypedSlot<T>>();
    slot->info.key = std::move(key);
    slot->info.doc = std::move(doc);
    slot->info.source = "default";
    slot->fallback = fallback;
    slot->value = fallback;
    slot->staged = std::move(fallback);
    slots_.push_back(slot);
    return slot;
}

Setting<std::string> Settings::string(std::string key, std::string fallback, std::string doc) {
    auto slot = add<std::string>(std::move(key), std::move(fallback), std::move(doc));
    slot->info.kind = "text";
    slot->parse = [](std::string_view text) -> Result<std::string> { return std::string(text); };
    slot->format = [](const std::string& value) { return value; };
    return Setting<std::string>{std::move(slot)};
}

Setting<std::int64_t> Settings::integer(std::string key, std::int64_t fallback,
                                        Range<std::int64_t> range, std::string doc) {
    auto slot = add<std::int64_t>(std::move(key), fallback, std::move(doc));
    slot->info.kind = fmt::format("integer {}..{}", range.min, range.max);
    slot->fileType = detail::FileType::Integer;
    slot->format = [](std::int64_t value) { return fmt::format("{}", value); };
    slot->parse = [range, format = slot->format](std::string_view text) -> Result<std::int64_t> {
        std::int64_t value = 0;
        const auto* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc{} || rest != end)
            return fail(ErrorCode::Malformed, "'{}' is not a whole number", text);
        return within(value, range, format);
    };
    return Setting<std::int64_t>{std::move(slot)};
}

Setting<bool> Settings::boolean(std::string key, bool fallback, std::string doc) {
    auto slot = add<bool>(std::move(key), fallback, std::move(doc));
    slot->info.kind = "true | false";
    slot->fileType = detail::FileType::Boolean;
    slot->parse = [](std::string_view text) -> Result<bool> {
        if (text == "true") return true;
        if (text == "false") return false;
        return fail(ErrorCode::Malformed, "'{}' is neither true nor false", text);
    };
    slot->format = [](bool value) { return std::string(value ? "true" : "false"); };
    return Setting<bool>{std::move(slot)};
}

Setting<std::chrono::nanoseconds> Settings::duration(std::string key,
                                                     std::chrono::nanoseconds fallback,
                                                     Range<std::chrono::nanoseconds> range,
                                                     std::string doc) {
    auto slot = add<std::chrono::nanoseconds>(std::move(key), fallback, std::move(doc));
    slot->info.kind =
        fmt::format("duration {}..{}", formatDuration(range.min), formatDuration(range.max));
    slot->parse = [range](std::string_view text) -> Result<std::chrono::nanoseconds> {
        TRY(value, parseDuration(text));
        return within(value, range, formatDuration);
    };
    slot->format = [](std::chrono::nanoseconds value) { return formatDuration(value); };
    return Setting<std::chrono::nanoseconds>{std::move(slot)};
}

Setting<std::uint64_t> Settings::size(std::string key, std::uint64_t fallback,
                                      Range<std::uint64_t> range, std::string doc) {
    auto slot = add<std::uint64_t>(std::move(key), fallback, std::move(doc));
    slot->info.kind = fmt::format("size {}..{}", formatSize(range.min), formatSize(range.max));
    slot->fileType = detail::FileType::StringOrInteger;
    slot->parse = [range](std::string_view text) -> Result<std::uint64_t> {
        TRY(value, parseSize(text));
        return within(value, range, formatSize);
    };
    slot->format = [](std::uint64_t value) { return formatSize(value); };
    return Setting<std::uint64_t>{std::move(slot)};
}

Setting<std::string> Settings::choice(std::string key, std::vector<std::string> choices,
                                      std::string fallback, std::string doc) {
    auto slot = add<std::string>(std::move(key), std::move(fallback), std::move(doc));
    slot->info.kind = join(choices, " | ");
    slot->parse = [choices = std::move(choices)](std::string_view text) -> Result<std::string> {
        if (std::find(choices.begin(), choices.end(), text) != choices.end())
            return std::string(text);
        return fail(ErrorCode::Invalid, "'{}' is not one of: {}", text, join(choices, ", "));
    };
    slot->format = [](const std::string& value) { return value; };
    return Setting<std::string>{std::move(slot)};
}

void Settings::check(std::function<Result<void>()> condition) {
    checks_.push_back(std::move(condition));
}

Result<void> Settings::apply(const Sources& sources) {
    auto mistakes = stageAll(sources);
    if (!mistakes.empty()) return fail(ErrorCode::Invalid, "{}", join(mistakes, "\n"));
    std::vector<detail::Slot*> all;
    for (const auto& slot : slots_) all.push_back(slot.get());
    return commit(all);
}

Result<Changes> Settings::reload(const Sources& sources) {
    auto mistakes = stageAll(sources);
    if (!mistakes.empty()) return fail(ErrorCode::Invalid, "{}", join(mistakes, "\n"));
    Changes changes;
    std::vector<detail::Slot*> live;
    for (const auto& slot : slots_) {
        if (slot->info.live) live.push_back(slot.get());
        if (!slot->stagedDiffers()) continue;
        (slot->info.live ? changes.applied : changes.needsRestart).push_back(slot->info.key);
    }
    TRY_VOID(commit(live));
    return changes;
}

/// The checks read the settings themselves, so the new values go in first, and out again if one fails.
Result<void> Settings::commit(const std::vector<detail::Slot*>& slots) {
    for (auto* const slot : slots) slot->commit();
    std::vector<std::string> mistakes;
    for (const auto& condition : checks_) {
        if (const auto result = condition(); !result) mistakes.push_back(result.error().message);
    }
    if (!mistakes.empty()) {
        for (auto* const slot : slots) slot->rollback();
        return fail(ErrorCode::Invalid, "{}", join(mistakes, "\n"));
    }
    for (auto* const slot : slots) {
        slot->info.origin = slot->stagedOrigin;
        slot->info.source = slot->stagedSource;
    }
    return {};
}

std::vector<std::string> Settings::stageAll(const Sources& sources) {
    for (const auto& slot : slots_) {
        slot->stageDefault();
        slot->stagedOrigin = Origin::Default;
        slot->stagedSource = "default";
    }
    std::vector<std::string> mistakes;
    stageFile(sources, mistakes);
    stageEnvironment(sources, mistakes);
    stageSet(sources, mistakes);
    return mistakes;
}

void Settings::stageOne(detail::Slot& slot, std::string_view text, Origin origin,
                        std::string source, std::vector<std::string>& mistakes) {
    if (const auto staged = slot.stage(text); !staged) {
        mistakes.push_back(fmt::format("{}: {}: {} (expected: {})", source, slot.info.key,
                                       slot.info.secret ? "bad value" : staged.error().message,
                                       slot.info.kind));
        return;
    }
    slot.stagedOrigin = origin;
    slot.stagedSource = std::move(source);
}

void Settings::stageFile(const Sources& sources, std::vector<std::string>& mistakes) {
    if (sources.file.empty()) return;
    const auto text = readFile(sources.file);
    if (!text) {
        if (sources.fileRequired || text.error().code != ErrorCode::NotFound)
            mistakes.push_back(text.error().message);
        return;
    }
    const auto values = parseToml(*text, sources.file);
    if (!values) {
        mistakes.push_back(values.error().message);
        return;
    }
    for (const auto& value : *values) {
        auto source = fmt::format("{}:{}", sources.file, value.line);
        auto* const slot = find(value.key);
        if (slot == nullptr) {
            mistakes.push_back(
                fmt::format("{}: unknown setting '{}'{}", source, value.key, closest(value.key)));
        } else if (!typeFits(slot->fileType, value.type)) {
            mistakes.push_back(fmt::format("{}: {}: wrong type; write for instance: {} = {}", source,
                                           value.key, value.key.substr(value.key.find('.') + 1),
                                           tomlText(*slot, slot->valueText())));
        } else {
            stageOne(*slot, value.text, Origin::File, std::move(source), mistakes);
        }
    }
}

/// Names of other programs' settings are all right in the environment, unless one looks like a slip.
void Settings::stageEnvironment(const Sources& sources, std::vector<std::string>& mistakes) {
    std::map<std::string, detail::Slot*, std::less<>> byName;
    for (const auto& slot : slots_) byName.emplace(environmentName(slot->info.key), slot.get());
    for (const auto& [name, text] : sources.environment) {
        if (!name.starts_with(kEnvironmentPrefix)) continue;
        if (const auto found = byName.find(name); found != byName.end()) {
            stageOne(*found->second, text, Origin::Environment, name, mistakes);
            continue;
        }
        for (const auto& [known, slot] : byName) {
            if (editDistance(name, known) > 2) continue;
            mistakes.push_back(fmt::format("unknown environment variable {}; did you mean {}?", name, known));
            break;
        }
    }
}

void Settings::stageSet(const Sources& sources, std::vector<std::string>& mistakes) {
    for (const auto& [key, text] : sources.set) {
        if (auto* const slot = find(key)) {
            stageOne(*slot, text, Origin::CommandLine, "--set", mistakes);
        } else {
            mistakes.push_back(fmt::format("--set: unknown setting '{}'{}", key, closest(key)));
        }
    }
}

detail::Slot* Settings::find(std::string_view key) {
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const auto& slot) { return slot->info.key == key; });
    return found == slots_.end() ? nullptr : found->get();
}

std::string Settings::closest(std::string_view key) const {
    std::size_t best = std::max<std::size_t>(3, key.size() / 3) + 1;
    std::string_view name;
    for (const auto& slot : slots_) {
        const std::string_view known = slot->info.key;
        // The right name in the wrong section is as close as it gets.
        const auto last = key.substr(key.find_last_of('.') + 1);
        const auto distance = known.substr(known.find('.') + 1) == last ? 1 : editDistance(key, known);
        if (distance >= best) continue;
        best = distance;
        name = known;
    }
    if (name.empty()) return "; --help lists all settings";
    return fmt::format("; did you mean '{}'?", name);
}

std::vector<SettingInfo> Settings::list() const {
    std::vector<SettingInfo> out;
    for (const auto& slot : slots_) {
        auto info = slot->info;
        info.text = slot->valueText();
        info.defaultText = slot->defaultText();
        out.push_back(std::move(info));
    }
    return out;
}

std::string Settings::effectiveText() const {
    std::vector<std::string> left;
    std::size_t width = 0;
    for (const auto& slot : slots_) {
        left.push_back(slot->info.secret
                           ? fmt::format("# {} = ***", slot->info.key)
                           : fmt::format("{} = {}", slot->info.key, tomlText(*slot, slot->valueText())));
        width = std::max(width, left.back().size());
    }
    std::string out;
    for (std::size_t i = 0; i < slots_.size(); ++i)
        out += fmt::format("{:<{}}  # {}\n", left[i], width, slots_[i]->info.source);
    return out;
}

std::string Settings::helpText() const {
    std::string out;
    for (const auto& info : list()) {
        out += fmt::format("  {}  ({}; default: {}{})\n      {}\n", info.key, info.kind,
                           info.defaultText.empty() ? "empty" : info.defaultText,
                           info.live ? "; read again on SIGHUP" : "", info.doc);
    }
    return out;
}

std::string Settings::environmentName(std::string_view key) {
    std::string name(kEnvironmentPrefix);
    for (const char c : key)
        name.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    return name;
}

}  // namespace midonet::config
