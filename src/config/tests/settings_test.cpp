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

class LayersTest : public SettingsTest {
protected:
    LayersTest() { workers.live(); }
    /// Of a program that starts with the file, then learns of the layers.
    Changes start(std::vector<Layer> layers) {
        EXPECT_EQ(mistakeOf(fromFile()), "");
        return settings.applyLayers(std::move(layers));
    }
    std::string sourceOf(std::string_view key) {
        for (const auto& info : settings.list())
            if (info.key == key) return info.source;
        return "<none>";
    }
};

TEST_F(LayersTest, StrongerLayersWinAndLocalSourcesWinOverAll) {
    write("api.max_body = \"1MiB\"\n");
    const auto changes = start({{"weak", {{"agent.workers", "3"}, {"api.timeout", "10s"}, {"api.max_body", "4KiB"}}},
                                {"strong", {{"agent.workers", "4"}, {"agent.datapath", "ovs"}}}});
    EXPECT_THAT(changes.applied, ElementsAre("agent.workers", "api.timeout", "agent.datapath"));
    EXPECT_THAT(changes.refused, ElementsAre());
    EXPECT_THAT(changes.needsRestart, ElementsAre());
    EXPECT_EQ(*workers, 4);
    EXPECT_EQ(*timeout, 10s);
    EXPECT_EQ(*body, kMiB);
    EXPECT_EQ(sourceOf("agent.workers"), "strong");
    EXPECT_EQ(sourceOf("api.timeout"), "weak");
    EXPECT_EQ(sourceOf("api.max_body"), file + ":1");
}

TEST_F(LayersTest, OnlyLiveSettingsChangeLater) {
    start({{"layer", {{"agent.datapath", "ovs"}}}});
    const auto changes = settings.reloadLayers({{"layer", {{"agent.workers", "7"}, {"agent.datapath", "fake"}}}});
    EXPECT_THAT(changes.applied, ElementsAre("agent.workers"));
    EXPECT_THAT(changes.needsRestart, ElementsAre("agent.datapath"));
    EXPECT_EQ(*datapath, "ovs");
    EXPECT_THAT(settings.reloadLayers({{"layer", {{"agent.datapath", "ovs"}}}}).needsRestart, ElementsAre());
    EXPECT_EQ(*workers, 2) << "what is in no layer any more falls back";
}

TEST_F(LayersTest, AValueThatIsNotRightIsRefusedByItself) {
    password.local();
    const auto changes = start({{"weak", {{"agent.workers", "3"}, {"agent.wrkers", "3"}, {"other.setting", "3"}}},
                                {"strong", {{"agent.workers", "1000"}, {"api.password", "x"}, {"api.timeout", "10s"}}}});
    EXPECT_THAT(changes.refused,
                ElementsAre("weak: unknown setting 'agent.wrkers'; did you mean 'agent.workers'?",
                            "strong: agent.workers: 1000 is out of range: 1 to 64 is allowed (expected: integer 1..64)",
                            "strong: api.password: belongs into the settings of each machine"));
    EXPECT_EQ(*workers, 3) << "the value below it";
    EXPECT_EQ(*timeout, 10s);
    EXPECT_EQ(*password, "hidden");
}

TEST_F(LayersTest, AValueThatBreaksACheckIsRefusedByItself) {
    settings.check([this]() -> Result<void> {
        if (*listen == "127.0.0.1:8181" || *insecure) return {};
        return fail(ErrorCode::Invalid, "set api.insecure = true");
    });
    const auto changes = start({{"layer", {{"agent.workers", "3"}, {"api.listen", "0.0.0.0:80"}}}});
    EXPECT_THAT(changes.refused, ElementsAre("layer: api.listen: set api.insecure = true"));
    EXPECT_EQ(*listen, "127.0.0.1:8181");
    EXPECT_EQ(*workers, 3);

    EXPECT_THAT(settings.applyLayers({{"a", {{"api.listen", "0.0.0.0:80"}}}, {"b", {{"agent.workers", "99"}, {"api.insecure", "true"}}}}).refused,
                ElementsAre(HasSubstr("b: agent.workers: 99 is out of range")));
    EXPECT_EQ(*listen, "0.0.0.0:80") << "right together with the other one";
    EXPECT_EQ(sourceOf("api.listen"), "a");

    EXPECT_THAT(settings.reloadLayers({{"layer", {{"agent.workers", "5"}, {"api.insecure", "true"}}}, {"a", {{"api.listen", "0.0.0.0:80"}}}}).refused, ElementsAre());
    const auto later = settings.reloadLayers({{"layer", {{"api.listen", "0.0.0.0:80"}}}});
    EXPECT_THAT(later.refused, ElementsAre("layer: api.listen: set api.insecure = true")) << "at once, not at the next start";
    EXPECT_THAT(later.needsRestart, ElementsAre("api.insecure"));

    // "worse" is wrong whatever else there is; the value of the layer below it counts.
    settings.check([this]() -> Result<void> {
        return *listen == "worse" ? Result<void>{fail(ErrorCode::Invalid, "worse is never right")} : Result<void>{};
    });
    EXPECT_THAT(settings.applyLayers({{"a", {{"api.listen", "good"}, {"api.insecure", "true"}}}, {"b", {{"api.listen", "worse"}}}}).refused,
                ElementsAre("b: api.listen: worse is never right"));
    EXPECT_EQ(*listen, "good");
}

TEST_F(LayersTest, ReloadAndLayersCompose) {
    write("agent.workers = 5\n");
    start({{"layer", {{"api.timeout", "10s"}}}});
    write("agent.workers = 6\n");
    settings.reloadLayers({{"layer", {{"api.timeout", "20s"}}}});
    EXPECT_EQ(*workers, 5) << "the file is read again when that is asked for";
    ASSERT_TRUE(settings.reload(fromFile()));
    EXPECT_EQ(*workers, 6);
    EXPECT_EQ(*timeout, 20s) << "the layers of now stay";

    write("agent.workers = many\n");
    EXPECT_FALSE(settings.reload(fromFile()));
    settings.reloadLayers({{"layer", {{"api.timeout", "30s"}}}});
    EXPECT_EQ(*workers, 6);
    EXPECT_EQ(*timeout, 30s);
    write("");
    ASSERT_TRUE(settings.reload(fromFile()));
    EXPECT_EQ(*workers, 2);
    EXPECT_EQ(*timeout, 30s);
}

TEST_F(SettingsTest, ValuesOfATextAreValidated) {
    const auto problem = [this](const std::string& text) {
        const auto value = parseToml(text, "text");
        const auto valid = settings.validate(value->front());
        return valid ? "" : valid.error().message;
    };
    EXPECT_EQ(problem("agent.workers = 3"), "");
    EXPECT_EQ(problem("agent.workers = '3'"), "agent.workers: wrong type; write for instance: workers = 2");
    EXPECT_THAT(problem("agent.workers = 0"), HasSubstr("agent.workers: 0 is out of range"));
    EXPECT_THAT(problem("agent.wrkers = 3"), HasSubstr("did you mean 'agent.workers'?"));
}

TEST_F(SettingsTest, HelpNamesEverySetting) {
    const auto text = settings.helpText();
    for (const auto& info : settings.list()) EXPECT_THAT(text, HasSubstr("  " + info.key + "  ("));
    EXPECT_THAT(text, HasSubstr("api.timeout  (duration 1s..1h; default: 30s; changes while it runs)"));
}

}  // namespace
}  // namespace midonet::config
