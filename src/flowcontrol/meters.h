#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

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
    friend bool operator==(const MeterCount&, const MeterCount&) = default;
};

struct MeterHash {
    using is_avalanching = void;
    std::size_t operator()(flow::FlowTag tag) const noexcept { return mixHash(tag.value()); }
};
/// By metered tag.
using MeterCounts = boost::unordered_flat_map<flow::FlowTag, MeterCount, MeterHash>;

/// The meters of one worker: packets and bytes by each port, device and tunnel that they pass (FlowTag::isMetered()). Packets that
/// pass the same are on one path, which is what is counted: a flow costs the finding of its path when it begins, and an addition
/// when it ends. What the datapath has counted of flows that live is asked for when meters are read.
///
/// Belongs to its worker's thread. Grows with the paths of the flows there are, and the devices there were.
class Meters {
public:
    using Path = std::uint32_t;
    static constexpr Path kNone = 0xffffffffU;

    /// A packet that the agent has decided on; what it passes is among `tags` and `moreTags`. The path is good until the next call,
    /// unless it is held.
    Path count(std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags, std::size_t bytes);
    /// A flow of the path begins; or ends, and the datapath has counted this of it.
    void hold(Path path);
    void release(Path path, const MeterCount& flow);

    /// All that was counted. `live` gives what the datapath has counted, of all flows of each path, at the place of its number.
    MeterCounts read(std::span<const MeterCount> live) const;
    /// Paths are numbered below this.
    std::size_t size() const { return paths_.size(); }

private:
    struct Entry {
        std::vector<flow::FlowTag> tags;  // metered ones, each once
        std::uint64_t hash = 0;
        std::uint32_t flows = 0;
        MeterCount count;
    };
    Path add(std::uint64_t hash, std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags);
    void forgetIdlePaths();

    static constexpr std::size_t kIdlePaths = 1024;
    static constexpr std::size_t kMeters = 65'536;

    std::vector<Entry> paths_;
    std::vector<Path> free_;
    boost::unordered_flat_map<std::uint64_t, Path> byHash_;
    std::size_t idle_ = 0;  // paths without flows
    MeterCounts ended_;     // of paths that are gone
};

}  // namespace midonet::flowcontrol
