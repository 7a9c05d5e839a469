#pragma once

#include <chrono>
#include <string>

#include "agent/settings/agent_settings.h"
#include "config/program.h"
#include "hosttools/agent_client.h"
#include "nsdb/store_settings.h"

namespace midonet {

/// What the tools of a host have in common: they know the settings of the agent, from the same file.
struct HostTool {
    HostTool(std::string name, std::string purpose)
        : program({.name = std::move(name),
                   .version = MIDONET_VERSION,
                   .purpose = std::move(purpose),
                   .defaultFile = "/etc/midonet/midolman.toml",
                   .takesWords = true,
                   .logLevel = "warn",
                   .helpFlags = "--help",
                   .settingsOf = "midolman"},
                  settings) {}

    hosttools::AgentClient agentClient() const { return {*agent.socket, std::chrono::seconds{30}}; }

    config::Settings settings;
    const agent::AgentSettings agent{settings};
    const nsdb::StoreSettings store{settings};
    config::Program program;
};

}  // namespace midonet
