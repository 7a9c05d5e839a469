#pragma once

#include <memory>
#include <string>

#include "agent/agent.h"
#include "agent/management.h"
#include "agent/settings/agent_settings.h"
#include "datapath/datapath.h"

namespace midonet::agent {

Management::Options managementOptions(const AgentSettings& settings);
AgentOptions agentOptions(const AgentSettings& settings, const HostId& host, std::string version);
Result<std::unique_ptr<datapath::Datapath>> openDatapath(const AgentSettings& settings);

}  // namespace midonet::agent
