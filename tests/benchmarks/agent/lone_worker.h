#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "agent/packet_worker.h"
#include "routed_cloud.h"

namespace midonet::benchmarks {

/// A worker without the agent around it, told by the benchmark what the control loop tells in an agent.
class LoneWorker {
public:
    explicit LoneWorker(datapath::Datapath& datapath)
        : datapath_(datapath),
          worker_(*loop_, datapath, 0, states_, {.self = topology::testing::hostId(1), .maxMacsPerPort = 100'000},
                  {.report = [](const auto&) {}, .tellOthers = [](const auto&) {}}) {}

    void tell(const std::function<void(agent::WorkerUpdate&)>& merge) {
        worker_.updates().update(merge);
        loop_->runReady();
    }
    /// The topology, and which of its ports are on this host; these get the numbers 1, 2, 3, ... in the datapath.
    void tell(const topology::TopologySnapshotPtr& snapshot, std::span<const PortId> here) {
        auto map = std::make_shared<flowcontrol::PhysicalMap>();
        map->self = topology::testing::hostId(1);
        for (const auto& port : here) {
            const auto number = datapath_.addPort(fmt::format("p{}", map->numbers.size() + 1)).value();
            map->numbers.emplace(port, number);
            map->virtualPorts.emplace(number, port);
        }
        tell([&](agent::WorkerUpdate& update) {
            update.snapshot = snapshot;
            update.map = map;
        });
    }
    /// All of a routed cloud whose machines are on this host, and NAT ports of `natBlocks` blocks.
    void tell(const RoutedCloud& cloud, std::uint16_t natBlocks) {
        std::vector<PortId> here;
        for (const auto& machine : cloud.machines()) here.push_back(machine.port);
        tell(cloud.snapshot(), here);
        auto known = topology::RouterArpEntry::confirmed({}, event::unixMs(loop_->clock().wall()));
        tell([&](agent::WorkerUpdate& update) {
            for (const auto& machine : cloud.machines()) {
                known.mac = machine.mac;
                update.macs.insert({machine.bridge, {}, machine.mac, machine.port});
                update.arps.insert({{RoutedCloud::router(), machine.address}, known});
            }
            for (const auto& block : RoutedCloud::natBlocks(natBlocks)) update.natBlocks.emplace(block, true);
        });
    }

    void flush() {
        tell([](agent::WorkerUpdate& update) { update.flushFlows = true; });
    }
    /// Of all connections, as if they had not been used for long.
    void forgetStates() {
        auto entries = states_->all();
        for (const auto& entry : entries) states_->remove(entry.key);
        tell([&](agent::WorkerUpdate& update) { update.expired = std::move(entries); });
    }

    /// Handles all upcalls that wait.
    void work() {
        while (worker_.drainUpcalls() > 0) {}
    }
    std::size_t flows() const { return worker_.flows().size(); }
    std::size_t states() const { return states_->size(); }

private:
    datapath::Datapath& datapath_;
    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("worker");
    std::shared_ptr<flowstate::StateTable> states_ = std::make_shared<flowstate::StateTable>();
    agent::PacketWorker worker_;
};

}  // namespace midonet::benchmarks
