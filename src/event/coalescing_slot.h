#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "event/loop.h"

namespace midonet::event {

/// One-way hand-over of state where only the sum of changes counts: writers merge into one pending
/// `Value`, the reader's loop gets it whole. Never full and never lost: its size is bounded by what
/// `Value` can hold (newest topology, set of tags, net counts per key).
template <class Value>
class CoalescingSlot {
public:
    using Handler = std::function<void(Value)>;

    CoalescingSlot(Loop& reader, Handler handler) : state_(std::make_shared<State>(reader, std::move(handler))) {}
    /// Reader's thread. What is pending is dropped.
    ~CoalescingSlot() {
        const std::lock_guard lock(state_->mutex);
        state_->closed = true;
    }
    CoalescingSlot(const CoalescingSlot&) = delete;
    CoalescingSlot& operator=(const CoalescingSlot&) = delete;

    /// Any thread: `merge(value)` changes what is pending; keep it short, a lock is held.
    template <class Merge>
    void update(Merge&& merge) {
        bool wake = false;
        {
            const std::lock_guard lock(state_->mutex);
            if (state_->closed) return;
            merge(state_->pending);
            wake = !std::exchange(state_->posted, true);
        }
        if (wake) state_->reader.post([state = state_] { state->deliver(); });
    }

private:
    struct State {
        State(Loop& r, Handler h) : reader(r), handler(std::move(h)) {}
        void deliver() {
            Value value{};
            {
                const std::lock_guard lock(mutex);
                posted = false;
                if (closed) return;
                value = std::exchange(pending, Value{});
            }
            handler(std::move(value));
        }
        Loop& reader;
        Handler handler;
        std::mutex mutex;
        Value pending{};      // guarded by mutex
        bool posted = false;  // guarded by mutex
        bool closed = false;  // guarded by mutex
    };
    std::shared_ptr<State> state_;
};

}  // namespace midonet::event
