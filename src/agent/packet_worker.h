#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "agent/arp_broker.h"
#include "agent/error_limiter.h"
#include "agent/learned_macs.h"
#include "agent/routed_blocks.h"
#include "agent/state_sharing.h"
#include "agent/waiting_room.h"
#include "agent/worker_messages.h"
#include "base/log.h"
#include "datapath/datapath.h"
#include "event/coalescing_slot.h"
#include "event/loop.h"
#include "flowcontrol/flow_table.h"
#include "flowstate/nat_ports.h"
#include "flowstate/state_table.h"
#include "simulation/simulator.h"
#include "simulation/worker_state.h"

namespace midonet::agent {

/// Handles the upcalls of its share of the ports: simulate, translate, share connection state, install the flow,
/// execute the packet. Owns its flows, its view of the learned tables, its NAT ports and its waiting packets.
///
/// Runs on one loop; nothing of it is touched by other threads but `update()`. The connection state is one
/// for all workers of the host (flowstate::StateTable).
class PacketWorker {
public:
    struct Options {
        HostId self;
        std::size_t maxMacsPerPort = 4096;
    };
    /// How it tells others. Called on the worker's thread; have to hand over (CoalescingSlot).
    struct Outside {
        /// Merges news into what the control loop will read.
        std::function<void(const std::function<void(WorkerReport&)>&)> report;
        /// Merges news into what the other workers of the host will read.
        std::function<void(const std::function<void(WorkerUpdate&)>&)> tellOthers;
    };

    PacketWorker(event::Loop& loop, datapath::Datapath& datapath, datapath::WorkerIndex index,
                 std::shared_ptr<flowstate::StateTable> states, Options options, Outside outside);
    ~PacketWorker();
    PacketWorker(const PacketWorker&) = delete;
    PacketWorker& operator=(const PacketWorker&) = delete;

    /// Reads upcalls from now on. Called by the update that says so, or by who has no control loop. Worker's thread.
    void takePackets();
    void stop();

    /// Any thread.
    event::CoalescingSlot<WorkerUpdate>& updates() { return updates_; }

    /// Worker's thread: handle what waits now. For tests and benchmarks that own the loop.
    std::size_t drainUpcalls();
    WorkerStats stats() const;
    flowcontrol::MeterCounts meters() const { return flows_.readMeters(); }
    const flowcontrol::FlowTable& flows() const { return flows_; }
    const simulation::WorkerState& state() const { return state_; }
    const topology::TopologySnapshotPtr& snapshot() const { return snapshot_; }

private:
    /// A packet at a virtual port, from wherever: an upcall, the waiting room, a virtual device.
    struct Subject {
        const flow::FlowKey& key;
        ByteView frame;
        datapath::Offload offload;
        datapath::UpcallReason reason;
        PortId port;
        bool leaves = false;
        event::TimePoint arrived{};
        std::span<const tracing::TracerId> tracers{};  ///< That tell of it: hardly ever any.
        bool waited = false;
    };

    void apply(WorkerUpdate update);
    void onUpcall(const datapath::Upcall& upcall);
    void answerTooBig(const datapath::Upcall& upcall, const PortId& port);
    void untunnel(const datapath::Upcall& upcall);
    void dropUnknown(const datapath::Upcall& upcall);
    void process(const Subject& subject);
    void processHeld(const HeldPacket& packet);
    /// The tracers that a packet counts for.
    std::vector<tracing::TracerId> tracersOf(const flow::FlowKey& key);
    /// Tells of the packet, if there are tracers for it. `dropped`: why nothing of it left, after the simulation or in its place.
    void tell(const Subject& subject, const simulation::SimulationResult& result, std::optional<flow::DropReason> dropped,
              simulation::Trace steps = {}, bool waits = false);

    /// Why nothing of the packet left; nullopt: something did, a device has it, or it waits.
    using Dropped = std::optional<flow::DropReason>;
    Dropped decide(const Subject& subject, const simulation::SimulationResult& result, bool lastTry);
    Dropped forward(const Subject& subject, const simulation::Forward& result);
    Dropped drop(const Subject& subject, const simulation::Decision& decision, flow::DropReason reason);
    Dropped park(const Subject& subject, flow::FlowTag until);
    Dropped execute(const Subject& subject, const flow::FlowActions& actions);
    /// Holds the packet back if the state of its connection seems to be on its way from another host.
    bool awaitsState(const Subject& subject, const simulation::SimulationResult& result);
    bool opensConnection(const simulation::Decision& decision) const;
    void decideEarly();
    static HeldPacket copyOf(const Subject& subject);
    /// They are tried again when all of the change, and the packet that brought it, are done with.
    void wake(std::vector<HeldPacket> packets);
    void install(const Subject& subject, const simulation::Decision& decision, const flow::FlowActions& actions,
                 const flow::FlowTags& moreTags, simulation::FlowClass flowClass);
    void teach(const Subject& subject, const simulation::Decision& decision);
    /// A device has answered or taken the packet: the next one is for it too. Meters count it.
    void stayWithoutFlow(const Subject& subject, const simulation::Decision& decision);
    static flow::FlowTags tagsOf(const Subject& subject, const simulation::Decision& decision);

