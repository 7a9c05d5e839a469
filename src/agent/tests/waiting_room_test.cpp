#include "agent/waiting_room.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;

class WaitingRoomTest : public ::testing::Test {
protected:
    event::VirtualClock clock;
    WaitingRoom room;

    bool park(std::uint64_t device, std::uint8_t byte = 0) {
        const std::vector<std::uint8_t> frame(60, byte);
        datapath::Upcall upcall;
        upcall.frame = frame;
        upcall.offload.gsoSize = 1400;
        return room.park(Uuid{1, device}, PortId{Uuid{2, 1}}, upcall, clock.now());
    }
};

TEST_F(WaitingRoomTest, KeepsACopyInOrder) {
    park(1, 0xaa);
    park(2, 0xbb);
    const auto all = room.takeAll();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].packet.frame, std::vector<std::uint8_t>(60, 0xaa));
    EXPECT_EQ(all[0].packet.offload.gsoSize, 1400);
    EXPECT_EQ(all[1].device, (Uuid{1, 2}));
    EXPECT_EQ(room.size(), 0U);
}

TEST_F(WaitingRoomTest, OneDeviceTakesNoMoreThanItsShare) {
    for (std::size_t i = 0; i < WaitingRoom::kCapacityPerDevice; ++i) EXPECT_TRUE(park(1));
    EXPECT_FALSE(park(1));
    EXPECT_TRUE(park(2));
}

TEST_F(WaitingRoomTest, IsBoundedInAll) {
    for (std::size_t i = 0; i < WaitingRoom::kCapacity; ++i) EXPECT_TRUE(park(i));
    EXPECT_FALSE(park(5000));
    EXPECT_EQ(room.size(), WaitingRoom::kCapacity);
}

TEST_F(WaitingRoomTest, PatienceEnds) {
    park(1);
    clock.advance(3s);
    park(2);
    clock.advance(2s);
    EXPECT_EQ(room.expire(clock.now()), 1U);
    EXPECT_EQ(room.size(), 1U);
    clock.advance(3s);
    EXPECT_EQ(room.expire(clock.now()), 1U);
}

TEST_F(WaitingRoomTest, ParkingAgainDoesNotRenewPatience) {
    park(1);
    clock.advance(4s);
    for (auto& waiting : room.takeAll()) room.parkAgain(std::move(waiting));
    clock.advance(1s);
    EXPECT_EQ(room.expire(clock.now()), 1U);
}

}  // namespace
}  // namespace midonet::agent
