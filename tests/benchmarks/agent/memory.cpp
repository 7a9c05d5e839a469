// What a flow and a device cost in memory, and how long a snapshot takes to make. Budget: 100,000 flows and 5,000 devices
// leave an agent below 60 MB.
#include <malloc.h>

#include <functional>
#include <map>

#include "flowcontrol/flow_table.h"
#include "measure.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/store.h"
#include "topology/device_tracker.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;

double megabytesInUse() {
    const auto info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

/// Takes flows and keeps nothing.
class NullDatapath final : public datapath::Datapath, public datapath::UpcallQueue {
public:
    const datapath::Capabilities& capabilities() const override { return capabilities_; }
    unsigned workerCount() const override { return 1; }
    Result<flow::PortNumber> addPort(std::string_view) override { return flow::PortNumber{1}; }
    Result<void> removePort(flow::PortNumber) override { return {}; }
    std::vector<datapath::PortInfo> ports() const override { return {}; }
    Result<flow::TunnelId> addTunnel(const datapath::TunnelSpec&) override { return flow::TunnelId{1}; }
    Result<void> setTunnelPath(flow::TunnelId, const std::optional<datapath::TunnelPath>&) override { return {}; }
    Result<void> removeTunnel(flow::TunnelId) override { return {}; }
    void endAdoption() override {}
    std::vector<datapath::Counter> counters() const override { return {}; }
    datapath::UpcallQueue& upcalls(datapath::WorkerIndex) override { return *this; }
    Result<datapath::FlowHandle> installFlow(datapath::WorkerIndex, const flow::FlowKey&, const flow::FlowMask&,
                                             const flow::FlowActions&) override {
        return datapath::FlowHandle{nextSlot_++, 1};
    }
    void removeFlow(datapath::WorkerIndex, datapath::FlowHandle) override {}
    datapath::FlowStats stats(datapath::FlowHandle) const override { return {}; }
    std::size_t flowCapacity(datapath::WorkerIndex) const override { return 1'000'000; }
    Result<void> execute(datapath::WorkerIndex, const datapath::PacketOut&) override { return {}; }
    int descriptor() const override { return -1; }
    std::size_t drain(std::size_t, const std::function<void(const datapath::Upcall&)>&) override { return 0; }
    void done(std::uint64_t) override {}

private:
    const datapath::Capabilities capabilities_{"null", {}};
    std::uint32_t nextSlot_ = 1;
};

/// 100,000 flows between 1,000 machines, with the tags that unicast to a remote port has.
void flows() {
    constexpr std::uint64_t kFlows = 100'000;
    constexpr std::uint64_t kMachines = 1'000;
    NullDatapath datapath;
    const auto before = megabytesInUse();
    flowcontrol::FlowTable table{datapath, 0, [](const auto&) {}};
    flow::FlowMask mask;
    mask.see(flow::Field::EthSource);
    mask.see(flow::Field::EthDestination);
    mask.close();
    const auto now = event::SteadyClock{}.now();
    for (std::uint64_t n = 0; n < kFlows; ++n) {
        const auto from = n % kMachines;
        const auto to = (n / kMachines) * 7 + from + 1;
        const auto bridge = bridgeId(from % 50);
        flow::FlowKey key;
        key.inPort = flow::PortNumber{static_cast<std::uint32_t>(from)};
        key.ethSource = net::Mac{from};
        key.ethDestination = net::Mac{to};
        const flow::FlowTags tags{flow::FlowTag::device(portId(from).uuid()), flow::FlowTag::device(bridge.uuid()),
                                  flow::FlowTag::vlanPort(bridge, {}, net::Mac{from}, portId(from)),
                                  flow::FlowTag::vlanPort(bridge, {}, net::Mac{to}, portId(to)),
                                  flow::FlowTag::device(portId(to).uuid()), flow::FlowTag::datapathPort(key.inPort)};
        const flow::FlowTags more{flow::FlowTag::device(hostId(to % 20).uuid()),
                                  flow::FlowTag::tunnelRoute(net::Ipv4Address{1}, net::Ipv4Address{static_cast<std::uint32_t>(to % 20)})};
        const simulation::Effects effects{simulation::LearnMac{bridge, {}, net::Mac{from}, portId(from)}};
        if (!table.install({key, mask, {}, tags, more, effects, simulation::FlowClass::Normal}, now)) return;
    }
    benchmarks::report("memory", "100k_flows", {megabytesInUse() - before}, "MB");
}

/// Bridges of ten ports, all bound here: what a host that uses everything tracks.
void devices(std::uint64_t ports, const char* memory, const char* rebuild) {
    auto loop = event::Loop::createVirtual("control");
    const auto store = nsdb::openMemory();
    for (std::uint64_t b = 1; b <= ports / 10; ++b) {
        const auto written = store->transact([&](nsdb::Transaction& t) -> Result<void> {
            if (b == 1) {
                model::Host host;
                host.set_id(model::bytesOf(hostId(1).uuid()));
                TRY_VOID(t.create(host));
            }
            model::Bridge bridge;
            bridge.set_id(model::bytesOf(bridgeId(b).uuid()));
            bridge.set_admin_state_up(true);
            TRY_VOID(t.create(bridge));
            for (std::uint64_t p = 0; p < 10; ++p) {
                model::Port port;
                port.set_id(model::bytesOf(portId(b * 10 + p).uuid()));
                port.set_bridge_id(bridge.id());
                port.set_admin_state_up(true);
                port.set_host_id(model::bytesOf(hostId(1).uuid()));
                port.set_interface_name(fmt::format("p{}", b * 10 + p));
                TRY_VOID(t.create(port));
            }
            return {};
        });
        if (!written) return fmt::print(stderr, "memory: {}\n", written.error().message);
    }
    const auto before = megabytesInUse();
    topology::DeviceTracker tracker{*loop, *store, hostId(1), {},
                                    {[](const topology::TopologyUpdate&) {}, [](const std::vector<topology::MacChange>&) {},
                                     [](const BridgeId&, net::VlanId) {}, [](const std::vector<topology::WantedBinding>&) {}}};
    loop->runReady();
    benchmarks::report("memory", memory, {megabytesInUse() - before}, "MB");

    std::map<PortId, net::TunnelKey> local;
    std::vector<double> samples;
    for (int i = 0; i < benchmarks::repetitions() * 4; ++i) {
        local[portId(10 + static_cast<std::uint64_t>(i))] = net::TunnelKey{1};
        tracker.setLocalPorts(local);
        const auto begin = std::chrono::steady_clock::now();
        loop->runReady();
        samples.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    benchmarks::report("memory", rebuild, samples, "ms");
}

}  // namespace

int main() {
    flows();
    devices(5'000, "5000_ports_tracked", "snapshot_after_a_change_at_5000_ports");
    devices(10'000, "10000_ports_tracked", "snapshot_after_a_change_at_10000_ports");
    return 0;
}
