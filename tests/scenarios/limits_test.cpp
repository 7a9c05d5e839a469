// What is bounded stays bounded.
#include <gtest/gtest.h>

#include "matchers.h"

namespace midonet::scenarios {
namespace {

using namespace packet;

net::Mac madeUp(unsigned n) { return net::Mac{0x02cc00000000ULL + n}; }

TEST(MacLimitTest, APortThatMakesUpAddressesLearnsNoMoreThanItsShare) {
    World world{{.maxMacsPerPort = 8}};
    const auto host = world.host();
    const auto bridge = world.bridge();
    const auto a = world.vm(bridge, host);
    const auto b = world.vm(bridge, host);
    world.send(b, eth(b.mac, net::Mac::broadcast()) / "x");
    for (unsigned n = 0; n < 50; ++n) {
        const auto frame = eth(madeUp(n), b.mac) / "x";
        EXPECT_THAT(world.send(a, frame), Delivers({{b, frame}})) << "refused addresses are forwarded all the same";
    }
    EXPECT_EQ(world.stats(host).learnedMacs, 9U);
    EXPECT_EQ(world.stats(host).macEntries, 9U);
    EXPECT_EQ(world.stats(host).macsRefused, 42U);
    world.advance(std::chrono::seconds{6});
    EXPECT_LE(world.stats(host).flows, 10U) << "flows of refused addresses are short";
}

TEST(MacLimitTest, ShareOfOnePortIsNotTakenFromAnother) {
    World world{{.maxMacsPerPort = 2}};
    const auto host = world.host();
    const auto bridge = world.bridge();
    const auto a = world.vm(bridge, host);
    const auto b = world.vm(bridge, host);
    for (unsigned n = 0; n < 10; ++n) world.send(a, eth(madeUp(n), net::Mac::broadcast()) / "x");
    world.send(b, eth(b.mac, net::Mac::broadcast()) / "x");
    EXPECT_EQ(world.stats(host).learnedMacs, 3U);
}

TEST(MacLimitTest, RoomComesBackWhenFlowsEnd) {
    World world{{.maxMacsPerPort = 2}};
    const auto host = world.host();
    if (!world.flowsExpire()) GTEST_SKIP() << "this datapath keeps its own time";
    const auto a = world.vm(world.bridge(), host);
    for (unsigned n = 0; n < 4; ++n) world.send(a, eth(madeUp(n), net::Mac::broadcast()) / "x");
    world.advance(std::chrono::seconds{150});
    EXPECT_EQ(world.stats(host).learnedMacs, 0U);
    EXPECT_EQ(world.stats(host).macEntries, 0U);
    world.send(a, eth(madeUp(9), net::Mac::broadcast()) / "x");
    EXPECT_EQ(world.stats(host).learnedMacs, 1U);
}

TEST(FlowLimitTest, FullTableEvictsAndGoesOn) {
    World world{{.flowsPerWorker = 64}};
    const auto host = world.host();
    const auto bridge = world.bridge();
    const auto a = world.vm(bridge, host);
    const auto b = world.vm(bridge, host);
    world.send(b, eth(b.mac, net::Mac::broadcast()) / "x");
    for (unsigned n = 0; n < 200; ++n) {
        const auto frame = eth(madeUp(n), b.mac) / "x";
        EXPECT_THAT(world.send(a, frame), Delivers({{b, frame}}));
        EXPECT_LE(world.flows(host).size(), 64U);
    }
    EXPECT_LE(world.stats(host).learnedMacs, 64U);
}

}  // namespace
}  // namespace midonet::scenarios
