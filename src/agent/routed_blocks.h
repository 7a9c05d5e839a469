#pragma once

#include <array>
#include <map>
#include <vector>

#include "flow/flow_tag.h"
#include "net/ip_prefix.h"
#include "simulation/simulation_result.h"

namespace midonet::agent {

/// Which destinations the flows of a worker were routed to, in blocks of 16 addresses: so that a route that comes
/// or goes makes only those flows wrong that it could be for (reference section 2.3). One worker's thread.
class RoutedBlocks {
public:
    void add(const simulation::UseRoute& use);
    void remove(const simulation::UseRoute& use);
    /// The tags of blocks that meet `destination` and were routed by a prefix that is not longer.
    std::vector<flow::FlowTag> affectedBy(const RouterId& router, const net::IpPrefix& destination) const;
    std::size_t size() const;

private:
    using Lengths = std::map<std::uint8_t, std::size_t>;  // prefix length -> flows
    std::map<RouterId, std::map<net::IpAddress, Lengths>> blocks_;
};

}  // namespace midonet::agent
