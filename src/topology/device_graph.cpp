#include "topology/device_graph.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/log.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::topology {
namespace {

const Logger kLog{"topology"};

template <class Map>
void dropUnvisited(Map& nodes, std::uint64_t round) {
    boost::unordered::erase_if(nodes, [&](const auto& node) { return node.second->round != round; });
}

template <class Map, class Id>
auto* nodeOf(const Map& nodes, const Id& id) {
    const auto found = nodes.find(id);
    return found == nodes.end() ? nullptr : found->second.get();
}

template <class T>
bool sameNeeds(const T&, const T&) {
    return false;
}
bool sameNeeds(const Port& a, const Port& b) {
    return a.inboundFilter == b.inboundFilter && a.outboundFilter == b.outboundFilter && a.groups == b.groups && a.peer == b.peer;
}

/// Something is in force that may need what the NSDB's version of it does not.
template <class Map>
bool hasOutdated(const Map& nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [](const auto& entry) {
        const auto& [inForce, now] = std::tie(entry.second->inForce, entry.second->made.value);
        return inForce && inForce != now && !(now && sameNeeds(*inForce, *now));
    });
}

/// `now`, or what was in the old snapshot if that is equal.
template <class Map, class Id, class T>
auto sharedIfEqual(const Map& before, const Id& id, T&& now) {
    const auto old = before.find(id);
    return old != before.end() && *old->second == now ? old->second : std::make_shared<const std::decay_t<T>>(std::forward<T>(now));
}

}  // namespace

template <class T>
struct DeviceGraph::Node {
    Derived<T> made;                    // of the NSDB of now
    std::shared_ptr<const T> inForce;   // the newest that had all it needs
    std::uint64_t round = 0;
    bool usable = false;                // complete once: what needs it need not wait

    /// `ready`: all that `made` needs is there.
    void settle(bool ready) {
        if (!made.loaded || !ready) return;
        inForce = made.value;
        usable = true;
    }
};

/// What its host said of a port, and until when that is believed although it is not said any more.
struct DeviceGraph::PortNode : Node<Port> {
    std::string interface;
    std::optional<model::PortState> state;
    event::HandlePtr lost;  // set: the state vanished, and is believed until this timer ends
    bool stateIsOf(const HostId& host) const { return state && model::uuidOf(state->host_id()) == host.uuid(); }
    void forgetState() {
        lost.reset();
        state.reset();
    }
};

DeviceGraph::DeviceGraph(event::Loop& loop, nsdb::Store& store, HostId host, event::Duration peerGrace, std::function<void()> onChange)
    : loop_(loop), host_(host), peerGrace_(peerGrace), onChange_(std::move(onChange)), cache_(loop, store, onChange_) {}

DeviceGraph::~DeviceGraph() = default;

void DeviceGraph::setLocalPorts(std::map<PortId, net::TunnelKey> ports) {
    if (ports == local_) return;
    const auto changed = [](const auto& a, const auto& b) {
        std::vector<PortId> out;
        for (const auto& [id, key] : a) {
            const auto other = b.find(id);
            if (other == b.end() || other->second != key) out.push_back(id);
        }
        return out;
    };
    for (const auto& ids : {changed(local_, ports), changed(ports, local_)})
        for (const auto& id : ids)
            if (auto* const node = nodeOf(ports_, id)) node->made.reads.forget();
    local_ = std::move(ports);
    onChange_();
}

std::optional<std::vector<WantedBinding>> DeviceGraph::bindings() const {
    if (!bound_.loaded) return std::nullopt;
    std::vector<WantedBinding> wanted;
    for (const auto& id : *bound_.value) {
        const auto* const node = nodeOf(ports_, id);
        if (node != nullptr && node->made.value && !node->interface.empty()) wanted.push_back({id, node->interface});
    }
    return wanted;
}

bool DeviceGraph::isLost(const PortId& id) const {
    const auto* const node = nodeOf(ports_, id);
    return node != nullptr && node->lost != nullptr;
}

// --- asking for what is reachable -----------------------------------------------------------------

void DeviceGraph::walk() {
    cache_.derive(bound_, [&] {
        const auto ids = cache_.referrers<model::Port>("host_id", host_.uuid());
        auto out = std::make_shared<std::vector<PortId>>();
        if (ids)
            for (const auto& id : *ids) out->emplace_back(id);
        return out;
    });
    if (bound_.value) pending_ = *bound_.value;
    while (!pending_.empty()) {
        const auto id = pending_.back();
        pending_.pop_back();
        if (const auto& port = usePort(id).made.value) useDeviceOf(*port);
    }
}

