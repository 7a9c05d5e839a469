#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "http/internal/lane.h"

namespace midonet::http::internal {

/// Something that any thread may give and a connection waits for; touched on the connection's loop only.
template <class T>
struct Pending {
    explicit Pending(asio::io_context& io) : waker(io) {}
    asio::steady_timer waker;
    std::optional<T> value;

    static void give(const Lane& lane, const std::shared_ptr<Pending>& pending, T value) {
        if (lane.loop.isCurrent()) return pending->take(std::move(value));
        asio::post(lane.io, [pending, v = std::move(value)]() mutable { pending->take(std::move(v)); });
    }

private:
    void take(T given) {
        value = std::move(given);
        waker.cancel();
    }
};

}  // namespace midonet::http::internal
