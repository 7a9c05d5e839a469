#include "flowstate/nat_ports.h"

#include <gmock/gmock.h>

#include <set>

#include "flowstate/tests/entries.h"

namespace midonet::flowstate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::address;
using testing::kDevice;

const event::TimePoint kStart = event::TimePoint{} + 1h;
const Binding kRemote{address("192.0.2.1"), 80};

NatRange range(std::string_view first, std::string_view last, std::uint16_t firstPort, std::uint16_t lastPort) {
    return {address(first), address(last), firstPort, lastPort};
}
const NatRange kAll = range("203.0.113.1", "203.0.113.1", 1, 65535);

struct NatPortsTest : ::testing::Test {
    NatPorts ports;

    void add(std::string_view ip, std::uint16_t block) { ports.addBlock({kDevice, address(ip), block}); }
    std::optional<Binding> find(const NatRange& r, const Binding& remote = kRemote, std::uint64_t seed = 0) const {
        return ports.find(kDevice, std::span(&r, 1), remote, seed);
    }
    /// Ports found and taken one after the other until there is none.
    std::vector<std::uint16_t> drain(const NatRange& r, const Binding& remote, std::uint64_t seed) {
        std::vector<std::uint16_t> out;
        while (const auto port = find(r, remote, seed)) {
            EXPECT_TRUE(ports.take(kDevice, *port, remote));
            out.push_back(port->port);
        }
        return out;
    }
};

TEST_F(NatPortsTest, NothingWithoutABlock) {
    EXPECT_FALSE(find(kAll));
    EXPECT_FALSE(ports.take(kDevice, {address("203.0.113.1"), 700}, kRemote));
    ports.release(kDevice, {address("203.0.113.1"), 700}, kRemote, kStart);
    EXPECT_EQ(ports.taken(), 0u);
}

TEST_F(NatPortsTest, TheSeedSaysWhereToBegin) {
    add("203.0.113.1", 10);
    EXPECT_EQ(find(kAll, kRemote, 0), (Binding{address("203.0.113.1"), 640}));
    EXPECT_EQ(find(kAll, kRemote, 5)->port, 645);
    EXPECT_EQ(find(kAll, kRemote, 64 + 5)->port, 645);
    EXPECT_EQ(find(kAll, kRemote, 5), find(kAll, kRemote, 5)) << "nothing is taken by looking";
}

TEST_F(NatPortsTest, EachRemoteGetsAllPortsOfABlockOnce) {
    add("203.0.113.1", 10);
    for (std::uint16_t remotePort = 1; remotePort <= 200; ++remotePort) {
        const auto got = drain(kAll, {address("192.0.2.1"), remotePort}, remotePort * 7U);
        EXPECT_EQ(std::set(got.begin(), got.end()).size(), kNatBlockPorts);
        EXPECT_EQ(got.size(), kNatBlockPorts);
    }
    EXPECT_EQ(ports.taken(), 200 * kNatBlockPorts);
}

TEST_F(NatPortsTest, TheRuleRestrictsThePorts) {
    add("203.0.113.1", 10);
    add("203.0.113.1", 11);
    const struct {
        std::uint16_t first, last;
        std::vector<std::uint16_t> expected;
    } cases[] = {
        {650, 652, {650, 651, 652}}, {702, 705, {702, 703, 704, 705}}, {1, 639, {}},    {768, 65535, {}},
        {703, 703, {703}},           {652, 650, {}},
    };
    for (const auto& c : cases) {
        auto got = drain(range("203.0.113.1", "203.0.113.1", c.first, c.last), kRemote, 0);
        EXPECT_EQ(got, c.expected) << c.first << ".." << c.last;
        for (const auto port : got) ports.release(kDevice, {address("203.0.113.1"), port}, kRemote, kStart);
    }
}

TEST_F(NatPortsTest, PortZeroIsNoPort) {
    add("203.0.113.1", 0);
    EXPECT_EQ(drain(range("203.0.113.1", "203.0.113.1", 0, 65535), kRemote, 0).size(), kNatBlockPorts - 1);
    EXPECT_FALSE(find(range("203.0.113.1", "203.0.113.1", 0, 0)));
}

TEST_F(NatPortsTest, TheLastBlockEndsTheUniverse) {
    add("203.0.113.1", kNatBlocks - 1);
    const auto got = drain(kAll, kRemote, 0);
    EXPECT_EQ(got.size(), kNatBlockPorts);
    EXPECT_EQ(got.back(), 65535);
}

TEST_F(NatPortsTest, RangesThenAddressesInOrder) {
    add("203.0.113.1", 10);
    add("203.0.113.2", 9);
    add("203.0.113.3", 8);
    add("2001:db8::1", 10);
    const NatRange ranges[] = {range("203.0.113.2", "203.0.113.3", 1, 65535), kAll};
    std::vector<std::string> order;
    while (const auto port = ports.find(kDevice, ranges, kRemote, 0)) {
        ports.take(kDevice, *port, kRemote);
        if (order.empty() || order.back() != port->address.toString()) order.push_back(port->address.toString());
    }
    EXPECT_THAT(order, ElementsAre("203.0.113.2", "203.0.113.3", "203.0.113.1"));
    EXPECT_EQ(find(range("2001:db8::", "2001:db8::f", 1, 65535))->port, 640);
}

TEST_F(NatPortsTest, BlocksOfAnotherDeviceDoNotCount) {
    ports.addBlock({Uuid{7, 7}, address("203.0.113.1"), 10});
    EXPECT_FALSE(find(kAll));
    EXPECT_FALSE(ports.take(kDevice, {address("203.0.113.1"), 640}, kRemote));
}

