#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/arp_learning.h"
#include "agent/connection_state.h"
#include "agent/isolation.h"
#include "agent/mac_learning.h"
#include "agent/packet_tracers.h"
#include "agent/worker_pool.h"
#include "datapath/datapath.h"
#include "event/blocking_pool.h"
#include "event/loop.h"
#include "host/bindings.h"
#include "host/interfaces.h"
#include "host/peers.h"
#include "host/registration.h"
#include "host/underlay.h"
#include "nsdb/store.h"
#include "topology/device_tracker.h"

namespace midonet::agent {

struct AgentOptions {
    host::Registration::Identity host;
    nsdb::SessionOptions session{std::chrono::seconds{30}};
    event::Duration nsdbGrace = std::chrono::seconds{30};  ///< See Isolation.
    event::Duration peerGrace = std::chrono::seconds{30};
    std::size_t maxMacsPerPort = 4096;
    std::size_t maxStates = 1'000'000;
    std::string stateFile;  ///< Empty: connections do not outlive the process.
    std::string traceLog;   ///< Empty: no packet is traced.
    /// Settings that wait for the next start, for the status.
    std::function<std::vector<std::string>()> waitingSettings{};
    /// See WorkerPool::Options.
    event::Loop* sharedWorkerLoop = nullptr;
};

/// The agent of one host: everything between the NSDB, the kernel and the packet workers, wired in
/// one place.
///
///     NSDB --watches--> DeviceTracker --snapshot, tags, MACs--> PacketWorkers
///                            '--wanted bindings--> Bindings --ports--> datapath, PhysicalMap
///                            '--hosts--> Peers --tunnels--> datapath, PhysicalMap --> PacketWorkers
///     PacketWorkers --MACs learned--> MacLearning --> NSDB, and the other workers
///     PacketWorkers --neighbours learned--> ArpLearning --> NSDB, and the other workers
///     PacketWorkers --connections, ports wanted--> ConnectionState --> file, NSDB (leases of ports)
///     PacketWorkers --connections--> the workers of other hosts, through the tunnels
///     PacketTracers --what to tell of--> PacketWorkers --what became of it--> PacketTracers --> log
///     kernel --links, addresses--> Interfaces --> Registration, Bindings, Peers
///
/// Control loop. The references outlive it.
class Agent {
public:
    struct World {
        event::Loop& loop;
        event::BlockingPool& pool;
        nsdb::Store& store;
        datapath::Datapath& datapath;
        host::Interfaces& interfaces;
        host::Underlay& underlay;
    };

    /// `onReady` is called once, when the host is registered and its topology is in the datapath.
    Agent(World world, AgentOptions options, std::function<void()> onReady);
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    void start();
    /// Removes every installed flow; the next packets are simulated anew.
    void flushFlows();

    using Done = std::function<void(Result<void>)>;
    /// Writes to the NSDB that an interface of this host has a port, or no longer has (host/port_binder.h).
    void bindPort(const PortId& port, std::string interface, Done done);
    void unbindPort(const PortId& port, Done done);

    struct Status {
        HostId host;
        std::string hostName;
        bool ready = false;
        bool storeConnected = false;
        bool isolated = false;  ///< Cut off from the NSDB for longer than the grace time.
        std::string problem;  ///< Why it is not ready; empty when it is.
        std::vector<std::string> waitingSettings;
        std::size_t ports = 0;
        std::size_t bridges = 0;
        std::size_t watches = 0;
        std::size_t routers = 0;
        std::size_t chains = 0;
        std::size_t publishedMacs = 0;
        std::size_t publishedArps = 0;
        std::size_t states = 0;  ///< Entries of the connection state.
        std::uint64_t generation = 0;
        std::chrono::system_clock::time_point published{};  ///< When that generation was there.
        std::vector<host::BindingStatus> bindings;
        std::vector<host::MembershipStatus> memberships;
        std::vector<host::Peer> peers;
        std::vector<WorkerStats> workers;
        std::vector<datapath::Counter> datapath;
        datapath::Capabilities capabilities;
    };
    void collectStatus(std::function<void(Status)> done);

    /// By name (agent/meter_names.h): what packets of this host have passed since its agent started, as each worker has counted. Only
    /// meters that have counted something.
    using Meters = std::map<std::string, std::vector<flowcontrol::MeterCount>>;
    void collectMeters(std::function<void(Meters)> done);

    PacketTracers& tracers() { return tracers_; }

    /// To look at: the tracker's snapshot is null until the host is registered.
    topology::TopologySnapshotPtr snapshot() const { return tracker_ ? tracker_->snapshot() : nullptr; }
    const flowcontrol::PhysicalMapPtr& map() const { return map_; }
    const WorkerPool& workers() const { return workers_; }
    const flowstate::StateTable& states() const { return *states_; }

private:
    void onConnection(bool connected);
    void onRegistered(host::Registration::Time time);
    void onTopology(const topology::TopologyUpdate& update);
    void onInterfaces();
    void publishMap();
    void onReport(datapath::WorkerIndex worker, const WorkerReport& report);
    void broadcastMacs(const std::vector<topology::MacChange>& changes);
    void broadcastArps(const ArpLearning::Arps& arps, const ArpLearning::BridgeArps& bridgeArps);
    bool knowsEnough() const;
    void checkReady();
    void changeBinding(std::function<Result<void>()> change, Done done);
    void onBindingChanged(std::uint64_t number, const Result<void>& result);

    World world_;
    const AgentOptions options_;
    std::function<void()> onReady_;
    /// Loading: what this host needs is not known yet. HandingOver: workers are given it. Ready: they have it.
    enum class Phase : std::uint8_t { Loading, HandingOver, Ready };
    Phase phase_ = Phase::Loading;
    bool connectionsKnown_ = false;
    bool bindingsKnown_ = false;
    topology::TopologySnapshotPtr handedOver_;  // the last one that workers were given

    Isolation isolation_;
    std::unique_ptr<nsdb::Session> session_;
    std::shared_ptr<flowstate::StateTable> states_;
    WorkerPool workers_;
    PacketTracers tracers_;
    std::unique_ptr<MacLearning> macs_;
    std::unique_ptr<ArpLearning> arps_;
    std::unique_ptr<ConnectionState> connections_;
    std::unique_ptr<host::Registration> registration_;
    std::unique_ptr<host::Bindings> bindings_;
    std::unique_ptr<host::Peers> peers_;
    std::unique_ptr<topology::DeviceTracker> tracker_;
    std::chrono::system_clock::time_point published_{};  // of the newest snapshot
    flowcontrol::PhysicalMapPtr map_ = std::make_shared<flowcontrol::PhysicalMap>();
    std::map<std::uint64_t, Done> changes_;  // of bindings, under way
    std::uint64_t lastChange_ = 0;
    std::shared_ptr<Agent*> self_ = std::make_shared<Agent*>(this);
};

}  // namespace midonet::agent
