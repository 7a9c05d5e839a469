#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the benchmarks of this folder share: repetitions, seconds and the form of a figure.
namespace midonet::benchmarks {

inline double setting(const char* name, double fallback) {
    const char* text = std::getenv(name);
    const double value = text == nullptr ? 0 : std::atof(text);
    return value > 0 ? value : fallback;
}
inline int repetitions() { return static_cast<int>(setting("REPS", 5)); }
inline std::chrono::duration<double> timeOfOne() { return std::chrono::duration<double>{setting("SECS", 2) / 4}; }

inline double median(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    return samples[samples.size() / 2];
}

/// The same quantity of another case, measured in the same repetitions.
struct Yardstick {
    std::string_view figure;
    const std::vector<double>& samples;
};

/// One JSON line: the median of the samples, and of their ratios to those of the yardstick.
inline void report(std::string_view benchmark, std::string_view figure, const std::vector<double>& samples, std::string_view unit,
                   const std::optional<Yardstick>& yardstick = std::nullopt) {
    std::string ratios;
    if (yardstick) {
        std::vector<double> each;
        for (std::size_t i = 0; i < samples.size(); ++i) each.push_back(samples[i] / yardstick->samples[i]);
        ratios = fmt::format(",\"ratios\":{{\"{}\":{:.3f}}}", yardstick->figure, median(std::move(each)));
    }
    const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
    fmt::print("{{\"benchmark\":\"{}\",\"figure\":\"{}\",\"value\":{:.4g},\"unit\":\"{}\",\"min\":{:.4g},\"max\":{:.4g},\"runs\":{}{}}}\n",
               benchmark, figure, median(samples), unit, *least, *most, samples.size(), ratios);
    std::fflush(stdout);
}

/// Keeps the compiler from leaving out what nobody reads.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

/// Nanoseconds of one call, in one repetition.
template <class Function>
double nanosecondsOnce(const Function& function) {
    using Clock = std::chrono::steady_clock;
    constexpr int kBatch = 1000;
    std::size_t calls = 0;
    const auto begin = Clock::now();
    auto now = begin;
    for (; now - begin < timeOfOne(); now = Clock::now()) {
        for (int j = 0; j < kBatch; ++j) function();
        calls += kBatch;
    }
    return std::chrono::duration<double, std::nano>(now - begin).count() / static_cast<double>(calls);
}

/// The same in all repetitions.
template <class Function>
std::vector<double> nanosecondsOf(const Function& function) {
    std::vector<double> samples;
    for (int i = 0; i < repetitions(); ++i) samples.push_back(nanosecondsOnce(function));
    return samples;
}

}  // namespace midonet::benchmarks
