#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "datapath/ebpf/kernel_layout.h"
#include "flow/flow_action.h"

namespace midonet::datapath::ebpf {

/// What the codec must know about a tunnel.
class TunnelTypes {
public:
    virtual ~TunnelTypes() = default;
    /// MN_TUNNEL_GRE or MN_TUNNEL_VXLAN; MN_TUNNEL_NONE when there is no such tunnel.
    virtual std::uint32_t typeOf(flow::TunnelId tunnel) const = 0;
};

/// An action list as the kernel runs it, cut into slots. The chain (`next`) and the generation are
/// left to the caller.
///
/// Outputs that follow each other are put in an order that needs the least work: ports first, then
/// tunnels by type. The last unit carries MN_OP_LAST: the packet itself goes there, not a copy. A
/// tunnel output after which the frame is needed plain again carries MN_OP_RELAY. Tunnels that are reached when the
/// frame is no longer as it came in are looked at first, by MN_OP_FIT units in front.
/// Invalid when the list is longer than MN_MAX_OPS units.
Result<void> encodeActions(const flow::FlowActions& actions, const TunnelTypes& tunnels, std::vector<mn_slot>& slots);

/// The action list that units stand for, in the order in which the kernel runs it.
flow::FlowActions decodeActions(std::span<const mn_op> ops);

}  // namespace midonet::datapath::ebpf
