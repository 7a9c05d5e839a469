// What is as a client knows it is not sent again, and not overwritten unless it is.
#include "api_fixture.h"
#include "rest/entity_tag.h"

namespace midonet::rest::testing {
namespace {

class EntityTags : public ApiTest {
protected:
    Response with(const char* header, const std::string& value, std::string_view method, std::string_view path, std::string_view body = {}) {
        Headers headers;
        headers.add(header, value);
        return ask(method, path, body, headers);
    }
    std::string tagOf(std::string_view path) { return std::string{get(path).headers.find("ETag").value_or("")}; }
};

TEST_F(EntityTags, WhatTheClientHasIsNotSentAgain) {
    const auto bridge = createBridge();
    for (const auto& path : {"/bridges/" + bridge, std::string{"/bridges"}, "/bridges/" + bridge + "/mac_table", std::string{"/system_state"}, std::string{"/"}}) {
        const auto tag = tagOf(path);
        ASSERT_EQ(tag.size(), 18U) << path;
        const auto same = with("If-None-Match", tag, "GET", path);
        EXPECT_EQ(same.status, 304) << path;
        EXPECT_EQ(same.body, "");
        EXPECT_EQ(same.headers.find("ETag"), tag);
        EXPECT_FALSE(same.headers.find("Content-Length"));
        EXPECT_EQ(with("If-None-Match", "\"other\", W/" + tag, "GET", path).status, 304);
        EXPECT_EQ(with("If-None-Match", "*", "HEAD", path).status, 304);
        EXPECT_EQ(with("If-None-Match", "\"other\"", "GET", path).status, 200);
        EXPECT_EQ(with("If-None-Match", tag.substr(1, 16), "GET", path).status, 200) << "the quotes are part of it";
    }
}

TEST_F(EntityTags, ChangeWithWhatIsShown) {
    const auto bridge = createBridge();
    const auto path = "/bridges/" + bridge;
    const auto before = tagOf(path);
    EXPECT_EQ(tagOf(path), before);
    put(path, R"({"name":"new"})");
    EXPECT_NE(tagOf(path), before);
    const auto host = addHost();
    const auto dead = tagOf("/hosts/" + host);
    setAlive(host);
    EXPECT_NE(tagOf("/hosts/" + host), dead) << "also what agents report";
}

TEST_F(EntityTags, OfALongListIsThatOfTheMomentItBegan) {
    ASSERT_TRUE(store_->transact([](nsdb::Transaction& t) -> Result<void> {
        for (int i = 0; i < 600; ++i) {
            model::Chain chain;
            model::setId(chain, Uuid::random());
            TRY_VOID(t.create(chain));
        }
        return {};
    }));
    const auto all = get("/chains");
    EXPECT_EQ(all.headers.find("Transfer-Encoding"), "chunked");
    const auto tag = tagOf("/chains");
    EXPECT_TRUE(tag.starts_with("W/\"")) << tag;
    EXPECT_EQ(all.headers.find("ETag"), tag);
    const auto same = with("If-None-Match", tag, "GET", "/chains");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(same.headers.find("ETag"), tag);
    EXPECT_EQ(with("If-None-Match", tag, "GET", "/chains?tenant_id=t").status, 200) << "another list, and a short one";
    Headers headers;
    headers.add("If-None-Match", tag);
    headers.add("Accept", vndList("Chain-v1"));
    EXPECT_EQ(ask("GET", "/chains", {}, headers).status, 200) << "as another type";
    createBridge();
    EXPECT_EQ(with("If-None-Match", tag, "GET", "/chains").status, 200) << "any change is one";
    EXPECT_NE(tagOf("/chains"), tag);
}

TEST_F(EntityTags, RefusalsHaveNone) {
    EXPECT_FALSE(get("/bridges/" + kNobody).headers.find("ETag"));
    EXPECT_EQ(with("If-None-Match", "*", "GET", "/bridges/" + kNobody).status, 404);
}

TEST_F(EntityTags, AChangeOfWhatTheClientDoesNotKnowIsRefused) {
    const auto path = "/bridges/" + createBridge();
    const auto first = tagOf(path);
    EXPECT_EQ(with("If-Match", first, "PUT", path, R"({"name":"mine"})").status, 204);
    const auto late = with("If-Match", first, "PUT", path, R"({"name":"late"})");
    EXPECT_EQ(late.status, 412);
    EXPECT_EQ(text(parsed(late), "code"), "412");
    EXPECT_EQ(with("If-Match", first, "DELETE", path).status, 412);
    EXPECT_EQ(text(parsed(get(path)), "name"), "mine");
    EXPECT_EQ(with("If-Match", "*", "PUT", path, R"({"name":"any"})").status, 204);
    EXPECT_EQ(with("If-Match", "\"x\", " + tagOf(path), "DELETE", path).status, 204);
    EXPECT_EQ(get(path).status, 404);
}

TEST_F(EntityTags, AlsoOfWhatHasNoIdOfItsOwn) {
    const auto bridge = createBridge();
    const auto path = "/bridges/" + bridge + "/dhcp/10.0.0.0_24";
    create("/bridges/" + bridge + "/dhcp", R"({"subnetPrefix":"10.0.0.0","subnetLength":24})");
    const auto tag = tagOf(path);
    EXPECT_EQ(with("If-Match", "\"x\"", "DELETE", path).status, 412);
    EXPECT_EQ(with("If-Match", tag, "DELETE", path).status, 204);
}

TEST(EntityTag, IsFoundInLists) {
    const auto tag = entityTag("text");
    EXPECT_EQ(entityTag("text"), tag);
    EXPECT_NE(entityTag("other"), tag);
    EXPECT_TRUE(namesTag(tag, tag));
    EXPECT_TRUE(namesTag(" \"a\" ,\t" + tag + " ", tag));
    EXPECT_TRUE(namesTag("*", tag));
    for (const char* header : {"", ",", "\"a\"", "\"", "W/", "**"}) EXPECT_FALSE(namesTag(header, tag)) << header;
}

}  // namespace
}  // namespace midonet::rest::testing
