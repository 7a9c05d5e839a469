#include "agent/worker_pool.h"

#include <pthread.h>

namespace midonet::agent {

WorkerPool::WorkerPool(event::Loop& control, datapath::Datapath& datapath, Options options, ReportCallback onReport)
    : control_(control) {
    for (unsigned i = 0; i < datapath.workerCount(); ++i) {
        Slot slot;
        if (options.sharedLoop == nullptr) slot.ownLoop = event::Loop::create(fmt::format("worker-{}", i));
        slot.loop = slot.ownLoop ? slot.ownLoop.get() : options.sharedLoop;
        slot.reports = std::make_unique<event::CoalescingSlot<WorkerReport>>(
            control, [i, onReport](const WorkerReport& report) { onReport(i, report); });
        slot.worker = std::make_unique<PacketWorker>(
            *slot.loop, datapath, i, options.worker, [reports = slot.reports.get()](const simulation::LearnMac& learned, bool held) {
                reports->update([&](WorkerReport& pending) {
                    auto& holding = pending.macs[learned];
                    holding.held = held;
                    holding.learned = holding.learned || held;
                });
            });
        workers_.push_back(std::move(slot));
    }
}

WorkerPool::~WorkerPool() {
    for (auto& slot : workers_) {
        if (!slot.thread.joinable()) continue;
        slot.loop->post([worker = slot.worker.get()] { worker->stop(); });
        slot.loop->stop();
        slot.thread.join();
    }
}

void WorkerPool::start() {
    for (auto& slot : workers_) {
        if (!slot.ownLoop) {
            slot.worker->start();
            continue;
        }
        slot.thread = std::thread([&slot] {
            pthread_setname_np(pthread_self(), slot.loop->name().c_str());
            slot.worker->start();
            slot.loop->run();
        });
    }
}

void WorkerPool::update(const std::function<void(WorkerUpdate&)>& merge) {
    for (auto& slot : workers_) slot.worker->updates().update(merge);
}

void WorkerPool::collectStats(std::function<void(std::vector<WorkerStats>)> done) {
    struct Gathering {
        std::vector<WorkerStats> stats;
        std::size_t missing;
        std::function<void(std::vector<WorkerStats>)> done;
    };
    auto gathering = std::make_shared<Gathering>(Gathering{std::vector<WorkerStats>(workers_.size()), workers_.size(), std::move(done)});
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i].loop->post([&control = control_, worker = workers_[i].worker.get(), gathering, i] {
            control.post([gathering, i, stats = worker->stats()] {
                gathering->stats[i] = stats;
                if (--gathering->missing == 0) gathering->done(std::move(gathering->stats));
            });
        });
    }
}

}  // namespace midonet::agent
