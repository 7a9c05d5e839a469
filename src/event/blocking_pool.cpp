#include "event/blocking_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace midonet::event {

struct BlockingPool::State {
    void serve() {
        ::pthread_setname_np(::pthread_self(), "blocking");
        while (true) {
            Callback work;
            {
                std::unique_lock lock(mutex);
                changed.wait(lock, [this] { return closing || !queue.empty(); });
                if (queue.empty()) return;
                work = std::move(queue.front());
                queue.pop_front();
            }
            work();
        }
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Callback> queue;  // guarded by mutex
    bool closing = false;        // guarded by mutex
    std::size_t capacity = 0;
    std::vector<std::thread> threads;
    Loop* loop = nullptr;  // instead of threads
};

BlockingPool::BlockingPool(std::size_t threads, std::size_t capacity)
    : state_(std::make_unique<State>()) {
    MIDONET_ASSERT(threads > 0 && capacity > 0, "a pool without threads or room never works");
    state_->capacity = capacity;
    for (std::size_t i = 0; i < threads; ++i)
        state_->threads.emplace_back([state = state_.get()] { state->serve(); });
}

BlockingPool::BlockingPool(Loop& loop) : state_(std::make_unique<State>()) { state_->loop = &loop; }

BlockingPool::~BlockingPool() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->closing = true;
    }
    state_->changed.notify_all();
    for (auto& thread : state_->threads) thread.join();
}

bool BlockingPool::submit(Callback work) {
    if (state_->loop != nullptr) {
        state_->loop->post(std::move(work));
        return true;
    }
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->queue.size() >= state_->capacity) return false;
        state_->queue.push_back(std::move(work));
    }
    state_->changed.notify_one();
    return true;
}

bool BlockingPool::submit(Callback work, Loop& loop, Callback done) {
    return submit([work = std::move(work), &loop, done = std::move(done)]() mutable {
        work();
        loop.post(std::move(done));
    });
}

}  // namespace midonet::event
