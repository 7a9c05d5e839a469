#include "cli/aliases.h"

#include <gmock/gmock.h>

namespace midonet::cli {
namespace {

using ::testing::ElementsAre;

TEST(AliasesTest, CountPerWordAndNameSpace) {
    Aliases aliases;
    EXPECT_EQ(aliases.aliasOf("", "bridge", "A"), "bridge0");
    EXPECT_EQ(aliases.aliasOf("", "bridge", "B"), "bridge1");
    EXPECT_EQ(aliases.aliasOf("", "router", "R"), "router0");
    EXPECT_EQ(aliases.aliasOf("", "bridge", "A"), "bridge0") << "for good";
    EXPECT_EQ(aliases.aliasOf("A", "port", "P"), "port0");
    EXPECT_EQ(aliases.aliasOf("R", "port", "Q"), "port0");
    EXPECT_THAT(aliases.of("", "bridge"), ElementsAre("bridge0", "bridge1"));
    EXPECT_THAT(aliases.of("B", "port"), ElementsAre());
}

TEST(AliasesTest, ResolveFromTheRoot) {
    Aliases aliases;
    aliases.aliasOf("", "router", "R");
    aliases.aliasOf("R", "port", "Q");
    EXPECT_EQ(aliases.resolve("router0"), "R");
    EXPECT_EQ(aliases.resolve("router0:port0"), "Q");
    for (const auto* wrong : {"", "router1", "router0:port1", "port0"})
        EXPECT_EQ(aliases.resolve(wrong), std::nullopt) << wrong;
    EXPECT_EQ(aliases.idOf("R", "port0"), "Q");
    EXPECT_EQ(aliases.idOf("", "port0"), std::nullopt);
}

}  // namespace
}  // namespace midonet::cli