/// nullptr when it was visited in this round.
template <class Id, class N>
N* DeviceGraph::enter(Nodes<Id, N>& nodes, const Id& id) {
    auto& slot = nodes[id];
    if (!slot) slot = std::make_unique<N>();
    if (slot->round == cache_.round()) return nullptr;
    slot->round = cache_.round();
    return slot.get();
}

/// For what the newest needs, and for what the one in force needs as long as it is.
template <class T, class Ask>
void DeviceGraph::askForBoth(const Node<T>& node, Ask ask) {
    if (node.made.value) ask(*node.made.value);
    if (node.inForce && node.inForce != node.made.value) ask(*node.inForce);
}

DeviceGraph::PortNode& DeviceGraph::usePort(const PortId& id) {
    auto* const node = enter(ports_, id);
    if (node == nullptr) return *ports_.at(id);
    cache_.derive(node->made, [&] { return makePort(id, *node); });
    askForBoth(*node, [&](const Port& port) {
        useChain(port.inboundFilter);
        useChain(port.outboundFilter);
        for (const auto& group : port.groups) usePortGroup(group);
        if (port.interior()) pending_.push_back(port.peer);
    });
    return *node;
}

void DeviceGraph::useDeviceOf(const Port& port) {
    if (!port.bridge.isNil()) useBridge(port.bridge);
    if (!port.router.isNil()) useRouter(port.router);
}

void DeviceGraph::useBridge(const BridgeId& id) {
    auto* const node = enter(bridges_, id);
    if (node == nullptr) return;
    cache_.derive(node->made, [&] { return readBridge(cache_, id); });
    askForBoth(*node, [&](const BridgeParts& parts) {
        useChain(parts.bridge.inboundFilter);
        useChain(parts.bridge.outboundFilter);
        for (const auto& port : parts.ports) usePort(port);
    });
}

void DeviceGraph::useRouter(const RouterId& id) {
    auto* const node = enter(routers_, id);
    if (node == nullptr) return;
    cache_.derive(node->made, [&] { return readRouter(cache_, id); });
    askForBoth(*node, [&](const RouterParts& parts) {
        const auto& router = parts.router;
        for (const auto& chain : {router.inboundFilter, router.outboundFilter, router.forwardChain, router.localRedirectChain})
            useChain(chain);
        for (const auto& port : parts.ports) usePort(port);
        for (const auto& routeId : parts.routes)
            if (auto* const route = enter(routes_, routeId)) cache_.derive(route->made, [&] { return readRoute(cache_, routeId); });
        if (parts.loadBalancer.isNil()) return;
        if (auto* const balancer = enter(loadBalancers_, parts.loadBalancer))
            cache_.derive(balancer->made, [&] { return readLoadBalancer(cache_, parts.loadBalancer); });
    });
}

void DeviceGraph::useChain(const ChainId& id) {
    if (id.isNil()) return;
    auto* const node = enter(chains_, id);
    if (node == nullptr) return;
    cache_.derive(node->made, [&] {
        return readChain(cache_, id, [&](const IpAddrGroupId& group) { return useIpAddrGroup(group); });
    });
    askForBoth(*node, [&](const ChainParts& parts) {
        for (const auto& group : parts.addressGroups) useIpAddrGroup(group->id());
        for (const auto& group : parts.portGroups) usePortGroup(group);
        for (const auto& rule : parts.chain.rules)
            if (const auto* jump = std::get_if<Jump>(&rule.action)) useChain(jump->chain);
    });
}

void DeviceGraph::usePortGroup(const PortGroupId& id) {
    if (auto* const node = enter(portGroups_, id)) cache_.derive(node->made, [&] { return readPortGroup(cache_, id); });
}

/// Also what a chain is made of: it asks again in the same round, and has to be told apart from a visit.
IpAddrGroupPtr DeviceGraph::useIpAddrGroup(const IpAddrGroupId& id) {
    enter(ipAddrGroups_, id);
    auto& node = *ipAddrGroups_.at(id);
    cache_.derive(node.made, [&] { return readIpAddrGroup(cache_, id); });
    return node.made.value;
}

// --- ports ------------------------------------------------------------------------------------

PortPtr DeviceGraph::makePort(const PortId& id, PortNode& node) {
    auto port = readPort(cache_, id, node.interface);
    if (!port) return nullptr;
    if (port->host == host_ || !port->exterior()) {
        node.forgetState();
        const auto local = local_.find(id);
        port->active = port->exterior() && local != local_.end();
        if (port->active) port->tunnelKey = local->second;
    } else {
        believeHost(id, node, *port);
    }
    return port;
}

