// The configuration in the NSDB, /conf.
#include "api_fixture.h"
#include "conf/repository.h"

namespace midonet::rest::testing {
namespace {

class ConfApi : public ApiTest {
protected:
    void SetUp() override {
        config::Settings settings;
        settings.choice("log.level", {"debug", "info"}, "info", "What is logged.").live();
        settings.integer("agent.workers", 1, {1, 16}, "Threads.");
        settings.string("nsdb.path", "/var", "Folder.").local();
        ApiOptions options;
        options.catalogue = conf::Catalogue{settings};
        startServer(options);
    }
    /// As JSON, which is in plain text.
    std::string shown(std::string_view path) {
        const auto response = get(path, "text/plain");
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(response.headers.find("Content-Type"), "text/plain");
        return json::serialize(parsed(response));
    }
    int send(std::string_view path, std::string_view body) { return post(path, body, "text/plain").status; }

    const std::string host_ = Uuid::random().toString();
    const std::string node_ = "/conf/nodes/" + host_;
    const std::string mapping_ = "/conf/template-mappings/" + host_;
};

TEST_F(ConfApi, ValuesOfAHost) {
    EXPECT_EQ(shown(node_), "{}");
    EXPECT_EQ(send(node_, "log.level = \"debug\""), 200);
    const auto merged = post(node_, R"({"agent": {"workers": 3}})");
    EXPECT_EQ(merged.status, 200);
    EXPECT_EQ(shown(node_), R"({"agent":{"workers":3},"log":{"level":"debug"}})");
    EXPECT_EQ(parsed(merged), parsed(get(node_)));
    EXPECT_EQ(shown("/conf/runtime/" + host_), R"({"log":{"level":"debug"},"agent":{"workers":3}})");
    EXPECT_EQ(del(node_).status, 200);
    EXPECT_EQ(shown(node_), "{}");
    EXPECT_EQ(get("/conf/nodes/nobody").status, 404);
}

TEST_F(ConfApi, WhatCannotBeIsRefusedWhole) {
    const auto refused = post(node_, R"({"agent": {"workers": 3}, "log": {"level": "loud"}, "nsdb": {"path": "/tmp"}})");
    EXPECT_EQ(refused.status, 400);
    const auto message = text(parsed(refused), "message");
    EXPECT_NE(message.find("'loud' is not one of"), std::string::npos) << message;
    EXPECT_NE(message.find("nsdb.path: belongs into"), std::string::npos) << message;
    EXPECT_EQ(shown(node_), "{}");
    EXPECT_EQ(send(node_, "log.level = "), 400);
    EXPECT_EQ(send("/conf/templates/a%20b", "agent.workers = 3"), 400);
}

TEST_F(ConfApi, Templates) {
    EXPECT_EQ(shown("/conf/templates"), R"({"templates":["default"]})");
    EXPECT_EQ(shown("/conf/templates/default"), "{}");
    EXPECT_EQ(get("/conf/templates/large").status, 404);
    EXPECT_EQ(send(mapping_, "{\"" + host_ + "\": \"large\"}"), 404);
    EXPECT_EQ(send("/conf/templates/large", "agent.workers = 3"), 200);
    EXPECT_EQ(shown("/conf/templates"), R"({"templates":["default","large"]})");
    EXPECT_EQ(shown("/conf/templates/large"), R"({"agent":{"workers":3}})");

    EXPECT_EQ(send(mapping_, "{\"other\": \"large\"}"), 400);
    const auto mapped = post(mapping_, "{\"" + host_ + "\": \"large\"}");
    EXPECT_EQ(mapped.status, 200);
    EXPECT_EQ(shown("/conf/template-mappings"), mapped.body);
    EXPECT_EQ(shown("/conf/runtime/" + host_), R"({"log":{"level":"info"},"agent":{"workers":3}})");
    const auto inUse = del("/conf/templates/large");
    EXPECT_EQ(inUse.status, 409);
    EXPECT_NE(inUse.body.find(host_), std::string::npos);
    EXPECT_EQ(del(mapping_).status, 200);
    EXPECT_EQ(shown("/conf/template-mappings"), "{}");
    EXPECT_EQ(del("/conf/templates/large").status, 200);
    EXPECT_EQ(del("/conf/templates/large").status, 404);
}

TEST_F(ConfApi, SchemasSayWhatMayBeSet) {
    EXPECT_EQ(shown("/conf/schemas"),
              R"({"log":{"level":"info","level_description":"What is logged.","level_type":"debug | info"},)"
              R"("agent":{"workers":1,"workers_description":"Threads.","workers_type":"integer 1..16"},)"
              R"("nsdb":{"path":"/var","path_description":"Folder.","path_type":"text"}})");
    EXPECT_EQ(status("POST", "/conf/schemas"), 405);
}

TEST_F(ConfApi, AHostThatIsDeletedTakesItsConfigurationAlong) {
    const auto id = addHost();
    EXPECT_EQ(send("/conf/templates/large", "agent.workers = 3"), 200);
    EXPECT_EQ(send("/conf/nodes/" + id, "agent.workers = 4"), 200);
    EXPECT_EQ(send("/conf/template-mappings/" + id, "{\"" + id + "\": \"large\"}"), 200);
    EXPECT_EQ(del("/hosts/" + id).status, 200);
    EXPECT_EQ(shown("/conf/nodes/" + id), "{}");
    EXPECT_EQ(shown("/conf/template-mappings"), "{}");
}

}  // namespace
}  // namespace midonet::rest::testing
