#include "topology/device_tracker.h"

#include <algorithm>

#include "base/log.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::topology {
namespace {

const Logger kLog{"topology"};

template <class Tag>
Id<Tag> idFrom(const std::string& bytes) {
    return Id<Tag>{model::uuidOf(bytes)};
}

}  // namespace

struct DeviceTracker::TrackedPort {
    unsigned uses = 0;  // by the host's bindings, and by its bridge
    bool loaded = false;
    std::shared_ptr<const model::Port> object;  // nullptr: absent
    bool stateLoaded = false;
    std::optional<model::PortState> state;
    event::HandlePtr lost;  // set: the state vanished, and is believed until this timer ends
    BridgeId usedBridge;  // this port keeps this bridge loaded (bound ports only)
    bool isBound = false;
    /// The state comes from the host that the port is bound to now.
    bool stateIsOfBinding() const { return state && object && state->host_id() == object->host_id(); }
    event::HandlePtr objectWatch;
    event::HandlePtr stateWatch;
};

struct DeviceTracker::TrackedBridge {
    unsigned uses = 0;
    bool loaded = false;
    std::shared_ptr<const model::Bridge> object;
    bool portsLoaded = false;
    std::vector<PortId> ports;
    bool wasReady = false;
    event::HandlePtr objectWatch;
    event::HandlePtr portsWatch;
    std::map<net::VlanId, event::HandlePtr> macTables;
    std::map<net::VlanId, std::map<net::Mac, PortId>> macs;  // as told to the listener
};

DeviceTracker::DeviceTracker(event::Loop& loop, nsdb::Store& store, HostId host, Options options, Listener listener)
    : loop_(loop), store_(store), host_(host), options_(options), listener_(std::move(listener)) {
    boundWatch_ = store_.watchReferrers(loop_, model::Port::descriptor(), "host_id", host_.uuid(),
                                        [this](std::vector<Uuid> ids) { onBoundPorts(std::move(ids)); });
}

DeviceTracker::~DeviceTracker() = default;

bool DeviceTracker::synced() const {
    if (!bindingsLoaded_) return false;
    return std::all_of(bound_.begin(), bound_.end(), [&](const PortId& id) {
        const auto& port = *ports_.at(id);
        if (!port.loaded) return false;
        if (!port.object || port.usedBridge.isNil()) return true;
        const auto bridge = bridges_.find(port.usedBridge);
        return bridge != bridges_.end() && isReady(*bridge->second);
    });
}

void DeviceTracker::setLocalPorts(std::map<PortId, net::TunnelKey> ports) {
    if (ports == local_) return;
    local_ = std::move(ports);
    scheduleRebuild();
}

// --- interest ---------------------------------------------------------------------------------

void DeviceTracker::onBoundPorts(std::vector<Uuid> ids) {
    std::vector<PortId> now;
    now.reserve(ids.size());
    for (const auto& id : ids) now.emplace_back(id);
    std::sort(now.begin(), now.end());
    std::vector<PortId> come;
    std::vector<PortId> gone;
    std::set_difference(now.begin(), now.end(), bound_.begin(), bound_.end(), std::back_inserter(come));
    std::set_difference(bound_.begin(), bound_.end(), now.begin(), now.end(), std::back_inserter(gone));
    bound_ = std::move(now);
    bindingsLoaded_ = true;
    for (const auto& id : come) {
        auto& port = usePort(id);
        port.isBound = true;
        if (port.loaded) onPort(id, port.object);
    }
    for (const auto& id : gone) {
        auto& port = *ports_.at(id);
        port.isBound = false;
        const auto bridge = std::exchange(port.usedBridge, BridgeId{});
        releasePort(id);
        if (!bridge.isNil()) releaseBridge(bridge);
    }
    scheduleRebuild();
}

DeviceTracker::TrackedPort& DeviceTracker::usePort(const PortId& id) {
    auto& slot = ports_[id];
    if (!slot) {
        slot = std::make_unique<TrackedPort>();
        auto& port = *slot;
        port.objectWatch = store_.watchObject(loop_, model::Port::descriptor(), id.uuid(),
                                              [this, id](std::shared_ptr<const nsdb::Message> o) { onPort(id, o); });
        port.stateWatch = store_.watchState(loop_, model::Port::descriptor(), id.uuid(), "state",
                                            [this, id](const std::optional<std::string>& s) { onPortState(id, s); });
    }
    auto& port = *ports_.at(id);
    ++port.uses;
    return port;
}

