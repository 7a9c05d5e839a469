#include "datapath/fake/fake_datapath.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "base/overloaded.h"
#include "datapath/fake/editable_frame.h"
#include "datapath/flow_key_from_frame.h"

namespace midonet::datapath::fake {
namespace {

/// What a tunnel adds to a frame, within the MTU of its path: IPv4, and GRE with a key or UDP and VXLAN.
std::size_t overheadOf(TunnelType type) { return type == TunnelType::Gre ? 28 : 36; }

/// Of a GSO packet, the size of a segment.
std::size_t wireSize(ByteView frame, const Offload& offload) {
    if (offload.gsoSize == 0) return frame.size();
    const auto parsed = packet::parse(frame);
    if (!parsed || parsed->layer != packet::Layer::Transport) return offload.gsoSize;
    return std::min(frame.size(), std::size_t{parsed->payloadOffset} + offload.gsoSize);
}

/// Whether a TCP packet ends its connection, or begins one anew; nullopt: neither.
std::optional<bool> closes(ByteView frame) {
    using namespace packet;
    const auto parsed = parse(frame);
    if (!parsed || !parsed->hasTransport(ipproto::kTcp)) return std::nullopt;
    if ((parsed->tcpFlags & tcpflag::kSyn) != 0) return false;
    return (parsed->tcpFlags & (tcpflag::kFin | tcpflag::kRst)) != 0 ? std::optional{true} : std::nullopt;
}

}  // namespace

/// The upcalls of one worker, with the table of those that are being worked on.
class FakeDatapath::Queue final : public UpcallQueue {
public:
    explicit Queue(FakeDatapath& owner) : owner_(owner), descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
        MIDONET_ASSERT(descriptor_ >= 0, "a descriptor can be made");
    }
    ~Queue() override { ::close(descriptor_); }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    int descriptor() const override { return descriptor_; }

    std::size_t drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) override {
        std::size_t handled = 0;
        for (; handled < limit; ++handled) {
            Stored stored;
            {
                const std::lock_guard lock{owner_.mutex_};
                if (waiting_.empty()) break;
                stored = std::move(waiting_.front());
                waiting_.pop_front();
                if (isState(stored.upcall.key)) --waitingState_;
                if (waiting_.empty()) clearReadable();
            }
            stored.upcall.age = owner_.clock_.now() - stored.at;
            stored.upcall.frame = stored.frame;
            handler(stored.upcall);
        }
        return handled;
    }

    void done(std::uint64_t pendingId) override {
        const std::lock_guard lock{owner_.mutex_};
        pending_.erase(pendingId);
    }

    /// With the owner's mutex held.
    void push(UpcallReason reason, const flow::FlowKey& key, ByteView frame, const Offload& offload, std::uint32_t mtu) {
        // All state messages have one key, and every one counts.
        const bool state = isState(key);
        const std::uint64_t id = reason == UpcallReason::Miss && !state ? key.hash() | 1 : 0;
        if (id != 0 && !admit(id)) return owner_.count("pending_dropped");
        const std::size_t capacity = owner_.options_.upcallsPerWorker;
        if (state && waitingState_ >= capacity / 2) return owner_.count("state_lost");
        if (waiting_.size() >= capacity) return owner_.count(state ? "state_lost" : "upcalls_lost");
        owner_.count("upcalls");
        if (state) ++waitingState_;
        Stored stored;
        stored.frame.assign(frame.begin(), frame.end());
        stored.upcall.key = key;
        stored.upcall.originalLength = static_cast<std::uint32_t>(frame.size());
        stored.upcall.offload = offload;
        stored.upcall.reason = reason;
        stored.upcall.mtu = mtu;
        stored.upcall.pendingId = id;
        stored.at = owner_.clock_.now();
        waiting_.push_back(std::move(stored));
        if (waiting_.size() == 1) setReadable();
    }
    std::size_t size() const { return waiting_.size(); }

private:
    struct Stored {
        Upcall upcall;
        std::vector<std::uint8_t> frame;
        event::TimePoint at;
    };
    struct Pending {
        event::TimePoint first;
        unsigned count = 0;
    };

    static bool isState(const flow::FlowKey& key) { return key.fromTunnel() && key.tunnelKey == net::kStateTunnelKey; }

    bool admit(std::uint64_t id) {
        const auto now = owner_.clock_.now();
        Pending& pending = pending_[id];
        if (pending.count == 0 || now - pending.first > owner_.options_.pendingTime) pending = {now, 0};
        if (pending.count >= owner_.options_.pendingPerFlow) return false;
        ++pending.count;
        return true;
    }

    void setReadable() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
    }
    void clearReadable() const {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto drained = ::read(descriptor_, &count, sizeof count);
    }

    FakeDatapath& owner_;
    const int descriptor_;
    std::deque<Stored> waiting_;
    std::size_t waitingState_ = 0;  ///< State messages among them.
    std::unordered_map<std::uint64_t, Pending> pending_;
};

