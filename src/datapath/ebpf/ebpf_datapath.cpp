#include "datapath/ebpf/ebpf_datapath.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <sys/stat.h>
#include <time.h>

#include <atomic>
#include <filesystem>

#include "base/log.h"
#include "datapath/ebpf/adopted_flows.h"
#include "datapath/ebpf/counter_names.h"
#include "datapath/ebpf/flow_installer.h"
#include "datapath/ebpf/packet_out.h"
#include "datapath/ebpf/port_table.h"
#include "datapath/ebpf/tunnel_table.h"
#include "datapath/ebpf/upcall_ring.h"
#include "datapath/ebpf/vxlan_device.h"

namespace midonet::datapath::ebpf {
namespace {

constexpr Logger kLog{"datapath"};
constexpr std::uint32_t kOutSlotsPerWorker = MN_MAX_OPS / 2 / MN_OPS_PER_SLOT;
constexpr std::uint32_t kFirstSlot = 1;  // 0 ends a chain.

KernelSizes sizesOf(const EbpfOptions& options) {
    return {options.workers, kFirstSlot + options.workers * kOutSlotsPerWorker + options.maxFlows, options.maxFlows, options.ringBytes};
}

const event::Clock& clockOf(const EbpfOptions& options) {
    static const event::SteadyClock steady;
    return options.clock != nullptr ? *options.clock : steady;
}

class EbpfDatapath final : public Datapath {
public:
    EbpfDatapath(const EbpfOptions& options, KernelObjects kernel, PacketOut packetOut, bool tcx)
        : options_(options), clock_(clockOf(options)), kernel_(std::move(kernel)), packetOut_(std::move(packetOut)),
          hooks_(pinDirectory(options.bpffs) + "/hooks", tcx), ports_(kernel_, hooks_), tunnels_(kernel_, hooks_, options.vxlanPort),
          masks_(kernel_.config(), clock_), adopted_(kernel_, masks_) {}

    /// The part of opening that can fail.
    Result<void> start();

    const Capabilities& capabilities() const override { return capabilities_; }
    unsigned workerCount() const override { return options_.workers; }

    Result<flow::PortNumber> addPort(std::string_view interface) override {
        TRY(number, ports_.add(interface));
        if (options_.vxlan == VxlanMode::Auto && kernel_.config().vxlan_ifindex == 0 && isTap(interface)) receiveByVxlanDevice();
        return number;
    }
    Result<void> removePort(flow::PortNumber port) override { return ports_.remove(port); }
    std::vector<PortInfo> ports() const override { return ports_.list(); }
    Result<flow::TunnelId> addTunnel(const TunnelSpec& spec) override { return tunnels_.add(spec); }
    Result<void> setTunnelPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path) override { return tunnels_.setPath(tunnel, path); }
    Result<void> removeTunnel(flow::TunnelId tunnel) override { return tunnels_.remove(tunnel); }
    void endAdoption() override;
    std::vector<Counter> counters() const override;

    UpcallQueue& upcalls(WorkerIndex worker) override { return *rings_.at(worker); }
    Result<Installed> installFlow(WorkerIndex worker, const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions) override {
        return installers_.at(worker)->install(key, mask, actions);
    }
    void removeFlow(WorkerIndex worker, FlowHandle handle) override { installers_.at(worker)->remove(handle); }
    FlowStats stats(FlowHandle handle) const override;
    std::size_t flowCapacity(WorkerIndex worker) const override { return installers_.at(worker)->capacity(); }
    Result<void> execute(WorkerIndex worker, const datapath::PacketOut& packet) override {
        TRY(slot, installers_.at(worker)->stage(packet.actions));
        return packetOut_.send(worker, slot, packet.frame, packet.offload);
    }

private:
    void configure();
    Result<void> startVxlan();
    void receiveByVxlanDevice();

