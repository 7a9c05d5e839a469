#pragma once

#include "agent/settings/agent_settings.h"
#include "conf/catalogue.h"
#include "config/program.h"
#include "rest/api_settings.h"

namespace midonet {

/// The settings of all daemons: what the NSDB may hold values for. Only declared; nobody applies them.
inline conf::Catalogue declareAllSettings() {
    config::Settings settings;
    config::declareLogLevel(settings);
    const rest::ApiSettings api(settings);  // those of the store too
    const agent::AgentSettings agent(settings);
    return conf::Catalogue{settings};
}

}  // namespace midonet
