// What is merged while the reader is busy does not grow with the number of merges.
#include "agent/worker_messages.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

TEST(WorkerReport, HoldsTheNewestStateOfAKey) {
    flowstate::StateEntry first, second, other;
    second.binding.port = 2;
    other.key.sourcePort = 1;
    WorkerReport report;
    report.add({first, other});
    report.add({second});
    EXPECT_EQ(report.states.size(), 2U);
    EXPECT_EQ(report.states.at(second.key), second);
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

}  // namespace
}  // namespace midonet::agent
