#pragma once

#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "config/settings.h"

namespace midonet::host {

inline constexpr std::string_view kDefaultHostIdFile = "/etc/midonet_host_id.properties";
/// Read, never written, when the default file is absent: where old agents kept it.
inline constexpr std::string_view kLegacyHostIdFile = "/etc/midolman/host_uuid.properties";

/// The id of this host, from the file's `host_uuid`. Absent file: a new random id is made and written, such
/// that it is there whole or not at all, and of two agents that start at once both get the same.
/// Errors (malformed, unreadable, unwritable) name the fix.
Result<HostId> loadHostId(const std::string& path);

/// The same, but none is made: NotFound when this machine has no id.
Result<HostId> findHostId(const std::string& path);

/// Declares `agent.host_id_file`: one word for all programs of a machine.
config::Setting<std::string> declareHostIdFile(config::Settings& settings);

/// The value of `host_uuid` in the text of a properties file.
Result<HostId> parseHostId(std::string_view text);

}  // namespace midonet::host