FakeDatapath::FakeDatapath(const event::Clock& clock, const FakeOptions& options)
    : clock_(clock), options_(options), capabilities_{"fake", {{"tunnels", "in memory"}}}, flowsOfWorker_(options.workers) {
    for (unsigned i = 0; i < options.workers; ++i) queues_.push_back(std::make_unique<Queue>(*this));
}
FakeDatapath::~FakeDatapath() = default;

void FakeDatapath::setInterfaceMissing(std::string_view interface, bool missing) {
    const std::lock_guard lock{mutex_};
    if (missing) {
        missing_.emplace(interface);
    } else {
        missing_.erase(std::string{interface});
    }
}

bool FakeDatapath::inject(flow::PortNumber port, ByteView frame, const Offload& offload) {
    const std::lock_guard lock{mutex_};
    if (!ports_.contains(port.value())) return false;
    process(flowKeyFromFrame({.port = port, .tunnelKey = {}, .tunnelSource = {}, .tunnelDestination = {}}, frame), frame, offload);
    return true;
}

bool FakeDatapath::inject(std::string_view interface, ByteView frame, const Offload& offload) {
    flow::PortNumber port;
    {
        const std::lock_guard lock{mutex_};
        const auto it = std::find_if(ports_.begin(), ports_.end(), [&](const auto& p) { return p.second == interface; });
        if (it == ports_.end()) return false;
        port = flow::PortNumber{it->first};
    }
    return inject(port, frame, offload);
}

void FakeDatapath::receiveFromTunnel(const TunnelSpec& spec, net::TunnelKey key, ByteView frame, const Offload& offload) {
    const std::lock_guard lock{mutex_};
    const Ingress ingress{flow::kTunnelIngress, key, spec.local, spec.remote};
    process(flowKeyFromFrame(ingress, frame), frame, offload);
}

std::vector<PortOutput> FakeDatapath::takeOutputs() {
    const std::lock_guard lock{mutex_};
    return std::exchange(outputs_, {});
}

std::vector<TunnelOutput> FakeDatapath::takeTunnelOutputs() {
    const std::lock_guard lock{mutex_};
    return std::exchange(tunnelOutputs_, {});
}

std::size_t FakeDatapath::waitingUpcalls(WorkerIndex worker) const {
    const std::lock_guard lock{mutex_};
    return queues_.at(worker)->size();
}

std::vector<std::pair<flow::FlowKey, flow::FlowMask>> FakeDatapath::flows() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::pair<flow::FlowKey, flow::FlowMask>> out;
    for (const auto& [slot, installed] : flows_) out.emplace_back(installed.maskedKey, installed.flow.mask);
    return out;
}

std::size_t FakeDatapath::flowCount() const {
    const std::lock_guard lock{mutex_};
    return flows_.size();
}

void FakeDatapath::failNextInstalls(unsigned count) {
    const std::lock_guard lock{mutex_};
    failInstalls_ = count;
}

void FakeDatapath::failNextExecutes(unsigned count) {
    const std::lock_guard lock{mutex_};
    failExecutes_ = count;
}

Result<flow::PortNumber> FakeDatapath::addPort(std::string_view interface) {
    const std::lock_guard lock{mutex_};
    if (missing_.contains(interface)) return fail(ErrorCode::NotFound, "no interface '{}' on this host", interface);
    for (const auto& [number, name] : ports_) {
        if (name == interface) return flow::PortNumber{number};
    }
    ports_.emplace(nextPort_, interface);
    return flow::PortNumber{nextPort_++};
}

Result<void> FakeDatapath::removePort(flow::PortNumber port) {
    const std::lock_guard lock{mutex_};
    if (ports_.erase(port.value()) == 0) return fail(ErrorCode::NotFound, "no port {} in the datapath", port);
    return {};
}

std::vector<PortInfo> FakeDatapath::ports() const {
    const std::lock_guard lock{mutex_};
    std::vector<PortInfo> out;
    for (const auto& [number, name] : ports_) out.push_back({flow::PortNumber{number}, name, number});
    return out;
}

Result<flow::TunnelId> FakeDatapath::addTunnel(const TunnelSpec& spec) {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, tunnel] : tunnels_) {
        if (tunnel.spec == spec) return flow::TunnelId{id};
    }
    tunnels_.emplace(nextTunnel_, Tunnel{spec, std::nullopt});
    return flow::TunnelId{nextTunnel_++};
}

