#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "config/settings.h"
#include "config/units.h"

namespace midonet::config {
namespace {

bool isKey(std::string_view key) {
    const auto dot = key.find('.');
    if (dot == key.npos || dot == 0 || dot + 1 == key.size()) return false;
    return std::count(key.begin(), key.end(), '.') == 1 &&
           key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == key.npos;
}

template <class T, class Format>
Result<T> within(T value, Range<T> range, Format format) {
    if (value >= range.min && value <= range.max) return value;
    return fail(ErrorCode::Invalid, "{} is out of range: {} to {} is allowed", format(value),
                format(range.min), format(range.max));
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
    slot->info.kind = fmt::format("{}", fmt::join(choices, " | "));
    slot->parse = [choices = std::move(choices)](std::string_view text) -> Result<std::string> {
        if (std::find(choices.begin(), choices.end(), text) != choices.end())
            return std::string(text);
        return fail(ErrorCode::Invalid, "'{}' is not one of: {}", text, fmt::join(choices, ", "));
    };
    slot->format = [](const std::string& value) { return value; };
    return Setting<std::string>{std::move(slot)};
}

}  // namespace midonet::config
