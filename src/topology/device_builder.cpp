#include "topology/device_builder.h"

#include <algorithm>

#include "base/log.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "topology/rule_from_model.h"
#include "topology/rule_index.h"

namespace midonet::topology {
namespace {

const Logger kLog{"topology"};

template <class Tag>
Id<Tag> idFrom(const std::string& bytes) {
    return Id<Tag>{model::uuidOf(bytes)};
}

template <class Id>
std::vector<Id> idsFrom(const Cached<std::vector<Uuid>>& found) {
    if (!found) return {};
    return {found->begin(), found->end()};
}

template <class T>
void sortUnique(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

template <class Id>
void warn(std::string_view what, const Id& id, const Error& error) {
    kLog.warn("left out of the topology: it cannot be read", {kv("what", what), kv("id", id), kv("reason", error)});
}

/// Of those the objects of class T with the ids that still exist.
template <class T>
std::vector<std::shared_ptr<const T>> objectsOf(ObjectCache& cache, const Cached<std::vector<Uuid>>& ids) {
    std::vector<std::shared_ptr<const T>> out;
    if (!ids) return out;
    for (const auto& id : *ids)
        if (auto object = cache.object<T>(id)) out.push_back(std::move(object.value));
    return out;
}

/// The first IPv4 address of the port and its subnet.
void readAddress(const model::Port& object, Port& port) {
    for (const auto& text : object.port_subnet()) {
        const auto subnet = net::IpPrefix::parse(text);
        const auto address = net::IpAddress::parse(std::string_view{text}.substr(0, text.find('/')));
        if (!subnet || !address) {
            warn("address of a port", port.id, subnet ? address.error() : subnet.error());
            continue;
        }
        if (!address->isV4()) continue;
        port.address = address->v4();
        port.subnet = *subnet;
        return;
    }
}

void readMac(const model::Port& object, Port& port) {
    if (object.port_mac().empty()) return;
    if (const auto mac = net::Mac::parse(object.port_mac()))
        port.mac = *mac;
    else
        warn("MAC of a port", port.id, mac.error());
}

Result<net::IpPrefix> prefixOf(const std::string& address, std::uint32_t length) {
    TRY(parsed, net::IpAddress::parse(address));
    if (length > parsed.bits()) return fail(ErrorCode::Malformed, "prefix length {}", length);
    return net::IpPrefix{parsed, length};
}

Result<Route::Type> typeOf(const model::Route& route) {
    switch (route.type()) {
        case model::Route::NORMAL: return Route::Type::Normal;
        case model::Route::BLACK_HOLE: return Route::Type::BlackHole;
        case model::Route::REJECT: return Route::Type::Reject;
        case model::Route::LOCAL: return Route::Type::Local;
        default: return fail(ErrorCode::Malformed, "type {}", static_cast<int>(route.type()));
    }
}

Result<Route> routeFrom(const RouteId& id, const model::Route& object) {
    Route route;
    route.id = id;
    TRY(type, typeOf(object));
    TRY(source, prefixOf(object.src_network_addr(), object.src_network_length()));
    TRY(destination, prefixOf(object.dst_network_addr(), object.dst_network_length()));
    route.type = type;
    route.source = source;
    route.destination = destination;
    route.port = idFrom<PortTag>(object.next_hop_port());
    route.weight = object.weight();
    if (!object.next_hop_gateway().empty()) {
        TRY(gateway, net::IpAddress::parse(object.next_hop_gateway()));
        route.gateway = gateway;
    }
    return route;
}

Result<std::uint16_t> l4PortOf(std::uint32_t value) {
    constexpr std::uint32_t kMax = 0xffff;
    if (value > kMax) return fail(ErrorCode::Malformed, "port {}", value);
    return static_cast<std::uint16_t>(value);
}

Result<PoolMember> memberFrom(const model::PoolMember& object) {
    PoolMember member;
    member.id = idFrom<PoolMemberTag>(object.id());
    TRY(address, net::Ipv4Address::parse(object.address()));
    TRY(port, l4PortOf(object.protocol_port()));
    member.address = address;
    member.port = port;
    member.weight = object.weight();
    member.adminUp = object.admin_state_up();
    member.healthy = object.status() != model::PoolMember::INACTIVE;
    return member;
}

Result<Vip> vipFrom(const model::Vip& object, std::size_t pool) {
    Vip vip;
    vip.id = idFrom<VipTag>(object.id());
    TRY(address, net::Ipv4Address::parse(object.address()));
    TRY(port, l4PortOf(object.protocol_port()));
    vip.adminUp = object.admin_state_up();
    vip.address = address;
    vip.port = port;
    vip.stickySource = object.session_persistence() == model::SOURCE_IP;
    vip.stickySeconds = object.sticky_timeout();
    vip.pool = pool;
    return vip;
}

void addPortGroups(const Condition& condition, std::vector<PortGroupId>& groups) {
    for (const auto& group : {condition.ingressGroup, condition.inPortGroup, condition.outPortGroup})
        if (group.value) groups.push_back(*group.value);
}

std::vector<IpAddrGroupPtr> addressGroupsOf(const std::vector<Rule>& rules, const AddressGroupLookup& lookup) {
    std::vector<IpAddrGroupId> ids;
    for (const auto& rule : rules)
        for (const auto& group : {rule.condition.sourceGroup, rule.condition.destinationGroup})
            if (group.value) ids.push_back(*group.value);
    sortUnique(ids);
    std::vector<IpAddrGroupPtr> groups;
    for (const auto& id : ids)
        if (auto group = lookup(id)) groups.push_back(std::move(group));
    return groups;
}

}  // namespace

std::vector<IpAddrGroupId> ChainParts::addressGroupIds() const {
    std::vector<IpAddrGroupId> ids;
    for (const auto& group : addressGroups) ids.push_back(group->id());
    return ids;
}

std::shared_ptr<const std::vector<WantedBinding>> readBindings(ObjectCache& cache, const HostId& host) {
    auto bindings = std::make_shared<std::vector<WantedBinding>>();
    const auto ids = cache.referrers<model::Port>("host_id", host.uuid());
    if (!ids) return bindings;
    for (const auto& id : *ids) {
        const auto port = cache.object<model::Port>(id);
        if (!port || port->interface_name().empty() || idFrom<HostTag>(port->host_id()) != host) continue;
        bindings->push_back({PortId{id}, port->interface_name()});
    }
    return bindings;
}

std::shared_ptr<Port> readPort(ObjectCache& cache, const PortId& id) {
    const auto object = cache.object<model::Port>(id.uuid());
    if (!object) return nullptr;
    auto port = std::make_shared<Port>();
    port->id = id;
    port->bridge = idFrom<BridgeTag>(object->bridge_id());
    port->router = idFrom<RouterTag>(object->router_id());
    port->adminUp = object->admin_state_up();
    port->inboundFilter = idFrom<ChainTag>(object->inbound_filter_id());
    port->outboundFilter = idFrom<ChainTag>(object->outbound_filter_id());
    port->peer = idFrom<PortTag>(object->peer_id());
    port->vlan = net::VlanId{static_cast<std::uint16_t>(object->vlan_id())};
    if (!object->interface_name().empty()) port->host = idFrom<HostTag>(object->host_id());
    const auto memberships = cache.referrers<model::PortGroupPort>("port_id", id.uuid());
    for (const auto& membership : objectsOf<model::PortGroupPort>(cache, memberships))
        port->groups.push_back(idFrom<PortGroupTag>(membership->port_group_id()));
    sortUnique(port->groups);
    readAddress(*object, *port);
    readMac(*object, *port);
    return port;
}

std::shared_ptr<const BridgeParts> readBridge(ObjectCache& cache, const BridgeId& id) {
    const auto object = cache.object<model::Bridge>(id.uuid());
    const auto ports = cache.referrers<model::Port>("bridge_id", id.uuid());
    if (!object) return nullptr;
    auto parts = std::make_shared<BridgeParts>();
    parts->bridge.id = id;
    parts->bridge.adminUp = object->admin_state_up();
    parts->bridge.inboundFilter = idFrom<ChainTag>(object->inbound_filter_id());
    parts->bridge.outboundFilter = idFrom<ChainTag>(object->outbound_filter_id());
    parts->ports = idsFrom<PortId>(ports);
    return parts;
}

std::shared_ptr<const RouterParts> readRouter(ObjectCache& cache, const RouterId& id) {
    const auto object = cache.object<model::Router>(id.uuid());
    const auto ports = cache.referrers<model::Port>("router_id", id.uuid());
    const auto routes = cache.referrers<model::Route>("router_id", id.uuid());
    if (!object) return nullptr;
    auto parts = std::make_shared<RouterParts>();
    parts->router.id = id;
    parts->router.adminUp = object->admin_state_up();
    parts->router.inboundFilter = idFrom<ChainTag>(object->inbound_filter_id());
    parts->router.outboundFilter = idFrom<ChainTag>(object->outbound_filter_id());
    parts->router.forwardChain = idFrom<ChainTag>(object->forward_chain_id());
    parts->router.localRedirectChain = idFrom<ChainTag>(object->local_redirect_chain_id());
    parts->ports = idsFrom<PortId>(ports);
    parts->routes = idsFrom<RouteId>(routes);
    parts->loadBalancer = idFrom<LoadBalancerTag>(object->load_balancer_id());
    return parts;
}

std::shared_ptr<const Route> readRoute(ObjectCache& cache, const RouteId& id) {
    const auto object = cache.object<model::Route>(id.uuid());
    if (!object) return nullptr;
    auto route = routeFrom(id, *object);
    if (route) return std::make_shared<const Route>(std::move(*route));
    warn("route", id, route.error());
    return nullptr;
}

std::shared_ptr<const ChainParts> readChain(ObjectCache& cache, const ChainId& id, const AddressGroupLookup& addressGroup) {
    const auto object = cache.object<model::Chain>(id.uuid());
    if (!object) return nullptr;
    auto parts = std::make_shared<ChainParts>();
    parts->chain.id = id;
    parts->chain.name = object->name();
    parts->chain.rules.reserve(static_cast<std::size_t>(object->rules_size()));  // not more: they are large, and most chains are short
    for (const auto& entry : object->rules()) {
        if (!isEvaluated(entry)) continue;
        auto rule = ruleFromModel(entry);
        if (!rule) {
            warn("rule", idFrom<RuleTag>(entry.id()), rule.error());
            continue;
        }
        addPortGroups(rule->condition, parts->portGroups);
        if (const auto* const jump = std::get_if<Jump>(&rule->action)) parts->jumps.push_back(jump->chain);
        if (rule->meter) parts->chain.meters.push_back(entry.meter_name());
        parts->chain.rules.push_back(std::move(*rule));
    }
    sortUnique(parts->portGroups);
    sortUnique(parts->jumps);
    sortUnique(parts->chain.meters);
    const auto& groups = parts->addressGroups = addressGroupsOf(parts->chain.rules, addressGroup);
    parts->chain.index = makeRuleIndex(parts->chain.rules, [&](const IpAddrGroupId& wanted) -> const IpAddrGroup* {
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group->id() == wanted; });
        return found == groups.end() ? nullptr : found->get();
    });
    return parts;
}

