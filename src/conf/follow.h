#pragma once

#include <functional>
#include <optional>

#include "config/program.h"
#include "conf/repository.h"
#include "event/loop.h"

namespace midonet::conf {

/// How a program takes its configuration from the NSDB. `host`: the machine's; nullopt, when it has no id: the template
/// `default` alone.
///
/// At start, before anything is made of the settings. A store that cannot be read now is no mistake: the local settings
/// hold, and the log says so.
void applyConfiguration(config::Program& program, nsdb::Store& store, const std::optional<HostId>& host);

/// From then on, on the loop: live settings change with the NSDB, until the handle is destroyed. What changed between the two
/// calls is not lost.
[[nodiscard]] event::HandlePtr followConfiguration(event::Loop& loop, config::Program& program, nsdb::Store& store,
                                                   const std::optional<HostId>& host);

/// Calls back with the layers of now, then after each change.
[[nodiscard]] event::HandlePtr watchLayers(event::Loop& loop, nsdb::Store& store, const std::optional<HostId>& host,
                                           std::function<void(std::vector<config::Layer>)> callback);

}  // namespace midonet::conf
