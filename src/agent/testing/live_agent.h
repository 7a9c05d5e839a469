#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/management.h"
#include "datapath/fake/fake_datapath.h"
#include "host/fake_interfaces.h"
#include "host/fake_underlay.h"
#include "host/port_binder.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/memory.h"

namespace midonet::agent::testing {

/// An agent that serves its socket on a thread of its own, for tests of what asks it: a host with a bridge and its ports, none of
/// them bound; interfaces tap0, tap1, ...; the NSDB in memory, the datapath in memory too.
class LiveAgent {
public:
    explicit LiveAgent(std::size_t portCount = 2, Management::MetersShown meters = Management::MetersShown::All) {
        char folder[] = "/tmp/midonet-agent-XXXXXX";
        folder_ = ::mkdtemp(folder);
        for (std::size_t i = 0; i < portCount; ++i) ports.push_back(PortId{Uuid{3, i + 1}});
        const auto written = store->transact([this](nsdb::Transaction& t) { return writeTopology(t); });
        EXPECT_TRUE(written);
        for (std::size_t i = 0; i < portCount; ++i) {
            host::Interface interface;
            interface.name = fmt::format("tap{}", i);
            interface.up = interface.hasLink = true;
            interfaces_.put(interface);
        }
        AgentOptions options;
        options.host = {host, "host", "test"};
        options.sharedWorkerLoop = loop_.get();
        options.traceLog = traceLog();
        std::promise<void> ready;
        agent_ = std::make_unique<Agent>(Agent::World{*loop_, *pool_, *store, datapath, interfaces_, underlay_}, options,
                                         [&] { ready.set_value(); });
        auto management = Management::start(*loop_, *agent_, {.listen = "127.0.0.1:0", .socket = socket(), .metersInMetrics = meters});
        EXPECT_TRUE(management);
        management_ = std::move(*management);
        agent_->start();
        thread_ = std::thread([this] { loop_->run(); });
        ready.get_future().wait();
    }
    ~LiveAgent() {
        loop_->stop();
        thread_.join();
        management_.reset();
        agent_.reset();
        pool_.reset();
        std::filesystem::remove_all(folder_);
    }
    LiveAgent(const LiveAgent&) = delete;
    LiveAgent& operator=(const LiveAgent&) = delete;

    std::string socket() const { return folder_ + "/agent.sock"; }
    std::string traceLog() const { return folder_ + "/mm-trace.log"; }
    std::string page() const { return "http://" + management_->address(); }
    model::Port port(std::size_t index) const { return *(*store->view())->get<model::Port>(ports.at(index).uuid())->object; }
    /// Runs `work` on the agent's loop and waits for it.
    void onLoop(const std::function<void()>& work) {
        std::promise<void> done;
        loop_->post([&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }
    /// Runs the loop until `condition`, which is looked at there, holds.
    void waitUntil(const std::function<bool()>& condition) {
        std::promise<void> done;
        std::function<void()> look = [&] {
            if (condition()) return done.set_value();
            loop_->post(look);
        };
        loop_->post(look);
        done.get_future().wait();
    }
    const Agent& agent() const { return *agent_; }
    /// Binds each port to the interface of its number, and waits until all are active.
    void bindPorts() {
        for (std::size_t i = 0; i < ports.size(); ++i) EXPECT_TRUE(host::bindPort(*store, host, ports[i], fmt::format("tap{}", i)));
        waitUntil([this] {
            return agent_->map()->numbers.size() == ports.size() && std::all_of(ports.begin(), ports.end(), [this](const PortId& id) {
                       const auto* port = agent_->snapshot()->port(id);
                       return port != nullptr && port->active;
                   });
        });
    }
    /// A frame comes in through the interface; returns when the agent has taken it.
    void send(const std::string& interface, const std::vector<std::uint8_t>& frame) {
        onLoop([&] { datapath.inject(interface, frame); });
        waitUntil([this] { return datapath.waitingUpcalls(0) == 0; });
    }

    const HostId host{Uuid{1, 1}};
    const BridgeId bridge{Uuid{2, 1}};
    std::vector<PortId> ports;
    const std::shared_ptr<nsdb::SharedMemory> shared = nsdb::makeSharedMemory();
    const std::unique_ptr<nsdb::Store> store = nsdb::openMemory(shared);

private:
    Result<void> writeTopology(nsdb::Transaction& transaction) const {
        model::Host self;
        self.set_id(model::bytesOf(host.uuid()));
        TRY_VOID(transaction.create(self));
        model::Bridge red;
        red.set_id(model::bytesOf(bridge.uuid()));
        red.set_admin_state_up(true);
        TRY_VOID(transaction.create(red));
        for (const auto& id : ports) {
            model::Port port;
            port.set_id(model::bytesOf(id.uuid()));
            port.set_bridge_id(red.id());
            port.set_admin_state_up(true);
            TRY_VOID(transaction.create(port));
        }
        return {};
    }

    std::string folder_;
    const std::unique_ptr<event::Loop> loop_ = event::Loop::create("control");
    std::unique_ptr<event::BlockingPool> pool_ = std::make_unique<event::BlockingPool>(1, 64);

public:
    datapath::fake::FakeDatapath datapath{loop_->clock(), {.workers = 1}};

private:
    host::FakeInterfaces interfaces_;
    host::FakeUnderlay underlay_;
    std::unique_ptr<Agent> agent_;
    std::unique_ptr<Management> management_;
    std::thread thread_;
};

}  // namespace midonet::agent::testing