PortGroupPtr readPortGroup(ObjectCache& cache, const PortGroupId& id) {
    const auto object = cache.object<model::PortGroup>(id.uuid());
    if (!object) return nullptr;
    auto group = std::make_shared<PortGroup>();
    group->id = id;
    group->stateful = object->stateful();
    if (!group->stateful) return group;
    const auto memberships = cache.referrers<model::PortGroupPort>("port_group_id", id.uuid());
    for (const auto& membership : objectsOf<model::PortGroupPort>(cache, memberships)) {
        const auto portId = idFrom<PortTag>(membership->port_id());
        group->ports.push_back(portId);
        const auto port = cache.object<model::Port>(portId.uuid());
        if (port && !port->interface_name().empty() && !port->host_id().empty())
            group->hosts.push_back(idFrom<HostTag>(port->host_id()));
    }
    sortUnique(group->ports);
    sortUnique(group->hosts);
    return group;
}

IpAddrGroupPtr readIpAddrGroup(ObjectCache& cache, const IpAddrGroupId& id) {
    const auto object = cache.object<model::IpAddrGroup>(id.uuid());
    if (!object) return nullptr;
    std::vector<net::IpAddress> addresses;
    for (const auto& text : object->addresses()) {
        if (const auto address = net::IpAddress::parse(text))
            addresses.push_back(*address);
        else
            warn("address of an IP address group", id, address.error());
    }
    return std::make_shared<const IpAddrGroup>(id, std::move(addresses));
}

