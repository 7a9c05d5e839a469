#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/clock.h"

namespace midonet::hosttools {

/// Where mm-meter works. Blocks; one thread.
struct MeterWorld {
    std::function<Result<std::string>()> readMeters;  ///< The agent's page /meters.
    std::function<void(event::Duration)> sleep;
    std::ostream& out;
    std::ostream& err;
};

/// For --help.
std::string meterUsage();

/// `list`, or `get -n NAME [DELAY [COUNT]]`. Exit code 0, or 1 with "[mm-meter] Failed: ..." on `err`.
int runMeterTool(const MeterWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::hosttools
