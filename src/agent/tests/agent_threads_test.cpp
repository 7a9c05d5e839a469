// A whole agent on threads of its own, for ThreadSanitizer: traffic, news of another host and changes of the topology at the same
// time. What it does with them is the business of the packet scenarios.
#include <gtest/gtest.h>

#include <thread>

#include "agent/agent.h"
#include "datapath/fake/fake_datapath.h"
#include "flowstate/state_message.h"
#include "host/fake_interfaces.h"
#include "host/fake_underlay.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/memory.h"
#include "packet/builder.h"

namespace midonet::agent {
namespace {

using namespace packet;
using model::bytesOf;

constexpr unsigned kPorts = 4;
constexpr unsigned kFrames = 3000;
constexpr unsigned kChanges = 20;

std::string interfaceOf(unsigned port) { return fmt::format("port{}", port); }

class AgentThreadsTest : public ::testing::Test {
protected:
    AgentThreadsTest() {
        EXPECT_TRUE(store->transact([this](nsdb::Transaction& t) { return writeTopology(t); }));
        for (unsigned port = 0; port < kPorts; ++port) {
            host::Interface interface;
            interface.name = interfaceOf(port);
            interface.up = interface.hasLink = true;
            interfaces.put(interface);
        }
    }

    /// One bridge whose ports track connections.
    Result<void> writeTopology(nsdb::Transaction& t) const {
        model::Chain chain;
        chain.set_id(bytesOf(chainId.uuid()));
        auto& rule = *chain.add_rules();
        rule.set_id(bytesOf(Uuid::random()));
        rule.set_type(model::Rule::ACCEPT);
        rule.mutable_condition()->set_fragment_policy(model::Condition::ANY);
        rule.mutable_condition()->set_match_forward_flow(true);
        TRY_VOID(t.create(chain));
        model::Bridge bridge;
        bridge.set_id(bytesOf(bridgeId.uuid()));
        bridge.set_admin_state_up(true);
        TRY_VOID(t.create(bridge));
        model::Host self;
        self.set_id(bytesOf(hostId.uuid()));
        self.set_name("host");
        TRY_VOID(t.create(self));
        for (unsigned n = 0; n < kPorts; ++n) {
            model::Port port;
            port.set_id(bytesOf(ports[n].uuid()));
            port.set_bridge_id(bytesOf(bridgeId.uuid()));
            port.set_admin_state_up(true);
            port.set_inbound_filter_id(bytesOf(chainId.uuid()));
            port.set_host_id(bytesOf(hostId.uuid()));
            port.set_interface_name(interfaceOf(n));
            TRY_VOID(t.create(port));
        }
        return {};
    }

    /// On a thread of its own: every port speaks to every other, and another host tells of its connections.
    void sendTraffic() {
        for (unsigned n = 0; n < kFrames; ++n) {
            const auto from = n % kPorts, to = n / kPorts % kPorts;
            const auto frame = eth(macOf(from), macOf(to)) / ipv4(net::Ipv4Address{0x0a000000 + from}, net::Ipv4Address{0x0a000000 + to}) / udp(1000 + n % 97, 53);
            datapath.inject(interfaceOf(from), frame.toBytes());
            if (n % 10 == 0) datapath.receiveFromTunnel({}, net::kStateTunnelKey, newsOfAnotherHost(n));
            delivered += datapath.takeOutputs().size();
        }
        loop->post([this] { trafficIsOver = true; });
    }
    static net::Mac macOf(unsigned port) { return net::Mac{0x020000000000ULL + port}; }
    static flowstate::Frame newsOfAnotherHost(unsigned n) {
        flowstate::StateEntry entry;
        entry.key = {flowstate::KeyKind::ConnTrack, 17, 53, static_cast<std::uint16_t>(1000 + n % 97), net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x0a000000}, {}};
        return flowstate::encodeFrame(HostId{Uuid{1, 1}}, n + 1, {&entry, 1});
    }

    /// Control loop: a change, and the next one when the workers have answered; until the traffic is over and all of it handled.
    void changeOn(unsigned changes) {
        agent->collectStatus([this, changes](Agent::Status status) {
            last = std::move(status);
            if (changes < kChanges) setPortUp(ports[0], changes % 2 == 1);
            if (changes == kChanges / 2) agent->flushFlows();
            const bool atRest = trafficIsOver && datapath.waitingUpcalls(0) + datapath.waitingUpcalls(1) == 0;
            if (changes >= kChanges && atRest) return loop->stop();
            changeOn(changes + 1);
        });
    }
    void setPortUp(const PortId& id, bool up) {
        EXPECT_TRUE(store->transact([&](nsdb::Transaction& t) -> Result<void> {
            TRY(found, t.get<model::Port>(id.uuid()));
            auto port = *found.object;
            port.set_admin_state_up(up);
            return t.update(port);
        }));
    }

    const std::unique_ptr<event::Loop> loop = event::Loop::create("control");
    event::BlockingPool pool{1, 64};
    const std::shared_ptr<nsdb::SharedMemory> shared = nsdb::makeSharedMemory();
    const std::unique_ptr<nsdb::Store> store = nsdb::openMemory(shared);
    const HostId hostId = HostId::random();
    const BridgeId bridgeId = BridgeId::random();
    const ChainId chainId = ChainId::random();
    const std::vector<PortId> ports{PortId::random(), PortId::random(), PortId::random(), PortId::random()};
    datapath::fake::FakeDatapath datapath{loop->clock(), {.workers = 2}};
    host::FakeInterfaces interfaces;
    host::FakeUnderlay underlay;
    std::unique_ptr<Agent> agent;
    Agent::Status last;
    std::size_t delivered = 0;   // of the traffic's thread
    bool trafficIsOver = false;  // of the control loop
};

TEST_F(AgentThreadsTest, TrafficWhileTheTopologyChanges) {
    AgentOptions options;
    options.host = {hostId, "host", "test"};
    std::thread traffic;
    agent = std::make_unique<Agent>(Agent::World{*loop, pool, *store, datapath, interfaces, underlay}, options, [&] {
        traffic = std::thread([this] { sendTraffic(); });
        changeOn(0);
    });
    agent->start();
    loop->run();
    traffic.join();
    agent.reset();

    EXPECT_GT(delivered, 0U);
    EXPECT_GT(last.states, 0U);
    ASSERT_EQ(last.workers.size(), 2U);
    for (const auto& worker : last.workers) EXPECT_GT(worker.simulations, 0U);
    EXPECT_GT(last.workers[0].stateMessagesRead + last.workers[1].stateMessagesRead, 0U);
}

}  // namespace
}  // namespace midonet::agent
