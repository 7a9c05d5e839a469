#include <gtest/gtest.h>

#include <set>

#include "packet/parse.h"
#include "packet/protocols.h"
#include "test_datapath.h"
#include "testing/ebpf_world.h"

namespace midonet::scenarios {
namespace {

using datapath::TunnelType;
using datapath::ebpf::EbpfOptions;
using datapath::ebpf::testing::Delivered;
using datapath::ebpf::testing::EbpfWorld;
using datapath::ebpf::testing::PrivateHost;

constexpr const char* kUplink = "uplink";
const net::Mac kUplinkMac{0x0a0000000001ULL};
const net::Mac kNextHop{0x0a0000000002ULL};

EbpfOptions optionsFor(unsigned workers, std::size_t flowsPerWorker) {
    auto options = EbpfWorld::defaults();
    options.workers = workers;
    options.maxFlows = static_cast<std::uint32_t>(workers * flowsPerWorker);
    return options;
}

/// The kernel programs in a namespace of their own; the test holds the far ends of all taps.
class EbpfTestDatapath final : public TestDatapath {
public:
    EbpfTestDatapath(unsigned workers, std::size_t flowsPerWorker)
        : options_(optionsFor(workers, flowsPerWorker)), world_(options_) {}

    datapath::Datapath& datapath() override { return world_.datapath(); }
    void enter() override { world_.host().enter(); }
    bool followsVirtualTime() const override { return false; }
    void makeInterface(const std::string& name) override {
        if (taps_.insert(name).second) world_.addTap(name);
    }
    datapath::TunnelPath addUplink(net::Ipv4Address address) override {
        const auto index = world_.addUnderlay(kUplink, address.toString() + "/16", kUplinkMac, 9000);
        return {index, kUplinkMac, kNextHop, 9000};
    }
    bool inject(std::string_view interface, ByteView frame) override {
        for (const auto& port : world_.datapath().ports()) {
            if (port.interface != interface) continue;
            world_.inject(std::string(interface), frame);
            return true;
        }
        return false;
    }
    void receiveFromTunnel(const datapath::TunnelSpec& spec, net::TunnelKey key, ByteView frame) override {
        const auto outer = packet::eth(kNextHop, kUplinkMac) / packet::ipv4(spec.local, spec.remote);
        const packet::Packet inner{packet::Frame{frame.begin(), frame.end()}};
        const auto whole = spec.type == TunnelType::Gre
                               ? outer / packet::gre(key.value()) / inner
                               : outer / packet::udp(50000, options_.vxlanPort).checksum(0) / packet::vxlan(key.value()) / inner;
        world_.inject(kUplink, whole.toBytes());
    }
    std::vector<PortOutput> takeOutputs() override {
        collect();
        std::vector<PortOutput> out;
        for (auto& delivered : std::exchange(outputs_, {})) out.push_back({delivered.interface, std::move(delivered.frame)});
        return out;
    }
    std::vector<TunnelOutput> takeTunnelOutputs() override {
        collect();
        return std::exchange(tunnelled_, {});
    }

private:
    void collect() {
        for (auto& delivered : world_.take()) {
            if (delivered.interface != kUplink)
                outputs_.push_back(std::move(delivered));
            else if (auto tunnelled = decapsulated(delivered.frame))
                tunnelled_.push_back(std::move(*tunnelled));
        }
    }
    /// nullopt: something else that the namespace's kernel says on its uplink.
    std::optional<TunnelOutput> decapsulated(ByteView frame) const {
        const auto parsed = packet::parse(frame);
        if (!parsed || !parsed->isIpv4()) return std::nullopt;
        TunnelOutput out;
        out.spec.local = parsed->ipSource.v4();
        out.spec.remote = parsed->ipDestination.v4();
        if (parsed->hasTransport(packet::ipproto::kUdp) && parsed->destinationPort == options_.vxlanPort) {
            const auto payload = parsed->payload(frame);
            if (payload.size() < 8) return std::nullopt;
            out.spec.type = TunnelType::Vxlan;
            out.key = net::TunnelKey{loadBe32(payload.data() + 4) >> 8};
            out.frame.assign(payload.begin() + 8, payload.end());
            return out;
        }
        if (parsed->ipProtocol == packet::ipproto::kGre) {
            const auto header = frame.subspan(parsed->transportOffset, parsed->payloadEnd - parsed->transportOffset);
            if (header.size() < 8) return std::nullopt;
            out.spec.type = TunnelType::Gre;
            out.key = net::TunnelKey{loadBe32(header.data() + 4)};
            out.frame.assign(header.begin() + 8, header.end());
            return out;
        }
        return std::nullopt;
    }

    const EbpfOptions options_;
    EbpfWorld world_;
    std::set<std::string> taps_;
    std::vector<Delivered> outputs_;
    std::vector<TunnelOutput> tunnelled_;
};

class NeedsRoot final : public ::testing::Environment {
public:
    void SetUp() override {
        if (const auto reason = PrivateHost::skipReason(); !reason.empty()) GTEST_SKIP() << reason;
    }
};
const auto* const kNeedsRoot = ::testing::AddGlobalTestEnvironment(new NeedsRoot);

}  // namespace

std::unique_ptr<TestDatapath> makeTestDatapath(const event::Clock&, unsigned workers, std::size_t flowsPerWorker) {
    return std::make_unique<EbpfTestDatapath>(workers, flowsPerWorker);
}

}  // namespace midonet::scenarios
