#include "world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/layout.h"
#include "packet/parse.h"

namespace midonet::scenarios {
namespace {

constexpr unsigned kMaxTurns = 10'000;  // of settle(): more is a storm

std::string hostNameOf(std::size_t index) { return fmt::format("host{}", index); }

}  // namespace

packet::Frame unpadded(packet::Frame frame) {
    if (frame.size() > 60) return frame;
    while (frame.size() > 14 && frame.back() == 0) frame.pop_back();
    return frame;
}

packet::ParsedPacket headersOf(const Delivery& delivery) {
    auto frame = delivery.frame;
    frame.resize(std::max<std::size_t>(frame.size(), 60));
    return *packet::parse(frame);
}

World::World(Options options)
    : options_(options),
      loop_(event::Loop::createVirtual("world")),
      shared_(nsdb::makeSharedMemory()),
      zone_(Uuid{0x7a6f6e65, 1}),
      pool_(std::make_unique<event::BlockingPool>(*loop_)) {
    addApiServer();
    useApiServer(0);
    write([&](nsdb::Transaction& t) {
        model::TunnelZone zone;
        zone.set_id(model::bytesOf(zone_));
        zone.set_name("zone");
        zone.set_type(options_.tunnels == datapath::TunnelType::Gre ? model::TunnelZone::GRE : model::TunnelZone::VXLAN);
        return t.create(zone);
    });
}

World::~World() {
    if (!::testing::Test::HasFatalFailure()) check();
    pool_.reset();
}

// --- things -----------------------------------------------------------------------------------

HostName World::host() { return addHost(true); }
HostName World::hostWithoutTunnels() { return addHost(false); }

HostName World::addHost(bool inZone) {
    auto made = std::make_unique<Host>();
    auto& host = *made;
    const auto number = static_cast<std::uint32_t>(hosts_.size() + 1);
    host.name = hostNameOf(number);
    host.id = HostId{Uuid{0x686f7374, number}};
    host.address = net::Ipv4Address{0xac100000U + number};
    host.store = nsdb::openMemory(shared_);
    host.datapath = makeTestDatapath(loop_->clock(), options_.workers, options_.flowsPerWorker);
    host.recording = std::make_unique<RecordingDatapath>(host.datapath->datapath(), [d = host.datapath.get()] { d->enter(); });
    host.wayOut = host.datapath->addUplink(host.address);
    host::Interface uplink;
    uplink.name = "uplink";
    uplink.up = uplink.hasLink = true;
    uplink.mtu = 9000;
    uplink.addresses = {host.address};
    host.interfaces.put(uplink);
    hosts_.push_back(std::move(made));
    for (auto& a : hosts_) {
        a->underlay.put(host.address, a->wayOut);
        host.underlay.put(a->address, host.wayOut);
    }
    startAgent(host.name);
    if (inZone) joinTunnelZone(host.name);
    return host.name;
}

void World::startAgent(const HostName& name) {
    auto& host = hostNamed(name);
    agent::AgentOptions options;
    options.host = {host.id, host.name, "test"};
    options.maxMacsPerPort = options_.maxMacsPerPort;
    options.sharedWorkerLoop = loop_.get();
    bool ready = false;
    host.agent = std::make_unique<agent::Agent>(
        agent::Agent::World{*loop_, *pool_, *host.store, *host.recording, host.interfaces, host.underlay}, options, [&] { ready = true; });
    host.agent->start();
    settle();
    EXPECT_TRUE(ready);
}

void World::killAgent(const HostName& name) {
    auto& host = hostNamed(name);
    host.agent.reset();
    host.recording->startNextProcess();
    settle();
}

BridgeId World::bridge() {
    const BridgeId id{Uuid{0x62726964, ++bridges_}};
    write([&](nsdb::Transaction& t) {
        model::Bridge bridge;
        bridge.set_id(model::bytesOf(id.uuid()));
        bridge.set_admin_state_up(true);
        return t.create(bridge);
    });
    return id;
}

Vm World::vm(const BridgeId& bridge, const HostName& host, PortOptions options) {
    const Vm vm{fmt::format("vm{}", ++vms_), PortId{Uuid{0x706f7274, vms_}}, bridge, net::Mac{0x020000000000ULL + vms_}};
    write([&](nsdb::Transaction& t) {
        model::Port port;
        port.set_id(model::bytesOf(vm.port.uuid()));
        port.set_bridge_id(model::bytesOf(bridge.uuid()));
        port.set_admin_state_up(options.adminUp);
        port.set_vlan_id(options.vlan);
        return t.create(port);
    });
    bind(vm, host);
    return vm;
}

void World::bind(const Vm& vm, const HostName& name) {
    auto& host = hostNamed(name);
    host.datapath->makeInterface(vm.name);
    host::Interface interface;
    interface.name = vm.name;
    interface.up = interface.hasLink = true;
    interface.mtu = 1500;
    host.interfaces.put(interface);
    changePort(vm.port, [&](model::Port& port) {
        port.set_host_id(model::bytesOf(host.id.uuid()));
        port.set_interface_name(vm.name);
    });
}

void World::unbind(const Vm& vm) {
    changePort(vm.port, [](model::Port& port) {
        port.clear_host_id();
        port.clear_interface_name();
    });
    for (auto& host : hosts_) host->interfaces.remove(vm.name);
    settle();
}

void World::setInterfacePresent(const Vm& vm, bool present) {
    for (auto& host : hosts_) {
        const auto* found = host->interfaces.find(vm.name);
        if (found == nullptr) continue;
        auto interface = *found;
        interface.up = interface.hasLink = present;
        host->interfaces.put(interface);
    }
    settle();
}

void World::setPortUp(const Vm& vm, bool up) {
    changePort(vm.port, [&](model::Port& port) { port.set_admin_state_up(up); });
}
void World::setVlan(const Vm& vm, std::uint16_t vlan) {
    changePort(vm.port, [&](model::Port& port) { port.set_vlan_id(vlan); });
}
void World::setBridgeUp(const BridgeId& id, bool up) {
    changeBridge(id, [&](model::Bridge& bridge) { bridge.set_admin_state_up(up); });
}

void World::removePort(const Vm& vm) {
    write([&](nsdb::Transaction& t) { return t.remove(model::Port::descriptor(), vm.port.uuid()); });
}
void World::removeBridge(const BridgeId& id) {
    write([&](nsdb::Transaction& t) { return t.remove(model::Bridge::descriptor(), id.uuid()); });
}

void World::joinTunnelZone(const HostName& name) {
    auto& host = hostNamed(name);
    host.inZone = true;
    write([&](nsdb::Transaction& t) {
        model::TunnelZoneMember member;
        member.set_id(model::bytesOf(model::memberId(zone_, host.id.uuid())));
        member.set_tunnel_zone_id(model::bytesOf(zone_));
        member.set_host_id(model::bytesOf(host.id.uuid()));
        member.set_ip_address(host.address.toString());
        return t.create(member);
    });
}
void World::leaveTunnelZone(const HostName& name) {
    auto& host = hostNamed(name);
    host.inZone = false;
    write([&](nsdb::Transaction& t) {
        return t.remove(model::TunnelZoneMember::descriptor(), model::memberId(zone_, host.id.uuid()));
    });
}

void World::putMac(const BridgeId& bridge, std::uint16_t vlan, net::Mac mac, const PortId& port) {
    write([&](nsdb::Transaction& t) {
        return t.putPersistent(nsdb::macTableName(bridge.uuid(), vlan), mac.toString(), port.toString());
    });
}

void World::changePort(const PortId& id, const std::function<void(model::Port&)>& change) {
    write([&](nsdb::Transaction& t) -> Result<void> {
        TRY(found, t.get<model::Port>(id.uuid()));
        auto port = *found.object;
        change(port);
        return t.update(port);
    });
}
void World::changeBridge(const BridgeId& id, const std::function<void(model::Bridge&)>& change) {
    write([&](nsdb::Transaction& t) -> Result<void> {
        TRY(found, t.get<model::Bridge>(id.uuid()));
        auto bridge = *found.object;
        change(bridge);
        return t.update(bridge);
    });
}

void World::write(const std::function<Result<void>(nsdb::Transaction&)>& body) {
    const auto written = store_->transact(body);
    ASSERT_TRUE(written.has_value()) << written.error().message;
    settle();
}

void World::cutFromStore(const HostName& name, bool cut) {
    nsdb::setReachable(*hostNamed(name).store, !cut);
    settle();
}

// --- packets and time -------------------------------------------------------------------------

Deliveries World::sendBytes(const Vm& from, const packet::Frame& frame) {
    auto first = sendOnce(from, frame);
    EXPECT_EQ(sendOnce(from, frame), first) << "the flow does something else than the agent did with the first packet";
    return first;
}

Deliveries World::sendOnce(const Vm& from, const packet::Frame& frame) {
    arrived_.clear();
    for (auto& host : hosts_)
        if (host->interfaces.find(from.name) != nullptr) host->datapath->inject(from.name, frame);
    settle();
    while (!stateMessagesHeld_ && awaitsState()) advance(std::chrono::milliseconds{1});
    std::sort(arrived_.begin(), arrived_.end());
    return std::exchange(arrived_, {});
}

Deliveries World::sendTunnelled(const HostName& from, const HostName& to, net::TunnelKey key, const packet::Frame& frame) {
    arrived_.clear();
    hostNamed(to).datapath->receiveFromTunnel({options_.tunnels, hostNamed(from).address, hostNamed(to).address}, key, frame);
    settle();
    std::sort(arrived_.begin(), arrived_.end());
    return std::exchange(arrived_, {});
}

void World::advance(event::Duration by) {
    // In steps: what hosts tell each other on the way has to arrive.
    constexpr event::Duration kStep = std::chrono::milliseconds{100};
    for (; by > event::Duration::zero(); by -= kStep) {
        loop_->advance(std::min(by, kStep));
        settle();
    }
}

Deliveries World::collect() {
    settle();
    std::sort(arrived_.begin(), arrived_.end());
    return std::exchange(arrived_, {});
}

bool World::flowsExpire() const { return hosts_.front()->datapath->followsVirtualTime(); }

void World::settle() {
    for (unsigned turn = 0; loop_->runReady() > 0 || moveFrames(); ++turn)
        if (turn > kMaxTurns) FAIL() << "the world does not come to rest";
}

/// What left the datapaths reaches machines, and the other ends of tunnels.
bool World::moveFrames() {
    bool any = false;
    for (auto& host : hosts_) {
        for (auto& output : host->datapath->takeOutputs()) {
            any = true;
            if (!answerArp(output.interface, output.frame)) arrived_.push_back({output.interface, unpadded(std::move(output.frame))});
        }
        for (auto& output : host->datapath->takeTunnelOutputs()) {
            any = true;
            EXPECT_EQ(output.spec.local, host->address);
            if (stateMessagesHeld_ && output.key == net::kStateTunnelKey)
                heldStateMessages_.push_back(std::move(output));
            else
                receive(output);
        }
    }
    return any;
}

void World::receive(const TestDatapath::TunnelOutput& output) {
    for (auto& peer : hosts_)
        if (peer->address == output.spec.remote) peer->datapath->receiveFromTunnel(output.spec, output.key, output.frame);
}

bool World::awaitsState() const {
    return std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host->agent && stats(host->name).earlyPackets > 0; });
}

