#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class L2Insertions : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
        port_ = createPort(bridge_);
        service_ = createPort(bridge_);
    }
    static std::string body(const std::string& port, const std::string& service, const std::string& more = "") {
        return R"({"portId":")" + port + R"(","srvPortId":")" + service + R"(","mac":"02:00:00:00:00:01")" + more + "}";
    }
    std::string bridge_, port_, service_;
};

TEST_F(L2Insertions, AreShownAtTheirPort) {
    const auto insertion = create("/l2insertions", body(port_, service_, R"(,"vlan":"10","position":"1","failOpen":"true")"));
    EXPECT_EQ(text(insertion, "vlan"), "10");
    EXPECT_EQ(text(insertion, "failOpen"), "true");
    EXPECT_EQ(text(insertion, "mac"), "02:00:00:00:00:01");
    EXPECT_EQ(text(insertion, "srvPort"), "http://localhost/midonet-api/ports/" + service_);
    EXPECT_EQ(text(parsed(get("/ports/" + port_)), "insertionIds"), "[\"" + text(insertion, "id") + "\"]");
    EXPECT_EQ(text(parsed(get("/ports/" + service_)), "insertionIds"), "[]");
    create("/l2insertions", body(port_, createPort(bridge_)));
    EXPECT_EQ(listed("/l2insertions", vndList("L2Insertion-v1")).size(), 2U);
    EXPECT_EQ(listed("/l2insertions?srv_port=" + service_).size(), 1U);
    EXPECT_EQ(listed("/l2insertions?port=" + port_).size(), 2U);
    EXPECT_EQ(listed("/l2insertions?port=" + port_ + "&srv_port=" + service_).size(), 1U);
    EXPECT_EQ(listed("/l2insertions?port=x").size(), 0U);
    EXPECT_EQ(del("/ports/" + service_).status, 204);
    EXPECT_EQ(listed("/l2insertions").size(), 1U);
    EXPECT_EQ(del("/ports/" + port_).status, 204);
    EXPECT_EQ(listed("/l2insertions").size(), 0U) << "gone with either port";
}

TEST_F(L2Insertions, AreChecked) {
    for (const char* property : {"portId", "srvPortId", "mac"}) {
        auto without = json::parse(body(port_, service_)).as_object();
        without.erase(property);
        EXPECT_EQ(violation(post("/l2insertions", json::serialize(without))), property);
    }
    EXPECT_EQ(post("/l2insertions", body(kNobody, service_)).status, 404);
    EXPECT_EQ(violation(post("/l2insertions", body(port_, port_))), "srvPortId");
    EXPECT_EQ(violation(post("/l2insertions", body(port_, service_, R"(,"vlan":4096)"))), "vlan");
    const auto uri = text(create("/l2insertions", body(port_, service_)), "uri");
    EXPECT_EQ(violation(post("/l2insertions", body(port_, service_))), "srvPortId") << "twice";
    EXPECT_EQ(violation(post("/l2insertions", body(service_, createPort(bridge_)))), "portId") << "gives a service";
    EXPECT_EQ(violation(post("/l2insertions", body(createPort(bridge_), port_))), "srvPortId") << "is protected";
    EXPECT_EQ(violation(put(uri, body(createPort(bridge_), service_))), "portId");
    EXPECT_EQ(violation(put(uri, body(port_, createPort(bridge_)))), "srvPortId");
    EXPECT_EQ(put(uri, body(port_, service_, R"(,"position":3)")).status, 204);
    EXPECT_EQ(text(parsed(get(uri)), "position"), "3");
}

TEST_F(L2Insertions, RulesThatTransform) {
    const auto rules = "/chains/" + createChain() + "/rules";
    EXPECT_EQ(violation(post(rules, R"({"type":"l2_transform"})")), "flowAction");
    EXPECT_EQ(violation(post(rules, R"({"type":"l2_transform","flowAction":"continue"})")), "flowAction");
    EXPECT_EQ(violation(post(rules, R"({"type":"l2_transform","flowAction":"redirect"})")), "targetPortId");
    EXPECT_EQ(violation(post(rules, R"({"type":"rev_snat","flowAction":"redirect"})")), "flowAction");
    EXPECT_EQ(violation(post(rules, R"({"type":"l2_transform","flowAction":"accept","pushVlan":65536})")), "pushVlan");
    EXPECT_EQ(post(rules, R"({"type":"l2_transform","flowAction":"redirect","targetPortId":")" + kNobody + "\"}").status, 404);
    const auto rule = create(rules, R"({"type":"l2_transform","flowAction":"redirect","targetPortId":")" + service_ +
                                        R"(","popVlan":"true","pushVlan":"8202","ingress":true,"failOpen":1})");
    EXPECT_EQ(text(rule, "targetPortId"), service_);
    EXPECT_EQ(text(rule, "pushVlan"), "8202");
    for (const char* flag : {"popVlan", "ingress", "failOpen"}) EXPECT_EQ(text(rule, flag), "true") << flag;
    const auto plain = create(rules, R"({"type":"accept","popVlan":true,"pushVlan":7})");
    EXPECT_FALSE(plain.as_object().contains("popVlan")) << "clients print whatever is there";
    EXPECT_EQ(del("/ports/" + service_).status, 204);
    EXPECT_EQ(listed(rules).size(), 1U);
}

}  // namespace
}  // namespace midonet::rest::testing
