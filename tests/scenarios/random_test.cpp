// Random clouds and random changes against a bridge that is too simple to be wrong.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>

#include "matchers.h"

namespace midonet::scenarios {
namespace {

using namespace packet;

/// What a bridge does, in one place and without caches: the oracle.
class SimpleBridge {
public:
    struct Port {
        Vm vm;
        std::uint16_t vlan = 0;
        bool up = true;
        bool bound = true;
    };
    bool up = true;
    std::vector<Port> ports;

    /// Machine -> tag it gets the frame with (0: none). `tag` is the frame's.
    std::map<std::string, std::uint16_t> send(const Port& in, net::Mac source, net::Mac destination, std::uint16_t tag) {
        if (!in.up || !up || !in.bound) return {};
        if (source.isMulticast()) return {};
        const auto table = tableOf(in, tag);
        macs_[{table, source}] = in.vm.port;
        std::map<std::string, std::uint16_t> out;
        const auto known = macs_.find({table, destination});
        for (const auto& port : ports) {
            if (port.vm.port == in.vm.port || !port.up || !port.bound) continue;
            if (!destination.isMulticast() && known != macs_.end() && known->second != port.vm.port) continue;
            if (const auto leaves = tagAt(in, port, tag)) out[port.vm.name] = *leaves;
        }
        return out;
    }
    void forget(const PortId& port) {
        std::erase_if(macs_, [&](const auto& entry) { return entry.second == port; });
    }

private:
    std::uint16_t tableOf(const Port& in, std::uint16_t tag) const {
        if (in.vlan != 0) return in.vlan;
        for (const auto& port : ports)
            if (port.vlan == tag && port.bound) return tag;
        return 0;
    }
    static std::optional<std::uint16_t> tagAt(const Port& in, const Port& out, std::uint16_t tag) {
        if (in.vlan == out.vlan) return tag;
        if (in.vlan != 0) return out.vlan == 0 ? std::optional{in.vlan} : std::nullopt;
        return tag == out.vlan ? std::optional<std::uint16_t>{0} : std::nullopt;
    }
    std::map<std::pair<std::uint16_t, net::Mac>, PortId> macs_;
};

class RandomCloudTest : public ::testing::TestWithParam<unsigned> {
protected:
    std::mt19937 random{GetParam()};
    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random); }
    bool chance(unsigned percent) { return below(100) < percent; }
};

TEST_P(RandomCloudTest, DeliversWhatASimpleBridgeWould) {
    World world{{.workers = 1 + static_cast<unsigned>(below(3)),
                 .tunnels = chance(50) ? datapath::TunnelType::Gre : datapath::TunnelType::Vxlan}};
    std::vector<HostName> hosts;
    for (std::size_t i = 0; i <= below(3); ++i) hosts.push_back(world.host());
    // VLANs are fixed for a cloud: entries learned under another VLAN layout are nobody's contract.
    const bool vlans = chance(50);
    struct Net {
        BridgeId id;
        SimpleBridge model;
    };
    std::vector<Net> nets;
    std::vector<net::Mac> macs{net::Mac::broadcast(), net::Mac{0x01005e000001ULL}};
    for (std::size_t n = 0; n < 2; ++n) {
        nets.push_back({world.bridge(), {}});
        for (std::size_t p = 0; p < 4; ++p) {
            const auto vlan = static_cast<std::uint16_t>(vlans && chance(60) ? 10 * (1 + below(2)) : 0);
            const auto vm = world.vm(nets[n].id, hosts[below(hosts.size())], {.vlan = vlan});
            nets[n].model.ports.push_back({vm, vlan, true, true});
            macs.push_back(vm.mac);
        }
    }
    for (int step = 0; step < 60; ++step) {
        auto& net = nets[below(nets.size())];
        auto& port = net.model.ports[below(net.model.ports.size())];
        SCOPED_TRACE(fmt::format("seed {}, step {}", GetParam(), step));
        if (chance(75)) {
            const auto source = chance(80) ? port.vm.mac : macs[below(macs.size())];
            const auto destination = macs[below(macs.size())];
            const auto tag = static_cast<std::uint16_t>(vlans && chance(50) ? 10 * (1 + below(3)) : 0);
            const auto frameWith = [&](std::uint16_t t) {
                return t == 0 ? eth(source, destination).type(0x88b5) / "payload"
                              : eth(source, destination) / vlan(t).type(0x88b5) / "payload";
            };
            std::vector<std::pair<Vm, Packet>> expected;
            const auto reached = net.model.send(port, source, destination, tag);
            // What an access port gets already tagged keeps that tag inside its own.
            const auto frame = frameWith(tag);
            for (const auto& other : net.model.ports) {
                const auto found = reached.find(other.vm.name);
                if (found == reached.end()) continue;
                const bool pushed = port.vlan != 0 && other.vlan == 0;
                expected.emplace_back(other.vm, !pushed ? frameWith(found->second)
                                                : tag == 0
                                                    ? frameWith(port.vlan)
                                                    : eth(source, destination) / vlan(port.vlan) / vlan(tag).type(0x88b5) / "payload");
            }
            EXPECT_THAT(world.send(port.vm, frame), Delivers(expected))
                << "from " << port.vm.name << ", " << source.toString() << " > " << destination.toString() << ", tag " << tag;
        } else if (chance(40)) {
            port.up = !port.up;
            world.setPortUp(port.vm, port.up);
        } else if (chance(30)) {
            net.model.up = !net.model.up;
            world.setBridgeUp(net.id, net.model.up);
        } else {
            world.unbind(port.vm);
            net.model.forget(port.vm.port);
            port.bound = chance(75);
            if (port.bound) world.bind(port.vm, hosts[below(hosts.size())]);
            world.advance(std::chrono::milliseconds{2100});  // a withdrawn MAC is believed a moment longer
        }
        if (::testing::Test::HasFailure()) FAIL() << "stopped at the first difference";
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCloudTest, ::testing::Range(1U, 25U));

}  // namespace
}  // namespace midonet::scenarios
