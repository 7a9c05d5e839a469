#pragma once

#include <string>
#include <vector>

#include "datapath/datapath.h"

namespace midonet::datapath {

/// A flow as the datapath has it.
struct InstalledFlow {
    flow::FlowKey key;  ///< Masked.
    flow::FlowMask mask;
    flow::FlowActions actions;
    FlowStats stats;
};

struct InstalledTunnel {
    flow::TunnelId id;
    TunnelSpec spec;
};

/// What is in a datapath now, to look at: for tools, which run beside the agent.
struct DatapathContents {
    std::vector<PortInfo> ports;  ///< By number.
    std::vector<InstalledTunnel> tunnels;
    std::vector<InstalledFlow> flows;
    std::vector<Counter> counters;  ///< Of the whole datapath.
};

}  // namespace midonet::datapath