TEST_F(NatPortsTest, AReleasedPortRests) {
    add("203.0.113.1", 10);
    const auto port = *find(kAll, kRemote, 20);
    ports.take(kDevice, port, kRemote);
    ports.release(kDevice, port, kRemote, kStart);
    EXPECT_EQ(ports.taken(), 0U);
    EXPECT_NE(find(kAll, kRemote, 20), port) << "others may know its last connection still";
    const Binding elsewhere{kRemote.address, 81};
    EXPECT_EQ(find(kAll, elsewhere, 20), port);
    ports.endRests(kStart + NatPorts::kRest - 1ms);
    EXPECT_NE(find(kAll, kRemote, 20), port);
    ports.endRests(kStart + NatPorts::kRest);
    EXPECT_EQ(find(kAll, kRemote, 20), port);
}

TEST_F(NatPortsTest, APortAtRestIsBetterThanNone) {
    add("203.0.113.1", 10);
    drain(kAll, kRemote, 0);
    EXPECT_FALSE(find(kAll));
    const Binding port{address("203.0.113.1"), 660};
    ports.release(kDevice, port, kRemote, kStart);
    EXPECT_EQ(find(kAll), port);
    EXPECT_EQ(ports.taken(), kNatBlockPorts - 1);
    EXPECT_TRUE(ports.runsLow(kDevice, {&kAll, 1}, kRemote, port)) << "another block is better still";
    ports.take(kDevice, port, kRemote);
    ports.endRests(kStart + NatPorts::kRest);
    EXPECT_FALSE(find(kAll)) << "it is taken again";
}

TEST_F(NatPortsTest, RunsLowWhileThereIsStillTime) {
    /// How many ports are taken for the remote when it runs low.
    const auto takenWhenLow = [&](const NatRange& r, const Binding& remote) {
        for (std::uint64_t taken = 0;; ++taken) {
            const auto port = find(r, remote, taken * 0x9e3779b97f4a7c15ULL);
            if (!port || ports.runsLow(kDevice, {&r, 1}, remote, *port)) return taken;
            ports.take(kDevice, *port, remote);
        }
    };
    add("203.0.113.1", 10);
    EXPECT_EQ(takenWhenLow(kAll, kRemote), kNatBlockPorts / 2) << "the only block is half taken";
    const auto port = *find(kAll, kRemote);
    EXPECT_FALSE(ports.runsLow(kDevice, {&kAll, 1}, {address("192.0.2.1"), 81}, port)) << "for another remote all is free";
    add("203.0.113.1", 11);
    EXPECT_FALSE(ports.runsLow(kDevice, {&kAll, 1}, kRemote, port)) << "a block to go on with";
    EXPECT_GT(takenWhenLow(kAll, kRemote), kNatBlockPorts - 4) << "less than a block is left of two";
    for (std::uint16_t block = 12; block < 50; ++block) add("203.0.113.1", block);
    const auto taken = takenWhenLow(kAll, kRemote);
    EXPECT_LT(taken, 40 * kNatBlockPorts) << "never all of 40";
    EXPECT_GE(40 * kNatBlockPorts - taken, kNatBlockPorts) << "at least a block's worth is left";
    EXPECT_LE(ports.taken(), 40 * kNatBlockPorts);
}

TEST_F(NatPortsTest, TakeAndReleaseCountOnce) {
    add("203.0.113.1", 10);
    const Binding port{address("203.0.113.1"), 640};
    EXPECT_TRUE(ports.take(kDevice, port, kRemote));
    EXPECT_TRUE(ports.take(kDevice, port, kRemote));
    EXPECT_EQ(ports.taken(), 1u);
    ports.release(kDevice, port, kRemote, kStart);
    ports.release(kDevice, port, kRemote, kStart);
    EXPECT_EQ(ports.taken(), 0u);
}

TEST_F(NatPortsTest, IdleBlocksAreTakenOut) {
    add("203.0.113.1", 10);
    add("203.0.113.1", 11);
    const Binding port{address("203.0.113.1"), 640};
    ports.take(kDevice, port, kRemote);
    EXPECT_THAT(ports.takeIdle(kStart), IsEmpty()) << "a new block has its time too";
    EXPECT_THAT(ports.takeIdle(kStart + 299s), IsEmpty());
    EXPECT_THAT(ports.takeIdle(kStart + 300s), ElementsAre(NatBlockId{kDevice, address("203.0.113.1"), 11}));
    EXPECT_EQ(ports.blocks(), 1u);

    ports.release(kDevice, port, kRemote, kStart + 400s);
    ports.endRests(kStart + 699s);
    EXPECT_THAT(ports.takeIdle(kStart + 699s), IsEmpty());
    EXPECT_THAT(ports.takeIdle(kStart + 700s), ElementsAre(NatBlockId{kDevice, address("203.0.113.1"), 10}));
    EXPECT_FALSE(find(kAll));
}

TEST_F(NatPortsTest, ABlockGivenTwiceKeepsItsUses) {
    add("203.0.113.1", 10);
    ports.take(kDevice, {address("203.0.113.1"), 640}, kRemote);
    add("203.0.113.1", 10);
    EXPECT_EQ(ports.blocks(), 1u);
    EXPECT_EQ(find(kAll)->port, 641);
}

}  // namespace
}  // namespace midonet::flowstate