    const EbpfOptions options_;
    const event::Clock& clock_;
    KernelObjects kernel_;
    ebpf::PacketOut packetOut_;
    TrafficHooks hooks_;
    PortTable ports_;
    TunnelTable tunnels_;
    mutable MaskRegistry masks_;
    AdoptedFlows adopted_;
    Capabilities capabilities_;
    std::uint32_t epoch_ = 0;
    std::vector<std::unique_ptr<FlowInstaller>> installers_;
    std::vector<std::unique_ptr<UpcallRing>> rings_;
    mutable std::array<std::uint64_t, MN_MAX_MASKS> lastHits_{};
};

Result<void> EbpfDatapath::start() {
    const bool adopts = kernel_.adopted();
    if (adopts) {
        ports_.adopt();
        tunnels_.adopt();
    }
    configure();
    const std::uint32_t perWorker = options_.maxFlows / options_.workers;
    const std::uint32_t flowsFrom = kFirstSlot + options_.workers * kOutSlotsPerWorker;
    for (unsigned i = 0; i < options_.workers; ++i) {
        const FlowInstaller::Range range{kFirstSlot + i * kOutSlotsPerWorker, kOutSlotsPerWorker, flowsFrom + i * perWorker, perWorker};
        installers_.push_back(std::make_unique<FlowInstaller>(kernel_, masks_, tunnels_, clock_, epoch_, range, adopted_.takenSlots()));
        TRY(ring, UpcallRing::open(kernel_.ring(i), options_.ringBytes, kernel_.pendingFlows(), kernel_.portTargets(),
                                        kernel_.config().state_waiting[i]));
        rings_.push_back(std::move(ring));
    }
    TRY_VOID(attachEgress(packetOut_.ifindex(), kernel_.program("mn_packet_out")));
    TRY_VOID(startVxlan());
    capabilities_.name = "ebpf";
    capabilities_.features = {{"hooks", hooks_.usesTcx() ? "tcx" : "clsact"},
                              {"vxlan", kernel_.config().vxlan_ifindex != 0 ? "kernel device" : "by hand"},
                              {"gre", "by hand"}};
    kLog.info("eBPF datapath ready", {kv("pins", pinDirectory(options_.bpffs)), kv("hooks", capabilities_.features[0].second),
                                      kv("adopted_flows", adopted_.size()), kv("adopted_ports", ports_.list().size())});
    return {};
}

void EbpfDatapath::configure() {
    mn_config& config = kernel_.config();
    config.rings = options_.workers;
    config.tap_ifindex = packetOut_.ifindex();
    std::uint8_t port[2];
    storeBe16(port, options_.vxlanPort);
    std::memcpy(&config.vxlan_port, port, 2);
    config.upcall_interval_ns = 1'000'000'000ULL / std::max(1U, options_.upcallRate);
    config.upcall_burst_ns = config.upcall_interval_ns * std::max(16U, options_.upcallBurst);
    for (mn_port_target& target : kernel_.portTargets()) std::atomic_ref<std::uint32_t>{target.waiting}.store(0);
    for (std::uint32_t& bytes : config.state_waiting) std::atomic_ref<std::uint32_t>{bytes}.store(0);
    epoch_ = ++config.last_epoch;
    if (!kernel_.adopted()) config.min_epoch = epoch_;
}

Result<void> EbpfDatapath::startVxlan() {
    mn_config& config = kernel_.config();
    const bool kept = options_.vxlan == VxlanMode::Auto && config.vxlan_ifindex != 0;
    if (options_.vxlan == VxlanMode::Kernel || kept) {
        const bool byDevice = options_.vxlan == VxlanMode::Kernel;
        auto ifindex = openVxlanDevice(options_.vxlanName, options_.vxlanPort);
        Result<void> attached = ifindex ? hooks_.attach(TrafficHooks::Kind::Tunnel, *ifindex, kernel_.program("mn_tunnel_in"))
                                        : Result<void>{Unexpected{ifindex.error()}};
        if (attached) {
            config.vxlan_ifindex = *ifindex;
            tunnels_.useVxlanDevice(byDevice);
            config.underlay_vxlan = 0;
            return {};
        }
        if (byDevice) return Unexpected{attached.error().withContext("datapath.vxlan = kernel (set it to 'hand' to do without the device)")};
    }
    tunnels_.useVxlanDevice(false);
    config.underlay_vxlan = 1;
    config.vxlan_ifindex = 0;
    removeVxlanDevice(options_.vxlanName);
    return {};
}

/// The first tap: from now on the kernel takes VXLAN apart, so that GSO packets reach it whole.
void EbpfDatapath::receiveByVxlanDevice() {
    mn_config& config = kernel_.config();
    const auto ifindex = openVxlanDevice(options_.vxlanName, options_.vxlanPort);
    const auto attached = ifindex ? hooks_.attach(TrafficHooks::Kind::Tunnel, *ifindex, kernel_.program("mn_tunnel_in")) : Result<void>{Unexpected{ifindex.error()}};
    if (!attached) {
        kLog.info("VXLAN stays by hand", {kv("reason", attached.error())});
        return;
    }
    config.vxlan_ifindex = *ifindex;
    std::atomic_ref<std::uint32_t>{config.underlay_vxlan}.store(0);
    capabilities_.features[1].second = "sent by hand, received by kernel device";
}

void EbpfDatapath::endAdoption() {
    ports_.dropUnconfirmed();
    tunnels_.dropUnconfirmed();
    std::atomic_ref<std::uint32_t>{kernel_.config().min_epoch}.store(epoch_);
    const std::size_t flows = adopted_.size();
    std::vector<std::uint32_t> free = adopted_.sweep(epoch_);
    for (const auto& installer : installers_) {
        std::vector<std::uint32_t> own;
        for (const std::uint32_t slot : free) {
            if (installer->pool().owns(slot)) own.push_back(slot);
        }
        installer->pool().giveBack(std::move(own), clock_.now());
    }
    kLog.info("adoption ended", {kv("flows_dropped", flows)});
}

std::vector<Counter> EbpfDatapath::counters() const {
    const auto values = kernel_.counters();
    std::vector<Counter> out;
    for (std::size_t i = 0; i < MN_COUNTERS; ++i) out.push_back({std::string{counterName(static_cast<mn_counter>(i))}, "", values[i]});
    out.push_back({"tunnel_upcalls", "", kernel_.config().tunnel_upcalls});
    out.push_back({"tunnel_throttled", "", kernel_.config().tunnel_throttled});
    ports_.appendCounters(out);
    // Whoever reads the counters now and then keeps the masks in order.
    std::array<std::uint64_t, MN_MAX_MASKS> hits{};
    for (std::size_t i = 0; i < hits.size(); ++i) {
        hits[i] = values[MN_COUNTERS + i] - lastHits_[i];
        lastHits_[i] = values[MN_COUNTERS + i];
    }
    masks_.reorder(hits);
    return out;
}

FlowStats EbpfDatapath::stats(FlowHandle handle) const {
    if (handle.slot >= kernel_.stats().size() || kernel_.slots()[handle.slot].generation != handle.generation) return {};
    const mn_stats& s = kernel_.stats()[handle.slot];
    const auto load = []<class T>(const T& field) { return std::atomic_ref<T>{const_cast<T&>(field)}.load(std::memory_order_relaxed); };
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    const std::uint64_t nowNs = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
    const std::uint64_t last = load(s.last_used_ns);
    return {load(s.packets) + load(s.other_packets), load(s.bytes) + load(s.other_bytes),
            std::chrono::nanoseconds{nowNs > last ? nowNs - last : 0}, load(s.closing) != 0};
}

/// Where agents have pinned something, each at a folder for its layout.
std::vector<std::string> pinnedLayouts(const EbpfOptions& options) {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{options.bpffs, error}) {
        const std::string name = entry.path().filename();
        if (name.size() > 1 && name[0] == 'v' && name.find_first_not_of("0123456789", 1) == name.npos) out.push_back(entry.path());
    }
    return out;
}