void World::holdStateMessages(bool held) {
    stateMessagesHeld_ = held;
    if (held) return;
    for (const auto& output : std::exchange(heldStateMessages_, {})) receive(output);
    settle();
}

void World::setAddress(const Vm& vm, std::string_view address) { addresses_[vm.name] = {vm.mac, *net::Ipv4Address::parse(address)}; }

bool World::answerArp(const std::string& machine, const packet::Frame& frame) {
    const auto known = addresses_.find(machine);
    const auto parsed = packet::parse(frame);
    if (known == addresses_.end() || !parsed || !parsed->isArp() || parsed->arpOperation != packet::arpop::kRequest) return false;
    const auto& [mac, address] = known->second;
    if (parsed->arpSenderMac == mac) return false;
    // The others on the wire keep quiet about a question that somebody answers.
    if (parsed->ipDestination != net::IpAddress{address})
        return std::any_of(addresses_.begin(), addresses_.end(),
                           [&](const auto& entry) { return net::IpAddress{entry.second.address} == parsed->ipDestination; });
    const auto answer = packet::eth(mac, parsed->arpSenderMac) / packet::arpReply(mac, address, parsed->arpSenderMac, parsed->ipSource.v4());
    for (auto& host : hosts_)
        if (host->interfaces.find(machine) != nullptr) host->datapath->inject(machine, answer.toBytes());
    return true;
}

