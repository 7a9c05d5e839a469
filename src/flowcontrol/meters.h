#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <numeric>
#include <span>

#include "flow/flow_tag.h"

namespace midonet::flowcontrol {

/// What a meter has counted.
struct MeterCount {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    MeterCount& operator+=(const MeterCount& other) {
        packets += other.packets;
        bytes += other.bytes;
        return *this;
    }
    friend MeterCount operator+(MeterCount a, const MeterCount& b) { return a += b; }
    friend bool operator==(const MeterCount&, const MeterCount&) = default;
};

inline MeterCount sumOf(std::span<const MeterCount> counts) { return std::accumulate(counts.begin(), counts.end(), MeterCount{}); }

struct MeterHash {
    using is_avalanching = void;
    std::size_t operator()(flow::FlowTag tag) const noexcept { return mixHash(tag.value()); }
};
/// By metered tag.
using MeterCounts = boost::unordered_flat_map<flow::FlowTag, MeterCount, MeterHash>;

}  // namespace midonet::flowcontrol
