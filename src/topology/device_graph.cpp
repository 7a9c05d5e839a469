#include "topology/device_graph.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/log.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::topology {
namespace {

const Logger kLog{"topology"};

template <class Map, class Id>
auto* nodeOf(const Map& nodes, const Id& id) {
    const auto found = nodes.find(id);
    return found == nodes.end() ? nullptr : found->second.get();
}

template <class T>
void sortUnique(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

// --- what needs what: forEachLost() calls `visit` with what `before` needs and `after` does not ----------------------

template <class Id, class Visit>
void lost(const Id& before, const Id& after, Visit visit) {
    if (!before.isNil() && before != after) visit(before);
}
/// Both ordered.
template <class Id, class Visit>
void lost(const std::vector<Id>& before, const std::vector<Id>& after, Visit visit) {
    auto other = after.begin();
    for (const auto& id : before) {
        while (other != after.end() && *other < id) ++other;
        if (!id.isNil() && (other == after.end() || *other != id)) visit(id);
    }
}
template <class Visit>
void lost(const Router& before, const Router& after, Visit visit) {
    lost(before.inboundFilter, after.inboundFilter, visit);
    lost(before.outboundFilter, after.outboundFilter, visit);
    lost(before.forwardChain, after.forwardChain, visit);
    lost(before.localRedirectChain, after.localRedirectChain, visit);
}

template <class T, class Visit>
void forEachLost(const T&, const T&, Visit) {}  // most need nothing
template <class Visit>
void forEachLost(const std::vector<WantedBinding>& before, const std::vector<WantedBinding>& after, Visit visit) {
    const auto ports = [](const auto& bindings) {
        std::vector<PortId> out;
        for (const auto& binding : bindings) out.push_back(binding.port);
        return out;
    };
    lost(ports(before), ports(after), visit);
}
template <class Visit>
void forEachLost(const Port& before, const Port& after, Visit visit) {
    lost(before.inboundFilter, after.inboundFilter, visit);
    lost(before.outboundFilter, after.outboundFilter, visit);
    lost(before.groups, after.groups, visit);
    lost(before.peer, after.peer, visit);
    lost(before.host, after.host, visit);
    lost(before.bridge, after.bridge, visit);
    lost(before.router, after.router, visit);
}
template <class Visit>
void forEachLost(const BridgeParts& before, const BridgeParts& after, Visit visit) {
    lost(before.bridge.inboundFilter, after.bridge.inboundFilter, visit);
    lost(before.bridge.outboundFilter, after.bridge.outboundFilter, visit);
    lost(before.ports, after.ports, visit);
}
template <class Visit>
void forEachLost(const RouterParts& before, const RouterParts& after, Visit visit) {
    lost(before.router, after.router, visit);
    lost(before.ports, after.ports, visit);
    lost(before.routes, after.routes, visit);
    lost(before.loadBalancer, after.loadBalancer, visit);
}
template <class Visit>
void forEachLost(const PortGroup& before, const PortGroup& after, Visit visit) {
    lost(before.hosts, after.hosts, visit);
}
template <class Visit>
void forEachLost(const ChainParts& before, const ChainParts& after, Visit visit) {
    lost(before.addressGroupIds(), after.addressGroupIds(), visit);
    lost(before.portGroups, after.portGroups, visit);
    lost(before.jumps, after.jumps, visit);
}

template <class T, class Visit>
void forEachLost(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after, Visit visit) {
    static const T kNothing{};
    if (before) forEachLost(*before, after ? *after : kNothing, visit);
}
template <class Visit>
void forEachLost(const IpAddrGroupPtr&, const IpAddrGroupPtr&, Visit) {}  // cannot be made of nothing
template <class T, class Visit>
void forEachNeed(const std::shared_ptr<const T>& value, Visit visit) {
    forEachLost(value, std::shared_ptr<const T>{}, visit);
}

// --- patching -----------------------------------------------------------------------------------

/// `old`, or `now` if that is something else.
template <class T>
std::shared_ptr<const T> sharedIfEqual(const std::shared_ptr<const T>& old, T&& now) {
    return old && *old == now ? old : std::make_shared<const T>(std::forward<T>(now));
}

template <class Id, class T>
void setIfOther(SharedMap<Id, T>& map, const Id& id, std::shared_ptr<const T> value) {
    if (map.find(id) != value.get()) map.set(id, std::move(value));
}

/// What a bridge knows of its port is the same.
bool sameForBridge(const Port& a, const Port& b) {
    return a.bridge == b.bridge && a.router == b.router && a.exterior() == b.exterior() && a.peer == b.peer && a.vlan == b.vlan;
}

}  // namespace

/// Something that may be stale, and may have to be walked over.
struct DeviceGraph::AnyNode {
    virtual ~AnyNode() = default;
    virtual void refresh() = 0;
    virtual void reachNeeds() = 0;
    std::uint64_t walk = 0;  // the last one that reached it
};

/// What is kept of a kind of node beside its value.
template <class T>
struct DeviceGraph::Beside {};

/// What its host said of a port, and until when that is believed although it is not said any more.
template <>
struct DeviceGraph::Beside<Port> {
    std::optional<model::PortState> state;
    event::HandlePtr lost;      // set: the state vanished, and is believed until this timer ends
    std::vector<PortId> linked; // ports that named this one as their peer, now or before
    bool stateIsOf(const HostId& host) const { return state && !host.isNil() && model::uuidOf(state->host_id()) == host.uuid(); }
    void forgetState() {
        lost.reset();
        state.reset();
    }
};

/// `value`: made of the NSDB of now.
template <class Id, class T>
struct DeviceGraph::Node final : AnyNode, Derived<T>, Beside<T> {
    Node(DeviceGraph& g, const Id& i) : graph(g), id(i) { graph.stale_.push_back(this); }
    void refresh() override { graph.refresh(*this); }
    void onStale() override { graph.stale_.push_back(this); }
    void reachNeeds() override {
        const auto visit = [&](const auto& needed) { graph.reach(needed); };
        forEachNeed(this->value, visit);
        if (inForce != this->value) forEachNeed(inForce, visit);
    }
    bool isSettled() const { return usable && inForce == this->value; }

