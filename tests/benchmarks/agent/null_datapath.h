#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "datapath/datapath.h"

namespace midonet::benchmarks {

/// Takes flows and packets and does nothing with them: what is measured is the agent. Its upcalls are those of serve().
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
    Result<datapath::Installed> installFlow(datapath::WorkerIndex, const flow::FlowKey&, const flow::FlowMask&,
                                            const flow::FlowActions&) override {
        return datapath::Installed{{nextSlot_++, 1}, std::nullopt};
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
    /// The upcalls that come next; they stay the caller's.
    void serve(const std::vector<datapath::Upcall>& upcalls) {
        upcalls_ = &upcalls;
        next_ = 0;
    }

private:
    const datapath::Capabilities capabilities_{"null", {}};
    const std::vector<datapath::Upcall> none_;
    const std::vector<datapath::Upcall>* upcalls_ = &none_;
    std::size_t next_ = 0;
    std::uint32_t nextPort_ = 1;
    std::uint32_t nextSlot_ = 1;
};

}  // namespace midonet::benchmarks
