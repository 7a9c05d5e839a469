#pragma once

#include <memory>
#include <string>

#include "agent/agent.h"
#include "base/result.h"
#include "metrics/registry.h"

namespace midonet::http {
class Server;
}

namespace midonet::agent {

/// The agent's own HTTP page, on the control loop: `GET /metrics` (Prometheus text), `GET /status`
/// (JSON: readiness, bindings, tunnels and what is wrong with them), `POST /flows/flush`.
class Management {
public:
    /// Listens at once.
    static Result<std::unique_ptr<Management>> start(event::Loop& loop, Agent& agent, const std::string& listen);
    ~Management();
    Management(const Management&) = delete;
    Management& operator=(const Management&) = delete;

    const std::string& address() const;

private:
    Management();
    metrics::Registry registry_;
    Agent::Status latest_;  // what the collector reports
    std::shared_ptr<void> collector_;
    std::shared_ptr<void> process_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace midonet::agent
