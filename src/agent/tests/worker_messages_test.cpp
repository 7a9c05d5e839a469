// What is merged while the reader is busy does not grow with the number of merges.
#include "agent/worker_messages.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using flow::FlowTag;

TEST(WorkerReport, LeavesOutStatesThatAreTooMany) {
    const std::vector<flowstate::StateEntry> many(WorkerReport::kMaxStates - 1);
    flowstate::StateEntry last;
    last.key.sourcePort = 1;
    WorkerReport report;
    report.add(many);
    report.add({{last, {}, {}}});
    EXPECT_EQ(report.states.size(), WorkerReport::kMaxStates);
    EXPECT_EQ(report.states.back(), last);
}

TEST(WorkerReport, WantsABlockOnceForADeviceAndItsRanges) {
    simulation::LeaseNatBlock wanted, elsewhere, others;
    elsewhere.device = Uuid{1, 1};
    others.ranges.push_back({net::Ipv4Address{1}, net::Ipv4Address{1}, 1024, 2048});
    WorkerReport report;
    for (const auto& one : {wanted, elsewhere, others, wanted, elsewhere, others}) report.add(one);
    EXPECT_EQ(report.wantedBlocks.size(), 3U);
}

TEST(WorkerUpdate, LeavesOutAnswersThatAreTooMany) {
    WorkerUpdate update;
    const std::vector<std::uint8_t> frame{1, 2, 3};
    for (std::size_t i = 0; i < WorkerUpdate::kMaxStateFrames + 10; ++i) update.addStateFrame(frame);
    EXPECT_EQ(update.stateFrames.size(), WorkerUpdate::kMaxStateFrames);
    EXPECT_EQ(update.stateFrames.front(), frame);
}

TEST(WorkerUpdate, EndsAllFlowsWhereThereAreTooManyTags) {
    const auto connection = [](std::size_t n) { return FlowTag::state(n); };
    const auto moved = FlowTag::statePeers(Uuid{1, 1});
    WorkerUpdate update;
    update.invalidate(moved);
    for (std::size_t i = 1; i < WorkerUpdate::kMaxInvalidated; ++i) update.invalidate(connection(i));
    EXPECT_FALSE(update.flushFlows);
    EXPECT_EQ(update.invalidated.size(), WorkerUpdate::kMaxInvalidated);
    update.invalidate(connection(0));
    EXPECT_TRUE(update.flushFlows);
    update.invalidate(std::vector{connection(7), moved});
    EXPECT_EQ(update.invalidated, (std::vector{moved, moved})) << "other hosts are to be told for each";
}

}  // namespace
}  // namespace midonet::agent
