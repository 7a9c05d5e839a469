#pragma once

#include <memory>
#include <string>

#include "agent/agent.h"
#include "config/settings.h"
#include "datapath/datapath.h"

namespace midonet::agent {

/// The settings of midolman, declared and checked.
class AgentSettings {
public:
    explicit AgentSettings(config::Settings& settings);

    /// Reads, or makes, the host id file.
    Result<HostId> hostId() const;
    AgentOptions options(const HostId& host, std::string version) const;
    Result<std::unique_ptr<datapath::Datapath>> openDatapath() const;
    /// Empty: no management page.
    const std::string& listen() const { return *listen_; }

private:
    Result<void> check() const;

    config::Setting<std::string> hostIdFile_;
    config::Setting<std::string> hostName_;
    config::Setting<std::string> listen_;
    config::Setting<std::string> datapath_;
    config::Setting<std::int64_t> workers_;
    config::Setting<std::string> bpffs_;
    config::Setting<std::string> stateFile_;
    config::Setting<std::int64_t> maxStates_;
    config::Setting<std::int64_t> maxMacsPerPort_;
    config::Setting<std::chrono::nanoseconds> peerGrace_;
    config::Setting<std::chrono::nanoseconds> sessionTtl_;
    config::Setting<std::int64_t> maxFlows_;
    config::Setting<std::string> attach_;
    config::Setting<std::string> vxlan_;
    config::Setting<std::int64_t> vxlanPort_;
    config::Setting<std::int64_t> upcallRate_;
    config::Setting<std::int64_t> upcallBurst_;
    config::Setting<std::uint64_t> ringBytes_;
};

}  // namespace midonet::agent
