#include "agent/topology.h"

#include <functional>

#include "topology/testing/snapshot_builder.h"

namespace midonet::fuzz {
namespace {

using namespace topology;
using namespace topology::testing;

net::IpAddress ip(const char* text) { return net::IpAddress::parse(text).value(); }
net::Ipv4Address ipv4(const char* text) { return net::Ipv4Address::parse(text).value(); }
net::IpPrefix prefix(const char* text) { return net::IpPrefix::parse(text).value(); }
net::Mac machineMac(std::uint64_t n) { return net::Mac{0x020000000000ULL + n}; }

const Verdict kAccept{Verdict::Kind::Accept}, kDrop{Verdict::Kind::Drop}, kReject{Verdict::Kind::Reject}, kReturn{Verdict::Kind::Return};
const ChainId kFromMachine = chainId(1), kToMachine = chainId(2), kEveryCondition = chainId(3), kIntoRouter = chainId(4), kOutOfRouter = chainId(5),
              kShared = chainId(6);

Rule when(const std::function<void(Condition&)>& set, decltype(Rule::action) action) {
    Rule rule;
    set(rule.condition);
    rule.action = std::move(action);
    return rule;
}
Rule always(decltype(Rule::action) action) { return when([](Condition&) {}, std::move(action)); }
Translate translate(Translate::Kind kind, const char* address, std::uint16_t first = 0, std::uint16_t last = 0) {
    return {kind, {{ip(address), ip(address), first, last}}, Continuation::Accept};
}

/// One rule for each condition. Each lets most packets pass it.
std::vector<Rule> ruleOfEveryCondition() {
    const std::vector<std::function<void(Condition&)>> conditions = {
        [](Condition& c) { c.forwardFlow = true, c.l4Destination.value = PortRange{1, 9}; },
        [](Condition& c) { c.returnFlow = true, c.l4Source.value = PortRange{1, 9}; },
        [](Condition& c) { c.untagged = true, c.etherType.value = 0x88b5; },
        [](Condition& c) { c.destinationRewritten = true, c.protocol.value = 17; },
        [](Condition& c) { c.fragments = FragmentPolicy::NonHeader, c.tos.value = 4; },
        [](Condition& c) { c.fragments = FragmentPolicy::Header, c.tos.value = 8; },
        [](Condition& c) { c.fragments = FragmentPolicy::Unfragmented, c.tos.value = 12; },
        [](Condition& c) { c.vlan.value = 77; },
        [](Condition& c) { c.ingressGroup.value = portGroupId(1), c.l4Destination.value = PortRange{11, 11}; },
        [](Condition& c) { c.inPortGroup.value = portGroupId(1), c.l4Destination.value = PortRange{12, 12}; },
        [](Condition& c) { c.outPortGroup.value = portGroupId(1), c.l4Destination.value = PortRange{13, 13}; },
        [](Condition& c) { c.inPorts.value = std::vector{portId(1)}, c.l4Destination.value = PortRange{14, 14}; },
        [](Condition& c) { c.outPorts.value = std::vector{portId(2)}, c.l4Destination.value = PortRange{15, 15}; },
        [](Condition& c) { c.ethSource.value = MaskedMac{machineMac(9), 0xff}; },
        [](Condition& c) { c.ethDestination.value = MaskedMac{machineMac(9), 0xff}; },
        [](Condition& c) { c.tos.value = 16; },
        [](Condition& c) { c.protocol.value = 132; },
        [](Condition& c) { c.source.value = prefix("10.0.1.200/29"); },
        [](Condition& c) { c.destination.value = prefix("2001:db8:dead::/48"); },
        [](Condition& c) { c.inverted = true, c.l4Source = {PortRange{666, 666}, true}; },
        [](Condition& c) { c.sourceGroup.value = ipAddrGroupId(1); },
        [](Condition& c) { c.destinationGroup.value = ipAddrGroupId(1), c.tos = {std::uint8_t{0}, true}; },
        [](Condition& c) { c.traversedDevice.value = routerId(1).uuid(), c.l4Destination.value = PortRange{16, 16}; },
        [](Condition& c) { c.icmpDataSource.value = prefix("10.0.2.128/25"); },
        [](Condition& c) { c.icmpDataDestination.value = prefix("203.0.113.0/24"); },
    };
    std::vector<Rule> rules;
    for (const auto& condition : conditions) rules.push_back(when(condition, rules.size() % 3 == 0 ? kReject : rules.size() % 3 == 1 ? kDrop : kReturn));
    rules.push_back(always(Jump{kShared}));
    return rules;
}

void addChains(SnapshotBuilder& topology) {
    const auto notOwn = [](Condition& c) { c.ethSource = {MaskedMac{machineMac(1)}, true}; };
    topology.chain(kFromMachine, {when(notOwn, kDrop), when([](Condition& c) { c.forwardFlow = true; }, kAccept)});
    topology.chain(kToMachine, {when([](Condition& c) { c.returnFlow = true; }, kAccept),
                                when([](Condition& c) { c.etherType.value = 0x0806; }, kAccept),
                                when([](Condition& c) { c.protocol.value = 1; }, kAccept),
                                when([](Condition& c) { c.protocol.value = 6, c.l4Destination.value = PortRange{20, 8080}; }, kAccept),
                                when([](Condition& c) { c.etherType.value = 0x0800; }, kDrop),
                                when([](Condition& c) { c.etherType.value = 0x86dd; }, kReject)});
    topology.chain(kEveryCondition, ruleOfEveryCondition());
    topology.chain(kShared, {when([](Condition& c) { c.l4Destination.value = PortRange{17, 17}; }, kDrop), always(Jump{kEveryCondition})});

    const auto to = [](const char* address, std::uint16_t port = 0) {
        return [=](Condition& c) {
            c.destination.value = net::IpPrefix{ip(address), 32};
            if (port != 0) c.protocol.value = 6, c.l4Destination.value = PortRange{port, port}, c.fragments = FragmentPolicy::Unfragmented;
        };
    };
    const auto outside = [](Condition& c) { c.outPorts.value = std::vector{portId(13)}; };
    const auto fromFloating = [&](Condition& c) { outside(c), c.source.value = prefix("10.0.1.1/32"); };
    topology.chain(kIntoRouter, {when(to("192.0.2.3"), translate(Translate::Kind::Destination, "10.0.1.1")),
                                 when(to("192.0.2.2", 8080), translate(Translate::Kind::Destination, "10.0.2.6", 80, 80)),
                                 when(to("192.0.2.2"), Untranslate{Translate::Kind::Source, Continuation::Accept})});
    topology.chain(kOutOfRouter, {always(Untranslate{Translate::Kind::Destination, Continuation::Continue}),
                                  when(fromFloating, translate(Translate::Kind::Source, "192.0.2.3")),
                                  when(outside, translate(Translate::Kind::Source, "192.0.2.2", 20032, 20159))});
}

LoadBalancerPtr loadBalancer() {
    LoadBalancer balancer;
    balancer.id = LoadBalancerId{Uuid{0x6c62, 1}};
    Pool pool{PoolId{Uuid{0x706f, 1}}, true, {}};
    for (std::uint64_t n = 1; n <= 2; ++n)
        pool.members.push_back({PoolMemberId{Uuid{0x6d62, n}}, ipv4(n == 1 ? "10.0.1.2" : "10.0.2.6"), 8080, static_cast<std::uint32_t>(n), true, true});
    balancer.pools.push_back(std::move(pool));
    balancer.vips.push_back({VipId{Uuid{0x7669, 1}}, true, ipv4("192.0.2.50"), 80, false, 86400, 0});
    balancer.vips.push_back({VipId{Uuid{0x7669, 2}}, true, ipv4("192.0.2.51"), 80, true, 3600, 0});
    return std::make_shared<LoadBalancer>(std::move(balancer));
}

/// A port of a bridge that is to be linked.
Port inner(std::uint64_t number, const BridgeId& bridge, std::uint16_t vlan = 0) {
    auto port = activePort(number, bridge);
    port.host = {};
    port.vlan = net::VlanId{vlan};
    return port;
}

void addBridges(SnapshotBuilder& topology) {
    Bridge second;
    second.id = bridgeId(2);
    second.inboundFilter = kEveryCondition;
    topology.bridge(bridgeId(1)).bridge(second).bridge(bridgeId(3));
    auto one = activePort(1, bridgeId(1)), two = activePort(2, bridgeId(1)), four = activePort(4, bridgeId(2)), five = activePort(5, bridgeId(2), 2);
    one.inboundFilter = kFromMachine;
    one.outboundFilter = kToMachine;
    one.groups = two.groups = {portGroupId(1)};
    two.outboundFilter = kEveryCondition;
    four.vlan = net::VlanId{10};
    topology.port(one).port(two).port(activePort(3, bridgeId(2))).port(four).port(five).port(activePort(6, bridgeId(3)));
    topology.port(inner(31, bridgeId(1))).port(inner(32, bridgeId(2))).link(portId(31), portId(32));
    topology.portGroup(portGroupId(1), {portId(1), portId(2)}).ipAddrGroup(ipAddrGroupId(1), {ip("10.0.1.99"), ip("2001:db8::99")});
}

void addRouter(SnapshotBuilder& topology) {
    Router router;
    router.id = routerId(1);
    router.inboundFilter = kIntoRouter;
    router.outboundFilter = kOutOfRouter;
    router.loadBalancer = loadBalancer();
    topology.router(router);
    topology.routerPortWithRoutes(routerPort(11, router.id, "10.0.1.254/24")).routerPortWithRoutes(routerPort(12, router.id, "10.0.2.254/24"));
    topology.routerPortWithRoutes(activeRouterPort(13, router.id, "192.0.2.2/24"));
    topology.route(router.id, routeTo(1, "0.0.0.0/0", 13, "192.0.2.1"));
    auto reject = routeTo(2, "10.9.0.0/16", 13);
    reject.type = Route::Type::Reject;
    topology.route(router.id, reject);
    topology.port(inner(21, bridgeId(1))).link(portId(21), portId(11));
    topology.port(inner(22, bridgeId(3))).link(portId(22), portId(12));
}

}  // namespace

const TopologySnapshotPtr& fuzzedTopology() {
    static const auto made = [] {
        SnapshotBuilder topology;
        addChains(topology);
        addBridges(topology);
        addRouter(topology);
        return topology.build();
    }();
    return made;
}

}  // namespace midonet::fuzz
