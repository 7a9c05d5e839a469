#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "agent/packet_worker.h"

namespace midonet::agent {

/// The packet workers, each on a thread and loop of its own. Made, used and ended on the control
/// loop.
class WorkerPool {
public:
    struct Options {
        PacketWorker::Options worker;
        /// All workers on this loop, which the caller runs, instead of threads: for simulations that own time.
        event::Loop* sharedLoop = nullptr;
    };
    /// What the workers report, on the control loop.
    using ReportCallback = std::function<void(datapath::WorkerIndex, const WorkerReport&)>;

    WorkerPool(event::Loop& control, datapath::Datapath& datapath, std::shared_ptr<flowstate::StateTable> states, Options options,
               ReportCallback onReport);
    /// Stops and joins the threads. Flows stay in the datapath.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Updates and questions are taken from now on; packets after WorkerUpdate::takePackets.
    void start();
    std::size_t size() const { return workers_.size(); }
    /// To look at, on the worker's loop.
    const PacketWorker& worker(std::size_t index) const { return *workers_.at(index).worker; }
    /// `merge` changes what is pending for each worker.
    void update(const std::function<void(WorkerUpdate&)>& merge);
    /// The same for one of them.
    void update(datapath::WorkerIndex worker, const std::function<void(WorkerUpdate&)>& merge);
    /// Asks every worker for a copy of its figures; `done` runs on the control loop.
    void collectStats(std::function<void(std::vector<WorkerStats>)> done);
    /// The same of their meters.
    void collectMeters(std::function<void(std::vector<flowcontrol::MeterCounts>)> done);

private:
    struct Slot {
        std::unique_ptr<event::Loop> ownLoop;  // nullptr: the shared one
        event::Loop* loop = nullptr;
        std::unique_ptr<event::CoalescingSlot<WorkerReport>> reports;
        std::unique_ptr<PacketWorker> worker;
        std::thread thread;
    };
    template <class T>
    void collect(T (PacketWorker::*ask)() const, std::function<void(std::vector<T>)> done);
    void tellOthers(datapath::WorkerIndex self, const std::function<void(WorkerUpdate&)>& merge);

    event::Loop& control_;
    std::vector<Slot> workers_;
};

}  // namespace midonet::agent
