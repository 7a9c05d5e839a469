#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "config/units.h"

namespace midonet::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class SettingsTest : public testing::Test {
protected:
    SettingsTest() {
        char path[] = "/tmp/midonet-settings-XXXXXX";
        const int fd = ::mkstemp(path);
        EXPECT_GE(fd, 0);
        ::close(fd);
        file = path;
    }
    ~SettingsTest() override { ::unlink(file.c_str()); }

    void write(std::string_view text) { std::ofstream(file, std::ios::trunc) << text; }
    Sources fromFile() { return {file, true, {}, {}}; }
    std::string mistakeOf(const Sources& sources) {
        const auto result = settings.apply(sources);
        return result ? "" : result.error().message;
    }

    std::string file;
    Settings settings;
    Setting<std::string> listen = settings.string("api.listen", "127.0.0.1:8181", "Address.").live();
    Setting<std::int64_t> workers = settings.integer("agent.workers", 2, {1, 64}, "Packet workers.");
    Setting<bool> insecure = settings.boolean("api.insecure", false, "Dangerous.");
    Setting<std::chrono::nanoseconds> timeout =
        settings.duration("api.timeout", 30s, {1s, 1h}, "Idle connections.").live();
    Setting<std::uint64_t> body = settings.size("api.max_body", 8 * kMiB, {kKiB, kGiB}, "Body.");
    Setting<std::string> datapath =
        settings.choice("agent.datapath", {"ebpf", "ovs", "fake"}, "ebpf", "Datapath.");
    Setting<std::string> password = settings.string("api.password", "hidden", "Secret.").secret();
};

TEST_F(SettingsTest, DefaultsHoldWithoutAnySource) {
    ASSERT_TRUE(settings.apply({}));
    EXPECT_EQ(*listen, "127.0.0.1:8181");
    EXPECT_EQ(*workers, 2);
    EXPECT_FALSE(*insecure);
    EXPECT_EQ(*timeout, 30s);
    EXPECT_EQ(*body, 8 * kMiB);
    EXPECT_EQ(*datapath, "ebpf");
}

TEST_F(SettingsTest, EveryTypeIsReadFromAFile) {
    write("[api]\nlisten = \"[::1]:0\"\ninsecure = true\ntimeout = \"250m\"\n"
          "[agent]\nworkers = 8\ndatapath = \"fake\"\n");
    EXPECT_THAT(mistakeOf(fromFile()), HasSubstr(":4: api.timeout: 250m is out of range: 1s to 1h"));
    EXPECT_EQ(*workers, 2) << "nothing changes on a mistake";

    write("[api]\nlisten = \"[::1]:0\"\ninsecure = true\ntimeout = \"25m\"\nmax_body = 4096\n"
          "[agent]\nworkers = 8\ndatapath = \"fake\"\n");
    ASSERT_EQ(mistakeOf(fromFile()), "");
    EXPECT_EQ(*listen, "[::1]:0");
    EXPECT_TRUE(*insecure);
    EXPECT_EQ(*timeout, 25min);
    EXPECT_EQ(*body, 4096U);
    EXPECT_EQ(*workers, 8);
    EXPECT_EQ(*datapath, "fake");
}

TEST_F(SettingsTest, StrongerSourcesWin) {
    write("agent.workers = 3\napi.listen = \"file:1\"\napi.insecure = true\n");
    auto sources = fromFile();
    sources.environment = {{"MIDO_AGENT_WORKERS", "4"}, {"MIDO_API_LISTEN", "env:1"}};
    sources.set = {{"agent.workers", "5"}, {"agent.workers", "6"}};
    ASSERT_EQ(mistakeOf(sources), "");
    EXPECT_EQ(*workers, 6);
    EXPECT_EQ(*listen, "env:1");
    EXPECT_TRUE(*insecure);
    EXPECT_EQ(settings.effectiveText(),
              "api.listen = \"env:1\"     # MIDO_API_LISTEN\n"
              "agent.workers = 6        # --set\n"
              "api.insecure = true      # " + file + ":3\n"
              "api.timeout = \"30s\"      # default\n"
              "api.max_body = \"8MiB\"    # default\n"
              "agent.datapath = \"ebpf\"  # default\n"
              "# api.password = ***     # default\n");
}

TEST_F(SettingsTest, EffectiveTextIsAFileThatGivesTheSameSettings) {
    ASSERT_EQ(mistakeOf({{}, false, {}, {{"api.listen", "with \"quotes\" and \\"}, {"api.timeout", "90s"}}}), "");
    write(settings.effectiveText());
    ASSERT_EQ(mistakeOf(fromFile()), "");
    EXPECT_EQ(*listen, "with \"quotes\" and \\");
    EXPECT_EQ(*timeout, 90s);
    EXPECT_EQ(*password, "hidden");
}

