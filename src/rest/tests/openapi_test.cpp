#include "rest/openapi.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "rest/yaml.h"

namespace midonet::rest {
namespace {

namespace json = boost::json;

TEST(Openapi, ThePageIsWhatTheProgramPrints) {
    std::stringstream page;
    page << std::ifstream(MIDONET_DOCS "/openapi.yaml").rdbuf();
    EXPECT_TRUE(page.str() == openapi()) << "make it again: midonet-api --print-openapi > docs/openapi.yaml";
}

TEST(Yaml, KeepsTheOrderAndQuotesWhatCouldMeanSomethingElse) {
    const json::value value = json::parse(R"({"b":{"a":[1,{"x":true,"y":[[]]}]},"200":"no","e":{},"t":"a: b","/u/{id}":"plain/{id}","n":null,"":["{}"]})");
    EXPECT_EQ(toYaml(value),
              "b: {a: [1, {x: true, \"y\": [[]]}]}\n"
              "\"200\": \"no\"\n"
              "e: {}\n"
              "t: \"a: b\"\n"
              "/u/{id}: plain/{id}\n"
              "n: null\n"
              "\"\": [\"{}\"]\n");
    EXPECT_EQ(toYaml(json::value(7)), "7\n");
}

TEST(Yaml, WhatIsLongGoesOnBelow) {
    const std::string text(100, 'x');
    const json::value value{{"a", {{"b", text}, {"c", json::array{text, 1, {{"d", text}, {"e", text}}, json::array{text, text}}}}}};
    EXPECT_EQ(toYaml(value), "a:\n  b: " + text + "\n  c:\n    - " + text + "\n    - 1\n    - d: " + text + "\n      e: " + text + "\n    - - " + text +
                                 "\n      - " + text + "\n");
}

}  // namespace
}  // namespace midonet::rest
