#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "hosttools/agent_client.h"
#include "nsdb/store.h"

namespace midonet::hosttools {

/// Where mm-ctl works. Blocks; one thread.
struct ControlWorld {
    AgentClient& agent;
    std::function<Result<std::unique_ptr<nsdb::Store>>()> openStore;
    std::function<Result<HostId>()> localHost;  ///< Makes none.
    std::function<bool(const std::string&)> hasInterface;
    std::ostream& out;
    std::ostream& err;
};

/// Exit codes of mm-ctl; what plugs machines in knows them.
enum class ControlExit { Fine = 0, BadCommand = 1, NoHostId = 2, NoStore = 3, PermissionDenied = 13, Failed = 255 };

/// For --help.
std::string controlUsage();

/// `--bind-port PORT INTERFACE` or `--unbind-port PORT`: asks the agent, and writes to the NSDB itself when no agent answers, so
/// that a port may be bound while the agent is down. What the agent refuses is refused.
ControlExit runControl(const ControlWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::hosttools
