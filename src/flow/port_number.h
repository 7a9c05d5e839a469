#pragma once

#include "net/numbers.h"

namespace midonet::flow {

/// A port of this host's datapath; chosen by the datapath, small, never 0 for an interface.
using PortNumber = net::Number<struct PortNumberTag, std::uint32_t>;

/// The ingress port of every packet that came out of a tunnel; its tunnel fields tell the rest.
constexpr PortNumber kTunnelIngress{0};

/// One way to one peer host, registered with the datapath: index into its table of tunnels.
using TunnelId = net::Number<struct TunnelIdTag, std::uint32_t>;

}  // namespace midonet::flow
