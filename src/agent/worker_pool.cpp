#include "agent/worker_pool.h"

#include <pthread.h>

namespace midonet::agent {

WorkerPool::WorkerPool(event::Loop& control, datapath::Datapath& datapath, std::shared_ptr<flowstate::StateTable> states, Options options,
                       ReportCallback onReport)
    : control_(control) {
    for (unsigned i = 0; i < datapath.workerCount(); ++i) {
        Slot slot;
        if (options.sharedLoop == nullptr) slot.ownLoop = event::Loop::create(fmt::format("worker-{}", i));
        slot.loop = slot.ownLoop ? slot.ownLoop.get() : options.sharedLoop;
        slot.reports = std::make_unique<event::CoalescingSlot<WorkerReport>>(
            control, [i, onReport](const WorkerReport& report) { onReport(i, report); });
        PacketWorker::Outside outside{
            [reports = slot.reports.get()](const std::function<void(WorkerReport&)>& merge) { reports->update(merge); },
            [this, i](const std::function<void(WorkerUpdate&)>& merge) { tellOthers(i, merge); }};
        slot.worker = std::make_unique<PacketWorker>(*slot.loop, datapath, i, states, options.worker, std::move(outside));
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
        if (!slot.ownLoop) continue;
        slot.thread = std::thread([&slot] {
            pthread_setname_np(pthread_self(), slot.loop->name().c_str());
            slot.loop->run();
        });
    }
}

void WorkerPool::update(const std::function<void(WorkerUpdate&)>& merge) {
    for (auto& slot : workers_) slot.worker->updates().update(merge);
}

void WorkerPool::update(datapath::WorkerIndex worker, const std::function<void(WorkerUpdate&)>& merge) {
    workers_.at(worker).worker->updates().update(merge);
}

/// On any worker's thread: the slots are made before the first worker starts.
void WorkerPool::tellOthers(datapath::WorkerIndex self, const std::function<void(WorkerUpdate&)>& merge) {
    for (unsigned i = 0; i < workers_.size(); ++i)
        if (i != self) workers_[i].worker->updates().update(merge);
}

template <class T>
void WorkerPool::collect(T (PacketWorker::*ask)() const, std::function<void(std::vector<T>)> done) {
    struct Gathering {
        std::vector<T> answers;
        std::size_t missing;
        std::function<void(std::vector<T>)> done;
    };
    auto gathering = std::make_shared<Gathering>(Gathering{std::vector<T>(workers_.size()), workers_.size(), std::move(done)});
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i].loop->post([&control = control_, worker = workers_[i].worker.get(), gathering, i, ask] {
            control.post([gathering, i, answer = (worker->*ask)()]() mutable {
                gathering->answers[i] = std::move(answer);
                if (--gathering->missing == 0) gathering->done(std::move(gathering->answers));
            });
        });
    }
}

void WorkerPool::collectStats(std::function<void(std::vector<WorkerStats>)> done) { collect(&PacketWorker::stats, std::move(done)); }

void WorkerPool::collectMeters(std::function<void(std::vector<flowcontrol::MeterCounts>)> done) {
    collect(&PacketWorker::meters, std::move(done));
}

}  // namespace midonet::agent
