#pragma once

#include "simulation/packet_walk.h"

namespace midonet::simulation {

struct LoadBalancerResult {
    enum class Kind : std::uint8_t {
        Continue,  ///< Not its packet: the filters of the router come next.
        Accept,    ///< Translated: the filters are passed over.
        Drop,
    };
    Kind kind = Kind::Continue;
    flow::DropReason reason = flow::DropReason::PoolDown;  ///< Of Drop.
};

/// The load balancer of a router, if it has one, takes a TCP connection to one of its VIPs to a member of the pool: to the
/// one it has as long as that may be, else by weighted rendezvous hashing (reference section 7.2). ICMP errors about
/// such connections go with them.
LoadBalancerResult balance(PacketWalk& walk, const topology::Router& router);
/// Takes that back on what members answer (reference section 7.3).
LoadBalancerResult unbalance(PacketWalk& walk, const topology::Router& router);

}  // namespace midonet::simulation