void DeviceTracker::releasePort(const PortId& id) {
    const auto found = ports_.find(id);
    if (found == ports_.end() || --found->second->uses > 0) return;
    ports_.erase(found);
}

DeviceTracker::TrackedBridge& DeviceTracker::useBridge(const BridgeId& id) {
    auto& slot = bridges_[id];
    if (!slot) {
        slot = std::make_unique<TrackedBridge>();
        auto& bridge = *slot;
        bridge.objectWatch = store_.watchObject(loop_, model::Bridge::descriptor(), id.uuid(),
                                                [this, id](std::shared_ptr<const nsdb::Message> o) { onBridge(id, o); });
        bridge.portsWatch = store_.watchReferrers(loop_, model::Port::descriptor(), "bridge_id", id.uuid(),
                                                  [this, id](std::vector<Uuid> ids) { onBridgePorts(id, std::move(ids)); });
        watchMacTable(id, net::VlanId{0});
    }
    auto& bridge = *bridges_.at(id);
    ++bridge.uses;
    return bridge;
}

void DeviceTracker::releaseBridge(const BridgeId& id) {
    const auto found = bridges_.find(id);
    if (found == bridges_.end() || --found->second->uses > 0) return;
    const auto bridge = std::move(found->second);
    bridges_.erase(found);
    for (const auto& port : bridge->ports) releasePort(port);
    std::vector<MacChange> gone;
    for (const auto& [vlan, macs] : bridge->macs)
        for (const auto& [mac, port] : macs) gone.push_back({id, vlan, mac, PortId{}});
    if (!gone.empty()) listener_.onMacs(gone);
    for (const auto& [vlan, watch] : bridge->macTables) listener_.onMacTableGone(id, vlan);
    scheduleRebuild();
}

void DeviceTracker::watchMacTable(const BridgeId& id, net::VlanId vlan) {
    auto& handle = bridges_.at(id)->macTables[vlan];
    if (handle) return;
    handle = store_.watchTable(loop_, nsdb::macTableName(id.uuid(), vlan.value()),
                               [this, id, vlan](const nsdb::TableChange& change) { onMacTable(id, vlan, change); });
}

/// One table for each VLAN of the bridge, and that of VLAN 0.
void DeviceTracker::followMacTables(const BridgeId& id, const std::vector<net::VlanId>& vlans) {
    auto& bridge = *bridges_.at(id);
    std::vector<MacChange> gone;
    std::vector<net::VlanId> goneTables;
    std::erase_if(bridge.macTables, [&](const auto& table) {
        const auto vlan = table.first;
        if (vlan.value() == 0 || std::binary_search(vlans.begin(), vlans.end(), vlan)) return false;
        for (const auto& [mac, port] : bridge.macs[vlan]) {
            vanished_.erase({id, vlan, mac});
            gone.push_back({id, vlan, mac, PortId{}});
        }
        bridge.macs.erase(vlan);
        goneTables.push_back(vlan);
        return true;
    });
    for (const auto vlan : vlans) watchMacTable(id, vlan);
    if (!gone.empty()) listener_.onMacs(gone);
    for (const auto vlan : goneTables) listener_.onMacTableGone(id, vlan);
}

void DeviceTracker::onMacTable(const BridgeId& id, net::VlanId vlan, const nsdb::TableChange& change) {
    const auto bridge = bridges_.find(id);
    if (bridge == bridges_.end()) return;
    auto& macs = bridge->second->macs[vlan];
    std::vector<MacChange> changes;
    for (const auto& entry : change.updated) {
        const auto mac = net::Mac::parse(entry.key);
        const auto port = Uuid::parse(entry.value);
        if (!mac || !port) {
            kLog.warn("MAC table entry ignored: it cannot be read",
                      {kv("bridge", id), kv("key", entry.key), kv("value", entry.value)});
            continue;
        }
        vanished_.erase({id, vlan, *mac});
        macs.insert_or_assign(*mac, PortId{*port});
        changes.push_back({id, vlan, *mac, PortId{*port}});
    }
    for (const auto& key : change.removed) {
        const auto mac = net::Mac::parse(key);
        if (mac && macs.contains(*mac)) vanished_.insert({id, vlan, *mac});
    }
    if (!vanished_.empty() && !vanishedTimer_)
        vanishedTimer_ = loop_.every(std::chrono::seconds{1}, [this] { checkVanishedMacs(); });
    if (!changes.empty()) listener_.onMacs(changes);
}