    DeviceGraph& graph;
    const Id id;
    std::shared_ptr<const T> inForce;   // the newest that had all it needs
    bool usable = false;                // complete once: what needs it need not wait
    bool waits = false;                 // among the unsettled ones
    std::size_t holders = 0;            // values, made or in force, that need it
};

DeviceGraph::DeviceGraph(event::Loop& loop, nsdb::Store& store, HostId host, event::Duration peerGrace, std::function<void()> onChange)
    : loop_(loop),
      host_(host),
      peerGrace_(peerGrace),
      onChange_(std::move(onChange)),
      cache_(loop, store, onChange_),
      bindings_(std::make_unique<BindingsNode>(*this, host)) {}

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
            if (auto* const node = nodeOf(ports_.byId, id)) node->forget();
    local_ = std::move(ports);
    onChange_();
}

std::shared_ptr<const std::vector<WantedBinding>> DeviceGraph::bindings() const { return bindings_->value; }

bool DeviceGraph::isLost(const PortId& id) const {
    const auto* const node = nodeOf(ports_.byId, id);
    return node != nullptr && node->lost != nullptr;
}

std::shared_ptr<TopologySnapshot> DeviceGraph::rebuild(const TopologySnapshot& before) {
    while (!stale_.empty()) {
        auto* const node = stale_.back();
        stale_.pop_back();
        node->refresh();
    }
    settle();
    dropUnneeded();
    auto next = std::make_shared<TopologySnapshot>(before);
    ++next->generation;
    patch(*next);
    return next;
}

// --- making anew what is stale ------------------------------------------------------------------

/// The node, which is made if there is none.
template <class Id>
auto& DeviceGraph::need(const Id& id) {
    auto& slot = nodesOf(id).byId[id];
    using N = typename std::decay_t<decltype(slot)>::element_type;
    if (!slot) slot = std::make_unique<N>(*this, id);
    return *slot;
}

/// False: its value is the same.
template <class N, class Make>
bool DeviceGraph::remake(N& node, Make make) {
    const auto before = node.value;
    cache_.derive(node, make);
    if (node.value == before) return false;
    replaceNeeds(before, node.value);
    return true;
}

template <class T>
void DeviceGraph::replaceNeeds(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after) {
    forEachLost(after, before, [&](const auto& id) { ++need(id).holders; });
    forEachLost(before, after, [&](const auto& id) {
        auto* const needed = nodeOf(nodesOf(id).byId, id);
        if (needed == nullptr) return;  // dropped, as one of those that held each other
        --needed->holders;
        nodesOf(id).letGo.push_back(id);
    });
}

template <class N>
void DeviceGraph::settleLater(N& node) {
    if (!node.loaded || node.isSettled() || std::exchange(node.waits, true)) return;
    nodesOf(node.id).unsettled.push_back(&node);
}

