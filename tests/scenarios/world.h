#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "agent/agent.h"
#include "host/fake_interfaces.h"
#include "host/fake_underlay.h"
#include "nsdb/memory.h"
#include "packet/builder.h"
#include "packet/parse.h"
#include "recording_datapath.h"
#include "test_datapath.h"

namespace midonet::model {
class Port;
class Bridge;
}  // namespace midonet::model

namespace midonet::scenarios {

using HostName = std::string;

/// A machine plugged into a port of a virtual bridge. A value; the world knows where it is.
struct Vm {
    std::string name;  ///< Also its interface.
    PortId port;
    BridgeId bridge;
    net::Mac mac;
};

/// A frame that reached a machine.
struct Delivery {
    std::string vm;
    packet::Frame frame;
    friend auto operator<=>(const Delivery&, const Delivery&) = default;
};
using Deliveries = std::vector<Delivery>;  // ordered
/// The frame without padding: below the 60 bytes of a frame on a wire, the kernel may have added some.
packet::Frame unpadded(packet::Frame frame);
/// The headers of a delivered frame.
packet::ParsedPacket headersOf(const Delivery& delivery);

/// A cloud in one thread and in virtual time: real agents on datapaths in memory, one NSDB, tunnels
/// that end in each other.
///
///     World world;
///     const auto bridge = world.bridge();
///     const auto a = world.vm(bridge, world.host());
///     const auto b = world.vm(bridge, world.host());
///     EXPECT_THAT(world.send(a, eth(a.mac, b.mac) / "hi"), Delivers({{b, eth(a.mac, b.mac) / "hi"}}));
///
/// At its end (and at check()) every state that grew step by step must equal one made anew: see
/// consistency.cpp.
class World {
public:
    struct Options {
        unsigned workers = 1;
        datapath::TunnelType tunnels = datapath::TunnelType::Vxlan;
        std::size_t maxMacsPerPort = 4096;
        std::size_t flowsPerWorker = 4096;
    };
    struct PortOptions {
        std::uint16_t vlan = 0;
        bool adminUp = true;
    };

    World() : World(Options{}) {}
    explicit World(Options options);
    /// Checks, then ends everything.
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // Things, made as an operator makes them.

    HostName host();
    /// A host that is in no tunnel zone.
    HostName hostWithoutTunnels();
    BridgeId bridge();
    Vm vm(const BridgeId& bridge, const HostName& host, PortOptions options);
    Vm vm(const BridgeId& bridge, const HostName& host) { return vm(bridge, host, PortOptions{}); }
    void setPortUp(const Vm& vm, bool up);
    void setBridgeUp(const BridgeId& bridge, bool up);
    void setVlan(const Vm& vm, std::uint16_t vlan);
    void unbind(const Vm& vm);
    void bind(const Vm& vm, const HostName& host);
    void removePort(const Vm& vm);
    void removeBridge(const BridgeId& bridge);
    void joinTunnelZone(const HostName& host);
    void leaveTunnelZone(const HostName& host);
    /// The link of the machine's interface goes away and comes back.
    void setInterfacePresent(const Vm& vm, bool present);
    void putMac(const BridgeId& bridge, std::uint16_t vlan, net::Mac mac, const PortId& port);
    /// The machine has this address from now on: it answers ARP requests for it, which are no deliveries then.
    void setAddress(const Vm& vm, std::string_view address);
    /// Anything else, as a transaction; comes to rest afterwards.
    void write(const std::function<Result<void>(nsdb::Transaction&)>& body);
    /// Any port object of the model, as a transaction.
    void changePort(const PortId& port, const std::function<void(model::Port&)>& change);

    // Several API servers: what an operator does, is done through one of them.

    /// Number 0 is there from the start.
    void addApiServer() { apiServers_.push_back(nsdb::openMemory(shared_)); }
    nsdb::Store& apiServer(std::size_t number) const { return *apiServers_.at(number); }
    /// The things above are made through this one from now on.
    void useApiServer(std::size_t number) { store_ = apiServers_.at(number).get(); }
    /// For those who look at all that is stored.
    const std::shared_ptr<nsdb::SharedMemory>& nsdb() const { return shared_; }

