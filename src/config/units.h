#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace midonet::config {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;

/// A whole number and a unit: ns, us, ms, s, m, h, d ("30s", "250ms"); "0" needs none.
Result<std::chrono::nanoseconds> parseDuration(std::string_view text);
/// In the largest unit that loses nothing; parseDuration() reads it back.
std::string formatDuration(std::chrono::nanoseconds duration);

/// A whole number of bytes and a unit: B, KiB, MiB, GiB, or none for bytes ("8MiB", "4096").
Result<std::uint64_t> parseSize(std::string_view text);
/// In the largest unit that loses nothing; parseSize() reads it back.
std::string formatSize(std::uint64_t bytes);

}  // namespace midonet::config
