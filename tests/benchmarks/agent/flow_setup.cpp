// Flows that one worker sets up, from the upcall to flow installed and packet executed: alone, on a datapath that does
// nothing, and on the fake one. Budgets, alone: 60,000 a second routed, filtered and tracked, also with source NAT.
#include "arrivals.h"
#include "datapath/fake/fake_datapath.h"
#include "lone_worker.h"
#include "measure.h"
#include "null_datapath.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;
using benchmarks::Arrival;
using benchmarks::LoneWorker;
using benchmarks::NullDatapath;
using benchmarks::RoutedCloud;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPorts = 50;
constexpr std::size_t kFlowsOfRound = 8000;
constexpr std::uint16_t kNatBlocks = 2 * kFlowsOfRound / RoutedCloud::kMachines / flowstate::kNatBlockPorts;

net::Mac macOf(std::uint64_t n) { return net::Mac{0x020000000000ULL + n}; }

/// A bridge of fifty ports; the worker learns the machine at each.
void tellBridge(LoneWorker& worker) {
    SnapshotBuilder builder;
    builder.bridge(bridgeId(1));
    agent::MacChangeSet macs;
    std::vector<PortId> ports;
    for (std::uint64_t n = 1; n <= kPorts; ++n) {
        builder.port(activePort(n, bridgeId(1)));
        macs.insert({bridgeId(1), {}, macOf(n), portId(n)});
        ports.push_back(portId(n));
    }
    worker.tell(builder.build(), ports);
    worker.tell([&](agent::WorkerUpdate& update) { update.macs = macs; });
}

/// Packets on that bridge, each a flow of its own; the source is new in each when `newSources`.
std::vector<Arrival> bridged(bool newSources) {
    std::vector<Arrival> out;
    for (std::uint64_t n = 0; n < kFlowsOfRound; ++n) {
        const auto source = newSources ? macOf(1000 + n) : macOf(1 + n % kPorts);
        const auto destination = newSources ? macOf(1 + (n + 1) % kPorts) : macOf(100'000 + n);
        const auto frame = packet::eth(source, destination) / packet::ipv4("10.0.0.1", "10.0.0.2") / packet::udp(1, 2);
        out.push_back({flow::PortNumber{static_cast<std::uint32_t>(1 + n % kPorts)}, frame.toBytes()});
    }
    return out;
}

/// Rounds of `offer()` and what the worker then does, which is what is timed; nothing is left of a round in the next.
template <class Offer>
void measure(const char* figure, LoneWorker& worker, const Offer& offer) {
    std::vector<double> samples;
    for (int i = 0; i < benchmarks::repetitions(); ++i) {
        std::chrono::duration<double> taken{0};
        std::size_t flows = 0;
        while (taken < benchmarks::timeOfOne()) {
            offer();
            const auto begin = Clock::now();
            worker.work();
            taken += Clock::now() - begin;
            flows += worker.flows();
            worker.flush();
            worker.forgetStates();
        }
        samples.push_back(static_cast<double>(flows) / taken.count());
    }
    benchmarks::report("flow_setup", figure, samples, "flows/s");
}

void agentAlone(const char* figure, LoneWorker& worker, NullDatapath& datapath, const std::vector<Arrival>& arrivals) {
    const auto upcalls = benchmarks::upcallsOf(arrivals);
    measure(figure, worker, [&] { datapath.serve(upcalls); });
}

void bridgedAlone(const char* figure, bool newSources) {
    NullDatapath datapath;
    LoneWorker worker{datapath};
    tellBridge(worker);
    agentAlone(figure, worker, datapath, bridged(newSources));
}

void routedAlone(const char* figure, const RoutedCloud::Options& options) {
    NullDatapath datapath;
    LoneWorker worker{datapath};
    const RoutedCloud cloud{options};
    worker.tell(cloud, kNatBlocks);
    agentAlone(figure, worker, datapath, benchmarks::connectionsIn(cloud, kFlowsOfRound));
}

void withFake() {
    const event::SteadyClock clock;
    datapath::fake::FakeDatapath datapath{clock};
    LoneWorker worker{datapath};
    tellBridge(worker);
    const auto arrivals = bridged(true);
    measure("worker_on_fake_datapath", worker, [&] {
        datapath.takeOutputs();
        for (const auto& arrival : arrivals) datapath.inject(arrival.port, arrival.frame);
    });
}

}  // namespace

int main() {
    bridgedAlone("worker_alone_new_sources", true);
    bridgedAlone("worker_alone_unknown_destinations", false);
    routedAlone("worker_alone_routed_tracked", {.tracks = true});
    routedAlone("worker_alone_routed_tracked_snat", {.tracks = true, .translates = true});
    withFake();
    return 0;
}
