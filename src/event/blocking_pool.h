#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "event/loop.h"

namespace midonet::event {

/// A few threads for work that blocks (fsync, a store transaction, DNS). Bounded queue.
class BlockingPool {
public:
    BlockingPool(std::size_t threads, std::size_t capacity);
    /// Has no threads: the loop does the work itself, in turn. For virtual time, where the same is to happen each time.
    explicit BlockingPool(Loop& loop);
    /// Finishes what is queued, then joins.
    ~BlockingPool();
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    /// Runs `work` on a pool thread. False when the queue is full (nothing queued). Any thread.
    bool submit(Callback work);
    /// The same, then posts `done` to `loop`.
    bool submit(Callback work, Loop& loop, Callback done);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace midonet::event
