// One packet from a bridge through a router to another bridge, with rules at all six ports on the way, in user space
// only. Budgets: 2.5 us with 10 rules per port, twice as much with 1,000, 4 us with source translation.
#include <memory>

#include "flowstate/nat_ports.h"
#include "flowstate/state_table.h"
#include "measure.h"
#include "routed_cloud.h"
#include "simulation/simulator.h"
#include "simulation/worker_state.h"

namespace {

using namespace midonet;
using benchmarks::RoutedCloud;

constexpr std::uint16_t kConnections = 500;  // of each machine
constexpr std::uint16_t kFirstKnown = 10'000, kFirstNew = 30'000;  // client ports
constexpr std::uint16_t kBusyPort = 80, kIdlePort = 443;           // of a server: with 500 connections, with none

/// A cloud and what a worker knows of it.
class Cloud {
public:
    Cloud(std::uint64_t rulesPerPort, bool translates) : cloud_({.rulesPerPort = rulesPerPort, .translates = translates, .hosts = 2}) {
        const auto forLong = event::SteadyClock{}.now() + std::chrono::hours{1};
        for (const auto& machine : cloud_.machines()) {
            state_.setMac(machine.bridge, {}, machine.mac, machine.port);
            state_.setArp(RoutedCloud::router(), machine.address, machine.mac, forLong);
        }
    }

    simulation::SimulationResult send(std::uint64_t client, std::uint16_t clientPort, std::uint16_t serverPort) const {
        const auto key = cloud_.keyOf(client, clientPort, serverPort);
        return simulation::simulate({cloud_.machines()[client].port, key}, *cloud_.snapshot(), state_);
    }

    /// Opens the connections that are known later, and leases the ports for them and as many again.
    void connect() {
        const auto now = event::SteadyClock{}.now();
        for (const auto& block : RoutedCloud::natBlocks(2 * (kConnections / flowstate::kNatBlockPorts + 1))) ports_.addBlock(block);
        for (std::uint64_t client = 0; client < RoutedCloud::kMachines; ++client)
            for (std::uint16_t n = 0; n < kConnections; ++n) {
                const auto result = send(client, static_cast<std::uint16_t>(kFirstKnown + n), kBusyPort);
                for (const auto& event : forwarded(result).events) {
                    if (const auto* added = std::get_if<simulation::AddState>(&event)) table_->put(added->entry, now);
                    if (const auto* taken = std::get_if<simulation::TakeNatPort>(&event))
                        ports_.take(taken->device, taken->port, taken->remote);
                }
            }
    }

    /// A benchmark of packets that are dropped would look fast.
    static const simulation::Forward& forwarded(const simulation::SimulationResult& result) {
        const auto* forward = std::get_if<simulation::Forward>(&result);
        if (forward != nullptr) return *forward;
        fmt::print(stderr, "routed_simulation: the packet does not reach its machine\n");
        std::exit(1);
    }

private:
    const RoutedCloud cloud_;
    std::shared_ptr<flowstate::StateTable> table_ = std::make_shared<flowstate::StateTable>();
    flowstate::NatPorts ports_;
    simulation::WorkerState state_{table_.get(), &ports_};
};

/// One packet of each connection in turn.
class Packets {
public:
    Packets(const Cloud& cloud, std::uint16_t firstPort, std::uint16_t serverPort = kBusyPort)
        : cloud_(cloud), firstPort_(firstPort), serverPort_(serverPort) {
        Cloud::forwarded(next());
    }
    double nanoseconds() {
        return benchmarks::nanosecondsOnce([this] { benchmarks::keep(next()); });
    }

private:
    simulation::SimulationResult next() {
        const auto client = count_ % RoutedCloud::kMachines;
        const auto port = static_cast<std::uint16_t>(firstPort_ + count_ / RoutedCloud::kMachines % kConnections);
        ++count_;
        return cloud_.send(client, port, serverPort_);
    }
    const Cloud& cloud_;
    const std::uint16_t firstPort_;
    const std::uint16_t serverPort_;
    std::uint64_t count_ = 0;
};

}  // namespace

int main() {
    const Cloud few{10, false}, many{1000, false};
    Cloud translating{10, true};
    translating.connect();

    struct Case {
        const char* figure;
        Packets packets;
        std::vector<double> samples;
    };
    Case cases[] = {{"routed_10_rules", {few, kFirstKnown}, {}},
                    {"routed_1000_rules", {many, kFirstKnown}, {}},
                    {"snat_established", {translating, kFirstKnown}, {}},
                    {"snat_new", {translating, kFirstNew, kIdlePort}, {}},
                    {"snat_new_to_a_busy_server", {translating, kFirstNew}, {}}};
    // They take turns: ratios of one repetition do not drift with the machine.
    for (int i = 0; i < benchmarks::repetitions(); ++i)
        for (auto& one : cases) one.samples.push_back(one.packets.nanoseconds());
    for (const auto& one : cases) {
        std::optional<benchmarks::Yardstick> yardstick;
        if (&one != &cases[0]) yardstick.emplace(benchmarks::Yardstick{cases[0].figure, cases[0].samples});
        benchmarks::report("routed_simulation", one.figure, one.samples, "ns", yardstick);
    }
    return 0;
}
