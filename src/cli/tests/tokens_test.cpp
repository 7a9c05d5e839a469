#include "cli/tokens.h"

#include <gmock/gmock.h>

#include "cli/hints.h"

namespace midonet::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(TokensTest, RulesOfTheShell) {
    EXPECT_THAT(tokenise(""), Optional(ElementsAre()));
    EXPECT_THAT(tokenise("  list \t bridge "), Optional(ElementsAre("list", "bridge")));
    EXPECT_THAT(tokenise(R"(name "a b" 'c "d"' e\ f "" x"y"'z')"), Optional(ElementsAre("name", "a b", "c \"d\"", "e f", "", "xyz")));
    EXPECT_THAT(tokenise(R"("a\"b\\c\d")"), Optional(ElementsAre(R"(a"b\c\d)")));
    EXPECT_THAT(tokenise("a #b"), Optional(ElementsAre("a", "#b"))) << "no comments";
    for (const auto* open : {"\"a", "'a", "a\\", "\"a\\\""}) EXPECT_FALSE(tokenise(open)) << open;
}

TEST(TokensTest, ALineThatIsBeingTyped) {
    EXPECT_THAT(tokeniseTyped("list br").words, ElementsAre("list"));
    EXPECT_EQ(tokeniseTyped("list br").prefix, "br");
    EXPECT_EQ(tokeniseTyped("list ").prefix, "");
    EXPECT_EQ(tokeniseTyped("set name \"a b").prefix, "a b");
}

TEST(HintsTest, NearestWord) {
    EXPECT_EQ(nearest("brdge", {"bridge", "router"}), "bridge");
    EXPECT_EQ(nearest("ls", {"list", "show"}), "");
    EXPECT_EQ(nearest("x", {"y", "<name>"}), "");
    EXPECT_EQ(hint("brdge", {"bridge"}), "did you mean 'bridge'?");
    EXPECT_EQ(hint("", {"up", "down"}), "here may stand: down up");
    EXPECT_EQ(hint("", {}), "");
}

}  // namespace
}  // namespace midonet::cli
