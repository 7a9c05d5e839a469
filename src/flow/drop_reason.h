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
    RouterAdminDown,
    NotForRouter,       ///< A frame that no router takes: another MAC, a tag, a broadcast, not IPv4.
    RoutedIpv6,         ///< Routers do not forward IPv6 yet.
    ArpIgnored,         ///< ARP that is not about the port it came to.
    NoRoute,
    RejectRoute,
    BlackHoleRoute,
    ToRouterItself,     ///< For an address of the router, and nothing it answers.
    TtlExceeded,
    NextHopUnknown,     ///< Not in the subnet of the port, or that has no address. (Who never answers ARP is WaitingTooLong.)
    RuleDropped,
    RuleRejected,
    NatExhausted,       ///< No port of the rule's targets is free.
    StateTableFull,     ///< No room for the state of another connection.
    PoolDown,           ///< No member of the pool takes connections.
    TooBig,             ///< Does not fit the path of the tunnel.
    // Decided by the agent around it.
    WaitingTooLong,     ///< What it waited for (a device, a neighbour, a NAT block) did not come in time.
    WaitingRoomFull,
    DatapathError,      ///< The datapath refused to execute.
};
constexpr std::size_t kDropReasonCount = 32;

/// "malformed_frame": the label of the counter and the heading in docs/drop-reasons.md.
std::string_view toString(DropReason reason);
const std::array<DropReason, kDropReasonCount>& allDropReasons();

}  // namespace midonet::flow