void DeviceGraph::refresh(BindingsNode& node) {
    remake(node, [&] { return readBindings(cache_, node.id); });
    node.inForce = node.value;
}

void DeviceGraph::refresh(PortNode& node) {
    if (remake(node, [&] { return makePort(node); })) {
        if (node.value && node.value->interior()) {
            auto& linked = ports_.byId.at(node.value->peer)->linked;
            if (std::find(linked.begin(), linked.end(), node.id) == linked.end()) linked.push_back(node.id);
        }
        for (const auto& id : node.linked)
            if (const auto* const other = nodeOf(ports_.byId, id); other != nullptr && other->inForce) touchDeviceOf(*other->inForce);
    }
    settleLater(node);
}

void DeviceGraph::refresh(BridgeNode& node) {
    remake(node, [&] { return readBridge(cache_, node.id); });
    settleLater(node);
}

void DeviceGraph::refresh(RouterNode& node) {
    remake(node, [&] { return readRouter(cache_, node.id); });
    settleLater(node);
}

void DeviceGraph::refresh(RouteNode& node) {
    if (remake(node, [&] { return readRoute(cache_, node.id); })) touch(node);
}

void DeviceGraph::refresh(ChainNode& node) {
    remake(node, [&] {
        return readChain(cache_, node.id, [&](const IpAddrGroupId& id) {
            auto& group = need(id);
            refresh(group);
            ipAddrGroups_.letGo.push_back(id);  // unless the chain that is made needs it
            return group.value;
        });
    });
    settleLater(node);
}

void DeviceGraph::refresh(PortGroupNode& node) {
    if (remake(node, [&] { return readPortGroup(cache_, node.id); })) touch(node);
}

void DeviceGraph::refresh(IpAddrGroupNode& node) {
    if (remake(node, [&] { return readIpAddrGroup(cache_, node.id); })) touch(node);
}

void DeviceGraph::refresh(LoadBalancerNode& node) {
    if (remake(node, [&] { return readLoadBalancer(cache_, node.id); })) touch(node);
}

void DeviceGraph::refresh(HostNode& node) {
    if (remake(node, [&] { return readHost(cache_, node.id); })) touch(node);
}

// --- ports ------------------------------------------------------------------------------------

PortPtr DeviceGraph::makePort(PortNode& node) {
    auto port = readPort(cache_, node.id);
    if (!port) return nullptr;
    if (port->host == host_ || port->interior()) {
        node.forgetState();
        const auto local = local_.find(node.id);
        port->active = port->host == host_ && local != local_.end();
        if (port->active) port->tunnelKey = local->second;
    } else {
        believeHost(node, *port);
    }
    return port;
}

/// Also of a port that is bound to none yet: as soon as it is, many hosts want to know, and do not need to ask first.
void DeviceGraph::believeHost(PortNode& node, Port& port) {
    const auto bytes = cache_.state<model::Port>(node.id.uuid(), "state");
    if (!bytes.loaded) return;
    if (bytes) {
        node.forgetState();
        model::PortState state;
        if (state.ParseFromString(*bytes))
            node.state = std::move(state);
        else
            kLog.warn("port state ignored: it cannot be decoded", {kv("port", node.id)});
    } else if (!node.stateIsOf(port.host) || !node.state->active()) {
        node.forgetState();  // its binding has ended: that is why the state went, not a dead agent
    } else if (!node.lost) {
        node.lost = loop_.after(peerGrace_, [this, id = node.id] { onGraceOver(id); });
    }
    // State reported by a host that lost the binding says nothing.
    if (!node.stateIsOf(port.host)) return;
    port.active = node.state->active();
    port.tunnelKey = net::TunnelKey{node.state->tunnel_key()};
}

void DeviceGraph::onGraceOver(const PortId& id) {
    auto* const node = nodeOf(ports_.byId, id);
    if (node == nullptr) return;
    node->forget();
    onChange_();
    node->forgetState();  // ends the timer that is running this: nothing of it is used after
}

// --- deciding what is complete ----------------------------------------------------------------

void DeviceGraph::settle() {
    settleChains();
    settleEach(ports_);
    settleEach(bridges_);
    settleEach(routers_);
}

template <class Id, class N>
void DeviceGraph::settleEach(Nodes<Id, N>& nodes) {
    std::erase_if(nodes.unsettled, [&](N* node) {
        if (node->value && !isReady(*node)) return false;
        putInForce(*node);
        return true;
    });
}

