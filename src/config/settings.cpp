#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

#include "base/assert.h"
#include "config/toml_file.h"

namespace midonet::config {
namespace {

constexpr std::string_view kEnvironmentPrefix = "MIDO_";

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

bool isBare(const detail::Slot& slot) {
    return slot.fileType == detail::FileType::Integer || slot.fileType == detail::FileType::Boolean;
}

std::string tomlText(const detail::Slot& slot, std::string_view text) {
    return isBare(slot) ? std::string(text) : quoted(text);
}

}  // namespace

void Settings::check(std::function<Result<void>()> condition) {
    checks_.push_back(std::move(condition));
}

Result<void> Settings::apply(const Sources& sources) {
    const auto changes = reload(sources, Scope::All);
    if (!changes) return Unexpected{changes.error()};
    return {};
}

Result<Changes> Settings::reload(const Sources& sources) { return reload(sources, Scope::Live); }

Result<Changes> Settings::reload(const Sources& sources, Scope scope) {
    TRY(local, readSources(sources));
    auto before = std::exchange(local_, std::move(local));
    auto changes = settle(scope);
    if (!changes) local_ = std::move(before);
    return changes;
}

Changes Settings::applyLayers(std::vector<Layer> layers) { return replaceLayers(std::move(layers), Scope::All); }
Changes Settings::reloadLayers(std::vector<Layer> layers) { return replaceLayers(std::move(layers), Scope::Live); }

Changes Settings::replaceLayers(std::vector<Layer> layers, Scope scope) {
    layers_ = std::move(layers);
    auto changes = settle(scope);
    if (changes) return std::move(*changes);
    Changes nothing;
    nothing.refused.push_back(changes.error().message);
    return nothing;
}

/// Takes the local values, and of those of layers what the checks let pass. When the local ones break a check by themselves:
/// changes nothing.
Result<Changes> Settings::settle(Scope scope) {
    std::vector<std::string> before;
    for (const auto& slot : slots_) before.push_back(slot->valueText());
    Changes changes;
    ofLayers_ = readLayers(layers_, changes.refused);
    stage();
    if (!tryAll()) {
        for (auto& value : ofLayers_) value.taken = false;
        stage();
        TRY_VOID(tryAll());
        takeOneByOne();
    }
    TRY_VOID(commit(scope));
    for (const auto& value : ofLayers_)
        if (!value.taken) changes.refused.push_back(fmt::format("{}: {}: {}", value.source, value.slot->info.key, value.problem));
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        auto& slot = *slots_[i];
        if (slot.valueText() != before[i]) changes.applied.push_back(slot.info.key);
        if (slot.stagedDiffers()) changes.needsRestart.push_back(slot.info.key);
    }
    return changes;
}

/// A value may need another one beside it to be right: so again, as long as one more is taken.
void Settings::takeOneByOne() {
    for (bool more = true; std::exchange(more, false);) {
        for (auto& value : ofLayers_) {
            if (value.taken) continue;
            value.taken = true;
            stage();
            const auto right = tryAll();
            value.taken = right.has_value();
            if (!right) value.problem = right.error().message;
            more = more || value.taken;
        }
    }
    stage();
}

void Settings::stage() {
    for (const auto& slot : slots_) {
        slot->stageDefault();
        slot->stagedOrigin = Origin::Default;
        slot->stagedSource = "default";
    }
    for (const auto* values : {&ofLayers_, &local_}) {
        for (const auto& value : *values) {
            if (!value.taken) continue;
            value.slot->stage(value.text);
            value.slot->stagedOrigin = value.origin;
            value.slot->stagedSource = value.source;
        }
    }
}

Result<void> Settings::runChecks() const {
    std::vector<std::string> mistakes;
    for (const auto& condition : checks_)
        if (const auto result = condition(); !result) mistakes.push_back(result.error().message);
    if (!mistakes.empty()) return fail(ErrorCode::Invalid, "{}", fmt::join(mistakes, "\n"));
    return {};
}

/// The checks read the settings themselves, so the new values go in first, and out again.
Result<void> Settings::tryAll() {
    for (const auto& slot : slots_) slot->commit();
    auto right = runChecks();
    for (const auto& slot : slots_) slot->rollback();
    return right;
}

Result<void> Settings::commit(Scope scope) {
    std::vector<detail::Slot*> slots;
    for (const auto& slot : slots_)
        if (scope == Scope::All || slot->info.live) slots.push_back(slot.get());
    for (auto* const slot : slots) slot->commit();
    if (auto right = runChecks(); !right) {  // live ones beside others that wait
        for (auto* const slot : slots) slot->rollback();
        return right;
    }
    for (auto* const slot : slots) {
        slot->info.origin = slot->stagedOrigin;
        slot->info.source = slot->stagedSource;
    }
    return {};
}