Result<void> FakeDatapath::setTunnelPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path) {
    const std::lock_guard lock{mutex_};
    const auto it = tunnels_.find(tunnel.value());
    if (it == tunnels_.end()) return fail(ErrorCode::NotFound, "no tunnel {} in the datapath", tunnel);
    it->second.path = path;
    return {};
}

Result<void> FakeDatapath::removeTunnel(flow::TunnelId tunnel) {
    const std::lock_guard lock{mutex_};
    if (tunnels_.erase(tunnel.value()) == 0) return fail(ErrorCode::NotFound, "no tunnel {} in the datapath", tunnel);
    return {};
}

std::vector<Counter> FakeDatapath::counters() const {
    const std::lock_guard lock{mutex_};
    std::vector<Counter> out;
    for (const auto& [name, value] : counters_) out.push_back({name, "", value});
    return out;
}

UpcallQueue& FakeDatapath::upcalls(WorkerIndex worker) { return *queues_.at(worker); }

Result<Installed> FakeDatapath::installFlow(WorkerIndex worker, const flow::FlowKey& key, const flow::FlowMask& mask,
                                            const flow::FlowActions& actions) {
    const std::lock_guard lock{mutex_};
    if (failInstalls_ > 0) {
        --failInstalls_;
        return fail(ErrorCode::Exhausted, "the flow table is full (asked for by the test)");
    }
    const auto tableOf = [&](const flow::FlowMask& m) {
        return std::find_if(masks_.begin(), masks_.end(), [&](const MaskTable& t) { return t.mask == m; });
    };
    const auto granted = tableOf(mask) != masks_.end() || masks_.size() < options_.masks ? mask : flow::FlowMask::exact();
    auto table = tableOf(granted);
    if (table == masks_.end()) table = masks_.insert(masks_.end(), MaskTable{granted, {}});
    const flow::FlowKey masked = granted.apply(key);
    const auto existing = table->slots.find(masked);
    const bool replaces = existing != table->slots.end();
    if (!replaces && flowsOfWorker_.at(worker) >= options_.flowsPerWorker) {
        return fail(ErrorCode::Exhausted, "all {} flow slots of worker {} are in use", options_.flowsPerWorker, worker);
    }
    std::optional<FlowHandle> replaced;
    if (replaces) {
        const auto old = flows_.find(existing->second);
        if (old->second.flow.worker == worker) replaced = old->second.flow.handle;
        --flowsOfWorker_.at(old->second.flow.worker);
        flows_.erase(old);
    }
    const FlowHandle handle{nextSlot_++, 1};
    table->slots[masked] = handle.slot;
    flows_.emplace(handle.slot, InstalledFlow{masked, Flow{handle, worker, granted, actions, 0, 0, clock_.now(), false}});
    ++flowsOfWorker_.at(worker);
    return Installed{handle, replaced};
}

void FakeDatapath::removeFlow(WorkerIndex, FlowHandle handle) {
    const std::lock_guard lock{mutex_};
    const auto it = flows_.find(handle.slot);
    if (it == flows_.end() || it->second.flow.handle != handle) return;
    erase(handle.slot);
}

FlowStats FakeDatapath::stats(FlowHandle handle) const {
    const std::lock_guard lock{mutex_};
    const auto it = flows_.find(handle.slot);
    if (it == flows_.end() || it->second.flow.handle != handle) return {};
    const Flow& f = it->second.flow;
    return {f.packets, f.bytes, clock_.now() - f.lastUsed, f.closing};
}

Result<void> FakeDatapath::execute(WorkerIndex, const PacketOut& packet) {
    const std::lock_guard lock{mutex_};
    if (failExecutes_ > 0) {
        --failExecutes_;
        return fail(ErrorCode::Unavailable, "the packet was refused (asked for by the test)");
    }
    run(packet.actions, nullptr, packet.frame, packet.offload);
    return {};
}

void FakeDatapath::process(const flow::FlowKey& key, ByteView frame, const Offload& offload) {
    if (frame.size() < 14) return count("short_frames");
    if (key.fromTunnel() && key.tunnelKey == net::kStateTunnelKey) return upcall(UpcallReason::Miss, key, frame, offload);
    Flow* found = find(key);
    if (found == nullptr) {
        count("misses");
        return upcall(UpcallReason::Miss, key, frame, offload);
    }
    count("hits");
    ++found->packets;
    found->bytes += frame.size();
    found->lastUsed = clock_.now();
    if (!key.fromTunnel()) found->closing = closes(frame).value_or(found->closing);
    run(found->actions, &key, frame, offload);
}

FakeDatapath::Flow* FakeDatapath::find(const flow::FlowKey& key) {
    for (MaskTable& table : masks_) {
        const auto it = table.slots.find(table.mask.apply(key));
        if (it != table.slots.end()) return &flows_.at(it->second).flow;
    }
    return nullptr;
}

