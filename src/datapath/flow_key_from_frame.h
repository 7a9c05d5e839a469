#pragma once

#include "base/bytes.h"
#include "flow/flow_key.h"

namespace midonet::datapath {

/// Where a packet came in: a port, or a tunnel (port number flow::kTunnelIngress).
struct Ingress {
    flow::PortNumber port;
    net::TunnelKey tunnelKey;
    net::Ipv4Address tunnelSource;
    net::Ipv4Address tunnelDestination;
};

/// The flow key of a frame as on the wire, outer VLAN tag in its place: exactly what the kernel
/// programs (bpf/parse.h) make of it. It is as deep as packet::parse() can read; what is malformed
/// above stays zero, which is no error for a bridge. A frame below 14 bytes has only its ingress.
flow::FlowKey flowKeyFromFrame(const Ingress& ingress, ByteView frame);

}  // namespace midonet::datapath
