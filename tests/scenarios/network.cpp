#include "network.h"

#include "model/ids.h"
#include "net/ip_prefix.h"

namespace midonet::scenarios {
namespace {

using model::bytesOf;

void setPrefix(model::Route& route, std::string_view destination, std::string_view source) {
    const auto to = *net::IpPrefix::parse(destination);
    const auto from = *net::IpPrefix::parse(source);
    route.set_dst_network_addr(to.address().toString());
    route.set_dst_network_length(to.length());
    route.set_src_network_addr(from.address().toString());
    route.set_src_network_length(from.length());
}

template <class Device>
void setFilters(Device& device, const ChainId& inbound, const ChainId& outbound) {
    device.set_inbound_filter_id(bytesOf(inbound.uuid()));
    device.set_outbound_filter_id(bytesOf(outbound.uuid()));
}

net::Ipv4Address addressOf(std::string_view subnet) { return *net::Ipv4Address::parse(subnet.substr(0, subnet.find('/'))); }

}  // namespace

RouterId Network::router() {
    const auto id = RouterId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::Router router;
        router.set_id(bytesOf(id.uuid()));
        router.set_admin_state_up(true);
        return t.create(router);
    });
    return id;
}

RouterPort Network::port(const RouterId& router, std::string_view subnet) {
    const RouterPort made{PortId::random(), router, net::Mac{0x02aa00000000ULL + ++ports_}, addressOf(subnet)};
    world_.write([&](nsdb::Transaction& t) -> Result<void> {
        model::Port port;
        port.set_id(bytesOf(made.port.uuid()));
        port.set_router_id(bytesOf(router.uuid()));
        port.set_admin_state_up(true);
        port.add_port_subnet(std::string(subnet));
        port.set_port_mac(made.mac.toString());
        TRY_VOID(t.create(port));
        for (const auto type : {model::Route::LOCAL, model::Route::NORMAL}) {
            model::Route route;
            route.set_id(bytesOf(Uuid::random()));
            route.set_router_id(bytesOf(router.uuid()));
            route.set_type(type);
            route.set_next_hop_port(bytesOf(made.port.uuid()));
            route.set_weight(type == model::Route::LOCAL ? 0 : 100);
            setPrefix(route, type == model::Route::LOCAL ? made.address.toString() + "/32" : std::string(subnet), "0.0.0.0/0");
            TRY_VOID(t.create(route));
        }
        return {};
    });
    return made;
}

RouterPort Network::attach(const RouterId& router, const BridgeId& bridge, std::string_view subnet) {
    const auto made = port(router, subnet);
    link(made.port, bridgePort(bridge));
    return made;
}

Network::Uplink Network::uplink(const RouterId& router, const HostName& host, std::string_view subnet, std::string_view machineAddress) {
    const auto made = port(router, subnet);
    const Vm wire{fmt::format("uplink{}", ports_), made.port, BridgeId{}, net::Mac{0x02bb00000000ULL + ports_}};
    world_.bind(wire, host);
    world_.setAddress(wire, machineAddress);
    return {made, wire};
}

Vm Network::machine(const BridgeId& bridge, const HostName& host, std::string_view address) {
    const auto vm = world_.vm(bridge, host);
    world_.setAddress(vm, address);
    return vm;
}

PortId Network::bridgePort(const BridgeId& bridge, std::uint16_t vlan) {
    const auto id = PortId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::Port port;
        port.set_id(bytesOf(id.uuid()));
        port.set_bridge_id(bytesOf(bridge.uuid()));
        port.set_admin_state_up(true);
        port.set_vlan_id(vlan);
        return t.create(port);
    });
    return id;
}

void Network::link(const PortId& a, const PortId& b) {
    world_.write([&](nsdb::Transaction& t) -> Result<void> {
        for (const auto& [id, peer] : {std::pair{a, b}, std::pair{b, a}}) {
            TRY(found, t.get<model::Port>(id.uuid()));
            auto port = *found.object;
            port.set_peer_id(bytesOf(peer.uuid()));
            TRY_VOID(t.update(port));
        }
        return {};
    });
}