template <class N>
void DeviceGraph::putInForce(N& node) {
    node.waits = false;
    const auto before = std::exchange(node.inForce, node.value);
    node.usable = true;
    if (before == node.value) return;
    replaceNeeds(before, node.value);
    touchChange(node, before.get());
}

bool DeviceGraph::chainUsable(const ChainId& id) const { return id.isNil() || chains_.byId.at(id)->usable; }

/// A chain is complete when all that can be jumped to is; chains may jump in circles.
void DeviceGraph::settleChains() {
    auto waiting = std::exchange(chains_.unsettled, {});
    auto& incomplete = chains_.unsettled;
    const auto leadsToIncomplete = [&](const ChainNode& node) {
        if (!node.value) return false;
        const auto& jumps = node.value->jumps;
        return std::any_of(jumps.begin(), jumps.end(), [&](const ChainId& id) {
            if (chainUsable(id)) return false;
            const auto& target = *chains_.byId.at(id);
            return !target.loaded || std::find(incomplete.begin(), incomplete.end(), &target) != incomplete.end();
        });
    };
    for (std::size_t found = 1; found != 0;) {
        found = std::erase_if(waiting, [&](auto* node) {
            if (!leadsToIncomplete(*node)) return false;
            incomplete.push_back(node);
            return true;
        });
    }
    for (auto* const node : waiting) putInForce(*node);
}

bool DeviceGraph::isReady(const PortNode& node) const {
    const auto& port = *node.value;
    return chainUsable(port.inboundFilter) && chainUsable(port.outboundFilter) && (!port.exterior() || hosts_.byId.at(port.host)->loaded) &&
           std::all_of(port.groups.begin(), port.groups.end(), [&](const PortGroupId& id) { return groupUsable(id); });
}

bool DeviceGraph::groupUsable(const PortGroupId& id) const {
    const auto& group = *portGroups_.byId.at(id);
    if (!group.value) return group.loaded;
    const auto& hosts = group.value->hosts;
    return std::all_of(hosts.begin(), hosts.end(), [&](const HostId& host) { return hosts_.byId.at(host)->loaded; });
}

/// All of them with the peers of those that are linked.
bool DeviceGraph::portsUsable(const std::vector<PortId>& ports) const {
    return std::all_of(ports.begin(), ports.end(), [&](const PortId& id) {
        const auto& node = *ports_.byId.at(id);
        if (!node.usable) return false;
        return !node.inForce || !node.inForce->interior() || ports_.byId.at(node.inForce->peer)->loaded;
    });
}

bool DeviceGraph::isReady(const BridgeNode& node) const {
    const auto& bridge = node.value->bridge;
    return chainUsable(bridge.inboundFilter) && chainUsable(bridge.outboundFilter) && (node.inForce || portsUsable(node.value->ports));
}

bool DeviceGraph::isReady(const RouterNode& node) const {
    const auto& parts = *node.value;
    const auto& router = parts.router;
    const std::array chains{router.inboundFilter, router.outboundFilter, router.forwardChain, router.localRedirectChain};
    if (!std::all_of(chains.begin(), chains.end(), [&](const ChainId& chain) { return chainUsable(chain); })) return false;
    if (!parts.loadBalancer.isNil() && !loadBalancers_.byId.at(parts.loadBalancer)->loaded) return false;
    if (node.inForce) return true;
    return std::all_of(parts.routes.begin(), parts.routes.end(), [&](const RouteId& route) { return routes_.byId.at(route)->loaded; }) &&
           portsUsable(parts.ports);
}

// --- dropping what is not needed ----------------------------------------------------------------

template <class Visit>
void DeviceGraph::forAllKinds(Visit visit) {
    visit(ports_);
    visit(bridges_);
    visit(routers_);
    visit(routes_);
    visit(chains_);
    visit(portGroups_);
    visit(ipAddrGroups_);
    visit(loadBalancers_);
    visit(hosts_);
}

/// What nobody holds goes at once. What is held may be held by what it holds itself: then a walk tells.
void DeviceGraph::dropUnneeded() {
    bool doubtful = false;
    for (bool someLetGo = true; someLetGo;) {
        someLetGo = false;
        forAllKinds([&](auto& nodes) {
            while (!nodes.letGo.empty()) {
                someLetGo = true;
                const auto id = nodes.letGo.back();
                nodes.letGo.pop_back();
                auto* const node = nodeOf(nodes.byId, id);
                if (node == nullptr) continue;
                if (node->holders == 0)
                    drop(*node);
                else
                    doubtful = doubtful || mayHoldItself(*node);
            }
        });
    }
    if (doubtful) dropUnreached();
}

