#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "agent/arp_broker.h"
#include "agent/learned_macs.h"
#include "flow/drop_reason.h"
#include "flow/flow_tag.h"
#include "flowcontrol/flow_table.h"
#include "flowcontrol/physical_map.h"
#include "flowstate/nat_ports.h"
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

/// An address on a bridge, as its ARP table has it.
struct BridgeNeighbour {
    BridgeId bridge;
    net::Ipv4Address address;
    friend auto operator<=>(const BridgeNeighbour&, const BridgeNeighbour&) = default;
};

/// Control loop -> worker. Coalesced: newest snapshot and map, union of tags, newest change per key.
struct WorkerUpdate {
    topology::TopologySnapshotPtr snapshot;  ///< nullptr: unchanged.
    flowcontrol::PhysicalMapPtr map;         ///< nullptr: unchanged.
    std::vector<flow::FlowTag> invalidated;
    std::vector<topology::RouteChange> routes;
    MacChangeSet macs;
    std::map<Neighbour, std::optional<topology::RouterArpEntry>> arps;      ///< nullopt: gone.
    std::map<BridgeNeighbour, std::optional<net::Mac>> bridgeArps;          ///< nullopt: gone.
    std::vector<flowstate::NatBlockId> natBlocks;                           ///< Leased for this worker.
    std::vector<flowstate::StateEntry> expired;                             ///< Connection state that is gone.
    std::vector<std::vector<std::uint8_t>> stateFrames;                     ///< Answers that another worker read.
    bool flushFlows = false;
};

/// Worker -> control loop. Coalesced per thing learned.
struct WorkerReport {
    struct Holding {
        bool learned = false;  ///< A first flow that carries it came since the last report.
        bool held = false;     ///< Some flow carries it now.
    };
    LearnMacMap<Holding> macs;
    std::map<Neighbour, net::Mac> arps;
    std::map<BridgeNeighbour, net::Mac> bridgeArps;
    std::vector<simulation::LeaseNatBlock> wantedBlocks;
    std::vector<flowstate::NatBlockId> idleBlocks;
    std::vector<flowstate::StateEntry> states;  ///< Made here, or told by other hosts.
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
    std::uint64_t framesMade = 0;        // ARP, ICMP: by virtual devices
    std::uint64_t errorsWithheld = 0;    // ICMP errors beyond the rate of their port
    std::uint64_t stateMessagesSent = 0;
    std::uint64_t stateMessagesResent = 0;
    std::uint64_t stateMessagesRead = 0;
    std::uint64_t stateMessagesBad = 0;
    std::uint64_t stateMessagesLost = 0; // never acknowledged
    std::uint64_t flows = 0;          // now
    std::uint64_t waitingPackets = 0; // now
    std::uint64_t earlyPackets = 0;   // now
    std::uint64_t learnedMacs = 0;    // now
    std::uint64_t macEntries = 0;     // now
    std::uint64_t natBlocks = 0;      // now
    std::uint64_t natPortsTaken = 0;  // now
    std::array<std::uint64_t, flowcontrol::kRemovalReasonCount> flowsRemoved{};
    std::array<std::uint64_t, flow::kDropReasonCount> drops{};
};

}  // namespace midonet::agent