void removeLayout(const std::string& directory) {
    const TrafficHooks hooks{directory + "/hooks", true};
    for (const auto kind : {TrafficHooks::Kind::Port, TrafficHooks::Kind::Tunnel, TrafficHooks::Kind::Underlay}) {
        for (const std::uint32_t ifindex : hooks.attached(kind)) hooks.detach(kind, ifindex);
    }
    removePins(directory);
}

/// Its programs would go on beside ours.
void removeOtherLayouts(const EbpfOptions& options) {
    for (const auto& directory : pinnedLayouts(options)) {
        if (directory == pinDirectory(options.bpffs)) continue;
        kLog.warn("the flows of an agent of another version cannot be adopted: they end", {kv("pins", directory)});
        removeLayout(directory);
        removeVxlanDevice(options.vxlanName);
    }
}

Result<KernelObjects> loadKernel(const EbpfOptions& options) {
    removeOtherLayouts(options);
    const std::string directory = pinDirectory(options.bpffs);
    ::mkdir(directory.c_str(), 0700);
    ::mkdir((directory + "/hooks").c_str(), 0700);
    auto kernel = KernelObjects::load(directory, sizesOf(options));
    if (kernel) return kernel;
    if (kernel.error().code != ErrorCode::Conflict) {
        removePins(directory);  // Half of a set would stand in the way of the next attempt.
        return kernel;
    }
    kLog.warn("cannot adopt the flows of the former agent, starting afresh", {kv("reason", kernel.error())});
    TRY_VOID(removeEbpfDatapath(options));
    ::mkdir(directory.c_str(), 0700);
    ::mkdir((directory + "/hooks").c_str(), 0700);
    return KernelObjects::load(directory, sizesOf(options));
}

