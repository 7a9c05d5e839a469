#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <span>

#include "flow/flow_tag.h"
#include "flowcontrol/meters.h"
#include "flowcontrol/slab.h"
#include "flowcontrol/tag_index.h"

namespace midonet::flowcontrol {

/// The paths that the packets of one worker take: which places (ports, devices, tunnels: FlowTag::isPlace()) they pass. A path
/// is kept once, however many flows take it; so a flow costs the finding of its path, and the flows through a place that changed
/// are found by the paths through it. Counts what passes: that is what meters show. What the datapath has counted of flows that
/// live is asked for when meters are read.
///
/// Belongs to its worker's thread. Grows with the paths of the flows there are, and the devices there were.
class Paths {
public:
    using Path = std::uint32_t;

    /// The path of a packet or flow with these tags. It is good until the next call, unless it is held.
    Path find(std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags);
    /// A packet that the agent has decided on takes it.
    void count(Path path, std::size_t bytes) { paths_[path].count += {1, bytes}; }
    /// A flow of the path begins; or ends, and the datapath has counted this of it.
    void hold(Path path);
    void release(Path path, const MeterCount& flow);

    /// `visit` must not look for paths.
    template <class Visit>
    void forEachThrough(flow::FlowTag place, const Visit& visit) const {
        byPlace_.forEachHolder(place, visit);
    }

    /// All that was counted. `live` gives what the datapath has counted, of all flows of each path, at the place of its number.
    MeterCounts read(std::span<const MeterCount> live) const;
    /// Paths are numbered below this.
    std::size_t size() const { return paths_.size(); }
    /// Forgets paths without flows, but not what they counted.
    void giveBackMemory();

private:
    struct Entry {
        std::uint64_t hash = 0;
        MeterCount count;
        std::uint32_t firstPlace = kNoIndex;  // in byPlace_
        std::uint32_t flows = 0;              // or the next free one
        bool used = false;

        bool inUse() const { return used; }
        std::uint32_t& nextFree() { return flows; }
    };
    using Places = boost::container::small_vector<flow::FlowTag, 16>;

    bool hasPlaces(Path path, const Places& places) const;
    Path add(std::uint64_t hash, const Places& places);
    void addTo(MeterCounts& meters, const Entry& entry, const MeterCount& count) const;
    void forgetIdle();

    static constexpr std::size_t kIdlePaths = 1024;
    static constexpr std::size_t kMeters = 65'536;

    Slab<Entry> paths_;
    TagIndex byPlace_;
    boost::unordered_flat_map<std::uint64_t, Path> byHash_;
    std::size_t used_ = 0;
    std::size_t idle_ = 0;  // of those, without flows
    MeterCounts ended_;     // of paths that are gone
};

}  // namespace midonet::flowcontrol