Result<Settings::Assignments> Settings::readSources(const Sources& sources) const {
    Assignments out;
    std::vector<std::string> mistakes;
    readFileInto(out, sources, mistakes);
    readEnvironmentInto(out, sources, mistakes);
    readSetInto(out, sources, mistakes);
    if (!mistakes.empty()) return fail(ErrorCode::Invalid, "{}", fmt::join(mistakes, "\n"));
    return out;
}

Settings::Assignments Settings::readLayers(const std::vector<Layer>& layers, std::vector<std::string>& refused) const {
    Assignments out;
    for (const auto& layer : layers) {
        for (const auto& [key, text] : layer.values) {
            auto* const slot = find(key);
            if (slot == nullptr) {
                if (knowsSectionOf(key)) refused.push_back(fmt::format("{}: {}", layer.name, known(key).error().message));
            } else if (slot->info.local) {
                refused.push_back(fmt::format("{}: {}: belongs into the settings of each machine", layer.name, key));
            } else {
                take(out, *slot, text, Origin::Layer, layer.name, refused);
            }
        }
    }
    return out;
}

void Settings::readFileInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const {
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
        if (const auto valid = validate(value); !valid) {
            mistakes.push_back(fmt::format("{}: {}", source, valid.error().message));
        } else {
            out.push_back({find(value.key), value.text, Origin::File, std::move(source)});
        }
    }
}

Result<void> Settings::validate(const FileValue& value) const {
    TRY(slot, known(value.key));
    if (!typeFits(slot->fileType, value.type))
        return fail(ErrorCode::Invalid, "{}: wrong type; write for instance: {} = {}", value.key,
                    value.key.substr(value.key.find('.') + 1), tomlText(*slot, slot->valueText()));
    return validateText(*slot, value.text);
}

Result<void> Settings::validate(std::string_view key, std::string_view text) const {
    TRY(slot, known(key));
    return validateText(*slot, text);
}

/// Names of other programs' settings are all right in the environment, unless one looks like a slip.
void Settings::readEnvironmentInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const {
    std::map<std::string, detail::Slot*, std::less<>> byName;
    for (const auto& slot : slots_) byName.emplace(environmentName(slot->info.key), slot.get());
    for (const auto& [name, text] : sources.environment) {
        if (!name.starts_with(kEnvironmentPrefix)) continue;
        if (const auto found = byName.find(name); found != byName.end()) {
            take(out, *found->second, text, Origin::Environment, name, mistakes);
            continue;
        }
        for (const auto& [known, slot] : byName) {
            if (editDistance(name, known) > 2) continue;
            mistakes.push_back(fmt::format("unknown environment variable {}; did you mean {}?", name, known));
            break;
        }
    }
}

void Settings::readSetInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const {
    for (const auto& [key, text] : sources.set) {
        if (const auto slot = known(key)) {
            take(out, **slot, text, Origin::CommandLine, "--set", mistakes);
        } else {
            mistakes.push_back("--set: " + slot.error().message);
        }
    }
}

void Settings::take(Assignments& out, detail::Slot& slot, std::string_view text, Origin origin, std::string source,
                    std::vector<std::string>& mistakes) {
    if (const auto valid = validateText(slot, text); !valid) {
        mistakes.push_back(fmt::format("{}: {}", source, valid.error().message));
    } else {
        out.push_back({&slot, std::string(text), origin, std::move(source)});
    }
}

Result<void> Settings::validateText(const detail::Slot& slot, std::string_view text) {
    const auto valid = slot.validate(text);
    if (valid) return {};
    return fail(ErrorCode::Invalid, "{}: {} (expected: {})", slot.info.key, slot.info.secret ? "bad value" : valid.error().message,
                slot.info.kind);
}

detail::Slot* Settings::find(std::string_view key) const {
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const auto& slot) { return slot->info.key == key; });
    return found == slots_.end() ? nullptr : found->get();
}

Result<detail::Slot*> Settings::known(std::string_view key) const {
    if (auto* const slot = find(key)) return slot;
    return fail(ErrorCode::NotFound, "unknown setting '{}'{}", key, closest(key));
}

bool Settings::knowsSectionOf(std::string_view key) const {
    const auto section = key.substr(0, key.find('.') + 1);
    return std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) { return slot->info.key.starts_with(section); });
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
        info.bare = isBare(*slot);
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
                           info.live ? "; changes while it runs" : "", info.doc);
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
