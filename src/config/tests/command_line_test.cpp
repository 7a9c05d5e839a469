#include "config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midonet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class CommandLineTest : public testing::Test {
protected:
    CommandLineTest() { settings.string("api.listen", "127.0.0.1:8181", "Where to listen."); }
    Result<CommandLine> parse(std::vector<std::string> arguments) {
        return parseCommandLine({"midonet-api", "1.2.3", "Serves.", "/etc/midonet/api.toml"}, settings,
                                std::move(arguments), {});
    }
    Settings settings;
};

TEST_F(CommandLineTest, NothingMeansRunWithTheSystemsFile) {
    const auto line = parse({});
    ASSERT_TRUE(line);
    EXPECT_EQ(line->action, Action::Run);
    EXPECT_EQ(line->sources.file, "/etc/midonet/api.toml");
    EXPECT_FALSE(line->sources.fileRequired);
}

TEST_F(CommandLineTest, OptionsAreRead) {
    const auto line = parse({"--set", "a.b=c=d", "--config", "x.toml", "--set=e.f=", "--check-config"});
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(line->action, Action::CheckConfig);
    EXPECT_EQ(line->sources.file, "x.toml");
    EXPECT_TRUE(line->sources.fileRequired);
    EXPECT_THAT(line->sources.set, ElementsAre(Pair("a.b", "c=d"), Pair("e.f", "")));
}

TEST_F(CommandLineTest, HelpListsTheSettingsAndVersionThePackage) {
    const auto help = parse({"--help"});
    ASSERT_TRUE(help);
    EXPECT_EQ(help->action, Action::Print);
    EXPECT_THAT(help->text, HasSubstr("--check-config"));
    EXPECT_THAT(help->text, HasSubstr("api.listen  (text; default: 127.0.0.1:8181)"));
    EXPECT_EQ(parse({"--version"})->text, "midonet-api 1.2.3\n");
}

TEST_F(CommandLineTest, AToolSaysWhoseSettingsItHas) {
    About about{"mm-tool", "1.2.3", "Helps.", "/etc/midonet/api.toml"};
    about.settingsOf = "midonet-api";
    const auto help = parseCommandLine(about, settings, {"--help"}, {});
    ASSERT_TRUE(help);
    EXPECT_THAT(help->text, HasSubstr("midonet-api --help lists them"));
    EXPECT_THAT(help->text, testing::Not(HasSubstr("api.listen")));
}

TEST_F(CommandLineTest, MistakesPointToTheHelp) {
    EXPECT_THAT(parse({"--sett"}).error().message, HasSubstr("midonet-api --help"));
    EXPECT_THAT(parse({"--set", "novalue"}).error().message, HasSubstr("--set section.key=value"));
    EXPECT_FALSE(parse({"--set"}).has_value());
    EXPECT_FALSE(parse({"stray"}).has_value());
}

TEST_F(CommandLineTest, AToolsWordsStandAmongTheOptionsOfAllPrograms) {
    const About tool{.name = "tool", .version = "1", .purpose = "Works.", .defaultFile = "", .takesWords = true};
    const auto line = parseCommandLine(tool, settings, {"load", "--set", "a.b=c", "-", "--yes", "--config", "x.toml", "file"}, {});
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_THAT(line->words, ElementsAre("load", "-", "--yes", "file"));
    EXPECT_THAT(line->sources.set, ElementsAre(Pair("a.b", "c")));
    EXPECT_EQ(line->sources.file, "x.toml");
}

}  // namespace
}  // namespace midonet::config
