#include "agent/host.h"

#include <array>
#include <cstdio>

#include "agent/topology.h"
#include "base/assert.h"
#include "datapath/flow_key_from_frame.h"
#include "flow/testing/key_blend.h"
#include "flow_now.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::fuzz {
namespace {

using flow::testing::possibleBlend;
using topology::testing::hostId;
using topology::testing::portId;
using topology::testing::routerId;

constexpr std::array<std::uint64_t, Host::kPorts> kPortsHere = {1, 2, 3, 4, 6, 13};
const datapath::TunnelSpec kTunnel{datapath::TunnelType::Vxlan, net::Ipv4Address{0xac100001}, net::Ipv4Address{0xac100002}};
/// As the other host would say it.
const datapath::TunnelSpec kTunnelBack{kTunnel.type, kTunnel.remote, kTunnel.local};

net::TunnelKey keyOfPort(std::size_t port) { return fuzzedTopology()->port(portId(kPortsHere.at(port)))->tunnelKey; }

}  // namespace

Host::Host()
    : loop_(event::Loop::createVirtual("worker")),
      datapath_(loop_->clock()),
      recording_(datapath_, [] {}),
      map_(std::make_shared<flowcontrol::PhysicalMap>()),
      worker_(*loop_, recording_, 0, std::make_shared<flowstate::StateTable>(), {hostId(1)},
              {[this](const std::function<void(agent::WorkerReport&)>& merge) { onReport(merge); }, [](const std::function<void(agent::WorkerUpdate&)>&) {}}) {
    map_->self = hostId(1);
    for (const auto n : kPortsHere) {
        numbers_.push_back(datapath_.addPort(fmt::format("port{}", n)).value());
        map_->numbers.emplace(portId(n), numbers_.back());
        map_->virtualPorts.emplace(numbers_.back(), portId(n));
        map_->keys.emplace(fuzzedTopology()->port(portId(n))->tunnelKey, portId(n));
    }
    const auto tunnel = datapath_.addTunnel(kTunnel).value();
    MIDONET_ASSERT(datapath_.setTunnelPath(tunnel, datapath::TunnelPath{1, net::Mac{1}, net::Mac{2}, 1500}), "the tunnel is there");
    map_->routes.emplace(hostId(2), flowcontrol::PeerRoute{tunnel, kTunnel.local, kTunnel.remote});
    worker_.updates().update([&](agent::WorkerUpdate& update) {
        update.snapshot = fuzzedTopology();
        update.map = map_;
        const auto now = event::unixMs(loop_->clock().wall());
        update.arps.emplace(agent::Neighbour{routerId(1), net::Ipv4Address{0xc0000201}},
                            topology::RouterArpEntry::confirmed(net::Mac{0x020000000063ULL}, now));
    });
    worker_.takePackets();
    loop_->runReady();
}

Host::~Host() { worker_.stop(); }

void Host::inject(std::size_t port, ByteView frame) {
    datapath_.inject(numbers_.at(port), frame);
    loop_->runReady();
}

void Host::injectTunnelled(std::size_t port, ByteView frame) {
    datapath_.receiveFromTunnel(kTunnelBack, port < kPorts ? keyOfPort(port) : net::kStateTunnelKey, frame);
    loop_->runReady();
}

void Host::advance(event::Duration by) { loop_->advance(by); }

std::vector<std::vector<std::uint8_t>> Host::takeFrames() {
    std::vector<std::vector<std::uint8_t>> frames;
    for (auto& output : datapath_.takeOutputs()) frames.push_back(std::move(output.frame));
    for (auto& output : datapath_.takeTunnelOutputs())
        if (output.key != net::kStateTunnelKey) frames.push_back(std::move(output.frame));
    return frames;
}

flow::FlowKey Host::keyOf(std::size_t port, ByteView frame) const {
    return datapath::flowKeyFromFrame({.port = numbers_.at(port), .tunnelKey = {}, .tunnelSource = {}, .tunnelDestination = {}}, frame);
}

void Host::checkFlows(const std::vector<flow::FlowKey>& keys) const {
    for (const auto& flow : recording_.flows()) {
        checkFlow(flow, flow.key);
        for (const auto& key : keys) {
            const auto twin = possibleBlend(flow.mask, flow.key, key);
            if (scenarios::hopsAreLeft(twin, flow.actions)) checkFlow(flow, twin);
        }
    }
}

void Host::checkFlow(const scenarios::RecordingDatapath::Flow& flow, const flow::FlowKey& key) const {
    const auto now = scenarios::actionsNow(key, *worker_.snapshot(), worker_.state(), *map_);
    if (now && *now == flow.actions) return;
    simulation::Trace trace;
    scenarios::actionsNow(key, *worker_.snapshot(), worker_.state(), *map_, &trace);
    std::fprintf(stderr, "flow of %s\nby %s\ndoes %s\nbut packet %s\nis to do %s now:\n%s\n", flow.key.toString().c_str(), flow.mask.toString().c_str(),
                 toString(flow.actions).c_str(), key.toString().c_str(), now ? toString(*now).c_str() : "nothing that a flow can do", trace.toString().c_str());
    MIDONET_ASSERT(false, "a flow does what a simulation of now would");
}

/// Leases the two blocks of the translated ports, as the control loop would; more there are not.
void Host::onReport(const std::function<void(agent::WorkerReport&)>& merge) {
    constexpr unsigned kBlocks = 2;
    constexpr unsigned kFirstBlock = 20032 / flowstate::kNatBlockPorts;
    agent::WorkerReport report;
    merge(report);
    for (const auto& [tag, wanted] : report.wantedBlocks) {
        if (blocksLeased_ == kBlocks) return;
        const flowstate::NatBlockId block{wanted.device, wanted.ranges.at(0).firstAddress, static_cast<std::uint16_t>(kFirstBlock + blocksLeased_++)};
        worker_.updates().update([&, tag = tag](agent::WorkerUpdate& update) {
            update.natBlocks.emplace(block, true);
            update.invalidate(tag);
        });
    }
}

}  // namespace midonet::fuzz
