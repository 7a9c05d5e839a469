#include "conf/catalogue.h"

#include "cloud.h"

namespace midonet::conf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class CatalogueTest : public Cloud {
protected:
    Values valuesOf(std::string_view text) {
        const auto accepted = catalogue_.accept(text, "text");
        EXPECT_TRUE(accepted) << accepted.error().message;
        return accepted ? accepted->values : Values{};
    }
    std::string mistakesOf(std::string_view text) {
        const auto accepted = catalogue_.accept(text, "text");
        return accepted ? "" : accepted.error().message;
    }
};

TEST_F(CatalogueTest, ReadsTomlAndJson) {
    const auto expected = ElementsAre(Pair("agent.fast", "true"), Pair("agent.workers", "3"), Pair("log.level", "warn"));
    EXPECT_THAT(valuesOf("log.level = \"warn\"\n[agent]\nworkers = 3\nfast = true\n"), expected);
    EXPECT_THAT(valuesOf(R"( {"log": {"level": "warn"}, "agent": {"workers": 3}, "agent.fast": true})"), expected);
    EXPECT_THAT(valuesOf(""), IsEmpty());
    EXPECT_THAT(mistakesOf("log.level = debug\n"), AllOf(HasSubstr("text:1:"), HasSubstr("stand in quotes")));
    EXPECT_THAT(mistakesOf("{\"log\": "), HasSubstr("text: not JSON"));
}

TEST_F(CatalogueTest, NamesEveryMistake) {
    EXPECT_EQ(mistakesOf("log.level = \"loud\"\nagent.workers = \"3\"\nnsdb.path = \"/tmp\"\nnew.list = [1]\n"),
              "agent.workers: wrong type; write for instance: workers = 1\n"
              "log.level: 'loud' is not one of: debug, info, warn (expected: debug | info | warn)\n"
              "new.list: a text in quotes, a whole number, true or false is wanted\n"
              "nsdb.path: belongs into the settings of each machine, not into the NSDB");
    EXPECT_THAT(mistakesOf("agent.workers = 17\n"), HasSubstr("17 is out of range: 1 to 16"));
}

TEST_F(CatalogueTest, UnknownKeysAreTakenAndNamed) {
    const auto accepted = catalogue_.accept("new.thing = 7\nagent.workers = 2\n", "text");
    ASSERT_TRUE(accepted);
    EXPECT_THAT(accepted->values, ElementsAre(Pair("agent.workers", "2"), Pair("new.thing", "7")));
    EXPECT_THAT(accepted->unknown, ElementsAre("new.thing"));
}

TEST_F(CatalogueTest, LocalSettingsCanBeLeftOut) {
    const auto accepted = catalogue_.accept("nsdb.path = \"/tmp\"\nagent.workers = 2\n", "text", Catalogue::Local::LeaveOut);
    ASSERT_TRUE(accepted);
    EXPECT_THAT(accepted->values, ElementsAre(Pair("agent.workers", "2")));
    EXPECT_THAT(accepted->local, ElementsAre("nsdb.path"));
}

TEST_F(CatalogueTest, SecretsAreShownAsFingerprintsAndNotTakenBack) {
    // printf secret | sha256sum
    const auto shown = toToml(catalogue_.entries({{"agent.password", "secret"}, {"new.api_token", "secret"}}, "NSDB"));
    EXPECT_EQ(shown, "agent.password = \"sha256:2bb80d537b1d\"\nnew.api_token = \"sha256:2bb80d537b1d\"\n");
    EXPECT_THAT(mistakesOf(shown), AllOf(HasSubstr("agent.password: this is what is shown"), HasSubstr("new.api_token: this is")));
    EXPECT_EQ(toToml(catalogue_.entries({{"agent.password", ""}}, "NSDB")), "agent.password = \"\"\n") << "none is set";
    EXPECT_THAT(mistakesOf("agent.password = 7\n"), Not(HasSubstr("7")));
}

TEST_F(CatalogueTest, TheStrongestGoodValueCounts) {
    const std::vector<config::Layer> layers{{"weak", {{"log.level", "warn"}, {"agent.workers", "3"}, {"new.thing", "1"}}},
                                            {"strong", {{"agent.workers", "1000"}, {"new.thing", "2"}, {"nsdb.path", "/tmp"}}}};
    EXPECT_EQ(toToml(catalogue_.effective(layers), Comments::With),
              "# What is logged.\n# debug | info | warn; from: weak\nlog.level = \"warn\"\n"
              "# Threads.\n# integer 1..16; from: weak\nagent.workers = 3\n"
              "# Be fast.\n# true | false; from: default\nagent.fast = false\n"
              "# Of the agent.\n# text; from: default\nagent.password = \"\"\n"
              "# not known to this version; from: strong\nnew.thing = \"2\"\n");
}

TEST_F(CatalogueTest, WhatAnotherVersionTookIsShownAsText) {
    const auto entries = catalogue_.entries({{"agent.workers", "many"}, {"agent.fast", "1"}}, "NSDB");
    EXPECT_EQ(toToml(entries), "agent.fast = \"1\"\nagent.workers = \"many\"\n");
    EXPECT_EQ(toJson(entries), "{\"agent\":{\"fast\":\"1\",\"workers\":\"many\"}}\n");
}

TEST_F(CatalogueTest, JsonIsNestedAndReadAgain) {
    const Values values{{"agent.workers", "3"}, {"log.level", "a \"b\"\n"}, {"new.a", "1"}, {"new.a.b", "2"}};
    const auto text = toJson(catalogue_.entries(values, "NSDB"));
    EXPECT_EQ(text, "{\"agent\":{\"workers\":3},\"log\":{\"level\":\"a \\\"b\\\"\\n\"},\"new\":{\"a\":\"1\"},\"new.a.b\":\"2\"}\n");
    const auto again = parseText(text, "text");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->size(), values.size());
    EXPECT_THAT(toJson(catalogue_.defaults(), Comments::With),
                HasSubstr(R"("workers":1,"workers_description":"Threads.","workers_type":"integer 1..16")"));
}

}  // namespace
}  // namespace midonet::conf
