#include "flowcontrol/meters.h"

#include <gmock/gmock.h>

namespace midonet::flowcontrol {
namespace {

using flow::FlowTag;
using flow::FlowTags;

FlowTag device(std::uint64_t n) { return FlowTag::device(Uuid{1, n}); }
MeterCount of(const Meters& meters, FlowTag tag, std::span<const MeterCount> live = {}) {
    const auto all = meters.read(live);
    const auto found = all.find(tag);
    return found == all.end() ? MeterCount{} : found->second;
}

TEST(MetersTest, PacketsCountForAllTheyPass) {
    Meters meters;
    const auto first = meters.count(FlowTags{device(1), device(2)}, FlowTags{FlowTag::portTx(PortId{Uuid{2, 1}})}, 100);
    const auto second = meters.count(FlowTags{device(1), device(3)}, {}, 50);
    EXPECT_NE(first, second);
    EXPECT_EQ(meters.count(FlowTags{device(1), device(2)}, FlowTags{FlowTag::portTx(PortId{Uuid{2, 1}})}, 1), first);
    EXPECT_EQ(of(meters, device(1)), (MeterCount{3, 151}));
    EXPECT_EQ(of(meters, device(2)), (MeterCount{2, 101}));
    EXPECT_EQ(of(meters, FlowTag::portTx(PortId{Uuid{2, 1}})), (MeterCount{2, 101}));
    EXPECT_EQ(of(meters, FlowTag::portRx(PortId{Uuid{2, 1}})), MeterCount{}) << "the other way is another meter";
}

TEST(MetersTest, WhatIsPassedTwiceCountsOnce) {
    Meters meters;
    meters.count(FlowTags{device(1), device(2), device(1)}, FlowTags{device(2)}, 10);
    EXPECT_EQ(of(meters, device(1)), (MeterCount{1, 10}));
    EXPECT_EQ(of(meters, device(2)), (MeterCount{1, 10}));
}

TEST(MetersTest, TagsThatAreNoPlaceAreNotMetered) {
    Meters meters;
    meters.count(FlowTags{device(1), FlowTag::datapathPort(flow::PortNumber{1}), FlowTag::state(7)}, {}, 10);
    EXPECT_EQ(meters.read({}).size(), 1U);
}

TEST(MetersTest, FlowsCountWhileTheyLiveAndAfterwards) {
    Meters meters;
    const auto path = meters.count(FlowTags{device(1)}, {}, 100);
    meters.hold(path);
    std::vector<MeterCount> live(meters.size());
    live[path] = {5, 500};
    EXPECT_EQ(of(meters, device(1), live), (MeterCount{6, 600}));
    meters.release(path, {7, 700});
    EXPECT_EQ(of(meters, device(1)), (MeterCount{8, 800}));
}

TEST(MetersTest, PathsWithoutFlowsGoAndTheirCountsStay) {
    Meters meters;
    const auto held = meters.count(FlowTags{device(1), device(7)}, {}, 1);
    meters.hold(held);
    for (std::uint64_t n = 0; n < 100'000; ++n) meters.count(FlowTags{device(1), device(100 + n % 5000)}, {}, 1);
    EXPECT_LT(meters.size(), 3000U);
    EXPECT_EQ(of(meters, device(1)).packets, 100'001U);
    EXPECT_EQ(of(meters, device(100)).packets, 20U);
    meters.release(held, {10, 10});
    EXPECT_EQ(of(meters, device(7)), (MeterCount{11, 11})) << "the path of a flow stays";
}

}  // namespace
}  // namespace midonet::flowcontrol
