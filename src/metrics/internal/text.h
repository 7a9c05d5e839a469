#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/registry.h"

namespace midonet::metrics {

enum class Kind : std::uint8_t { Counter, Gauge, Histogram };

/// The value of one name and label set at one moment.
struct Sample {
    double value = 0;
    std::vector<double> bounds;          // histograms
    std::vector<std::uint64_t> buckets;  // histograms; one more than bounds
};

struct Family {
    Kind kind = Kind::Counter;
    std::string help;
    std::map<Labels, Sample> samples;
};

using Snapshot = std::map<std::string, Family, std::less<>>;

std::string toPrometheusText(const Snapshot& snapshot);

}  // namespace midonet::metrics