    // Faults.

    void cutFromStore(const HostName& host, bool cut);
    /// What hosts tell each other of connections stays in the network, and time stands still, until `held` is false again.
    void holdStateMessages(bool held);
    /// Those that are held are lost.
    void loseStateMessages() { heldStateMessages_.clear(); }
    void killAgent(const HostName& host);
    void startAgent(const HostName& host);

    // Packets and time.

    /// Sends the frame twice: the first may go through the agent, the second takes the flow, and must
    /// reach the same machines in the same shape.
    Deliveries send(const Vm& from, const packet::Packet& frame) { return sendBytes(from, frame.toBytes()); }
    Deliveries sendBytes(const Vm& from, const packet::Frame& frame);
    /// Once only: for what changes on the way. Packets that wait for the state of their connection do so until they are decided.
    Deliveries sendOnce(const Vm& from, const packet::Frame& frame);
    /// A frame that `from` tunnels to `to` under a key of the test's choice.
    Deliveries sendTunnelled(const HostName& from, const HostName& to, net::TunnelKey key, const packet::Frame& frame);
    void advance(event::Duration by);
    /// What arrived since: a packet may have waited for something.
    Deliveries collect();
    /// False: flows do not expire by advance().
    bool flowsExpire() const;

    // To look at.

    agent::WorkerStats stats(const HostName& host) const;
    std::uint64_t drops(const HostName& host, flow::DropReason reason) const;
    std::vector<RecordingDatapath::Flow> flows(const HostName& host) const;
    /// What the meter of this name has counted on the host; of one that is not there, nothing.
    flowcontrol::MeterCount meter(const HostName& host, const std::string& name);
    const agent::Agent& agent(const HostName& host) const;
    /// Entries of routers' ARP tables that the host's first worker knows.
    std::size_t neighbours(const HostName& host) const { return agent(host).workers().worker(0).state().arps(); }
    std::size_t watchCount(const HostName& host) const;
    /// Every differential check, now.
    void check();

private:
    struct Host {
        HostName name;
        HostId id;
        net::Ipv4Address address;
        datapath::TunnelPath wayOut;
        bool inZone = false;
        std::unique_ptr<nsdb::Store> store;
        std::unique_ptr<TestDatapath> datapath;
        std::unique_ptr<RecordingDatapath> recording;
        host::FakeInterfaces interfaces;
        host::FakeUnderlay underlay;
        std::unique_ptr<agent::Agent> agent;
    };

    Host& hostNamed(const HostName& name) const;
    HostName addHost(bool inZone);
    void settle();
    bool moveFrames();
    bool awaitsState() const;
    void receive(const TestDatapath::TunnelOutput& output);
    void changeBridge(const BridgeId& bridge, const std::function<void(model::Bridge&)>& change);
    using MacKey = std::tuple<BridgeId, net::VlanId, net::Mac>;
    using MacEntries = std::map<MacKey, PortId>;
    /// What a tracker of this host reads that starts now.
    struct FreshView {
        topology::TopologySnapshotPtr snapshot;
        MacEntries macs;
    };
    FreshView readAnew(Host& host);
    static MacEntries macsOf(const agent::PacketWorker& worker);
    bool knowsMacsOfStore(Host& host);
    void checkSnapshot(Host& host);
    void checkFlows(Host& host);

    const Options options_;
    std::unique_ptr<event::Loop> loop_;
    std::shared_ptr<nsdb::SharedMemory> shared_;
    std::vector<std::unique_ptr<nsdb::Store>> apiServers_;
    nsdb::Store* store_ = nullptr;  // one of them
    Uuid zone_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::unique_ptr<event::BlockingPool> pool_;
    bool answerArp(const std::string& machine, const packet::Frame& frame);

    struct Address {
        net::Mac mac;
        net::Ipv4Address address;
    };
    std::map<std::string, Address> addresses_;  // of machines that answer ARP
    Deliveries arrived_;
    bool stateMessagesHeld_ = false;
    std::vector<TestDatapath::TunnelOutput> heldStateMessages_;
    unsigned vms_ = 0;
    unsigned bridges_ = 0;
};

}  // namespace midonet::scenarios
