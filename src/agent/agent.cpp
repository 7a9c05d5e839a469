#include "agent/agent.h"

#include "agent/meter_names.h"
#include "base/log.h"
#include "host/port_binder.h"

namespace midonet::agent {
namespace {

const Logger kLog{"agent"};
using flow::FlowTag;

/// What a change of the physical side makes wrong.
std::vector<FlowTag> tagsOfChange(const flowcontrol::PhysicalMap& before, const flowcontrol::PhysicalMap& after) {
    std::vector<FlowTag> tags;
    const auto compare = [&](const auto& a, const auto& b, const auto& tagsOf) {
        for (const auto& [key, value] : a) {
            const auto other = b.find(key);
            if (other == b.end() || !(other->second == value)) tagsOf(key, value);
        }
    };
    const auto bothWays = [&](const auto& a, const auto& b, const auto& tagsOf) {
        compare(a, b, tagsOf);
        compare(b, a, tagsOf);
    };
    bothWays(before.virtualPorts, after.virtualPorts, [&](flow::PortNumber number, const PortId& port) {
        tags.push_back(FlowTag::datapathPort(number));
        tags.push_back(FlowTag::device(port.uuid()));
    });
    bothWays(before.keys, after.keys, [&](net::TunnelKey key, const PortId&) { tags.push_back(FlowTag::tunnelKey(key)); });
    bothWays(before.routes, after.routes, [&](const HostId& host, const flowcontrol::PeerRoute& route) {
        tags.push_back(FlowTag::device(host.uuid()));
        tags.push_back(FlowTag::tunnelRoute(route.local, route.remote));
    });
    return tags;
}

}  // namespace

Agent::Agent(World world, AgentOptions options, std::function<void()> onReady)
    : world_(world),
      options_(std::move(options)),
      onReady_(std::move(onReady)),
      isolation_(world.loop, options_.nsdbGrace,
                 [](bool isolated) {
                     if (isolated) kLog.warn("cut off from the NSDB for longer than nsdb.grace_time");
                 }),
      session_(world.store.openSession(world.loop, options_.session)),
      states_(std::make_shared<flowstate::StateTable>(options_.maxStates)),
      workers_(world.loop, world.datapath, states_, {{options_.host.id, options_.maxMacsPerPort}, options_.sharedWorkerLoop},
               [this](datapath::WorkerIndex worker, const WorkerReport& report) { onReport(worker, report); }),
      tracers_(world.loop, world.pool, options_.traceLog,
               [this](const LiveTracers& tracers) { workers_.update([&](WorkerUpdate& pending) { pending.tracers = tracers; }); }) {}

// The interfaces of the host outlive it.
Agent::~Agent() {
    *self_ = nullptr;
    world_.interfaces.onChange({});
}

void Agent::start() {
    session_->onConnectionChange([this](bool connected) { onConnection(connected); });
    macs_ = std::make_unique<MacLearning>(world_.loop, *session_,
                                          [this](const std::vector<topology::MacChange>& changes) { broadcastMacs(changes); });
    arps_ = std::make_unique<ArpLearning>(world_.loop, *session_,
                                          [this](const ArpLearning::Arps& arps, const ArpLearning::BridgeArps& bridgeArps) {
                                              broadcastArps(arps, bridgeArps);
                                          });
    connections_ = std::make_unique<ConnectionState>(world_.loop, world_.pool, world_.store,
                                                     ConnectionState::Options{options_.host.id, options_.stateFile, {}}, states_, workers_);
    world_.interfaces.onChange([this] { onInterfaces(); });
    workers_.start();
    connections_->start([this] {
        connectionsKnown_ = true;
        checkReady();
    });
    registration_ = std::make_unique<host::Registration>(world_.loop, world_.pool, world_.store, *session_, options_.host,
                                                         [this](host::Registration::Time time) { onRegistered(time); });
}

void Agent::onConnection(bool connected) {
    isolation_.setConnected(connected);
    if (!connected) return kLog.warn("NSDB cannot be reached: forwarding goes on with what is known");
    kLog.info("connected to the NSDB");
    connections_->onRestored();
}

void Agent::onRegistered(host::Registration::Time time) {
    if (time == host::Registration::Time::Again) {
        registration_->setInterfaces(world_.interfaces.list());
        bindings_->reportAgain();
        return peers_->reportAgain();
    }
    bindings_ = std::make_unique<host::Bindings>(world_.loop, world_.store, *session_, world_.datapath, options_.host.id, [this] { publishMap(); });
    peers_ = std::make_unique<host::Peers>(world_.loop, world_.store, *session_, world_.datapath, world_.underlay,
                                           options_.host.id, [this] { publishMap(); });
    onInterfaces();
    tracker_ = std::make_unique<topology::DeviceTracker>(
        world_.loop, world_.store, options_.host.id, topology::DeviceTracker::Options{options_.peerGrace},
        topology::DeviceTracker::Listener{
            [this](const topology::TopologyUpdate& update) { onTopology(update); },
            [this](const std::vector<topology::MacChange>& changes) { macs_->onStore(changes); },
            [this](const BridgeId& bridge, net::VlanId vlan) { macs_->forgetTable(bridge, vlan); },
            [this](const std::vector<topology::WantedBinding>& wanted) {
                bindings_->setWanted(wanted);
                bindingsKnown_ = true;
                checkReady();
            },
            [this](const RouterId& router, const std::vector<topology::RouterArpChange>& changes) {
                ArpLearning::Arps arps;
                for (const auto& change : changes) arps.emplace(Neighbour{router, change.address}, change.value);
                arps_->onStore(router, arps);
            },
            [this](const RouterId& router) { arps_->forget(router); },
            [this](const BridgeId& bridge, const std::vector<topology::BridgeArpChange>& changes) {
                ArpLearning::BridgeArps arps;
                for (const auto& change : changes) arps.emplace(BridgeNeighbour{bridge, change.address}, change.value);
                arps_->onStore(bridge, arps);
            },
            [this](const BridgeId& bridge) { arps_->forget(bridge); }});
}

void Agent::onTopology(const topology::TopologyUpdate& update) {
    published_ = std::chrono::system_clock::now();
    // First the tunnels: who moved to a host is told there before a packet comes that way.
    if (update.hostsChanged) peers_->setHosts(update.snapshot->hosts);
    workers_.update([&](WorkerUpdate& pending) {
        pending.snapshot = update.snapshot;
        pending.invalidate(update.invalidated);
        pending.routes.insert(pending.routes.end(), update.routesChanged.begin(), update.routesChanged.end());
    });
    handedOver_ = update.snapshot;
    checkReady();
}

void Agent::onInterfaces() {
    if (!registration_ || !registration_->registered()) return;
    const auto& interfaces = world_.interfaces.list();
    registration_->setInterfaces(interfaces);
    bindings_->setInterfaces(interfaces);
    peers_->setInterfaces(interfaces);
}

void Agent::publishMap() {
    auto next = std::make_shared<flowcontrol::PhysicalMap>();
    next->self = options_.host.id;
    for (const auto& binding : bindings_->active()) {
        next->numbers.emplace(binding.port, binding.number);
        next->virtualPorts.emplace(binding.number, binding.port);
        next->keys.emplace(binding.key, binding.port);
    }
    if (peers_)
        for (const auto& peer : peers_->peers())
            next->routes.emplace(peer.host, flowcontrol::PeerRoute{peer.tunnel, peer.spec.local, peer.spec.remote});
    // What was learned behind a port that left this host is no longer ours to say.
    for (const auto& [port, number] : map_->numbers)
        if (!next->numbers.contains(port)) macs_->forgetPort(port);
    auto tags = tagsOfChange(*map_, *next);
    map_ = std::move(next);
    if (tracker_) {
        std::map<PortId, net::TunnelKey> local;
        for (const auto& binding : bindings_->active()) local.emplace(binding.port, binding.key);
        tracker_->setLocalPorts(std::move(local));
    }
    workers_.update([&](WorkerUpdate& pending) {
        pending.map = map_;
        pending.invalidate(tags);
    });
    checkReady();
}

void Agent::onReport(datapath::WorkerIndex worker, const WorkerReport& report) {
    if (macs_) macs_->onReport(worker, report);
    if (arps_) arps_->onReport(report);
    if (connections_) connections_->onReport(worker, report);
    tracers_.onReport(report);
}

void Agent::broadcastArps(const ArpLearning::Arps& arps, const ArpLearning::BridgeArps& bridgeArps) {
    workers_.update([&](WorkerUpdate& pending) {
        for (const auto& [neighbour, entry] : arps) pending.arps.insert_or_assign(neighbour, entry);
        for (const auto& [neighbour, mac] : bridgeArps) pending.bridgeArps.insert_or_assign(neighbour, mac);
    });
}

void Agent::broadcastMacs(const std::vector<topology::MacChange>& changes) {
    workers_.update([&](WorkerUpdate& pending) {
        for (const auto& change : changes) {
            pending.macs.erase(change);
            pending.macs.insert(change);
        }
    });
}

void Agent::flushFlows() {
    workers_.update([](WorkerUpdate& pending) { pending.flushFlows = true; });
}

void Agent::bindPort(const PortId& port, std::string interface, Done done) {
    const auto bind = [&store = world_.store, self = options_.host.id, port, name = std::move(interface)] {
        return host::bindPort(store, self, port, name);
    };
    changeBinding(bind, std::move(done));
}

void Agent::unbindPort(const PortId& port, Done done) {
    changeBinding([&store = world_.store, self = options_.host.id, port] { return host::unbindPort(store, self, port); }, std::move(done));
}

void Agent::changeBinding(std::function<Result<void>()> change, Done done) {
    const auto number = ++lastChange_;
    changes_.emplace(number, std::move(done));
    auto result = std::make_shared<Result<void>>();
    const auto tell = [self = self_, number, result] {
        if (*self != nullptr) (*self)->onBindingChanged(number, *result);
    };
    const bool queued = world_.pool.submit([change = std::move(change), result] { *result = change(); }, world_.loop, tell);
    if (!queued) onBindingChanged(number, fail(ErrorCode::Unavailable, "the agent has too much to do: try again"));
}

void Agent::onBindingChanged(std::uint64_t number, const Result<void>& result) {
    const auto change = changes_.extract(number);
    change.mapped()(result);
}

/// Of what packets depend on. Decided earlier, the port of a packet would be nobody's, and an answer would be taken for a question.
bool Agent::knowsEnough() const {
    return connectionsKnown_ && bindingsKnown_ && tracker_->synced() && handedOver_ == tracker_->snapshot() && peers_->synced();
}

void Agent::checkReady() {
    if (phase_ != Phase::Loading || !knowsEnough()) return;
    phase_ = Phase::HandingOver;
    connections_->packetsBegin();
    // What came meanwhile has waited in the datapath.
    workers_.update([](WorkerUpdate& pending) { pending.takePackets = true; });
    // When the workers have it all (they answer in order), flows that an earlier process left have done their service.
    workers_.collectStats([this](const std::vector<WorkerStats>&) {
        world_.datapath.endAdoption();
        phase_ = Phase::Ready;
        onReady_();
    });
}

void Agent::collectStatus(std::function<void(Status)> done) {
    workers_.collectStats([this, done = std::move(done)](std::vector<WorkerStats> workers) {
        Status status;
        status.host = options_.host.id;
        status.hostName = options_.host.name;
        status.ready = phase_ == Phase::Ready;
        if (options_.waitingSettings) status.waitingSettings = options_.waitingSettings();
        status.storeConnected = session_->connected();
        status.isolated = isolation_.isolated();
        if (registration_) status.problem = registration_->problem();
        if (tracker_) {
            status.ports = tracker_->snapshot()->ports.size();
            status.bridges = tracker_->snapshot()->bridges.size();
            status.routers = tracker_->snapshot()->routers.size();
            status.chains = tracker_->snapshot()->chains.size();
            status.generation = tracker_->snapshot()->generation;
            status.published = published_;
        }
        status.watches = world_.store.watchCount();
        status.publishedMacs = macs_ ? macs_->published() : 0;
        status.publishedArps = arps_ ? arps_->published() : 0;
        status.states = states_->size();
        if (bindings_) status.bindings = bindings_->statuses();
        if (peers_) {
            status.memberships = peers_->statuses();
            status.peers = peers_->peers();
        }
        status.workers = std::move(workers);
        status.datapath = world_.datapath.counters();
        status.capabilities = world_.datapath.capabilities();
        done(std::move(status));
    });
}

void Agent::collectMeters(std::function<void(Meters)> done) {
    workers_.collectMeters([this, done = std::move(done)](const std::vector<flowcontrol::MeterCounts>& workers) {
        Meters out;
        if (const auto topology = snapshot())
            forEachMeter(*topology, *map_, [&](FlowTag tag, std::string name) {
                std::vector<flowcontrol::MeterCount> counts(workers.size());
                bool any = false;
                for (std::size_t i = 0; i < workers.size(); ++i)
                    if (const auto found = workers[i].find(tag); found != workers[i].end()) {
                        counts[i] = found->second;
                        any = true;
                    }
                if (any) out.emplace(std::move(name), std::move(counts));
            });
        done(std::move(out));
    });
}

}  // namespace midonet::agent