/// The entries and the port states of a dead agent vanish in any order: judged a moment later.
void DeviceTracker::checkVanishedMacs() {
    std::vector<MacChange> changes;
    for (auto entry = vanished_.begin(); entry != vanished_.end();) {
        const auto bridge = bridges_.find(entry->bridge);
        if (bridge == bridges_.end()) {
            entry = vanished_.erase(entry);
            continue;
        }
        auto& macs = bridge->second->macs[entry->vlan];
        const auto known = macs.find(entry->mac);
        if (known != macs.end() && isLost(known->second)) {
            ++entry;
            continue;
        }
        if (known != macs.end()) {
            macs.erase(known);
            changes.push_back({entry->bridge, entry->vlan, entry->mac, PortId{}});
        }
        entry = vanished_.erase(entry);
    }
    if (vanished_.empty()) vanishedTimer_.reset();
    if (!changes.empty()) listener_.onMacs(changes);
}

bool DeviceTracker::isLost(const PortId& id) const {
    const auto port = ports_.find(id);
    return port != ports_.end() && port->second->lost != nullptr;
}

// --- events -----------------------------------------------------------------------------------

void DeviceTracker::onPort(const PortId& id, const std::shared_ptr<const nsdb::Message>& object) {
    const auto found = ports_.find(id);
    if (found == ports_.end()) return;
    auto& port = *found->second;
    port.loaded = true;
    port.object = std::static_pointer_cast<const model::Port>(object);
    if (port.lost && !port.stateIsOfBinding()) {
        // Its binding has ended: that is why the state went, not a dead agent.
        port.lost.reset();
        port.state.reset();
    }
    if (port.isBound) {
        const BridgeId wanted = port.object ? idFrom<BridgeTag>(port.object->bridge_id()) : BridgeId{};
        const BridgeId before = std::exchange(port.usedBridge, wanted);
        if (wanted != before) {
            if (!wanted.isNil()) useBridge(wanted);
            if (!before.isNil()) releaseBridge(before);
        }
    }
    scheduleRebuild();
}

void DeviceTracker::onPortState(const PortId& id, const std::optional<std::string>& bytes) {
    const auto found = ports_.find(id);
    if (found == ports_.end()) return;
    auto& port = *found->second;
    port.stateLoaded = true;
    if (bytes) {
        port.lost.reset();
        port.state.reset();
        model::PortState state;
        if (state.ParseFromString(*bytes))
            port.state = std::move(state);
        else
            kLog.warn("port state ignored: it cannot be decoded", {kv("port", id)});
    } else if (port.stateIsOfBinding() && port.state->active() && !port.lost) {
        port.lost = loop_.after(options_.peerGrace, [this, id] {
            const auto lostPort = ports_.find(id);
            if (lostPort == ports_.end()) return;
            lostPort->second->state.reset();
            lostPort->second->lost.reset();
            scheduleRebuild();
        });
    } else if (!port.lost) {
        port.state.reset();
    }
    scheduleRebuild();
}

void DeviceTracker::onBridge(const BridgeId& id, const std::shared_ptr<const nsdb::Message>& object) {
    const auto found = bridges_.find(id);
    if (found == bridges_.end()) return;
    found->second->loaded = true;
    found->second->object = std::static_pointer_cast<const model::Bridge>(object);
    scheduleRebuild();
}

void DeviceTracker::onBridgePorts(const BridgeId& id, std::vector<Uuid> ids) {
    const auto found = bridges_.find(id);
    if (found == bridges_.end()) return;
    std::vector<PortId> now;
    now.reserve(ids.size());
    for (const auto& port : ids) now.emplace_back(port);
    std::sort(now.begin(), now.end());
    auto before = std::exchange(found->second->ports, now);
    found->second->portsLoaded = true;
    // Use the new list before releasing the old one: a port in both keeps its watches.
    for (const auto& port : now) usePort(port);
    for (const auto& port : before) releasePort(port);
    scheduleRebuild();
}

// --- building ---------------------------------------------------------------------------------

void DeviceTracker::scheduleRebuild() {
    if (rebuildTimer_) return;
    rebuildTimer_ = loop_.after(event::Duration::zero(), [this] {
        rebuildTimer_.reset();
        rebuild();
    });
}

bool DeviceTracker::isReady(const TrackedBridge& bridge) const {
    if (!bridge.loaded || !bridge.object || !bridge.portsLoaded) return false;
    if (bridge.wasReady) return true;
    return std::all_of(bridge.ports.begin(), bridge.ports.end(), [&](const PortId& id) {
        const auto& port = *ports_.at(id);
        return port.loaded && port.stateLoaded;
    });
}

