#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "agent/learned_macs.h"
#include "agent/waiting_room.h"
#include "agent/worker_messages.h"
#include "base/log.h"
#include "datapath/datapath.h"
#include "event/coalescing_slot.h"
#include "event/loop.h"
#include "flowcontrol/flow_table.h"
#include "simulation/mac_tables.h"
#include "simulation/simulator.h"

namespace midonet::agent {

/// Handles the upcalls of its share of the ports: simulate, translate, install the flow, execute the
/// packet. Owns its flows, its view of the MAC tables and its waiting packets.
///
/// Runs on one loop; nothing of it is touched by other threads but `update()`.
class PacketWorker {
public:
    struct Options {
        std::size_t maxMacsPerPort = 4096;
    };
    /// A MAC got its first flow (held) or lost its last one. Called on the worker's thread; has to hand
    /// over (CoalescingSlot).
    using ReportMac = std::function<void(const simulation::LearnMac& learned, bool held)>;

    PacketWorker(event::Loop& loop, datapath::Datapath& datapath, datapath::WorkerIndex index, Options options,
                 ReportMac reportMac);
    ~PacketWorker();
    PacketWorker(const PacketWorker&) = delete;
    PacketWorker& operator=(const PacketWorker&) = delete;

    /// Starts reading upcalls. Worker's thread.
    void start();
    void stop();

    /// Any thread.
    event::CoalescingSlot<WorkerUpdate>& updates() { return updates_; }

    /// Worker's thread: handle what waits now. For tests and benchmarks that own the loop.
    std::size_t drainUpcalls();
    WorkerStats stats() const;
    const flowcontrol::FlowTable& flows() const { return flows_; }
    const simulation::MacTables& macs() const { return macs_; }
    const topology::TopologySnapshotPtr& snapshot() const { return snapshot_; }

private:
    void apply(WorkerUpdate update);
    void onUpcall(const datapath::Upcall& upcall);
    void handle(const datapath::Upcall& upcall, const WaitingRoom::Waiting* waited);
    void untunnel(const datapath::Upcall& upcall);
    void forward(const datapath::Upcall& upcall, const simulation::Forward& result);
    void drop(const datapath::Upcall& upcall, const simulation::Decision& decision, flow::DropReason reason,
              simulation::FlowClass flowClass);
    void install(const datapath::Upcall& upcall, const simulation::Decision& decision,
                 const flow::FlowActions& actions, const flow::FlowTags& moreTags, simulation::FlowClass flowClass);
    void execute(const datapath::Upcall& upcall, const flow::FlowActions& actions);
    /// Takes the effects of a decision; false when a MAC was refused (its port has too many).
    bool hold(const simulation::Effects& effects);
    void release(const simulation::Effects& effects);
    void changeMac(const topology::MacChange& change);
    void housekeeping();
    void count(flow::DropReason reason) { ++stats_.drops[static_cast<std::size_t>(reason)]; }

    event::Loop& loop_;
    datapath::Datapath& datapath_;
    const datapath::WorkerIndex index_;
    ReportMac reportMac_;

    topology::TopologySnapshotPtr snapshot_ = std::make_shared<topology::TopologySnapshot>();
    flowcontrol::PhysicalMapPtr map_ = std::make_shared<flowcontrol::PhysicalMap>();
    simulation::MacTables macs_;
    LearnedMacs learned_;
    flowcontrol::FlowTable flows_;
    WaitingRoom waiting_;
    WorkerStats stats_;
    LogLimiter errorLog_{std::chrono::seconds{1}, 5};

    event::CoalescingSlot<WorkerUpdate> updates_;
    event::HandlePtr readable_;
    event::HandlePtr timer_;
};

}  // namespace midonet::agent
