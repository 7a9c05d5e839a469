#pragma once

#include "base/uuid.h"

namespace midonet {

/// A UUID that names a `Tag`: an Id<Port> cannot be handed to a function that wants an Id<Bridge>.
template <class Tag>
class Id {
public:
    constexpr Id() = default;
    constexpr explicit Id(Uuid uuid) : uuid_(uuid) {}
    static Id random() { return Id{Uuid::random()}; }

    constexpr const Uuid& uuid() const { return uuid_; }
    constexpr bool isNil() const { return uuid_.isNil(); }
    std::string toString() const { return uuid_.toString(); }

    friend constexpr auto operator<=>(const Id&, const Id&) = default;

private:
    Uuid uuid_;
};

/// The kinds of things that have an id in more than one module. Only tags: never defined.
struct HostTag;
struct TunnelZoneTag;
struct BridgeTag;
struct PortTag;
struct RouterTag;
struct RouteTag;
struct ChainTag;
struct RuleTag;
struct PortGroupTag;
struct IpAddrGroupTag;
struct LoadBalancerTag;
struct PoolTag;
struct PoolMemberTag;
struct VipTag;

using HostId = Id<HostTag>;
using TunnelZoneId = Id<TunnelZoneTag>;
using BridgeId = Id<BridgeTag>;
using PortId = Id<PortTag>;
using RouterId = Id<RouterTag>;
using RouteId = Id<RouteTag>;
using ChainId = Id<ChainTag>;
using RuleId = Id<RuleTag>;
using PortGroupId = Id<PortGroupTag>;
using IpAddrGroupId = Id<IpAddrGroupTag>;
using LoadBalancerId = Id<LoadBalancerTag>;
using PoolId = Id<PoolTag>;
using PoolMemberId = Id<PoolMemberTag>;
using VipId = Id<VipTag>;

}  // namespace midonet

template <class Tag>
struct std::hash<midonet::Id<Tag>> {
    std::size_t operator()(const midonet::Id<Tag>& id) const noexcept {
        return std::hash<midonet::Uuid>{}(id.uuid());
    }
};

template <class Tag>
struct fmt::formatter<midonet::Id<Tag>> : fmt::formatter<midonet::Uuid> {
    template <class Context>
    auto format(const midonet::Id<Tag>& id, Context& context) const {
        return fmt::formatter<midonet::Uuid>::format(id.uuid(), context);
    }
};
