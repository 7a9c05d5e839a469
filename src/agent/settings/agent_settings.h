#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/settings.h"

namespace midonet::agent {

/// The settings of midolman, declared and checked. What is made of them: agent/agent_options.h.
struct AgentSettings {
    explicit AgentSettings(config::Settings& settings);

    config::Setting<std::string> hostIdFile;
    config::Setting<std::string> hostName;
    config::Setting<std::string> listen;  ///< Empty: no management page.
    config::Setting<std::string> socket;  ///< Empty: none for the tools of this host.
    config::Setting<std::string> metersInMetrics;
    config::Setting<std::string> datapath;
    config::Setting<std::int64_t> workers;
    config::Setting<std::string> bpffs;
    config::Setting<std::string> stateFile;
    config::Setting<std::string> traceLog;
    config::Setting<std::int64_t> maxStates;
    config::Setting<std::int64_t> maxMacsPerPort;
    config::Setting<std::chrono::nanoseconds> peerGrace;
    config::Setting<std::chrono::nanoseconds> sessionTtl;
    config::Setting<std::string> sessionFile;
    config::Setting<std::chrono::nanoseconds> nsdbGrace;
    config::Setting<std::int64_t> maxFlows;
    config::Setting<std::string> attach;
    config::Setting<std::string> vxlan;
    config::Setting<std::int64_t> vxlanPort;
    config::Setting<std::int64_t> upcallRate;
    config::Setting<std::int64_t> upcallBurst;
    config::Setting<std::uint64_t> ringBytes;

private:
    Result<void> check() const;
};

}  // namespace midonet::agent
