#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "agent/arp_broker.h"
#include "agent/learned_macs.h"
#include "agent/waiting_room.h"
#include "flow/drop_reason.h"
#include "flow/flow_tag.h"
#include "flowcontrol/flow_table.h"
#include "flowcontrol/physical_map.h"
#include "flowstate/nat_ports.h"
#include "simulation/nat.h"
#include "simulation/simulation_result.h"
#include "simulation/trace.h"
#include "topology/device_tracker.h"
#include "topology/snapshot.h"
#include "tracing/tracer.h"

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

/// A packet tracer as a worker has it: how many packets more it tells of.
struct LiveTracer {
    tracing::TracerId id = 0;
    tracing::PacketMatch match;
    std::uint32_t left = 0;
};
using LiveTracers = std::vector<LiveTracer>;

/// What became of a packet that tracers tell of.
struct TracedPacket {
    std::vector<tracing::TracerId> tracers;
    bool again = false;  ///< It has waited, and was told of before.
    event::WallTime time{};
    PortId port;         ///< Where it came in; nil: out of a tunnel.
    flow::FlowKey key;
    simulation::SimulationResult result;
    simulation::Trace steps;
    std::optional<flow::DropReason> dropped;  ///< After the simulation, or instead of what it says.
    bool waits = false;                       ///< For the state of its connection.
    topology::TopologySnapshotPtr topology;   ///< That it passed through.
};

/// Control loop and other workers -> worker. Coalesced: newest snapshot and map, newest change per key. The lists grow only with
/// what a worker has to hear each time: each block is leased to it once, each entry expires once (another binding of the same
/// key holds another port).
struct WorkerUpdate {
    topology::TopologySnapshotPtr snapshot;  ///< nullptr: unchanged.
    flowcontrol::PhysicalMapPtr map;         ///< nullptr: unchanged.
    std::vector<flow::FlowTag> invalidated;  ///< invalidate().
    std::vector<topology::RouteChange> routes;
    MacChangeSet macs;
    std::map<Neighbour, std::optional<topology::RouterArpEntry>> arps;      ///< nullopt: gone.
    std::map<BridgeNeighbour, std::optional<net::Mac>> bridgeArps;          ///< nullopt: gone.
    std::map<flowstate::NatBlockId, bool> natBlocks;                        ///< Leased for this worker; false: it was ours before a restart.
    std::vector<flowstate::StateEntry> expired;                             ///< Connection state that is gone.
    std::vector<std::vector<std::uint8_t>> stateFrames;                     ///< Answers that another worker read: addStateFrame().
    bool flushFlows = false;                                                ///< All flows end, and all that waits is tried again.
    std::optional<LiveTracers> tracers;                                     ///< nullopt: unchanged.
    bool takePackets = false;                                               ///< The worker knows enough to begin.

    static constexpr std::size_t kMaxInvalidated = 65'536;
    /// Flows with one of these tags end, and what waits for one is tried again. A worker that is far behind ends all of its flows
    /// instead; of hosts that are to know connections, each is to be told apart all the same.
    void invalidate(std::span<const flow::FlowTag> tags) {
        const auto isPeers = [](flow::FlowTag tag) { return tag.kind() == flow::FlowTag::Kind::StatePeers; };
        if (!flushFlows && invalidated.size() + tags.size() > kMaxInvalidated) {
            flushFlows = true;
            std::erase_if(invalidated, [&](flow::FlowTag tag) { return !isPeers(tag); });
        }
        std::copy_if(tags.begin(), tags.end(), std::back_inserter(invalidated), [&](flow::FlowTag tag) { return !flushFlows || isPeers(tag); });
    }
    void invalidate(flow::FlowTag tag) { invalidate(std::span{&tag, 1}); }

    static constexpr std::size_t kMaxStateFrames = 1024;
    /// One too many is left out: what is not answered is told again.
    void addStateFrame(ByteView frame) {
        if (stateFrames.size() < kMaxStateFrames) stateFrames.emplace_back(frame.begin(), frame.end());
    }
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
    std::map<flow::FlowTag, simulation::LeaseNatBlock> wantedBlocks;  ///< By simulation::natBlockTag(): once for device and ranges.
    std::vector<flowstate::NatBlockId> idleBlocks;
    /// Connections made here, or told by other hosts, for the file: add(). A key may come again; the last one counts.
    std::vector<flowstate::StateEntry> states;
    std::vector<TracedPacket> traced;             ///< add().
    std::map<tracing::TracerId, std::uint32_t> untold;     ///< Packets that were too many, by tracer.

    static constexpr std::size_t kMaxTraced = 256;
    void add(TracedPacket packet) {
        if (traced.size() < kMaxTraced) return traced.push_back(std::move(packet));
        if (packet.again) return;
        for (const auto id : packet.tracers) ++untold[id];
    }

    static constexpr std::size_t kMaxStates = 1'000'000;
    void add(const simulation::LeaseNatBlock& wanted) {
        wantedBlocks.try_emplace(simulation::natBlockTag(wanted.device, wanted.ranges), wanted);
    }
    /// Those too many are left out: what is in use comes to the file again.
    void add(std::span<const flowstate::StateEntry> entries) {
        const auto count = std::min(entries.size(), kMaxStates - states.size());
        states.insert(states.end(), entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count));
    }
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