    /// What becomes of the packet whose events are taken.
    enum class Ending : std::uint8_t { Leaves, Answered, Stays, Waits };
    static bool happens(const simulation::Event& event, Ending ending);
    /// What happens once. False: the state of the connection could not be kept.
    bool take(const simulation::Events& events, Ending ending);
    /// Sends the frames among them; false when there was none, or none may be sent now.
    bool answer(const simulation::Events& events);
    bool sendFrame(const simulation::SendFrame& event);
    void sendMadeFrames();
    void settle();
    /// Takes the effects of a decision; false when a MAC was refused (its port has too many).
    bool hold(const simulation::Effects& effects);
    bool holdMac(const simulation::LearnMac& learned);
    void releaseMac(const simulation::LearnMac& learned);
    void release(const simulation::Effects& effects);
    void flowEnded(const flowcontrol::FlowTable::Kept& kept);
    void share(const Subject& subject, const simulation::Forward& result, flow::FlowTags& tags);
    /// New connections, for the file that the next process reads.
    void save(std::span<const flowstate::StateEntry> entries);

    void changeMac(const topology::MacChange& change);
    void changeArp(const Neighbour& neighbour, const std::optional<topology::RouterArpEntry>& entry);
    void changeBridgeArp(const BridgeNeighbour& neighbour, const std::optional<net::Mac>& mac);
    void learnArp(const simulation::LearnArp& learned);
    void addNatBlock(const flowstate::NatBlockId& block, bool isNew);
    void onStateFrame(ByteView frame);
    void startOver();
    void moveStates(const std::vector<flow::FlowTag>& invalidated);
    void awaitAnswers();
    void invalidateElsewhere(const std::vector<flow::FlowTag>& tags);
    void sendState(const HostId& peer, ByteView frame);
    void changed(flow::FlowTag tag);
    void changed(const std::vector<flow::FlowTag>& tags);
    void retryStates();
    void housekeeping();
    void forgetState(const flowstate::StateEntry& entry);
    flow::DropReason count(flow::DropReason reason) {
        ++stats_.drops[static_cast<std::size_t>(reason)];
        return reason;
    }

    event::Loop& loop_;
    datapath::Datapath& datapath_;
    const datapath::WorkerIndex index_;
    Outside outside_;

    topology::TopologySnapshotPtr snapshot_ = std::make_shared<topology::TopologySnapshot>();
    flowcontrol::PhysicalMapPtr map_ = std::make_shared<flowcontrol::PhysicalMap>();
    std::shared_ptr<flowstate::StateTable> states_;
    flowstate::NatPorts natPorts_;
    simulation::WorkerState state_;
    LearnedMacs learned_;
    RoutedBlocks routed_;
    ArpBroker arp_;
    StateSharing sharing_;
    ErrorLimiter errors_;
    flowcontrol::FlowTable flows_;
    WaitingRoom waiting_;
    /// Packets that may have overtaken the state of their connection. Few: beyond them, as in a flood, what is to be
    /// dropped is dropped at once, so that it costs no more than one simulation each.
    WaitingRoom early_{{.packets = 64, .packetsPerTag = 16, .patience = std::chrono::milliseconds{5}}};
    std::deque<simulation::SendFrame> made_;     // by virtual devices, to be sent
    std::vector<HeldPacket> woken_;              // to be tried again
    std::vector<flowstate::StateEntry> unsaved_;  // new connections that the control loop has not been told of
    LiveTracers tracers_;                        // empty but while somebody traces
    WorkerStats stats_;
    LogLimiter errorLog_{std::chrono::seconds{1}, 5};

    event::CoalescingSlot<WorkerUpdate> updates_;
    event::HandlePtr readable_;
    event::HandlePtr timer_;
    event::HandlePtr retryTimer_;  // while messages to other hosts wait for their answers
    event::HandlePtr earlyTimer_;  // while there are early packets
    event::HandlePtr saveTimer_;   // while there are unsaved connections
};

}  // namespace midonet::agent
