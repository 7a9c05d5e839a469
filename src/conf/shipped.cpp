#include "conf/shipped.h"

#include <array>

namespace midonet::conf {

// Names as installation guides write them. A gateway sees the connections of all machines, a compute host those of its own.
std::span<const ShippedTemplate> shippedTemplates() {
    static constexpr std::array<ShippedTemplate, 4> kTemplates{{
        {"agent-compute-medium", "agent.workers = 1\nagent.max_states = 1000000\ndatapath.max_flows = 262144\n"},
        {"agent-compute-large", "agent.workers = 2\nagent.max_states = 2000000\ndatapath.max_flows = 524288\n"},
        {"agent-gateway-medium", "agent.workers = 2\nagent.max_states = 4000000\ndatapath.max_flows = 524288\n"},
        {"agent-gateway-large", "agent.workers = 4\nagent.max_states = 8000000\ndatapath.max_flows = 1048576\n"},
    }};
    return kTemplates;
}

}  // namespace midonet::conf
