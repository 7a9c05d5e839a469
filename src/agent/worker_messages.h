#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "agent/learned_macs.h"
#include "flow/drop_reason.h"
#include "flow/flow_tag.h"
#include "flowcontrol/flow_table.h"
#include "flowcontrol/physical_map.h"
#include "topology/device_tracker.h"
#include "topology/snapshot.h"

namespace midonet::agent {

/// Orders MAC changes by what they are about, so that a newer one replaces an older one.
struct MacChangeOrder {
    bool operator()(const topology::MacChange& a, const topology::MacChange& b) const {
        return std::tie(a.bridge, a.vlan, a.mac) < std::tie(b.bridge, b.vlan, b.mac);
    }
};
using MacChangeSet = std::set<topology::MacChange, MacChangeOrder>;

/// Control loop -> worker. Coalesced: newest snapshot and map, union of tags, newest change per MAC.
struct WorkerUpdate {
    topology::TopologySnapshotPtr snapshot;  ///< nullptr: unchanged.
    flowcontrol::PhysicalMapPtr map;         ///< nullptr: unchanged.
    std::vector<flow::FlowTag> invalidated;
    MacChangeSet macs;
    bool flushFlows = false;
};

/// Worker -> control loop. Coalesced per learned MAC.
struct WorkerReport {
    struct Holding {
        bool learned = false;  ///< A first flow that carries it came since the last report.
        bool held = false;     ///< Some flow carries it now.
    };
    LearnMacMap<Holding> macs;
};

/// A copy of one worker's figures; counters since start.
struct WorkerStats {
    std::uint64_t upcalls = 0;
    std::uint64_t simulations = 0;
    std::uint64_t untunnelled = 0;
    std::uint64_t packetsExecuted = 0;
    std::uint64_t executeErrors = 0;
    std::uint64_t installErrors = 0;
    std::uint64_t flowsInstalled = 0;
    std::uint64_t invalidations = 0;
    std::uint64_t macsRefused = 0;
    std::uint64_t flows = 0;          // now
    std::uint64_t waitingPackets = 0; // now
    std::uint64_t learnedMacs = 0;    // now
    std::uint64_t macEntries = 0;     // now
    std::array<std::uint64_t, flowcontrol::kRemovalReasonCount> flowsRemoved{};
    std::array<std::uint64_t, flow::kDropReasonCount> drops{};
};

}  // namespace midonet::agent
