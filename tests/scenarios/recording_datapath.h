#pragma once

#include <functional>
#include <map>
#include <utility>

#include "datapath/datapath.h"

namespace midonet::scenarios {

/// Passes everything on to another datapath, and remembers the flows that are installed, so that
/// they can be compared with a new simulation.
class RecordingDatapath final : public datapath::Datapath {
public:
    struct Flow {
        datapath::WorkerIndex worker = 0;
        flow::FlowKey key;
        flow::FlowMask mask;
        flow::FlowActions actions;
        unsigned process = 0;
    };

    /// `enter` is called before whatever acts on the host.
    RecordingDatapath(Datapath& real, std::function<void()> enter) : real_(real), enter_(std::move(enter)) {}

    std::vector<Flow> flows() const {
        std::vector<Flow> out;
        for (const auto& [handle, flow] : flows_) out.push_back(flow);
        return out;
    }

    const datapath::Capabilities& capabilities() const override { return real_.capabilities(); }
    unsigned workerCount() const override { return real_.workerCount(); }
    Result<flow::PortNumber> addPort(std::string_view interface) override {
        enter_();
        return real_.addPort(interface);
    }
    Result<void> removePort(flow::PortNumber port) override {
        enter_();
        return real_.removePort(port);
    }
    std::vector<datapath::PortInfo> ports() const override { return real_.ports(); }
    Result<flow::TunnelId> addTunnel(const datapath::TunnelSpec& spec) override {
        enter_();
        return real_.addTunnel(spec);
    }
    Result<void> setTunnelPath(flow::TunnelId tunnel, const std::optional<datapath::TunnelPath>& path) override {
        enter_();
        return real_.setTunnelPath(tunnel, path);
    }
    Result<void> removeTunnel(flow::TunnelId tunnel) override {
        enter_();
        return real_.removeTunnel(tunnel);
    }
    /// The agent died: its flows go on until the next one says that it is ready.
    void startNextProcess() { ++process_; }
    void endAdoption() override {
        enter_();
        real_.endAdoption();
        for (auto entry = flows_.begin(); entry != flows_.end();) {
            if (entry->second.process == process_) {
                ++entry;
                continue;
            }
            real_.removeFlow(entry->second.worker, {entry->first.first, entry->first.second});
            entry = flows_.erase(entry);
        }
    }
    std::vector<datapath::Counter> counters() const override { return real_.counters(); }
    datapath::UpcallQueue& upcalls(datapath::WorkerIndex worker) override { return real_.upcalls(worker); }
    Result<datapath::Installed> installFlow(datapath::WorkerIndex worker, const flow::FlowKey& key,
                                            const flow::FlowMask& mask, const flow::FlowActions& actions) override {
        auto installed = real_.installFlow(worker, key, mask, actions);
        if (!installed) return installed;
        const auto masked = mask.apply(key);
        std::erase_if(flows_, [&](const auto& f) { return f.second.mask == mask && mask.apply(f.second.key) == masked; });
        flows_[idOf(installed->handle)] = {worker, key, mask, actions, process_};
        return installed;
    }
    void removeFlow(datapath::WorkerIndex worker, datapath::FlowHandle handle) override {
        flows_.erase(idOf(handle));
        real_.removeFlow(worker, handle);
    }
    datapath::FlowStats stats(datapath::FlowHandle handle) const override { return real_.stats(handle); }
    std::size_t flowCapacity(datapath::WorkerIndex worker) const override { return real_.flowCapacity(worker); }
    Result<void> execute(datapath::WorkerIndex worker, const datapath::PacketOut& packet) override {
        return real_.execute(worker, packet);
    }

private:
    static std::pair<std::uint32_t, std::uint32_t> idOf(datapath::FlowHandle handle) { return {handle.slot, handle.generation}; }
    Datapath& real_;
    std::function<void()> enter_;
    unsigned process_ = 0;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Flow> flows_;
};

}  // namespace midonet::scenarios
