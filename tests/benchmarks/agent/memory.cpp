// What a flow, a connection and a device cost in memory, and how long a snapshot takes to make. Budget: 100,000 flows and
// 5,000 devices leave an agent below 60 MB.
#include <malloc.h>

#include <functional>
#include <map>

#include "arrivals.h"
#include "flowcontrol/flow_table.h"
#include "lone_worker.h"
#include "measure.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/store.h"
#include "null_datapath.h"
#include "topology/device_tracker.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;
using benchmarks::LoneWorker;
using benchmarks::NullDatapath;
using benchmarks::RoutedCloud;

double megabytesInUse() {
    const auto info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

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

/// What a worker keeps for the first packets of 100,000 routed connections: their flows and the state of each.
void connections(const char* figure, const RoutedCloud::Options& options) {
    constexpr std::size_t kConnections = 100'000;
    constexpr std::uint16_t kBlocks = kConnections / RoutedCloud::kMachines / flowstate::kNatBlockPorts + 1;
    NullDatapath datapath;
    const RoutedCloud cloud{options};
    LoneWorker worker{datapath};
    worker.tell(cloud, kBlocks);
    const auto arrivals = benchmarks::connectionsIn(cloud, kConnections);
    const auto upcalls = benchmarks::upcallsOf(arrivals);
    const auto before = megabytesInUse();
    datapath.serve(upcalls);
    worker.work();
    if (worker.flows() != kConnections || worker.states() < kConnections) {
        fmt::print(stderr, "memory: {} flows and {} states of {} connections\n", worker.flows(), worker.states(), kConnections);
        std::exit(1);
    }
    benchmarks::report("memory", figure, {(megabytesInUse() - before) * 1e6 / kConnections}, "bytes");
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
    connections("tracked_connection", {.tracks = true});
    connections("translated_connection", {.tracks = true, .translates = true});
    devices(5'000, "5000_ports_tracked", "snapshot_after_a_change_at_5000_ports");
    devices(10'000, "10000_ports_tracked", "snapshot_after_a_change_at_10000_ports");
    return 0;
}