void FakeDatapath::upcall(UpcallReason reason, const flow::FlowKey& key, ByteView frame, const Offload& offload, std::uint32_t mtu) {
    queues_.at(workerOf(key))->push(reason, key, frame, offload, mtu);
}

void FakeDatapath::run(const flow::FlowActions& actions, const flow::FlowKey* key, ByteView frame, const Offload& offload) {
    if (actions.empty()) return count("dropped_by_flow");
    const auto mtu = tooNarrow(actions, frame, offload);
    if (mtu && key != nullptr) upcall(UpcallReason::TooBig, *key, frame, offload, *mtu);
    EditableFrame packet{frame, offload};
    const auto toAgent = [&] {
        if (key != nullptr) upcall(UpcallReason::Action, *key, packet.bytes(), packet.offload());
    };
    bool hopsLeft = true;
    for (const flow::FlowAction& action : actions) {
        std::visit(Overloaded{
                       [&](const flow::Output& a) {
                           if (!ports_.contains(a.port.value())) return count("no_such_port");
                           outputs_.push_back({a.port, packet.bytes(), packet.offload()});
                       },
                       [&](const flow::OutputTunnel& a) { outputTunnel(a, packet.bytes(), packet.offload()); },
                       [&](const flow::SetEthernet& a) { packet.setEthernet(a.source, a.destination); },
                       [&](const flow::PushVlan& a) { packet.pushVlan(a.tci); },
                       [&](const flow::PopVlan&) { packet.popVlan(); },
                       [&](const flow::SetIpAddresses& a) { packet.setIpAddresses(a.source, a.destination); },
                       [&](const flow::SetL4Ports& a) { packet.setL4Ports(a.source, a.destination); },
                       [&](const flow::DecrementTtl& a) { hopsLeft = packet.decrementTtl(a.by); },
                       [&](const flow::ToAgent&) { toAgent(); },
                   },
                   action);
        if (hopsLeft) continue;
        count("ttl_exceeded");
        if (!mtu) toAgent();  // Once is enough.
        return;
    }
}

std::optional<std::uint32_t> FakeDatapath::tooNarrow(const flow::FlowActions& actions, ByteView frame, const Offload& offload) const {
    const auto parsed = packet::parse(frame);
    if (!parsed || !parsed->isIp()) return std::nullopt;
    EditableFrame packet{frame, offload};  // Only the tags: nothing else changes the size.
    for (const flow::FlowAction& action : actions) {
        if (const auto* push = std::get_if<flow::PushVlan>(&action)) packet.pushVlan(push->tci);
        if (std::holds_alternative<flow::PopVlan>(action)) packet.popVlan();
        const auto* output = std::get_if<flow::OutputTunnel>(&action);
        if (output == nullptr) continue;
        const auto it = tunnels_.find(output->tunnel.value());
        if (it == tunnels_.end() || !it->second.path || fits(it->second, packet.bytes(), offload)) continue;
        const std::size_t before = overheadOf(it->second.spec.type) + parsed->networkOffset + packet.bytes().size() - frame.size();
        const std::uint32_t mtu = it->second.path->mtu;
        if (mtu > before) return mtu - static_cast<std::uint32_t>(before);
    }
    return std::nullopt;
}

bool FakeDatapath::fits(const Tunnel& tunnel, ByteView frame, const Offload& offload) {
    return wireSize(frame, offload) + overheadOf(tunnel.spec.type) <= tunnel.path->mtu;
}

void FakeDatapath::outputTunnel(const flow::OutputTunnel& action, ByteView frame, const Offload& offload) {
    const auto it = tunnels_.find(action.tunnel.value());
    if (it == tunnels_.end() || !it->second.path) return count("no_tunnel_path");
    if (!fits(it->second, frame, offload)) return count("too_big");
    tunnelOutputs_.push_back({action.tunnel, it->second.spec, action.key, {frame.begin(), frame.end()}, offload});
}

WorkerIndex FakeDatapath::workerOf(const flow::FlowKey& key) const {
    const std::uint64_t by = key.fromTunnel() ? key.tunnelSource.toHostOrder() + key.tunnelKey.value() : key.inPort.value();
    return static_cast<WorkerIndex>(by % options_.workers);
}

void FakeDatapath::erase(std::uint32_t slot) {
    const InstalledFlow& installed = flows_.at(slot);
    --flowsOfWorker_.at(installed.flow.worker);
    const auto table = std::find_if(masks_.begin(), masks_.end(), [&](const MaskTable& t) { return t.mask == installed.flow.mask; });
    table->slots.erase(installed.maskedKey);
    if (table->slots.empty()) masks_.erase(table);
    flows_.erase(slot);
}

}  // namespace midonet::datapath::fake
