#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "metrics/internal/text.h"

// https://prometheus.io/docs/instrumenting/exposition_formats/ : text format 0.0.4.

namespace midonet::metrics {
namespace {

std::string_view kindName(Kind kind) {
    switch (kind) {
        case Kind::Counter: return "counter";
        case Kind::Gauge: return "gauge";
        case Kind::Histogram: return "histogram";
    }
    return "untyped";
}

std::string escape(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quotes) {
            out += "\\\"";
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    constexpr double kExact = 9007199254740992.0;  // 2^53: whole numbers below are exact
    if (value == std::floor(value) && std::abs(value) < kExact)
        return fmt::format("{}", static_cast<std::int64_t>(value));
    return fmt::format("{}", value);
}

std::string labelText(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels)
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value, true));
    return out.empty() ? out : "{" + out + "}";
}

void writeHistogram(fmt::memory_buffer& out, std::string_view name, const Labels& labels,
                    const Sample& sample) {
    auto at = std::back_inserter(out);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
        below += sample.buckets[i];
        auto withBound = labels;
        withBound.emplace_back("le", i < sample.bounds.size() ? number(sample.bounds[i]) : "+Inf");
        fmt::format_to(at, "{}_bucket{} {}\n", name, labelText(withBound), below);
    }
    fmt::format_to(at, "{}_sum{} {}\n", name, labelText(labels), number(sample.value));
    fmt::format_to(at, "{}_count{} {}\n", name, labelText(labels), below);
}

}  // namespace

std::string toPrometheusText(const Snapshot& snapshot) {
    fmt::memory_buffer out;
    auto at = std::back_inserter(out);
    for (const auto& [name, family] : snapshot) {
        fmt::format_to(at, "# HELP {} {}\n# TYPE {} {}\n", name, escape(family.help, false), name,
                       kindName(family.kind));
        for (const auto& [labels, sample] : family.samples) {
            if (family.kind == Kind::Histogram) {
                writeHistogram(out, name, labels, sample);
            } else {
                fmt::format_to(at, "{}{} {}\n", name, labelText(labels), number(sample.value));
            }
        }
    }
    return fmt::to_string(out);
}

}  // namespace midonet::metrics
