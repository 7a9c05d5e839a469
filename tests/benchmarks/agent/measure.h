#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
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

/// One JSON line: the median of the samples.
inline void report(std::string_view benchmark, std::string_view figure, std::vector<double> samples, std::string_view unit) {
    std::sort(samples.begin(), samples.end());
    fmt::print("{{\"benchmark\":\"{}\",\"figure\":\"{}\",\"value\":{:.4g},\"unit\":\"{}\",\"min\":{:.4g},\"max\":{:.4g},\"runs\":{}}}\n",
               benchmark, figure, samples[samples.size() / 2], unit, samples.front(), samples.back(), samples.size());
    std::fflush(stdout);
}

/// Keeps the compiler from leaving out what nobody reads.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

/// Nanoseconds of one call, median of the repetitions.
template <class Function>
std::vector<double> nanosecondsOf(const Function& function) {
    using Clock = std::chrono::steady_clock;
    constexpr int kBatch = 1000;
    std::vector<double> samples;
    for (int i = 0; i < repetitions(); ++i) {
        std::size_t calls = 0;
        const auto begin = Clock::now();
        auto now = begin;
        for (; now - begin < timeOfOne(); now = Clock::now()) {
            for (int j = 0; j < kBatch; ++j) function();
            calls += kBatch;
        }
        samples.push_back(std::chrono::duration<double, std::nano>(now - begin).count() / static_cast<double>(calls));
    }
    return samples;
}

}  // namespace midonet::benchmarks