// --- to look at -------------------------------------------------------------------------------

World::Host& World::hostNamed(const HostName& name) const {
    const auto found = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& h) { return h->name == name; });
    MIDONET_ASSERT(found != hosts_.end(), "names come from host()");
    return **found;
}

const agent::Agent& World::agent(const HostName& name) const { return *hostNamed(name).agent; }
std::size_t World::watchCount(const HostName& name) const { return hostNamed(name).store->watchCount(); }
std::vector<RecordingDatapath::Flow> World::flows(const HostName& name) const { return hostNamed(name).recording->flows(); }

flowcontrol::MeterCount World::meter(const HostName& name, const std::string& meter) {
    agent::Agent::Meters meters;
    hostNamed(name).agent->collectMeters([&](agent::Agent::Meters read) { meters = std::move(read); });
    settle();
    return flowcontrol::sumOf(meters[meter]);
}

agent::WorkerStats World::stats(const HostName& name) const {
    agent::WorkerStats sum;
    const auto& workers = agent(name).workers();
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const auto one = workers.worker(i).stats();
        sum.upcalls += one.upcalls;
        sum.simulations += one.simulations;
        sum.flows += one.flows;
        sum.waitingPackets += one.waitingPackets;
        sum.earlyPackets += one.earlyPackets;
        sum.learnedMacs += one.learnedMacs;
        sum.macEntries += one.macEntries;
        sum.macsRefused += one.macsRefused;
        sum.invalidations += one.invalidations;
        sum.framesMade += one.framesMade;
        sum.errorsWithheld += one.errorsWithheld;
        sum.stateMessagesSent += one.stateMessagesSent;
        sum.natPortsTaken += one.natPortsTaken;
        for (std::size_t r = 0; r < one.drops.size(); ++r) sum.drops[r] += one.drops[r];
    }
    return sum;
}

std::uint64_t World::drops(const HostName& name, flow::DropReason reason) const {
    return stats(name).drops[static_cast<std::size_t>(reason)];
}

}  // namespace midonet::scenarios
