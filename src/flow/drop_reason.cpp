#include "flow/drop_reason.h"

#include "base/assert.h"

namespace midonet::flow {

std::string_view toString(DropReason reason) {
    switch (reason) {
        case DropReason::MalformedFrame: return "malformed_frame";
        case DropReason::MulticastSource: return "multicast_source";
        case DropReason::PortAdminDown: return "port_admin_down";
        case DropReason::BridgeAdminDown: return "bridge_admin_down";
        case DropReason::Hairpin: return "hairpin";
        case DropReason::VlanMismatch: return "vlan_mismatch";
        case DropReason::UnpluggedPort: return "unplugged_port";
        case DropReason::NoReceivers: return "no_receivers";
        case DropReason::TooManyDevices: return "too_many_devices";
        case DropReason::UnknownIngressPort: return "unknown_ingress_port";
        case DropReason::UnknownTunnelKey: return "unknown_tunnel_key";
        case DropReason::NoTunnelRoute: return "no_tunnel_route";
        case DropReason::EgressPortInactive: return "egress_port_inactive";
        case DropReason::RouterAdminDown: return "router_admin_down";
        case DropReason::NotForRouter: return "not_for_router";
        case DropReason::RoutedIpv6: return "routed_ipv6";
        case DropReason::ArpIgnored: return "arp_ignored";
        case DropReason::NoRoute: return "no_route";
        case DropReason::RejectRoute: return "reject_route";
        case DropReason::BlackHoleRoute: return "black_hole_route";
        case DropReason::ToRouterItself: return "to_router_itself";
        case DropReason::TtlExceeded: return "ttl_exceeded";
        case DropReason::NextHopUnknown: return "next_hop_unknown";
        case DropReason::RuleDropped: return "rule_dropped";
        case DropReason::RuleRejected: return "rule_rejected";
        case DropReason::NatExhausted: return "nat_exhausted";
        case DropReason::StateTableFull: return "state_table_full";
        case DropReason::PoolDown: return "pool_down";
        case DropReason::TooBig: return "too_big";
        case DropReason::WaitingTooLong: return "waiting_too_long";
        case DropReason::WaitingRoomFull: return "waiting_room_full";
        case DropReason::DatapathError: return "datapath_error";
    }
    MIDONET_UNREACHABLE();
}

const std::array<DropReason, kDropReasonCount>& allDropReasons() {
    static constexpr auto kAll = [] {
        std::array<DropReason, kDropReasonCount> all{};
        for (std::size_t i = 0; i < kDropReasonCount; ++i) all[i] = static_cast<DropReason>(i);
        return all;
    }();
    return kAll;
}

}  // namespace midonet::flow