void DeviceGraph::believeHost(const PortId& id, PortNode& node, Port& port) {
    const auto bytes = cache_.state<model::Port>(id.uuid(), "state");
    if (!bytes.loaded) return;
    if (bytes) {
        node.forgetState();
        model::PortState state;
        if (state.ParseFromString(*bytes))
            node.state = std::move(state);
        else
            kLog.warn("port state ignored: it cannot be decoded", {kv("port", id)});
    } else if (!node.stateIsOf(port.host) || !node.state->active()) {
        node.forgetState();  // its binding has ended: that is why the state went, not a dead agent
    } else if (!node.lost) {
        node.lost = loop_.after(peerGrace_, [this, id] { onGraceOver(id); });
    }
    // State reported by a host that lost the binding says nothing.
    if (!node.stateIsOf(port.host)) return;
    port.active = node.state->active();
    port.tunnelKey = net::TunnelKey{node.state->tunnel_key()};
}

void DeviceGraph::onGraceOver(const PortId& id) {
    auto* const node = nodeOf(ports_, id);
    if (node == nullptr) return;
    node->made.reads.forget();
    onChange_();
    node->forgetState();  // ends the timer that is running this: nothing of it is used after
}

// --- deciding what is complete ----------------------------------------------------------------

bool DeviceGraph::chainUsable(const ChainId& id) const {
    if (id.isNil()) return true;
    const auto* const node = nodeOf(chains_, id);
    return node != nullptr && node->usable;
}

/// A chain is complete when all that can be jumped to is; chains may jump in circles.
void DeviceGraph::settleChains() {
    std::vector<Node<ChainParts>*> waiting;
    for (const auto& [id, node] : chains_)
        if (node->made.loaded && (!node->usable || node->inForce != node->made.value)) waiting.push_back(node.get());
    if (waiting.empty()) return;
    std::vector<Node<ChainParts>*> incomplete;
    const auto leadsToIncomplete = [&](const Node<ChainParts>& node) {
        if (!node.made.value) return false;
        const auto& rules = node.made.value->chain.rules;
        return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
            const auto* const jump = std::get_if<Jump>(&rule.action);
            if (jump == nullptr || chainUsable(jump->chain)) return false;
            const auto* const target = nodeOf(chains_, jump->chain);
            return target == nullptr || !target->made.loaded || std::find(incomplete.begin(), incomplete.end(), target) != incomplete.end();
        });
    };
    for (std::size_t found = 1; found != 0;) {
        found = std::erase_if(waiting, [&](auto* node) {
            if (!leadsToIncomplete(*node)) return false;
            incomplete.push_back(node);
            return true;
        });
    }
    for (auto* const node : waiting) node->settle(true);
}

void DeviceGraph::settlePort(PortNode& node) const {
    if (node.usable && node.inForce == node.made.value) return;
    if (!node.made.value) return node.settle(true);
    const auto& port = *node.made.value;
    node.settle(chainUsable(port.inboundFilter) && chainUsable(port.outboundFilter) &&
                std::all_of(port.groups.begin(), port.groups.end(), [&](const PortGroupId& id) { return nodeOf(portGroups_, id)->made.loaded; }));
}

const Port* DeviceGraph::knownPort(const PortId& id) const {
    const auto* const node = nodeOf(ports_, id);
    return node == nullptr ? nullptr : node->made.value.get();
}

/// All of them with the peers of those that are linked.
bool DeviceGraph::portsUsable(const std::vector<PortId>& ports) const {
    return std::all_of(ports.begin(), ports.end(), [&](const PortId& id) {
        const auto& node = *ports_.at(id);
        if (!node.usable) return false;
        return !node.inForce || !node.inForce->interior() || ports_.at(node.inForce->peer)->made.loaded;
    });
}

void DeviceGraph::settleBridge(const BridgeId& id) {
    auto& node = *bridges_.at(id);
    if (!node.made.loaded || (node.usable && node.inForce == node.made.value)) return;
    if (!node.made.value) return node.settle(true);
    const auto& bridge = node.made.value->bridge;
    node.settle(chainUsable(bridge.inboundFilter) && chainUsable(bridge.outboundFilter) &&
                (node.inForce || portsUsable(node.made.value->ports)));
}