void Network::unlink(const PortId& id) {
    world_.write([&](nsdb::Transaction& t) -> Result<void> {
        TRY(found, t.get<model::Port>(id.uuid()));
        for (const auto& end : {id.uuid(), model::uuidOf(found.object->peer_id())}) {
            TRY(stored, t.get<model::Port>(end));
            auto port = *stored.object;
            port.clear_peer_id();
            TRY_VOID(t.update(port));
        }
        return {};
    });
}

std::pair<RouterPort, RouterPort> Network::connect(const RouterId& a, std::string_view subnetOfA, const RouterId& b, std::string_view subnetOfB) {
    const auto first = port(a, subnetOfA);
    const auto second = port(b, subnetOfB);
    link(first.port, second.port);
    return {first, second};
}

RouteId Network::route(const RouterId& router, std::string_view destination, const PortId& via, std::string_view gateway, std::uint32_t weight,
                       std::string_view source) {
    const auto id = RouteId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::Route route;
        route.set_id(bytesOf(id.uuid()));
        route.set_router_id(bytesOf(router.uuid()));
        route.set_type(model::Route::NORMAL);
        route.set_next_hop_port(bytesOf(via.uuid()));
        route.set_next_hop_gateway(std::string(gateway));
        route.set_weight(weight);
        setPrefix(route, destination, source);
        return t.create(route);
    });
    return id;
}

RouteId Network::route(const RouterId& router, std::string_view destination, model::Route::Type type) {
    const auto id = RouteId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::Route route;
        route.set_id(bytesOf(id.uuid()));
        route.set_router_id(bytesOf(router.uuid()));
        route.set_type(type);
        route.set_weight(100);
        setPrefix(route, destination, "0.0.0.0/0");
        return t.create(route);
    });
    return id;
}

ChainId Network::chain(std::vector<model::Rule> rules) {
    const auto id = ChainId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::Chain chain;
        chain.set_id(bytesOf(id.uuid()));
        for (auto& rule : rules) *chain.add_rules() = std::move(rule);
        return t.create(chain);
    });
    return id;
}

void Network::setRules(const ChainId& id, std::vector<model::Rule> rules) {
    change<model::Chain>(id.uuid(), [&](model::Chain& chain) {
        chain.clear_rules();
        for (const auto& rule : rules) *chain.add_rules() = rule;
    });
}

void Network::setPortFilters(const PortId& port, const ChainId& inbound, const ChainId& outbound) {
    change<model::Port>(port.uuid(), [&](model::Port& p) { setFilters(p, inbound, outbound); });
}

void Network::setBridgeFilters(const BridgeId& bridge, const ChainId& inbound, const ChainId& outbound) {
    change<model::Bridge>(bridge.uuid(), [&](model::Bridge& b) { setFilters(b, inbound, outbound); });
}

void Network::setRouterFilters(const RouterId& router, const ChainId& inbound, const ChainId& outbound) {
    change<model::Router>(router.uuid(), [&](model::Router& r) { setFilters(r, inbound, outbound); });
}

PortGroupId Network::portGroup(const std::vector<PortId>& ports, bool stateful) {
    const auto id = PortGroupId::random();
    world_.write([&](nsdb::Transaction& t) -> Result<void> {
        model::PortGroup group;
        group.set_id(bytesOf(id.uuid()));
        group.set_stateful(stateful);
        TRY_VOID(t.create(group));
        for (const auto& port : ports) {
            model::PortGroupPort member;
            member.set_id(bytesOf(model::memberId(id.uuid(), port.uuid())));
            member.set_port_group_id(bytesOf(id.uuid()));
            member.set_port_id(bytesOf(port.uuid()));
            TRY_VOID(t.create(member));
        }
        return {};
    });
    return id;
}

