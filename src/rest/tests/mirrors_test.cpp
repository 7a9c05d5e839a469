#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Mirrors : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
        target_ = createPort(bridge_);
        mirror_ = text(create("/mirrors", R"({"toPortId":")" + target_ + "\"}"), "id");
    }
    std::string bridge_, target_, mirror_;
};

TEST_F(Mirrors, CopyToAPort) {
    const auto mirror = create("/mirrors", R"({"toPortId":")" + target_ + R"(","conditions":[{"nwProto":"6","tpDst":{"start":"80","end":"80"}},{}]})");
    EXPECT_EQ(text(mirror, "toPort"), "http://localhost/midonet-api/ports/" + target_);
    const auto& conditions = mirror.at("conditions").as_array();
    ASSERT_EQ(conditions.size(), 2U);
    EXPECT_EQ(text(conditions[0], "nwProto"), "6");
    EXPECT_EQ(text(conditions[0], "fragmentPolicy"), "header");
    EXPECT_EQ(text(conditions[1], "fragmentPolicy"), "any");
    EXPECT_EQ(text(conditions[1], "invNwProto"), "false");
    EXPECT_EQ(listed("/mirrors", vndList("Mirror-v1")).size(), 2U);
    const auto before = get(text(mirror, "uri")).body;
    EXPECT_EQ(put(text(mirror, "uri"), before).status, 204);
    EXPECT_EQ(get(text(mirror, "uri")).body, before);
    EXPECT_EQ(put(text(mirror, "uri"), R"({"toPortId":")" + createPort(bridge_) + "\"}").status, 204);
    EXPECT_TRUE(parsed(get(text(mirror, "uri"))).at("conditions").as_array().empty());
}

TEST_F(Mirrors, AreChecked) {
    EXPECT_EQ(violation(post("/mirrors", "{}")), "toPortId");
    EXPECT_EQ(post("/mirrors", R"({"toPortId":")" + kNobody + "\"}").status, 404);
    for (const auto& [condition, property] : std::vector<std::pair<std::string, std::string>>{
             {R"("nwProto":256)", "conditions[0].nwProto"}, {R"("dlSrcMask":"x")", "conditions[0].dlSrcMask"},
             {R"("tpSrc":{"start":2,"end":1})", "conditions[0].tpSrc"},
             {R"("tpSrc":{"start":1,"end":2},"fragmentPolicy":"any")", "conditions[0].fragmentPolicy"}})
        EXPECT_EQ(violation(post("/mirrors", R"({"toPortId":")" + target_ + R"(","conditions":[{)" + condition + "}]}")), property);
}

TEST_F(Mirrors, DevicesNameThem) {
    const auto lists = [&](const std::string& ids) { return R"("inboundMirrorIds":[)" + ids + R"(],"outboundMirrorIds":[)" + ids + "]"; };
    const auto quoted = "\"" + mirror_ + "\"";
    const auto port = "/ports/" + createPort(createBridge(), R"({"type":"Bridge",)" + lists(quoted) + R"(,"postInFilterMirrorIds":[)" + quoted +
                                                                 R"(],"preOutFilterMirrorIds":[)" + quoted + "]}");
    for (const auto& path : {"/bridges/" + createBridge("{" + lists(quoted) + "}"), "/routers/" + createRouter("{" + lists(quoted) + "}"), port})
        for (const char* key : {"inboundMirrorIds", "outboundMirrorIds"}) EXPECT_EQ(text(parsed(get(path)), key), "[" + quoted + "]") << path;
    EXPECT_EQ(post("/bridges", "{" + lists("\"" + kNobody + "\"") + "}").status, 404);
    EXPECT_EQ(violation(post("/routers", "{" + lists("\"x\"") + "}")), "inboundMirrorIds[0]");
    EXPECT_EQ(del("/mirrors/" + mirror_).status, 204);
    for (const char* key : {"inboundMirrorIds", "outboundMirrorIds", "postInFilterMirrorIds", "preOutFilterMirrorIds"})
        EXPECT_EQ(text(parsed(get(port)), key), "[]") << key;
}

TEST_F(Mirrors, GoWithThePortTheyCopyTo) {
    const auto bridge = createBridge(R"({"inboundMirrorIds":[")" + mirror_ + "\"]}");
    EXPECT_EQ(del("/ports/" + target_).status, 204);
    EXPECT_EQ(get("/mirrors/" + mirror_).status, 404);
    EXPECT_EQ(text(parsed(get("/bridges/" + bridge)), "inboundMirrorIds"), "[]");
}

}  // namespace
}  // namespace midonet::rest::testing