Result<void> checkOptions(const EbpfOptions& options) {
    if (options.workers == 0 || options.workers > MN_MAX_WORKERS) {
        return fail(ErrorCode::Invalid, "agent.workers = {}: must be 1 to {}", options.workers, MN_MAX_WORKERS);
    }
    if (options.maxFlows < options.workers * 64 || options.maxFlows > (1U << 24)) {
        return fail(ErrorCode::Invalid, "datapath.max_flows = {}: must be {} to 16777216", options.maxFlows, options.workers * 64);
    }
    if (options.ringBytes < 131072 || (options.ringBytes & (options.ringBytes - 1)) != 0) {
        return fail(ErrorCode::Invalid, "datapath.ring_size = {}: must be a power of two, at least 131072", options.ringBytes);
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Datapath>> openEbpfDatapath(const EbpfOptions& options) { return openEbpfDatapath(options, probeKernel()); }

Result<std::unique_ptr<Datapath>> openEbpfDatapath(const EbpfOptions& options, const KernelFeatures& features) {
    TRY_VOID(checkOptions(options));
    TRY_VOID(requireEssentials(features));
    if (options.attach == AttachMode::Tcx && !features.tcx) {
        return fail(ErrorCode::Unsupported, "the kernel has no TCX (Linux 6.6): set datapath.attach to 'auto' or 'clsact'");
    }
    TRY_VOID(prepareBpffs(options.bpffs));
    // First of all, as it tells whether another agent runs here.
    TRY(packetOut, ebpf::PacketOut::open(options.tapName, options.workers));
    TRY(kernel, loadKernel(options));
    const bool tcx = features.tcx && options.attach != AttachMode::Clsact;
    auto datapath = std::make_unique<EbpfDatapath>(options, std::move(kernel), std::move(packetOut), tcx);
    TRY_VOID(datapath->start());
    return datapath;
}

Result<void> removeEbpfDatapath(const EbpfOptions& options) {
    for (const auto& directory : pinnedLayouts(options)) removeLayout(directory);
    removeVxlanDevice(options.vxlanName);
    return {};
}

}  // namespace midonet::datapath::ebpf