HostPtr readHost(ObjectCache& cache, const HostId& id) {
    auto host = std::make_shared<Host>();
    host->id = id;
    const auto memberships = cache.referrers<model::TunnelZoneMember>("host_id", id.uuid());
    if (!memberships) return host;
    for (const auto& membershipId : *memberships) {
        const auto membership = cache.object<model::TunnelZoneMember>(membershipId);
        if (!membership) continue;
        if (const auto address = net::Ipv4Address::parse(membership->ip_address()))
            host->memberships.push_back({TunnelZoneId{model::uuidOf(membership->tunnel_zone_id())}, *address});
        else
            kLog.warn("underlay address ignored: it is not IPv4", {kv("host", id), kv("address", membership->ip_address())});
    }
    std::sort(host->memberships.begin(), host->memberships.end());
    return host;
}

LoadBalancerPtr readLoadBalancer(ObjectCache& cache, const LoadBalancerId& id) {
    const auto object = cache.object<model::LoadBalancer>(id.uuid());
    if (!object) return nullptr;
    auto balancer = std::make_shared<LoadBalancer>();
    balancer->id = id;
    balancer->adminUp = object->admin_state_up();
    for (const auto& pool : objectsOf<model::Pool>(cache, cache.referrers<model::Pool>("load_balancer_id", id.uuid()))) {
        const auto poolId = idFrom<PoolTag>(pool->id());
        for (const auto& entry : objectsOf<model::Vip>(cache, cache.referrers<model::Vip>("pool_id", poolId.uuid()))) {
            if (auto vip = vipFrom(*entry, balancer->pools.size()))
                balancer->vips.push_back(*vip);
            else
                warn("vip", idFrom<VipTag>(entry->id()), vip.error());
        }
        auto& made = balancer->pools.emplace_back(Pool{poolId, pool->admin_state_up(), {}});
        for (const auto& entry : objectsOf<model::PoolMember>(cache, cache.referrers<model::PoolMember>("pool_id", poolId.uuid()))) {
            if (auto member = memberFrom(*entry))
                made.members.push_back(*member);
            else
                warn("pool member", idFrom<PoolMemberTag>(entry->id()), member.error());
        }
    }
    std::sort(balancer->vips.begin(), balancer->vips.end(), [](const Vip& a, const Vip& b) { return a.id < b.id; });
    return balancer;
}

