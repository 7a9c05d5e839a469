#include "agent/waiting_room.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;

class WaitingRoomTest : public ::testing::Test {
protected:
    event::VirtualClock clock;
    WaitingRoom room;

    static flow::FlowTag tag(std::uint64_t device) { return flow::FlowTag::device(Uuid{1, device}); }
    /// All fits.
    bool park(std::uint64_t device, std::uint8_t byte = 0) {
        HeldPacket packet;
        packet.frame.assign(60, byte);
        packet.offload.gsoSize = 1400;
        packet.arrived = clock.now();
        return room.park(tag(device), std::move(packet)) == WaitingRoom::Parked::Waits;
    }
};

TEST_F(WaitingRoomTest, GivesBackWhatWaitsForTheTagInOrder) {
    park(1, 0xaa);
    park(2, 0xbb);
    park(1, 0xcc);
    const auto first = room.take(tag(1));
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].frame, std::vector<std::uint8_t>(60, 0xaa));
    EXPECT_EQ(first[0].offload.gsoSize, 1400);
    EXPECT_EQ(first[1].frame, std::vector<std::uint8_t>(60, 0xcc));
    EXPECT_EQ(room.size(), 1U);
    EXPECT_TRUE(room.take(tag(1)).empty());
    EXPECT_TRUE(room.take(tag(3)).empty());
    EXPECT_EQ(room.take(tag(2)).size(), 1U);
}

TEST_F(WaitingRoomTest, OneTagTakesNoMoreThanItsShare) {
    for (std::size_t i = 0; i < WaitingRoom::Limits{}.packetsPerTag; ++i) EXPECT_TRUE(park(1));
    EXPECT_FALSE(park(1));
    EXPECT_TRUE(park(2));
    EXPECT_EQ(room.take(tag(1)).size(), WaitingRoom::Limits{}.packetsPerTag);
    EXPECT_TRUE(park(1)) << "there is room again";
}

TEST_F(WaitingRoomTest, IsBoundedInAll) {
    for (std::size_t i = 0; i < WaitingRoom::Limits{}.packets; ++i) EXPECT_TRUE(park(i));
    EXPECT_FALSE(park(5000)) << "one packet did not fit";
    EXPECT_EQ(room.size(), WaitingRoom::Limits{}.packets);
    EXPECT_TRUE(room.take(tag(0)).empty()) << "it was the oldest";
    EXPECT_EQ(room.take(tag(5000)).size(), 1U);
    EXPECT_TRUE(park(0)) << "there is room again";
}

TEST_F(WaitingRoomTest, PatienceEnds) {
    park(1);
    clock.advance(3s);
    park(2);
    clock.advance(2s);
    EXPECT_EQ(room.expire(clock.now()).size(), 1U);
    EXPECT_TRUE(room.take(tag(1)).empty());
    EXPECT_EQ(room.size(), 1U);
    clock.advance(3s);
    EXPECT_EQ(room.expire(clock.now()).size(), 1U);
}

TEST_F(WaitingRoomTest, ParkingAgainDoesNotRenewPatience) {
    park(1);
    clock.advance(4s);
    for (auto& packet : room.take(tag(1))) room.park(tag(2), std::move(packet));
    EXPECT_EQ(room.size(), 1U);
    clock.advance(1s);
    EXPECT_EQ(room.expire(clock.now()).size(), 1U);
}

}  // namespace
}  // namespace midonet::agent
