#include <gmock/gmock.h>

#include "packet/testing/packet_matchers.h"
#include "testing/ebpf_world.h"

namespace midonet::datapath::ebpf::testing {
namespace {

using namespace midonet::packet;
using namespace std::chrono_literals;
using flow::Field;
using packet::testing::EqualsPacket;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

flow::FlowMask maskOf(std::initializer_list<Field> fields) {
    flow::FlowMask mask;
    for (const Field field : fields) mask.see(field);
    mask.close();
    return mask;
}

class Forwarding : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = PrivateHost::skipReason(); !reason.empty()) GTEST_SKIP() << reason;
        world = std::make_unique<EbpfWorld>();
        one = world->addPort("vm1");
        two = world->addPort("vm2");
    }
    /// The key of a frame that misses.
    flow::FlowKey keyOf(const Packet& packet) {
        world->inject("vm1", packet.toBytes());
        const auto upcalls = world->drain();
        if (upcalls.size() != 1) throw std::runtime_error(fmt::format("{} upcalls", upcalls.size()));
        world->datapath().upcalls(0).done(upcalls[0].upcall.pendingId);
        return upcalls[0].upcall.key;
    }
    FlowHandle install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions) {
        return world->datapath().installFlow(0, key, mask, actions).value();
    }

    std::unique_ptr<EbpfWorld> world;
    flow::PortNumber one, two;
    Packet udpPacket = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "hi";
};

TEST_F(Forwarding, MissIsUpcalledThenTheFlowForwards) {
    world->inject("vm1", udpPacket.toBytes());
    const auto upcalls = world->drain();
    ASSERT_EQ(upcalls.size(), 1U);
    EXPECT_EQ(upcalls[0].upcall.key.inPort, one);
    EXPECT_EQ(upcalls[0].upcall.reason, UpcallReason::Miss);
    EXPECT_THAT(upcalls[0].frame, EqualsPacket(udpPacket));
    EXPECT_TRUE(world->take().empty());

    const auto handle = install(upcalls[0].upcall.key, flow::FlowMask::exact(), {flow::Output{two}});
    const auto out = world->run("vm1", udpPacket.toBytes());
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].interface, "vm2");
    EXPECT_THAT(out[0].frame, EqualsPacket(udpPacket));
    EXPECT_EQ(world->datapath().stats(handle).packets, 1U);
    EXPECT_EQ(world->datapath().stats(handle).bytes, udpPacket.toBytes().size());
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
