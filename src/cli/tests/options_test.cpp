#include "cli/options.h"

#include <gmock/gmock.h>

namespace midonet::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OptionsTest, StandAnywhere) {
    const auto options = parseOptions({"-A", "list", "--midonet-url=http://x", "bridge", "-e", "--tenant", "t"});
    ASSERT_TRUE(options);
    EXPECT_FALSE(options->authentication);
    EXPECT_TRUE(options->oneCommand);
    EXPECT_EQ(options->server.url, "http://x");
    EXPECT_EQ(options->server.tenant, "t");
    EXPECT_THAT(options->words, ElementsAre("list", "bridge"));
}

TEST(OptionsTest, ShortForms) {
    const auto options = parseOptions({"-Aeuadmin", "-i", "p", "--", "-x", "--json"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->server.user, "admin");
    EXPECT_EQ(options->server.project, "p");
    EXPECT_THAT(options->words, ElementsAre("-x", "--json"));
    EXPECT_EQ(parseOptions({"--midonet", "u"})->server.url, "u") << "an abbreviation";
    EXPECT_EQ(parseOptions({"--watch", "3"})->watchSeconds, 3U);
    EXPECT_EQ(parseOptions({"--watch=3", "x"})->watchSeconds, 3U);
    EXPECT_TRUE(parseOptions({"-e", "list", "bridge", "--watch"})->watch);
    const auto withWords = parseOptions({"-e", "--watch", "list", "bridge"});
    EXPECT_TRUE(withWords->watch);
    EXPECT_EQ(withWords->watchSeconds, std::nullopt);
    EXPECT_THAT(withWords->words, ElementsAre("list", "bridge"));
}

TEST(OptionsTest, Mistakes) {
    const auto error = [](const std::vector<std::string>& arguments) { return parseOptions(arguments).error().message; };
    EXPECT_EQ(error({"--bogus"}), "no such option: --bogus");
    EXPECT_EQ(error({"-x"}), "no such option: -x");
    EXPECT_EQ(error({"--p"}), "ambiguous option: --p (--project-id, --password?)");
    EXPECT_EQ(error({"--user"}), "--user option requires 1 argument");
    EXPECT_EQ(error({"--json=1"}), "--json option does not take a value");
    EXPECT_THAT(error({"--watch", "0"}), HasSubstr("invalid number of seconds"));
    EXPECT_THAT(error({"--watch=list"}), HasSubstr("invalid number of seconds"));
}

TEST(OptionsTest, SourcesOfSettings) {
    const auto file = fromIni("# comment\n[zookeeper]\nusername = zk\n[cli]\nAPI_URL = http://file \nusername: fromfile\npassword =\ntenant=t\n");
    EXPECT_EQ(file.url, "http://file");
    EXPECT_EQ(file.password, "");
    const auto settings = file.overlaidWith(fromEnvironment({{"MIDO_USER", "fromenv"}, {"MIDO_TENANT", ""}, {"OTHER", "x"}}));
    EXPECT_EQ(settings.url, "http://file");
    EXPECT_EQ(settings.user, "fromenv");
    EXPECT_EQ(settings.tenant, "") << "an empty value is one";
}

TEST(OptionsTest, WhatIsMissingInOrder) {
    ServerSettings settings;
    EXPECT_EQ(missing(settings, true), "Missing: Midonet API URL");
    settings.url = "http://x";
    EXPECT_EQ(missing(settings, false), std::nullopt);
    EXPECT_EQ(missing(settings, true), "Missing: username");
    settings.user = "u";
    EXPECT_EQ(missing(settings, true), "Missing: Midonet Project ID");
    settings.project = "p";
    EXPECT_EQ(missing(settings, true), "No password given (add it to ~/.midonetrc or get a prompt using the -p option)");
    settings.password = "s";
    EXPECT_EQ(missing(settings, true), std::nullopt);
}

}  // namespace
}  // namespace midonet::cli