template <class Id, class T>
void DeviceGraph::drop(Node<Id, T>& node) {
    const std::shared_ptr<const T> nothing;
    replaceNeeds(node.value, nothing);
    replaceNeeds(node.inForce, nothing);
    touch(node);
    auto& nodes = nodesOf(node.id);
    if (node.waits) std::erase(nodes.unsettled, &node);
    const auto id = node.id;
    nodes.byId.erase(id);
}

/// Not when its device has another one that is bound to this host.
bool DeviceGraph::mayHoldItself(const PortNode& node) const {
    if (!node.value) return true;
    const auto& port = *node.value;
    const auto holds = [&](const auto* device) {
        return device != nullptr && device->value && !mayHoldItself(*device) &&
               std::binary_search(device->value->ports.begin(), device->value->ports.end(), node.id);
    };
    return port.isRouterPort() ? !holds(nodeOf(routers_.byId, port.router)) : !holds(nodeOf(bridges_.byId, port.bridge));
}

/// Not when one of its ports is bound to this host.
template <class Id, class Parts>
bool DeviceGraph::mayHoldItself(const Node<Id, Parts>& device) const {
    if (!device.value) return true;
    const auto& ports = device.value->ports;
    const auto& bound = *bindings_->value;
    return std::none_of(bound.begin(), bound.end(), [&](const WantedBinding& binding) {
        if (!std::binary_search(ports.begin(), ports.end(), binding.port)) return false;
        const auto& port = ports_.byId.at(binding.port)->value;
        return port && port->device() == device.id.uuid();
    });
}

bool DeviceGraph::mayHoldItself(const ChainNode& node) const {
    return !((!node.value || node.value->jumps.empty()) && (!node.inForce || node.inForce->jumps.empty()));
}

void DeviceGraph::dropUnreached() {
    ++walk_;
    bindings_->reachNeeds();
    while (!reached_.empty()) {
        auto* const node = reached_.back();
        reached_.pop_back();
        node->reachNeeds();
    }
    forAllKinds([&](auto& nodes) {
        using N = typename std::decay_t<decltype(nodes.byId)>::mapped_type::element_type;
        std::vector<N*> unreached;
        for (const auto& [id, node] : nodes.byId)
            if (node->walk != walk_) unreached.push_back(node.get());
        for (auto* const node : unreached) drop(*node);
    });
    forAllKinds([](auto& nodes) { nodes.letGo.clear(); });  // all that is left is reached
}

template <class Id>
void DeviceGraph::reach(const Id& id) {
    auto& node = *nodesOf(id).byId.at(id);
    if (std::exchange(node.walk, walk_) != walk_) reached_.push_back(&node);
}

// --- the snapshot -------------------------------------------------------------------------------

void DeviceGraph::touch(const PortNode& node) { touched_.ports.push_back(node.id); }
void DeviceGraph::touch(const BridgeNode& node) { touched_.bridges.push_back(node.id); }
void DeviceGraph::touch(const RouterNode& node) { touched_.routers.push_back(node.id); }
void DeviceGraph::touch(const ChainNode& node) { touched_.chains.push_back(node.id); }
void DeviceGraph::touch(const PortGroupNode& node) { touched_.portGroups.push_back(node.id); }
void DeviceGraph::touch(const IpAddrGroupNode& node) { touched_.ipAddrGroups.push_back(node.id); }
void DeviceGraph::touch(const HostNode& node) { touched_.hosts.push_back(node.id); }

void DeviceGraph::touch(const RouteNode& node) {
    for (const auto& [id, router] : routers_.byId)
        if (router->inForce && std::binary_search(router->inForce->routes.begin(), router->inForce->routes.end(), node.id)) touch(*router);
}

void DeviceGraph::touch(const LoadBalancerNode& node) {
    for (const auto& [id, router] : routers_.byId)
        if (router->inForce && router->inForce->loadBalancer == node.id) touch(*router);
}

void DeviceGraph::touchChange(const PortNode& node, const Port*) { touch(node); }
void DeviceGraph::touchChange(const ChainNode& node, const ChainParts*) { touch(node); }

