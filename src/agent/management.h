#pragma once

#include <memory>
#include <string>

#include "agent/agent.h"
#include "base/result.h"
#include "metrics/registry.h"

namespace midonet::http {
struct Request;
class Responder;
class Server;
}  // namespace midonet::http

namespace midonet::agent {

/// The agent's own HTTP page, on the control loop: `GET /metrics` (Prometheus text), `GET /status`
/// (JSON: readiness, bindings, tunnels and what is wrong with them), `GET /meters` (JSON), `GET /device_stats` (the same as lines), `POST /flows/flush`. On the Unix socket, which its owner
/// alone may use, also `PUT` and `DELETE /binding/{portId}`: what `mm-ctl` asks for; and `/tracers`, `/tracers/...`: what `mm-trace` does.
class Management {
public:
    /// Which meters `/metrics` has: each is two lines for each worker.
    enum class MetersShown : std::uint8_t { None, User, All };
    struct Options {
        std::string listen;  ///< ADDRESS:PORT; empty: none.
        std::string socket;  ///< Path of a Unix socket; empty: none.
        MetersShown metersInMetrics = MetersShown::All;
    };
    /// Listens at once.
    static Result<std::unique_ptr<Management>> start(event::Loop& loop, Agent& agent, const Options& options);
    ~Management();
    Management(const Management&) = delete;
    Management& operator=(const Management&) = delete;

    /// Of the TCP socket; empty when there is none.
    std::string address() const;

private:
    Management();
    enum class Page : std::size_t;
    enum class Access : bool { Everybody, Owner };
    Result<std::unique_ptr<http::Server>> serve(event::Loop& loop, Agent& agent, std::string listen, Access access);
    void answer(Agent& agent, Page page, const http::Request& request, const std::string& port, const http::Responder& respond);
    void answerMetrics(Agent& agent, const http::Responder& respond);
    void answerMetrics(const Agent::Status& status, const Agent::Meters& meters, const http::Responder& respond);

    MetersShown metersInMetrics_ = MetersShown::All;
    metrics::Registry registry_;
    // What the collector reports.
    Agent::Status latest_;
    Agent::Meters latestMeters_;
    std::shared_ptr<void> collector_;
    std::shared_ptr<void> process_;
    std::unique_ptr<http::Server> page_;
    std::unique_ptr<http::Server> socket_;
};

}  // namespace midonet::agent
