#include "http/internal/lane.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/uuid.h"
#include "http/internal/session.h"

namespace midonet::http::internal {

using boost::system::error_code;

const std::string& Lane::date() {
    const auto now = std::time(nullptr);
    if (now != dateSecond_) {
        dateSecond_ = now;
        date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
    }
    return date_;
}

std::string Lane::newRequestId() {
    static const std::string process = Uuid::random().toString().substr(0, 13);
    return fmt::format("{}-{}-{}", process, index, ++requests_);
}

void Lane::add(Session& session) {
    sessions.insert(&session);
    if (!ticking_) tick();
}

void Lane::tick() {
    ticking_ = !sessions.empty();
    if (!ticking_) return;
    const auto& limits = options->limits;
    const auto shortest = std::min({limits.idle, limits.header, limits.request, limits.write});
    ticker_.expires_after(std::clamp<event::Duration>(shortest / 8, std::chrono::milliseconds{5}, std::chrono::seconds{1}));
    // Weak: an idle server leaves nothing behind on the loop.
    ticker_.async_wait([weak = weak_from_this()](error_code error) {
        const auto lane = weak.lock();
        if (!lane || error) return;
        const auto now = std::chrono::steady_clock::now();
        for (auto* session : lane->sessions) session->checkDeadline(now);
        lane->tick();
    });
}

void Lane::closeIdle() {
    for (auto* session : sessions)
        if (session->idle()) session->wake();
}

void Lane::drain() {
    draining = true;
    for (auto* session : sessions) session->endStream();
}

void Lane::closeAll() {
    draining = true;
    for (auto* session : sessions) session->cut();
}

}  // namespace midonet::http::internal