TEST_F(SettingsTest, UnknownKeysNameTheClosestOne) {
    write("[agent]\ndatapth = \"ebpf\"\n");
    EXPECT_EQ(mistakeOf(fromFile()),
              file + ":2: unknown setting 'agent.datapth'; did you mean 'agent.datapath'?");
    EXPECT_EQ(mistakeOf({{}, false, {}, {{"api.workers", "1"}}}),
              "--set: unknown setting 'api.workers'; did you mean 'agent.workers'?");
    EXPECT_EQ(mistakeOf({{}, false, {}, {{"completely.different", "1"}}}),
              "--set: unknown setting 'completely.different'; --help lists all settings");
    EXPECT_EQ(mistakeOf({{}, false, {{"MIDO_API_LISTNE", "x"}}, {}}),
              "unknown environment variable MIDO_API_LISTNE; did you mean MIDO_API_LISTEN?");
}

TEST_F(SettingsTest, EnvironmentOfOtherProgramsIsIgnored) {
    EXPECT_EQ(mistakeOf({{}, false, {{"MIDO_ZOOKEEPER_HOSTS", "x"}, {"HOME", "/"}}, {}}), "");
}

TEST_F(SettingsTest, AllMistakesAreReportedAtOnce) {
    write("[agent]\nworkers = \"two\"\ndatapath = \"magic\"\n[api]\ninsecure = 1\n");
    const auto text = mistakeOf(fromFile());
    EXPECT_THAT(text, HasSubstr(":2: agent.workers: wrong type; write for instance: workers = 2"));
    EXPECT_THAT(text, HasSubstr(":3: agent.datapath: 'magic' is not one of: ebpf, ovs, fake"));
    EXPECT_THAT(text, HasSubstr(":5: api.insecure: wrong type; write for instance: insecure = false"));
}

TEST_F(SettingsTest, BadTextsOfEachTypeAreRefused) {
    const std::vector<std::pair<std::string, std::string>> bad{
        {"agent.workers", "0"},  {"agent.workers", "65"},   {"agent.workers", "3x"}, {"agent.workers", ""},
        {"api.insecure", "yes"}, {"api.timeout", "30"},     {"api.max_body", "1B"},  {"api.max_body", "1TB"},
        {"agent.datapath", ""},
    };
    for (const auto& assignment : bad)
        EXPECT_NE(mistakeOf({{}, false, {}, {assignment}}), "") << assignment.first << "=" << assignment.second;
}

TEST_F(SettingsTest, SyntaxErrorsNameThePlace) {
    write("[api]\nlisten = \n");
    EXPECT_THAT(mistakeOf(fromFile()), HasSubstr(file + ":2:"));
}

TEST_F(SettingsTest, AMissingFileMattersOnlyWhenItWasAskedFor) {
    EXPECT_EQ(mistakeOf({"/nonexistent/x.toml", false, {}, {}}), "");
    EXPECT_THAT(mistakeOf({"/nonexistent/x.toml", true, {}, {}}),
                HasSubstr("/nonexistent/x.toml: cannot be read: No such file or directory"));
}

TEST_F(SettingsTest, ChecksSeeTheNewValuesAndCanRefuseThem) {
    settings.check([this]() -> Result<void> {
        if (*listen != "0.0.0.0:80" || *insecure) return {};
        return fail(ErrorCode::Invalid, "api.listen: set api.insecure = true");
    });
    EXPECT_EQ(mistakeOf({{}, false, {}, {{"api.listen", "0.0.0.0:80"}}}),
              "api.listen: set api.insecure = true");
    EXPECT_EQ(*listen, "127.0.0.1:8181");
    EXPECT_EQ(mistakeOf({{}, false, {}, {{"api.listen", "0.0.0.0:80"}, {"api.insecure", "true"}}}), "");
}

TEST_F(SettingsTest, ReloadChangesLiveSettingsOnly) {
    write("api.timeout = \"10s\"\nagent.workers = 4\n");
    ASSERT_EQ(mistakeOf(fromFile()), "");
    write("api.timeout = \"20s\"\nagent.workers = 5\n");
    const auto changes = settings.reload(fromFile());
    ASSERT_TRUE(changes);
    EXPECT_THAT(changes->applied, ElementsAre("api.timeout"));
    EXPECT_THAT(changes->needsRestart, ElementsAre("agent.workers"));
    EXPECT_EQ(*timeout, 20s);
    EXPECT_EQ(*workers, 4);

    write("api.timeout = \"never\"\n");
    EXPECT_FALSE(settings.reload(fromFile()));
    EXPECT_EQ(*timeout, 20s);
}

TEST_F(SettingsTest, HelpNamesEverySetting) {
    const auto text = settings.helpText();
    for (const auto& info : settings.list()) EXPECT_THAT(text, HasSubstr("  " + info.key + "  ("));
    EXPECT_THAT(text, HasSubstr("api.timeout  (duration 1s..1h; default: 30s; read again on SIGHUP)"));
}

}  // namespace
}  // namespace midonet::config