void DeviceGraph::settleRouter(const RouterId& id) {
    auto& node = *routers_.at(id);
    if (!node.made.loaded || (node.usable && node.inForce == node.made.value)) return;
    if (!node.made.value) return node.settle(true);
    const auto& parts = *node.made.value;
    const std::array chains{parts.router.inboundFilter, parts.router.outboundFilter, parts.router.forwardChain,
                            parts.router.localRedirectChain};
    const bool chainsUsable = std::all_of(chains.begin(), chains.end(), [&](const ChainId& chain) { return chainUsable(chain); });
    const bool balancerLoaded = parts.loadBalancer.isNil() || loadBalancers_.at(parts.loadBalancer)->made.loaded;
    const bool routesLoaded = std::all_of(parts.routes.begin(), parts.routes.end(),
                                          [&](const RouteId& route) { return routes_.at(route)->made.loaded; });
    node.settle(chainsUsable && balancerLoaded && (node.inForce || (routesLoaded && portsUsable(parts.ports))));
}

void DeviceGraph::settle() {
    settleChains();
    for (const auto& [id, node] : ports_) settlePort(*node);
    for (const auto& [id, node] : bridges_) settleBridge(id);
    for (const auto& [id, node] : routers_) settleRouter(id);
}

// --- the snapshot -----------------------------------------------------------------------------

std::shared_ptr<TopologySnapshot> DeviceGraph::rebuild(const TopologySnapshot& before) {
    cache_.beginRound();
    walk();
    const bool outdated = hasOutdated(ports_) || hasOutdated(bridges_) || hasOutdated(routers_) || hasOutdated(chains_);
    settle();
    if (outdated) {
        // What only the replaced ones needed is not asked for any more.
        cache_.beginRound();
        walk();
    }
    cache_.endRound();
    const auto round = cache_.round();
    dropUnvisited(ports_, round);
    dropUnvisited(bridges_, round);
    dropUnvisited(routers_, round);
    dropUnvisited(routes_, round);
    dropUnvisited(chains_, round);
    dropUnvisited(portGroups_, round);
    dropUnvisited(ipAddrGroups_, round);
    dropUnvisited(loadBalancers_, round);

    auto next = std::make_shared<TopologySnapshot>();
    next->generation = before.generation + 1;
    next->ports.reserve(ports_.size());
    for (const auto& [id, node] : bridges_)
        if (node->inForce) addPorts(node->inForce->ports, id.uuid(), *next);
    for (const auto& [id, node] : routers_)
        if (node->inForce) addPorts(node->inForce->ports, id.uuid(), *next);
    for (const auto& [id, node] : bridges_)
        if (node->inForce) addBridge(id, *node->inForce, before, *next);
    for (const auto& [id, node] : routers_)
        if (node->inForce) addRouter(id, *node->inForce, before, *next);
    for (const auto& [id, node] : chains_)
        if (node->inForce) next->chains.emplace(id, ChainPtr{node->inForce, &node->inForce->chain});
    for (const auto& [id, node] : portGroups_)
        if (node->made.value) next->portGroups.emplace(id, node->made.value);
    for (const auto& [id, node] : ipAddrGroups_)
        if (node->made.value) next->ipAddrGroups.emplace(id, node->made.value);
    return next;
}

void DeviceGraph::addPorts(const std::vector<PortId>& ports, const Uuid& device, TopologySnapshot& next) const {
    for (const auto& id : ports) {
        const auto& port = ports_.at(id)->inForce;
        if (port && port->device() == device) next.ports.emplace(id, port);
    }
}

void DeviceGraph::addBridge(const BridgeId& id, const BridgeParts& parts, const TopologySnapshot& before, TopologySnapshot& next) const {
    auto bridge = makeBridge(parts, next, [&](const PortId& port) { return knownPort(port); });
    next.bridges.emplace(id, sharedIfEqual(before.bridges, id, std::move(bridge)));
}

void DeviceGraph::addRouter(const RouterId& id, const RouterParts& parts, const TopologySnapshot& before, TopologySnapshot& next) const {
    std::vector<Route> inForce;
    for (const auto& routeId : parts.routes) {
        const auto& route = routes_.at(routeId)->made.value;
        if (route && isInForce(*route, id, next, [&](const PortId& port) { return knownPort(port); })) inForce.push_back(*route);
    }
    auto router = parts.router;
    if (!parts.loadBalancer.isNil()) router.loadBalancer = loadBalancers_.at(parts.loadBalancer)->made.value;
    const auto old = before.routers.find(id);
    const bool sameRoutes = old != before.routers.end() && old->second->routes->routes() == inForce;
    router.routes = sameRoutes ? old->second->routes : std::make_shared<const RouteTable>(std::move(inForce));
    next.routers.emplace(id, sharedIfEqual(before.routers, id, std::move(router)));
}

}  // namespace midonet::topology
