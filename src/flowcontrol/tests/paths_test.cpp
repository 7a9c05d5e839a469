#include "flowcontrol/paths.h"

#include <gmock/gmock.h>

namespace midonet::flowcontrol {
namespace {

using flow::FlowTag;
using flow::FlowTags;

FlowTag device(std::uint64_t n) { return FlowTag::device(Uuid{1, n}); }
MeterCount of(const Paths& paths, FlowTag tag, std::span<const MeterCount> live = {}) {
    const auto all = paths.read(live);
    const auto found = all.find(tag);
    return found == all.end() ? MeterCount{} : found->second;
}

/// A packet takes the path.
Paths::Path count(Paths& paths, const FlowTags& tags, const FlowTags& moreTags, std::size_t bytes) {
    const auto path = paths.find(tags, moreTags);
    paths.count(path, bytes);
    return path;
}

TEST(PathsTest, PacketsCountForAllTheyPass) {
    Paths paths;
    const auto first = count(paths, FlowTags{device(1), device(2)}, FlowTags{FlowTag::portTx(PortId{Uuid{2, 1}})}, 100);
    const auto second = count(paths, FlowTags{device(1), device(3)}, {}, 50);
    EXPECT_NE(first, second);
    EXPECT_EQ(count(paths, FlowTags{device(1), device(2)}, FlowTags{FlowTag::portTx(PortId{Uuid{2, 1}})}, 1), first);
    EXPECT_EQ(of(paths, device(1)), (MeterCount{3, 151}));
    EXPECT_EQ(of(paths, device(2)), (MeterCount{2, 101}));
    EXPECT_EQ(of(paths, FlowTag::portTx(PortId{Uuid{2, 1}})), (MeterCount{2, 101}));
    EXPECT_EQ(of(paths, FlowTag::portRx(PortId{Uuid{2, 1}})), MeterCount{}) << "the other way is another meter";
}

TEST(PathsTest, WhatIsPassedTwiceCountsOnce) {
    Paths paths;
    count(paths, FlowTags{device(1), device(2), device(1)}, FlowTags{device(2)}, 10);
    EXPECT_EQ(of(paths, device(1)), (MeterCount{1, 10}));
    EXPECT_EQ(of(paths, device(2)), (MeterCount{1, 10}));
}

TEST(PathsTest, AreFoundByWhatTheyPassInOrder) {
    Paths paths;
    const auto path = paths.find(FlowTags{device(1), device(2), device(1)}, FlowTags{device(3)});
    EXPECT_EQ(paths.find(FlowTags{device(1), FlowTag::state(1), device(2)}, FlowTags{device(1), device(3)}), path);
    EXPECT_NE(paths.find(FlowTags{device(1), device(2)}, {}), path);
    const auto nowhere = paths.find({}, {});
    EXPECT_EQ(paths.find(FlowTags{FlowTag::state(1)}, {}), nowhere);
    const auto through = [&](FlowTag place) {
        std::vector<Paths::Path> out;
        paths.forEachThrough(place, [&](auto p) { out.push_back(p); });
        return out;
    };
    EXPECT_EQ(through(device(2)).size(), 2U);
    EXPECT_THAT(through(device(3)), ::testing::ElementsAre(path));
    EXPECT_TRUE(through(device(4)).empty());
}

TEST(PathsTest, MemoryOfThoseWithoutFlowsIsGivenBack) {
    Paths paths;
    const auto held = paths.find(FlowTags{device(1)}, {});
    paths.hold(held);
    for (std::uint64_t n = 0; n < 500; ++n) count(paths, FlowTags{device(2), device(n)}, {}, 1);
    paths.giveBackMemory();
    EXPECT_EQ(paths.size(), 1U);
    EXPECT_EQ(paths.find(FlowTags{device(1)}, {}), held);
    EXPECT_EQ(of(paths, device(2)).packets, 500U) << "what it counted stays";
}

TEST(PathsTest, TagsThatAreNoPlaceAreNotMetered) {
    Paths paths;
    count(paths, FlowTags{device(1), FlowTag::datapathPort(flow::PortNumber{1}), FlowTag::state(7)}, {}, 10);
    EXPECT_EQ(paths.read({}).size(), 1U);
}

TEST(PathsTest, FlowsCountWhileTheyLiveAndAfterwards) {
    Paths paths;
    const auto path = count(paths, FlowTags{device(1)}, {}, 100);
    paths.hold(path);
    std::vector<MeterCount> live(paths.size());
    live[path] = {5, 500};
    EXPECT_EQ(of(paths, device(1), live), (MeterCount{6, 600}));
    paths.release(path, {7, 700});
    EXPECT_EQ(of(paths, device(1)), (MeterCount{8, 800}));
}

TEST(PathsTest, PathsWithoutFlowsGoAndTheirCountsStay) {
    Paths paths;
    const auto held = count(paths, FlowTags{device(1), device(7)}, {}, 1);
    paths.hold(held);
    for (std::uint64_t n = 0; n < 100'000; ++n) count(paths, FlowTags{device(1), device(100 + n % 5000)}, {}, 1);
    EXPECT_LT(paths.size(), 3000U);
    EXPECT_EQ(of(paths, device(1)).packets, 100'001U);
    EXPECT_EQ(of(paths, device(100)).packets, 20U);
    paths.release(held, {10, 10});
    EXPECT_EQ(of(paths, device(7)), (MeterCount{11, 11})) << "the path of a flow stays";
}

}  // namespace
}  // namespace midonet::flowcontrol