/// Also the ports that came to the device or left it.
template <class Id, class Parts>
void DeviceGraph::touchChange(const Node<Id, Parts>& node, const Parts* before) {
    touch(node);
    static const std::vector<PortId> kNone;
    const auto& old = before != nullptr ? before->ports : kNone;
    const auto& now = node.inForce ? node.inForce->ports : kNone;
    std::set_symmetric_difference(old.begin(), old.end(), now.begin(), now.end(), std::back_inserter(touched_.ports));
}

void DeviceGraph::touchDeviceOf(const Port& port) {
    if (port.isRouterPort())
        touched_.routers.push_back(port.router);
    else
        touched_.bridges.push_back(port.bridge);
}

void DeviceGraph::patch(TopologySnapshot& next) {
    sortUnique(touched_.ports);
    for (const auto& id : touched_.ports) patchPort(id, next);
    sortUnique(touched_.bridges);
    for (const auto& id : touched_.bridges) setIfOther(next.bridges, id, makeBridgeOf(id, next));
    sortUnique(touched_.routers);
    for (const auto& id : touched_.routers) setIfOther(next.routers, id, makeRouterOf(id, next));
    for (const auto& id : touched_.chains) {
        const auto* const node = nodeOf(chains_.byId, id);
        setIfOther(next.chains, id, node != nullptr && node->inForce ? ChainPtr{node->inForce, &node->inForce->chain} : nullptr);
    }
    const auto patchValue = [](auto& map, const auto& nodes, const auto& id) {
        const auto* const node = nodeOf(nodes.byId, id);
        setIfOther(map, id, node != nullptr ? node->value : nullptr);
    };
    for (const auto& id : touched_.portGroups) patchValue(next.portGroups, portGroups_, id);
    for (const auto& id : touched_.ipAddrGroups) patchValue(next.ipAddrGroups, ipAddrGroups_, id);
    for (const auto& id : touched_.hosts) patchValue(next.hosts, hosts_, id);
    touched_ = {};
}

void DeviceGraph::patchPort(const PortId& id, TopologySnapshot& next) {
    const auto before = next.ports.get(id);
    const auto now = presentPort(id);
    if (before == now) return;
    if (!before || !now || before->isRouterPort() || !sameForBridge(*before, *now))
        for (const auto& port : {before, now})
            if (port) touchDeviceOf(*port);
    next.ports.set(id, now);
}

/// nullptr: its device is not in force, or not with this port.
PortPtr DeviceGraph::presentPort(const PortId& id) const {
    const auto* const node = nodeOf(ports_.byId, id);
    if (node == nullptr || !node->inForce) return nullptr;
    const auto isPortOf = [&](const auto* device) {
        return device != nullptr && device->inForce &&
               std::binary_search(device->inForce->ports.begin(), device->inForce->ports.end(), id);
    };
    const auto& port = *node->inForce;
    const bool present = port.isRouterPort() ? isPortOf(nodeOf(routers_.byId, port.router)) : isPortOf(nodeOf(bridges_.byId, port.bridge));
    return present ? node->inForce : nullptr;
}

const Port* DeviceGraph::knownPort(const PortId& id) const {
    const auto* const node = nodeOf(ports_.byId, id);
    return node == nullptr ? nullptr : node->value.get();
}

BridgePtr DeviceGraph::makeBridgeOf(const BridgeId& id, const TopologySnapshot& next) const {
    const auto* const node = nodeOf(bridges_.byId, id);
    if (node == nullptr || !node->inForce) return nullptr;
    return sharedIfEqual(next.bridges.get(id), makeBridge(*node->inForce, next, [&](const PortId& port) { return knownPort(port); }));
}

RouterPtr DeviceGraph::makeRouterOf(const RouterId& id, const TopologySnapshot& next) const {
    const auto* const node = nodeOf(routers_.byId, id);
    if (node == nullptr || !node->inForce) return nullptr;
    const auto& parts = *node->inForce;
    std::vector<Route> inForce;
    for (const auto& routeId : parts.routes) {
        const auto& route = routes_.byId.at(routeId)->value;
        if (route && isInForce(*route, id, next, [&](const PortId& port) { return knownPort(port); })) inForce.push_back(*route);
    }
    auto router = parts.router;
    if (!parts.loadBalancer.isNil()) router.loadBalancer = loadBalancers_.byId.at(parts.loadBalancer)->value;
    const auto old = next.routers.get(id);
    const bool sameRoutes = old && old->routes->routes() == inForce;
    router.routes = sameRoutes ? old->routes : std::make_shared<const RouteTable>(std::move(inForce));
    return sharedIfEqual(old, std::move(router));
}

}  // namespace midonet::topology
