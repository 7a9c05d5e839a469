#pragma once

#include <gmock/gmock.h>

#include <set>

#include "packet/checksum.h"
#include "packet/describe.h"
#include "packet/parse.h"
#include "packet/testing/packet_matchers.h"
#include "testing/ebpf_world.h"

namespace midonet::datapath::ebpf::testing {

using namespace midonet::packet;
using namespace std::chrono_literals;
using flow::Field;
using packet::testing::EqualsPacket;

inline constexpr const char* kA = "02:00:00:00:00:0a";
inline constexpr const char* kB = "02:00:00:00:00:0b";

inline flow::FlowMask maskOf(std::initializer_list<Field> fields) {
    flow::FlowMask mask;
    for (const Field field : fields) mask.see(field);
    mask.close();
    return mask;
}

inline net::IpAddress ip(const char* text) { return net::IpAddress::parse(text).value(); }
inline net::Ipv4Address ip4(const char* text) { return net::Ipv4Address::parse(text).value(); }
inline net::Mac mac(const char* text) { return net::Mac::parse(text).value(); }

/// A host with ports vm1, vm2, vm3.
class EbpfTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = PrivateHost::skipReason(); !reason.empty()) GTEST_SKIP() << reason;
        start(EbpfWorld::defaults());
    }
    void start(const EbpfOptions& options) {
        world.reset();
        world = std::make_unique<EbpfWorld>(options);
        one = world->addPort("vm1");
        two = world->addPort("vm2");
        three = world->addPort("vm3");
    }
    /// The key that the kernel makes of a frame which comes in through vm1.
    flow::FlowKey keyOf(const Frame& frame) {
        world->drain();
        world->inject("vm1", frame);
        const auto upcalls = world->drain();
        if (upcalls.size() != 1) throw std::runtime_error(fmt::format("{} upcalls instead of one", upcalls.size()));
        world->datapath().upcalls(0).done(upcalls[0].upcall.pendingId);
        return upcalls[0].upcall.key;
    }
    flow::FlowKey keyOf(const Packet& packet) { return keyOf(packet.toBytes()); }
    FlowHandle install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions) {
        const auto installed = world->datapath().installFlow(0, key, mask, actions);
        if (!installed) throw std::runtime_error(installed.error().message);
        return installed->handle;
    }
    std::vector<Delivered> run(const Packet& packet) { return world->run("vm1", packet.toBytes()); }

    std::unique_ptr<EbpfWorld> world;
    flow::PortNumber one, two, three;
    Packet udpPacket = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, 53) / "hello";
};

}  // namespace midonet::datapath::ebpf::testing
