#pragma once

#include <string_view>
#include <vector>

#include "model/topology.pb.h"
#include "world.h"

namespace midonet::scenarios {

/// The port of a router, as made.
struct RouterPort {
    PortId port;
    RouterId router;
    net::Mac mac;
    net::Ipv4Address address;
};

/// Layer 3 and 4 of a world, made as an operator makes it: routers, routes, chains, load balancers.
class Network {
public:
    explicit Network(World& world) : world_(world) {}

    RouterId router();
    /// A port of the router with its address and the length of its subnet, "10.0.0.1/24"; with it come the Local route
    /// of the address and a route to the subnet. Neither bound nor linked.
    RouterPort port(const RouterId& router, std::string_view subnet);
    /// The same, linked to a new port of the bridge.
    RouterPort attach(const RouterId& router, const BridgeId& bridge, std::string_view subnet);
    /// The same, bound to an interface of a host: the returned machine sits on the wire there, with this address.
    struct Uplink {
        RouterPort port;
        Vm machine;
    };
    Uplink uplink(const RouterId& router, const HostName& host, std::string_view subnet, std::string_view machineAddress);
    /// A machine on a bridge, with an address.
    Vm machine(const BridgeId& bridge, const HostName& host, std::string_view address);
    PortId bridgePort(const BridgeId& bridge, std::uint16_t vlan = 0);
    void link(const PortId& a, const PortId& b);
    void unlink(const PortId& port);
    /// A link between two routers, with a /30 between them.
    std::pair<RouterPort, RouterPort> connect(const RouterId& a, std::string_view subnetOfA, const RouterId& b, std::string_view subnetOfB);

    RouteId route(const RouterId& router, std::string_view destination, const PortId& via, std::string_view gateway = {},
                  std::uint32_t weight = 100, std::string_view source = "0.0.0.0/0");
    RouteId route(const RouterId& router, std::string_view destination, model::Route::Type type);
    template <class T>
    void remove(const Uuid& id) {
        world_.write([&](nsdb::Transaction& t) { return t.remove(T::descriptor(), id); });
    }

    ChainId chain(std::vector<model::Rule> rules);
    void setRules(const ChainId& chain, std::vector<model::Rule> rules);
    void setPortFilters(const PortId& port, const ChainId& inbound, const ChainId& outbound);
    void setBridgeFilters(const BridgeId& bridge, const ChainId& inbound, const ChainId& outbound);
    void setRouterFilters(const RouterId& router, const ChainId& inbound, const ChainId& outbound);
    PortGroupId portGroup(const std::vector<PortId>& ports, bool stateful = false);
    IpAddrGroupId ipAddrGroup(const std::vector<std::string>& addresses);

    struct Member {
        PoolMemberId id;
        std::string address;
        std::uint16_t port = 0;
        std::uint32_t weight = 1;
    };
    struct Balanced {
        LoadBalancerId loadBalancer;
        PoolId pool;
        VipId vip;
        std::vector<PoolMemberId> members;
    };
    Balanced balance(const RouterId& router, std::string_view vip, std::uint16_t port, const std::vector<Member>& members, bool sticky = false);

    /// Any object, changed in a transaction.
    template <class T>
    void change(const Uuid& id, const std::function<void(T&)>& how) {
        world_.write([&](nsdb::Transaction& t) -> Result<void> {
            TRY(found, t.get<T>(id));
            auto object = *found.object;
            how(object);
            return t.update(object);
        });
    }

private:
    World& world_;
    unsigned ports_ = 0;
};

// Rules in short.
model::Rule rule(model::Rule::Type type);
model::Rule jump(const ChainId& chain);
/// Source or destination translation to [first, last] and, when given, a range of ports.
model::Rule nat(model::Rule::Type type, std::string_view first, std::string_view last, std::uint16_t firstPort = 0, std::uint16_t lastPort = 0,
                model::Rule::FlowAction then = model::Rule::FLOW_ACCEPT);
model::Rule unnat(model::Rule::Type type, model::Rule::FlowAction then = model::Rule::FLOW_ACCEPT);
/// The rule, with its condition changed.
model::Rule when(model::Rule rule, const std::function<void(model::Condition&)>& condition);

}  // namespace midonet::scenarios
