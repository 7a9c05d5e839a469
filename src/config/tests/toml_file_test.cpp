#include "config/toml_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midonet::config {
namespace {

using ::testing::StartsWith;

std::string errorOf(std::string_view text) {
    const auto values = parseToml(text, "f.toml");
    return values ? "" : values.error().message;
}

TEST(TomlFile, LettersOfAllLanguagesInStringsAndComments) {
    const auto values =
        parseToml("\xef\xbb\xbf# Größe\na = \"naïve \\\" é\" # ж\nb = 'Ωmega'\nc = '''é'''\n", "f.toml");
    ASSERT_TRUE(values) << values.error().message;
    ASSERT_EQ(values->size(), 3U);
    EXPECT_EQ((*values)[0].text, "naïve \" é");
    EXPECT_EQ((*values)[1].text, "Ωmega");
    EXPECT_EQ((*values)[2].text, "é");
}

TEST(TomlFile, LettersBeyondAsciiElsewhereAreRefusedWithTheirPlace) {
    EXPECT_THAT(errorOf("a = 1\nnaïve = 2\n"), StartsWith("f.toml:2:3:"));
    EXPECT_THAT(errorOf("a = é\n"), StartsWith("f.toml:1:5:"));
    EXPECT_THAT(errorOf("a = \"b\" é\n"), StartsWith("f.toml:1:9:"));
    EXPECT_THAT(errorOf("a = \"\"\"b\"\"\"\" é\n"), StartsWith("f.toml:1:"));
    EXPECT_THAT(errorOf("x = 3\"\\u'*=\" u'1\xef\xb2\xbf\n"), StartsWith("f.toml:1:"));
    EXPECT_THAT(errorOf("a = \"\" \ngr\xc3"), StartsWith("f.toml:2:2:"));
}

TEST(TomlFile, BracketsWithoutAKeyAreRefused) {
    EXPECT_THAT(errorOf("[[[\n"), StartsWith("f.toml:1:"));
    EXPECT_THAT(errorOf("[!]\n"), StartsWith("f.toml:1:"));
}

TEST(ReadFile, AFolderIsAMistakeAsAnyOther) {
    const auto text = readFile("/tmp");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().message, "/tmp: cannot be read: Is a directory");
    EXPECT_EQ(readFile("/nonexistent/file").error().code, ErrorCode::NotFound);
    EXPECT_EQ(readFile("/dev/null").value_or("?"), "");
}

}  // namespace
}  // namespace midonet::config