PortPtr DeviceTracker::buildPort(const PortId& id, const TrackedPort& tracked) const {
    const auto& object = *tracked.object;
    auto port = std::make_shared<Port>();
    port->id = id;
    port->bridge = idFrom<BridgeTag>(object.bridge_id());
    port->adminUp = object.admin_state_up();
    port->vlan = net::VlanId{static_cast<std::uint16_t>(object.vlan_id())};
    if (!object.interface_name().empty()) port->host = idFrom<HostTag>(object.host_id());
    if (port->host == host_) {
        const auto local = local_.find(id);
        port->active = local != local_.end();
        if (port->active) port->tunnelKey = local->second;
        return port;
    }
    // State reported by a host that lost the binding says nothing.
    if (port->exterior() && tracked.stateIsOfBinding()) {
        port->active = tracked.state->active();
        port->tunnelKey = net::TunnelKey{tracked.state->tunnel_key()};
    }
    return port;
}

BridgePtr DeviceTracker::buildBridge(const BridgeId& id, const TrackedBridge& tracked, const TopologySnapshot& next) const {
    auto bridge = std::make_shared<Bridge>();
    bridge->id = id;
    bridge->adminUp = tracked.object->admin_state_up();
    for (const auto& portId : tracked.ports) {
        const auto* port = next.port(portId);
        if (port == nullptr || !port->exterior() || port->bridge != id) continue;
        bridge->exteriorPorts.push_back(portId);
        bridge->addVlan(port->vlan);
    }
    return bridge;
}

void DeviceTracker::rebuild() {
    auto next = std::make_shared<TopologySnapshot>();
    next->generation = snapshot_->generation + 1;
    std::vector<flow::FlowTag> invalidated;
    std::set<BridgeId> floodChanged;

    for (auto& [id, bridge] : bridges_) {
        bridge->wasReady = isReady(*bridge);
        if (!bridge->wasReady) continue;
        for (const auto& portId : bridge->ports) {
            const auto& tracked = *ports_.at(portId);
            if (!tracked.loaded || !tracked.object || !tracked.stateLoaded) continue;
            auto port = buildPort(portId, tracked);
            if (port->bridge != id) continue;
            const auto old = snapshot_->ports.find(portId);
            if (old != snapshot_->ports.end() && *old->second == *port) {
                next->ports.emplace(portId, old->second);
                continue;
            }
            invalidated.push_back(flow::FlowTag::device(portId.uuid()));
            floodChanged.insert(id);
            next->ports.emplace(portId, std::move(port));
        }
    }
    for (const auto& [id, port] : snapshot_->ports) {
        if (next->ports.contains(id)) continue;
        invalidated.push_back(flow::FlowTag::device(id.uuid()));
        floodChanged.insert(port->bridge);
    }
    for (const auto& [id, tracked] : bridges_) {
        if (!tracked->wasReady) continue;
        auto bridge = buildBridge(id, *tracked, *next);
        followMacTables(id, bridge->vlans);
        const auto old = snapshot_->bridges.find(id);
        if (old != snapshot_->bridges.end() && *old->second == *bridge) {
            next->bridges.emplace(id, old->second);
            continue;
        }
        // A change of the flood set alone leaves unicast flows as they are.
        const bool onlyFloodSet = old != snapshot_->bridges.end() && old->second->adminUp == bridge->adminUp &&
                                  old->second->vlans == bridge->vlans;
        if (onlyFloodSet)
            floodChanged.insert(id);
        else
            invalidated.push_back(flow::FlowTag::device(id.uuid()));
        next->bridges.emplace(id, std::move(bridge));
    }
    for (const auto& [id, bridge] : snapshot_->bridges)
        if (!next->bridges.contains(id)) invalidated.push_back(flow::FlowTag::device(id.uuid()));
    for (const auto& id : floodChanged) invalidated.push_back(flow::FlowTag::broadcast(id));

    const bool changed = !invalidated.empty() || snapshot_->generation == 0;
    if (changed) {
        snapshot_ = std::move(next);
        listener_.onTopology({snapshot_, std::move(invalidated)});
    }
    publishBindings();
}

void DeviceTracker::publishBindings() {
    if (!bindingsLoaded_) return;
    std::vector<WantedBinding> wanted;
    for (const auto& id : bound_) {
        const auto& port = *ports_.at(id);
        if (!port.object || port.object->interface_name().empty()) continue;
        wanted.push_back({id, port.object->interface_name()});
    }
    std::sort(wanted.begin(), wanted.end());
    if (bindingsPublished_ && wanted == published_) return;
    published_ = wanted;
    bindingsPublished_ = true;
    listener_.onBindings(published_);
}

}  // namespace midonet::topology
