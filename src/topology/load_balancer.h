#pragma once

#include <memory>
#include <vector>

#include "base/id.h"
#include "net/ip_address.h"

namespace midonet::topology {

struct PoolMember {
    PoolMemberId id;
    net::Ipv4Address address;
    std::uint16_t port = 0;
    std::uint32_t weight = 1;
    bool adminUp = true;
    bool healthy = true;  ///< By its monitor; true without one.
    /// Takes new connections.
    bool isActive() const { return adminUp && healthy && weight > 0; }
    friend bool operator==(const PoolMember&, const PoolMember&) = default;
};

struct Pool {
    PoolId id;
    bool adminUp = true;
    std::vector<PoolMember> members;  ///< Ordered by id.
    friend bool operator==(const Pool&, const Pool&) = default;
};

struct Vip {
    VipId id;
    bool adminUp = true;
    net::Ipv4Address address;
    std::uint16_t port = 0;
    bool stickySource = false;         ///< All connections of a client go to one member.
    std::uint32_t stickySeconds = 86400;  ///< ... as long after its last one.
    std::size_t pool = 0;              ///< Index into LoadBalancer::pools.
    friend bool operator==(const Vip&, const Vip&) = default;
};

/// Sits on one router (reference section 7).
struct LoadBalancer {
    LoadBalancerId id;
    bool adminUp = true;
    std::vector<Vip> vips;    ///< Ordered by id.
    std::vector<Pool> pools;  ///< Ordered by id.
    friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

using LoadBalancerPtr = std::shared_ptr<const LoadBalancer>;

}  // namespace midonet::topology
