#include "agent/learned_macs.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using Added = LearnedMacs::Added;

simulation::LearnMac learned(std::uint64_t mac, std::uint64_t port, std::uint16_t vlan = 0) {
    return {BridgeId{Uuid{1, 1}}, net::VlanId{vlan}, net::Mac{mac}, PortId{Uuid{2, port}}};
}

TEST(LearnedMacsTest, CountsFlows) {
    LearnedMacs macs{10};
    EXPECT_EQ(macs.add(learned(1, 1)), Added::First);
    EXPECT_EQ(macs.add(learned(1, 1)), Added::Again);
    EXPECT_FALSE(macs.remove(learned(1, 1)));
    EXPECT_TRUE(macs.remove(learned(1, 1)));
    EXPECT_EQ(macs.size(), 0U);
    EXPECT_EQ(macs.add(learned(1, 1)), Added::First);
}

TEST(LearnedMacsTest, EveryPartCounts) {
    LearnedMacs macs{10};
    EXPECT_EQ(macs.add(learned(1, 1)), Added::First);
    EXPECT_EQ(macs.add(learned(2, 1)), Added::First);
    EXPECT_EQ(macs.add(learned(1, 2)), Added::First);
    EXPECT_EQ(macs.add(learned(1, 1, 5)), Added::First);
    EXPECT_EQ(macs.size(), 4U);
}

TEST(LearnedMacsTest, FullPortRefusesNewOnesOnly) {
    LearnedMacs macs{2};
    macs.add(learned(1, 1));
    macs.add(learned(2, 1));
    EXPECT_EQ(macs.add(learned(3, 1)), Added::Refused);
    EXPECT_EQ(macs.refused(), 1U);
    EXPECT_EQ(macs.add(learned(1, 1)), Added::Again);
    EXPECT_EQ(macs.add(learned(3, 2)), Added::First) << "another port has room of its own";
    macs.remove(learned(2, 1));
    EXPECT_EQ(macs.add(learned(3, 1)), Added::First);
}

TEST(LearnedMacsTest, RemovingWhatIsNotThereIsNothing) {
    LearnedMacs macs{2};
    EXPECT_FALSE(macs.remove(learned(1, 1)));
}

}  // namespace
}  // namespace midonet::agent
