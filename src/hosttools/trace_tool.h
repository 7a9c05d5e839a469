#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "hosttools/agent_client.h"

namespace midonet::hosttools {

/// Where mm-trace works. Blocks; one thread.
struct TraceWorld {
    AgentClient& agent;
    std::ostream& out;
    std::ostream& err;
};

/// For --help.
std::string traceUsage();

/// `add`, `remove`, `flush` or `list`; the options of a tracer alone add it, as `list` prints them. Exit code 0, or 1 with
/// "[mm-trace] Failed: ..." on `err`.
int runTraceTool(const TraceWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::hosttools
