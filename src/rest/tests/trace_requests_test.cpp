#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class TraceRequests : public ApiTest {
protected:
    static std::string body(const std::string& type, const std::string& device, const std::string& more = "") {
        return R"({"name":"t","deviceType":")" + type + R"(","deviceId":")" + device + R"(","condition":{"nwProto":"6"})" + more + "}";
    }
};

TEST_F(TraceRequests, NameADevice) {
    const auto bridge = createBridge(R"({"tenantId":"one"})");
    const auto router = createRouter(R"({"tenantId":"two"})");
    for (const auto& [type, device, segment] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"BRIDGE", bridge, "bridges"}, {"PORT", createPort(bridge), "ports"}, {"ROUTER", router, "routers"}, {"PORT", createRouterPort(router), "ports"}}) {
        const auto trace = create("/traces", body(type, device));
        EXPECT_EQ(text(trace, "deviceType"), type);
        EXPECT_EQ(text(trace, "deviceId"), device);
        EXPECT_EQ(text(trace, "device"), "http://localhost/midonet-api/" + segment + "/" + device);
        EXPECT_EQ(text(trace, "limit"), "9223372036854775807");
        EXPECT_EQ(text(trace, "enabled"), "false");
        EXPECT_GT(trace.at("creationTimestampMs").as_int64(), 1'600'000'000'000);
        EXPECT_EQ(text(trace.at("condition"), "nwProto"), "6");
        EXPECT_EQ(text(trace.at("condition"), "fragmentPolicy"), "any");
        EXPECT_EQ(post("/traces", body(type, kNobody)).status, 404) << type;
    }
    EXPECT_EQ(listed("/traces", vndList("TraceRequest-v1")).size(), 4U);
    EXPECT_EQ(listed("/traces?tenant_id=one").size(), 2U);
    EXPECT_EQ(listed("/traces?tenant_id=two").size(), 2U);
    EXPECT_EQ(listed("/traces?tenant_id=three").size(), 0U);
    EXPECT_EQ(del("/bridges/" + bridge).status, 204);
    EXPECT_EQ(listed("/traces").size(), 2U) << "traces go with their device";
}

TEST_F(TraceRequests, AreChecked) {
    const auto bridge = createBridge();
    for (const char* property : {"name", "deviceType", "deviceId", "condition"}) {
        auto without = json::parse(body("BRIDGE", bridge)).as_object();
        without.erase(property);
        EXPECT_EQ(violation(post("/traces", json::serialize(without))), property);
    }
    EXPECT_EQ(violation(post("/traces", body("bridge", bridge))), "deviceType");
    EXPECT_EQ(violation(post("/traces", body("BRIDGE", bridge, R"(,"limit":-2)"))), "limit");
    EXPECT_EQ(violation(post("/traces", R"({"name":"t","deviceType":"PORT","deviceId":"x","condition":{}})")), "deviceId");
    EXPECT_EQ(violation(post("/traces", R"({"name":"t","deviceType":"PORT","deviceId":")" + bridge + R"(","condition":{"vlan":4096}})")), "condition.vlan");
}

TEST_F(TraceRequests, MinusOneIsNoLimit) {
    EXPECT_EQ(text(create("/traces", body("BRIDGE", createBridge(), R"(,"limit":"-1")")), "limit"), "-1");
}

TEST_F(TraceRequests, PutReplaces) {
    const auto bridge = createBridge();
    const auto path = text(create("/traces", body("BRIDGE", bridge, R"(,"creationTimestampMs":"5","limit":"7")")), "uri");
    const auto before = get(path).body;
    EXPECT_EQ(put(path, before).status, 204);
    EXPECT_EQ(get(path).body, before);
    EXPECT_EQ(put(path, body("ROUTER", createRouter(), R"(,"enabled":"true")")).status, 204);
    const auto changed = parsed(get(path));
    EXPECT_EQ(text(changed, "deviceType"), "ROUTER");
    EXPECT_EQ(text(changed, "enabled"), "true");
    EXPECT_EQ(text(changed, "creationTimestampMs"), "5");
    EXPECT_EQ(del("/bridges/" + bridge).status, 204);
    EXPECT_EQ(get(path).status, 200) << "no longer of the bridge";
}

TEST_F(TraceRequests, RulesThatTrace) {
    const auto trace = text(create("/traces", body("BRIDGE", createBridge())), "id");
    const auto chain = createChain();
    const auto rules = "/chains/" + chain + "/rules";
    EXPECT_EQ(violation(post(rules, R"({"type":"trace"})")), "requestId");
    EXPECT_EQ(post(rules, R"({"type":"trace","requestId":")" + kNobody + "\"}").status, 404);
    const auto rule = create(rules, R"({"type":"trace","requestId":")" + trace + R"(","limit":"100"})");
    EXPECT_EQ(text(rule, "requestId"), trace);
    EXPECT_EQ(text(rule, "limit"), "100");
    createRule(chain, R"({"type":"accept","requestId":")" + trace + R"(","limit":3})");
    EXPECT_FALSE(listed(rules)[0].as_object().contains("requestId")) << "not of this type";
    EXPECT_EQ(del("/traces/" + trace).status, 204);
    EXPECT_EQ(listed(rules).size(), 1U) << "what traces for it goes with it";
}

}  // namespace
}  // namespace midonet::rest::testing