IpAddrGroupId Network::ipAddrGroup(const std::vector<std::string>& addresses) {
    const auto id = IpAddrGroupId::random();
    world_.write([&](nsdb::Transaction& t) {
        model::IpAddrGroup group;
        group.set_id(bytesOf(id.uuid()));
        group.set_name("group");
        for (const auto& address : addresses) group.add_addresses(address);
        return t.create(group);
    });
    return id;
}

Network::Balanced Network::balance(const RouterId& router, std::string_view vip, std::uint16_t port, const std::vector<Member>& members, bool sticky) {
    Balanced made{LoadBalancerId::random(), PoolId::random(), VipId::random(), {}};
    world_.write([&](nsdb::Transaction& t) -> Result<void> {
        model::LoadBalancer balancer;
        balancer.set_id(bytesOf(made.loadBalancer.uuid()));
        balancer.set_admin_state_up(true);
        TRY_VOID(t.create(balancer));
        model::Pool pool;
        pool.set_id(bytesOf(made.pool.uuid()));
        pool.set_load_balancer_id(bytesOf(made.loadBalancer.uuid()));
        pool.set_admin_state_up(true);
        pool.set_status(model::Pool::ACTIVE);
        TRY_VOID(t.create(pool));
        for (const auto& member : members) {
            made.members.push_back(member.id.isNil() ? PoolMemberId::random() : member.id);
            model::PoolMember object;
            object.set_id(bytesOf(made.members.back().uuid()));
            object.set_pool_id(bytesOf(made.pool.uuid()));
            object.set_admin_state_up(true);
            object.set_address(member.address);
            object.set_protocol_port(member.port);
            object.set_weight(member.weight);
            object.set_status(model::PoolMember::ACTIVE);
            TRY_VOID(t.create(object));
        }
        model::Vip object;
        object.set_id(bytesOf(made.vip.uuid()));
        object.set_pool_id(bytesOf(made.pool.uuid()));
        object.set_admin_state_up(true);
        object.set_address(std::string(vip));
        object.set_protocol_port(port);
        object.set_session_persistence(sticky ? model::SOURCE_IP : model::NO_PERSISTENCE);
        object.set_sticky_timeout(3600);
        TRY_VOID(t.create(object));
        TRY(found, t.get<model::Router>(router.uuid()));
        auto changed = *found.object;
        changed.set_load_balancer_id(bytesOf(made.loadBalancer.uuid()));
        return t.update(changed);
    });
    return made;
}

// --- rules ------------------------------------------------------------------------------------

model::Rule rule(model::Rule::Type type) {
    model::Rule out;
    out.set_id(bytesOf(Uuid::random()));
    out.set_type(type);
    out.mutable_condition()->set_fragment_policy(model::Condition::ANY);
    return out;
}

model::Rule jump(const ChainId& chain) {
    auto out = rule(model::Rule::JUMP);
    out.set_jump_chain_id(bytesOf(chain.uuid()));
    return out;
}

model::Rule nat(model::Rule::Type type, std::string_view first, std::string_view last, std::uint16_t firstPort, std::uint16_t lastPort,
                model::Rule::FlowAction then) {
    auto out = rule(type);
    if (firstPort != 0) out.mutable_condition()->set_fragment_policy(model::Condition::UNFRAGMENTED);
    out.set_flow_action(then);
    auto& target = *out.add_nat_targets();
    target.set_address_from(std::string(first));
    target.set_address_to(std::string(last));
    target.set_port_from(firstPort);
    target.set_port_to(lastPort);
    return out;
}

model::Rule unnat(model::Rule::Type type, model::Rule::FlowAction then) {
    auto out = rule(type);
    out.set_flow_action(then);
    return out;
}

model::Rule when(model::Rule rule, const std::function<void(model::Condition&)>& condition) {
    condition(*rule.mutable_condition());
    return rule;
}

}  // namespace midonet::scenarios