Bridge makeBridge(const BridgeParts& parts, const TopologySnapshot& snapshot, const PortLookup& peerOf) {
    Bridge bridge = parts.bridge;
    for (const auto& id : parts.ports) {
        const auto* port = snapshot.port(id);
        if (port == nullptr || port->bridge != bridge.id) continue;
        if (port->exterior()) bridge.exteriorPorts.push_back(id);
        if (port->exterior() || port->interior()) bridge.addVlan(port->vlan);
        const auto* peer = port->interior() ? peerOf(port->peer) : nullptr;
        if (peer == nullptr) continue;
        if (peer->isRouterPort())
            bridge.routerPeers.push_back({id, peer->mac, peer->address});
        else if (peer->bridge != bridge.id)
            bridge.bridgeLinks.push_back(id);
    }
    return bridge;
}

bool isInForce(const Route& route, const RouterId& router, const TopologySnapshot& snapshot, const PortLookup& peerOf) {
    if (route.type == Route::Type::BlackHole || route.type == Route::Type::Reject) return true;
    const auto* port = snapshot.port(route.port);
    if (port == nullptr || port->router != router) return false;
    if (route.type == Route::Type::Local) return true;
    if (!port->adminUp) return false;
    return port->interior() ? peerOf(port->peer) != nullptr : port->exterior() && port->active;
}

}  // namespace midonet::topology
