#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace midonet::flow {

/// Why a packet was not forwarded. One counter and one line in docs/drop-reasons.md each.
enum class DropReason : std::uint8_t {
    // Decided by the simulation.
    MalformedFrame,
    MulticastSource,
    PortAdminDown,
    BridgeAdminDown,
    Hairpin,            ///< The only way out is the way in.
    VlanMismatch,
    UnpluggedPort,      ///< Neither bound nor linked.
    NoReceivers,        ///< A flood that leaves through no port.
    TooManyDevices,     ///< A loop in the virtual topology.
    UnknownIngressPort, ///< The datapath port is bound to no virtual port (any more).
    UnknownTunnelKey,
    NoTunnelRoute,      ///< No tunnel zone shared with the host of the egress port.
    EgressPortInactive, ///< The host of the egress port does not report it active.
    // Decided by the agent around it.
    WaitingTooLong,     ///< What it waited for did not come in time.
    WaitingRoomFull,
    DatapathError,      ///< The datapath refused to execute.
};
constexpr std::size_t kDropReasonCount = 16;

/// "malformed_frame": the label of the counter and the heading in docs/drop-reasons.md.
std::string_view toString(DropReason reason);
const std::array<DropReason, kDropReasonCount>& allDropReasons();

}  // namespace midonet::flow
