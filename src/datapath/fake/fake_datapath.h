#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "datapath/datapath.h"
#include "event/clock.h"

namespace midonet::datapath::fake {

/// A frame that left through a port.
struct PortOutput {
    flow::PortNumber port;
    std::vector<std::uint8_t> frame;
    Offload offload;
};

/// A frame that left through a tunnel, before encapsulation.
struct TunnelOutput {
    flow::TunnelId tunnel;
    TunnelSpec spec;
    net::TunnelKey key;
    std::vector<std::uint8_t> frame;
    Offload offload;
};

struct FakeOptions {
    unsigned workers = 1;
    std::size_t flowsPerWorker = 65536;
    std::size_t masks = 1'000'000;  ///< A flow of one more is installed exact.
    std::size_t upcallsPerWorker = 16384;  ///< State messages of other agents take no more than half of them.
    /// Packets of one key that may wait for the agent at a time, within pendingTime.
    unsigned pendingPerFlow = 4;
    event::Duration pendingTime = std::chrono::milliseconds{10};
};

/// A Datapath in memory: the oracle of the real ones, and what packet scenarios run on. Packets go
/// in by inject() and receiveFromTunnel(), and come out in takeOutputs() and takeTunnelOutputs(),
/// all before the call returns.
///
/// Every function may be called from any thread: workers of a real agent share one instance, so one
/// mutex guards all of it. Speed is no aim here.
class FakeDatapath final : public Datapath {
public:
    explicit FakeDatapath(const event::Clock& clock, const FakeOptions& options = {});
    ~FakeDatapath() override;

    // The world around it.

    /// Interfaces exist unless said otherwise here; a missing one cannot be added.
    void setInterfaceMissing(std::string_view interface, bool missing);
    /// A frame comes in through `port`. False when there is no such port.
    bool inject(flow::PortNumber port, ByteView frame, const Offload& offload = {});
    bool inject(std::string_view interface, ByteView frame, const Offload& offload = {});
    /// A frame comes out of a tunnel. `spec` is the sender's: its local end is our remote one.
    void receiveFromTunnel(const TunnelSpec& spec, net::TunnelKey key, ByteView frame, const Offload& offload = {});
    std::vector<PortOutput> takeOutputs();
    std::vector<TunnelOutput> takeTunnelOutputs();
    /// Upcalls waiting in the queue of a worker.
    std::size_t waitingUpcalls(WorkerIndex worker) const;
    std::size_t flowCount() const;
    /// Those that are installed, their keys masked.
    std::vector<std::pair<flow::FlowKey, flow::FlowMask>> flows() const;
    /// Makes the next `count` calls of installFlow() or execute() fail.
    void failNextInstalls(unsigned count);
    void failNextExecutes(unsigned count);

    // Datapath.

    const Capabilities& capabilities() const override { return capabilities_; }
    unsigned workerCount() const override { return options_.workers; }
    Result<flow::PortNumber> addPort(std::string_view interface) override;
    Result<void> removePort(flow::PortNumber port) override;
    std::vector<PortInfo> ports() const override;
    Result<flow::TunnelId> addTunnel(const TunnelSpec& spec) override;
    Result<void> setTunnelPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path) override;
    Result<void> removeTunnel(flow::TunnelId tunnel) override;
    void endAdoption() override {}
    std::vector<Counter> counters() const override;
    UpcallQueue& upcalls(WorkerIndex worker) override;
    Result<Installed> installFlow(WorkerIndex worker, const flow::FlowKey& key, const flow::FlowMask& mask,
                                  const flow::FlowActions& actions) override;
    void removeFlow(WorkerIndex worker, FlowHandle handle) override;
    FlowStats stats(FlowHandle handle) const override;
    std::size_t flowCapacity(WorkerIndex) const override { return options_.flowsPerWorker; }
    Result<void> execute(WorkerIndex worker, const PacketOut& packet) override;

private:
    struct Flow {
        FlowHandle handle;
        WorkerIndex worker = 0;
        flow::FlowMask mask;
        flow::FlowActions actions;
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
        event::TimePoint lastUsed;
        bool closing = false;
    };
    struct MaskTable {
        flow::FlowMask mask;
        std::unordered_map<flow::FlowKey, std::uint32_t> slots;  ///< masked key -> slot
    };
    struct InstalledFlow {
        flow::FlowKey maskedKey;
        Flow flow;
    };
    struct Tunnel {
        TunnelSpec spec;
        std::optional<TunnelPath> path;
    };
    class Queue;

    void process(const flow::FlowKey& key, ByteView frame, const Offload& offload);
    Flow* find(const flow::FlowKey& key);
    void upcall(UpcallReason reason, const flow::FlowKey& key, ByteView frame, const Offload& offload, std::uint32_t mtu = 0);
    /// Runs a list. `key`: of the packet as it came in; nullptr = the agent sent it, so it does not come back to it.
    void run(const flow::FlowActions& actions, const flow::FlowKey* key, ByteView frame, const Offload& offload);
    /// The largest IP packet that would fit the first tunnel of the list which this one does not fit; nothing: it fits them
    /// all, or is no IP packet.
    std::optional<std::uint32_t> tooNarrow(const flow::FlowActions& actions, ByteView frame, const Offload& offload) const;
    static bool fits(const Tunnel& tunnel, ByteView frame, const Offload& offload);
    void outputTunnel(const flow::OutputTunnel& action, ByteView frame, const Offload& offload);
    WorkerIndex workerOf(const flow::FlowKey& key) const;
    void erase(std::uint32_t slot);
    void count(const std::string& name) { ++counters_[name]; }

    const event::Clock& clock_;
    const FakeOptions options_;
    const Capabilities capabilities_;

    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> missing_;
    std::map<std::uint32_t, std::string> ports_;
    std::uint32_t nextPort_ = 1;
    std::map<std::uint32_t, Tunnel> tunnels_;
    std::uint32_t nextTunnel_ = 1;
    std::vector<MaskTable> masks_;
    std::unordered_map<std::uint32_t, InstalledFlow> flows_;  ///< by slot
    std::vector<std::size_t> flowsOfWorker_;
    std::uint32_t nextSlot_ = 1;
    std::vector<std::unique_ptr<Queue>> queues_;
    std::vector<PortOutput> outputs_;
    std::vector<TunnelOutput> tunnelOutputs_;
    std::map<std::string, std::uint64_t> counters_;
    unsigned failInstalls_ = 0;
    unsigned failExecutes_ = 0;
};

}  // namespace midonet::datapath::fake
