#include "datapath/fake/fake_datapath.h"
#include "test_datapath.h"

namespace midonet::scenarios {
namespace {

class FakeTestDatapath final : public TestDatapath {
public:
    FakeTestDatapath(const event::Clock& clock, unsigned workers, std::size_t flowsPerWorker)
        : fake_(clock, {.workers = workers, .flowsPerWorker = flowsPerWorker}) {}

    datapath::Datapath& datapath() override { return fake_; }
    void enter() override {}
    bool followsVirtualTime() const override { return true; }
    datapath::TunnelPath addUplink(net::Ipv4Address) override {
        return {1, net::Mac{0x0a0000000001ULL}, net::Mac{0x0a0000000002ULL}, 9000};
    }
    void makeInterface(const std::string&) override {}
    bool inject(std::string_view interface, ByteView frame) override { return fake_.inject(interface, frame); }
    void receiveFromTunnel(const datapath::TunnelSpec& spec, net::TunnelKey key, ByteView frame) override {
        fake_.receiveFromTunnel(spec, key, frame);
    }
    std::vector<PortOutput> takeOutputs() override {
        std::vector<PortOutput> out;
        for (auto& output : fake_.takeOutputs())
            for (const auto& port : fake_.ports())
                if (port.number == output.port) out.push_back({port.interface, std::move(output.frame)});
        return out;
    }
    std::vector<TunnelOutput> takeTunnelOutputs() override {
        std::vector<TunnelOutput> out;
        for (auto& output : fake_.takeTunnelOutputs()) out.push_back({output.spec, output.key, std::move(output.frame)});
        return out;
    }

private:
    datapath::fake::FakeDatapath fake_;
};

}  // namespace

std::unique_ptr<TestDatapath> makeTestDatapath(const event::Clock& clock, unsigned workers, std::size_t flowsPerWorker) {
    return std::make_unique<FakeTestDatapath>(clock, workers, flowsPerWorker);
}

}  // namespace midonet::scenarios
