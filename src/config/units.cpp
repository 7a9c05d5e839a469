#include "config/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace midonet::config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first.
constexpr std::array kDurationUnits{
    Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},      Unit{"ms", 1'000'000},        Unit{"us", 1'000},
    Unit{"ns", 1}};
constexpr std::array kSizeUnits{Unit{"GiB", kGiB}, Unit{"MiB", kMiB}, Unit{"KiB", kKiB}, Unit{"B", 1}};

Result<std::uint64_t> parseWithUnit(std::string_view text, std::span<const Unit> units,
                                    std::string_view example) {
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{})
        return fail(ErrorCode::Malformed, "'{}' is not a whole number with a unit, such as {}", text,
                    example);
    const std::string_view unitName(rest, static_cast<std::size_t>(end - rest));
    if (unitName.empty() && number == 0) return 0;
    for (const auto& unit : units) {
        if (unit.name != unitName) continue;
        // Durations are signed in the end; half of the range is plenty for sizes too.
        constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
        if (number > kMax / unit.factor) return fail(ErrorCode::Invalid, "'{}' is too large", text);
        return number * unit.factor;
    }
    std::string names;
    for (const auto& unit : units) names += fmt::format("{}{}", names.empty() ? "" : ", ", unit.name);
    return fail(ErrorCode::Malformed, "'{}' needs one of the units {}, such as {}", text, names, example);
}

std::string formatWithUnit(std::uint64_t value, std::span<const Unit> units, std::string_view zero) {
    if (value == 0) return std::string(zero);
    for (const auto& unit : units) {
        if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
    }
    return fmt::format("{}", value);
}

}  // namespace

Result<std::chrono::nanoseconds> parseDuration(std::string_view text) {
    TRY(value, parseWithUnit(text, kDurationUnits, "30s"));
    return std::chrono::nanoseconds{static_cast<std::int64_t>(value)};
}

std::string formatDuration(std::chrono::nanoseconds duration) {
    return formatWithUnit(static_cast<std::uint64_t>(duration.count()), kDurationUnits, "0s");
}

Result<std::uint64_t> parseSize(std::string_view text) {
    if (!text.empty() && text.find_first_not_of("0123456789") == text.npos)
        return parseWithUnit(std::string(text) + "B", kSizeUnits, "8MiB");
    return parseWithUnit(text, kSizeUnits, "8MiB");
}

std::string formatSize(std::uint64_t bytes) { return formatWithUnit(bytes, kSizeUnits, "0B"); }

}  // namespace midonet::config
