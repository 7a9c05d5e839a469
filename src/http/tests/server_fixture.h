#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "event/blocking_pool.h"
#include "http/server.h"
#include "http/testing/client.h"

namespace midonet::http {

using namespace std::chrono_literals;
using testing::Client;

/// A server on its own threads. The handler echoes, or does as the path says.
class ServerTest : public ::testing::Test {
protected:
    void start(Limits limits = {}, std::size_t threads = 1) {
        std::vector<event::Loop*> loops;
        for (std::size_t i = 0; i < threads; ++i) {
            loops_.push_back(event::Loop::create("http"));
            loops.push_back(loops_.back().get());
        }
        ServerOptions options;
        options.limits = limits;
        options.onFinished = onFinished_;
        auto server = Server::listen(loops, options, [this](RequestPtr request, const Responder& answer) {
            handle(*request, answer);
        });
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        for (auto* loop : loops) threads_.emplace_back([loop] { loop->run(); });
    }
    ~ServerTest() override {
        held_.clear();
        for (const auto& loop : loops_) loop->stop();
        for (auto& thread : threads_) thread.join();
        server_.reset();
        asking_ = {};
    }

    void handle(const Request& request, const Responder& answer) {
        if (request.path() == "/hold") {
            const std::lock_guard lock(mutex_);
            held_.push_back(answer);
            arrived_.set_value();
            return;
        }
        if (request.path() == "/forget") return;
        if (request.path() == "/big") return answer(Response::text(200, "text/plain", std::string(64 << 20, 'x')));
        if (request.path() == "/pieces") return answer(pieces(3));
        if (request.path() == "/broken") return answer(pieces(3, 2));
        if (request.path() == "/endless") return answer(pieces(-1));
        if (request.path() == "/stream") return answer(stream());
        if (request.path() == "/split") return answer(Response::text(200, "text/plain\r\nEvil: 1", "x"));
        auto response = Response::text(200, "text/plain", request.body.empty() ? request.target : request.body);
        response.headers.add("Location", "http://here/there");
        answer(std::move(response));
    }
    /// "0;" and then `count` more such numbers, each when it is asked for; cut before the piece `cutAt`.
    Response pieces(int count, int cutAt = -1) {
        auto response = Response::text(200, "text/plain", "0;");
        response.more = [this, count, cutAt, made = 0](const TakePiece& take) mutable {
            ++asked_;
            if (++made == cutAt) return take(std::nullopt);
            if (count >= 0 && made > count) return take(std::string{});
            take(count < 0 ? std::string(1 << 20, 'x') : std::to_string(made) + ";");
        };
        return response;
    }
    /// "begun;", and then what give() gives.
    Response stream() {
        auto response = Response::text(200, "text/plain", "begun;");
        response.endless = true;
        std::shared_ptr<void> end{nullptr, [this](std::nullptr_t) { forgotten_.set_value(); }};
        response.more = [this, end](TakePiece take) { asking_.set_value(std::move(take)); };
        return response;
    }
    /// A piece to the one stream there is.
    void give(std::optional<std::string> piece) {
        auto asked = asking_.get_future();
        ASSERT_EQ(asked.wait_for(10s), std::future_status::ready);
        const auto take = asked.get();
        asking_ = {};
        take(std::move(piece));
    }
    void onLoop(event::Callback f) { loops_.front()->post(std::move(f)); }

    std::function<void(const Finished&)> onFinished_;  ///< Set before start().
    std::mutex mutex_;
    std::promise<void> arrived_;
    std::vector<Responder> held_;
    std::promise<TakePiece> asking_;   ///< Of a stream.
    std::promise<void> forgotten_;     ///< The stream has gone.
    std::atomic<int> asked_{0};  ///< Pieces, of all responses.
    std::vector<std::unique_ptr<event::Loop>> loops_;
    std::vector<std::thread> threads_;
    std::unique_ptr<Server> server_;
};

}  // namespace midonet::http
