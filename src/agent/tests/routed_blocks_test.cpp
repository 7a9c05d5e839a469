#include "agent/routed_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using flow::FlowTag;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
net::IpPrefix prefix(const char* text) { return *net::IpPrefix::parse(text); }
const RouterId kRouter{Uuid{1, 1}};
const RouterId kOther{Uuid{1, 2}};

TEST(RoutedBlocks, ARouteAffectsTheBlocksInsideItsPrefix) {
    RoutedBlocks blocks;
    blocks.add({kRouter, ip("10.0.0.16"), 0});
    blocks.add({kRouter, ip("10.0.1.0"), 0});
    blocks.add({kRouter, ip("2001:db8::10"), 0});
    blocks.add({kOther, ip("10.0.0.16"), 0});
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("10.0.0.0/24")), UnorderedElementsAre(FlowTag::destination(kRouter, ip("10.0.0.16"))));
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("10.0.0.20/32")), UnorderedElementsAre(FlowTag::destination(kRouter, ip("10.0.0.20"))))
        << "one address of the block";
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("0.0.0.0/0")),
                UnorderedElementsAre(FlowTag::destination(kRouter, ip("10.0.0.16")), FlowTag::destination(kRouter, ip("10.0.1.0"))));
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("10.0.2.0/24")), IsEmpty());
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("2001:db8::/32")), UnorderedElementsAre(FlowTag::destination(kRouter, ip("2001:db8::1f"))));
}

TEST(RoutedBlocks, AShorterRouteAffectsNothingThatALongerOneDecided) {
    RoutedBlocks blocks;
    blocks.add({kRouter, ip("10.0.0.0"), 24});
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("10.0.0.0/16")), IsEmpty());
    EXPECT_EQ(blocks.affectedBy(kRouter, prefix("10.0.0.0/24")).size(), 1U);
    EXPECT_EQ(blocks.affectedBy(kRouter, prefix("10.0.0.8/30")).size(), 1U);
}

TEST(RoutedBlocks, ABlockIsForgottenWithItsLastFlow) {
    RoutedBlocks blocks;
    blocks.add({kRouter, ip("10.0.0.0"), 8});
    blocks.add({kRouter, ip("10.0.0.0"), 8});
    blocks.remove({kRouter, ip("10.0.0.0"), 8});
    EXPECT_EQ(blocks.size(), 1U);
    blocks.remove({kRouter, ip("10.0.0.0"), 8});
    EXPECT_EQ(blocks.size(), 0U);
    blocks.remove({kRouter, ip("10.0.0.0"), 8});
    EXPECT_THAT(blocks.affectedBy(kRouter, prefix("0.0.0.0/0")), IsEmpty());
}

}  // namespace
}  // namespace midonet::agent
