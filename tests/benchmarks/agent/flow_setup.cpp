// Flows that one worker sets up: from the upcall to flow installed and packet executed, on the fake datapath, whose own
// price is measured beside it. Budget: 100,000 a second.
#include <memory>

#include "agent/packet_worker.h"
#include "datapath/fake/fake_datapath.h"
#include "measure.h"
#include "packet/builder.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPorts = 50;
constexpr std::size_t kFlowsOfRound = 8000;

net::Mac macOf(std::uint64_t n) { return net::Mac{0x020000000000ULL + n}; }

/// Takes flows and packets and does nothing with them: what is measured is the agent.
class NullDatapath final : public datapath::Datapath, public datapath::UpcallQueue {
public:
    const datapath::Capabilities& capabilities() const override { return capabilities_; }
    unsigned workerCount() const override { return 1; }
    Result<flow::PortNumber> addPort(std::string_view) override { return flow::PortNumber{nextPort_++}; }
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
    std::size_t drain(std::size_t limit, const std::function<void(const datapath::Upcall&)>& handler) override {
        std::size_t count = 0;
        for (; count < limit && next_ < upcalls_->size(); ++count) handler((*upcalls_)[next_++]);
        return count;
    }
    void done(std::uint64_t) override {}
    void serve(const std::vector<datapath::Upcall>& upcalls) {
        upcalls_ = &upcalls;
        next_ = 0;
    }

private:
    const datapath::Capabilities capabilities_{"null", {}};
    const std::vector<datapath::Upcall>* upcalls_ = nullptr;
    std::size_t next_ = 0;
    std::uint32_t nextPort_ = 1;
    std::uint32_t nextSlot_ = 1;
};

/// A worker with a bridge of fifty ports that all know each other.
struct Bench {
    explicit Bench(datapath::Datapath& datapath)
        : worker(*loop, datapath, 0, std::make_shared<flowstate::StateTable>(), {.self = hostId(1), .maxMacsPerPort = 100'000},
                 {.report = [](const auto&) {}, .tellOthers = [](const auto&) {}}) {
        SnapshotBuilder builder;
        builder.bridge(bridgeId(1));
        auto map = std::make_shared<flowcontrol::PhysicalMap>();
        map->self = hostId(1);
        agent::MacChangeSet macs;
        for (std::uint64_t n = 1; n <= kPorts; ++n) {
            builder.port(activePort(n, bridgeId(1)));
            const auto number = *datapath.addPort(fmt::format("p{}", n));
            map->numbers.emplace(portId(n), number);
            map->virtualPorts.emplace(number, portId(n));
            macs.insert({bridgeId(1), {}, macOf(n), portId(n)});
        }
        worker.updates().update([&](agent::WorkerUpdate& update) {
            update.snapshot = builder.build();
            update.map = map;
            update.macs = macs;
        });
        loop->runReady();
    }
    void flush() {
        worker.updates().update([](agent::WorkerUpdate& update) { update.flushFlows = true; });
        loop->runReady();
    }
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("worker");
    agent::PacketWorker worker;
};

/// Packets of flows that are all different; the source is new in each when `newSources`.
std::vector<std::vector<std::uint8_t>> frames(bool newSources) {
    std::vector<std::vector<std::uint8_t>> out;
    for (std::uint64_t n = 0; n < kFlowsOfRound; ++n) {
        const auto source = newSources ? macOf(1000 + n) : macOf(1 + n % kPorts);
        const auto destination = newSources ? macOf(1 + (n + 1) % kPorts) : macOf(100'000 + n);
        out.push_back((packet::eth(source, destination) / packet::ipv4("10.0.0.1", "10.0.0.2") / packet::udp(1, 2)).toBytes());
    }
    return out;
}

template <class Round>
void measure(const char* figure, const Round& round) {
    std::vector<double> samples;
    for (int i = 0; i < benchmarks::repetitions(); ++i) {
        double seconds = 0;
        std::size_t flows = 0;
        while (seconds < benchmarks::timeOfOne().count()) {
            seconds += round();
            flows += kFlowsOfRound;
        }
        samples.push_back(static_cast<double>(flows) / seconds);
    }
    benchmarks::report("flow_setup", figure, samples, "flows/s");
}

void agentAlone(const char* figure, bool newSources) {
    NullDatapath datapath;
    Bench bench{datapath};
    const auto bytes = frames(newSources);
    std::vector<datapath::Upcall> upcalls;
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        datapath::Upcall upcall;
        upcall.frame = bytes[n];
        upcall.key.inPort = flow::PortNumber{static_cast<std::uint32_t>(1 + n % kPorts)};
        upcall.key.ethDestination = net::Mac::fromWire(bytes[n].data());
        upcall.key.ethSource = net::Mac::fromWire(bytes[n].data() + 6);
        upcall.key.etherType = 0x0800;
        upcalls.push_back(upcall);
    }
    measure(figure, [&] {
        datapath.serve(upcalls);
        const auto begin = Clock::now();
        while (bench.worker.drainUpcalls() > 0) {}
        const std::chrono::duration<double> taken = Clock::now() - begin;
        bench.flush();
        return taken.count();
    });
}

void withFake() {
    const event::SteadyClock clock;
    datapath::fake::FakeDatapath datapath{clock};
    Bench bench{datapath};
    const auto bytes = frames(true);
    measure("worker_on_fake_datapath", [&] {
        for (std::size_t n = 0; n < bytes.size(); ++n)
            datapath.inject(flow::PortNumber{static_cast<std::uint32_t>(1 + n % kPorts)}, bytes[n]);
        const auto begin = Clock::now();
        while (bench.worker.drainUpcalls() > 0) {}
        const std::chrono::duration<double> taken = Clock::now() - begin;
        datapath.takeOutputs();
        bench.flush();
        return taken.count();
    });
}

}  // namespace

int main() {
    agentAlone("worker_alone_new_sources", true);
    agentAlone("worker_alone_unknown_destinations", false);
    withFake();
    return 0;
}
