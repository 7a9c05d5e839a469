#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Qos : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        policy_ = text(create("/qos_policies", R"({"name":"gold"})"), "id");
        path_ = "/qos_policies/" + policy_;
    }
    std::string policy_, path_;
};
const std::string kOne = "11111111-1111-1111-1111-111111111111", kTwo = "22222222-2222-2222-2222-222222222222";

TEST_F(Qos, Policies) {
    const auto policy = create("/qos_policies", R"({"name":"q","description":"d","shared":"true","tenant_id":"t","tenantId":"ignored"})");
    EXPECT_EQ(text(policy, "shared"), "true");
    EXPECT_EQ(text(policy, "tenant_id"), "t");
    EXPECT_EQ(text(policy, "tenantId"), "<absent>");
    EXPECT_EQ(text(policy, "rules"), "<null>");
    EXPECT_EQ(text(policy, "bwLimitRules"), text(policy, "uri") + "/qos_bw_limit_rules");
    EXPECT_EQ(text(policy, "dscpRules"), text(policy, "uri") + "/qos_dscp_rules");
    EXPECT_EQ(listed("/qos_policies?tenant_id=other", vndList("QOSPolicy-v1")).size(), 2U) << "tenants do not filter policies";
}

TEST_F(Qos, RulesBelowTheirPolicy) {
    const auto limit = create(path_ + "/qos_bw_limit_rules", R"({"maxKbps":"1000","policyId":")" + kNobody + "\"}");
    EXPECT_EQ(text(limit, "policyId"), policy_) << "the path wins";
    EXPECT_EQ(text(limit, "maxKbps"), "1000");
    EXPECT_EQ(text(limit, "maxBurstKb"), "<null>");
    const auto mark = create(path_ + "/qos_dscp_rules", R"({"dscpMark":46})");
    EXPECT_EQ(text(mark, "dscpMark"), "46");
    EXPECT_EQ(violation(post(path_ + "/qos_dscp_rules", R"({"dscpMark":64})")), "dscpMark");
    EXPECT_EQ(violation(post(path_ + "/qos_bw_limit_rules", R"({"maxKbps":-1})")), "maxKbps");
    EXPECT_EQ(put(text(limit, "uri"), R"({"maxKbps":7,"maxBurstKb":"9"})").status, 204);
    const auto changed = parsed(get(text(limit, "uri"), vnd("QOSRuleBWLimit-v1")));
    EXPECT_EQ(text(changed, "policyId"), policy_);
    EXPECT_EQ(text(changed, "maxBurstKb"), "9");
    EXPECT_EQ(listed(path_ + "/qos_bw_limit_rules", vndList("QOSRuleBWLimit-v1")).size(), 1U);
    EXPECT_EQ(listed(path_ + "/qos_dscp_rules", vndList("QOSRuleDSCP-v1")).size(), 1U);
    for (const char* path : {"/qos_bw_limit_rules", "/qos_dscp_rules"}) EXPECT_EQ(status("POST", path), 405) << path;
    EXPECT_EQ(del(path_).status, 204);
    EXPECT_EQ(get(text(limit, "uri")).status, 404);
    EXPECT_EQ(get(text(mark, "uri")).status, 404);
}

TEST_F(Qos, RulesInsideTheirPolicyAsNeutronWritesThem) {
    const auto uri = text(create("/qos_policies", R"({"id":")" + kNobody + R"(","rules":[{"id":")" + kOne +
                                                      R"(","type":"bandwidth_limit","max_kbps":"100","max_burst_kbps":10},)"
                                                      R"({"type":"dscp_marking","dscp_mark":8}]})"), "uri");
    const auto limits = [&] { return listed(uri + "/qos_bw_limit_rules"); };
    const auto marks = [&] { return listed(uri + "/qos_dscp_rules"); };
    ASSERT_EQ(limits().size(), 1U);
    EXPECT_EQ(text(limits()[0], "id"), kOne);
    EXPECT_EQ(text(limits()[0], "maxBurstKb"), "10");
    EXPECT_EQ(marks().size(), 1U);
    EXPECT_EQ(put(uri, R"({"name":"n","rules":null})").status, 204);
    EXPECT_EQ(put(uri, get(uri).body).status, 204);
    EXPECT_EQ(limits().size() + marks().size(), 2U) << "without rules they stay";
    EXPECT_EQ(put(uri, R"({"rules":[{"id":")" + kOne + R"(","type":"bandwidth_limit","max_kbps":7},{"id":")" + kTwo +
                           R"(","type":"dscp_marking","dscp_mark":1}]})").status, 204);
    EXPECT_EQ(text(limits()[0], "maxKbps"), "7");
    EXPECT_EQ(text(limits()[0], "maxBurstKb"), "<null>");
    ASSERT_EQ(marks().size(), 1U);
    EXPECT_EQ(text(marks()[0], "id"), kTwo);
    EXPECT_EQ(put(path_, R"({"rules":[{"id":")" + kTwo + R"(","type":"dscp_marking"}]})").status, 409) << "of another policy";
    EXPECT_EQ(put(uri, R"({"rules":[]})").status, 204);
    EXPECT_EQ(limits().size() + marks().size(), 0U);
}

TEST_F(Qos, WhatIsWrongWithARuleIsSaid) {
    for (const auto& [rules, property] : std::vector<std::pair<std::string, std::string>>{
             {R"("x")", "rules"}, {"[1]", "rules"}, {"[{}]", "rules[0].type"}, {R"([{"type":"gold"}])", "rules[0].type"},
             {R"([{"type":"bandwidth_limit","max_kbps":-1}])", "rules[0].max_kbps"},
             {R"([{"type":"dscp_marking"},{"type":"dscp_marking","dscp_mark":64}])", "rules[1].dscp_mark"},
             {R"([{"type":"dscp_marking","id":"x"}])", "rules[0].id"}})
        EXPECT_EQ(violation(post("/qos_policies", R"({"rules":)" + rules + "}")), property) << rules;
    EXPECT_EQ(listed("/qos_policies").size(), 1U);
}

TEST_F(Qos, PortsAndBridgesNameAPolicy) {
    const auto bridge = "/bridges/" + createBridge(R"({"qosPolicyId":")" + policy_ + "\"}");
    const auto port = "/ports/" + createPort(bridge.substr(9), R"({"type":"Bridge","qosPolicyId":")" + policy_ + "\"}");
    for (const auto& path : {bridge, port}) {
        EXPECT_EQ(text(parsed(get(path)), "qosPolicyId"), policy_) << path;
        EXPECT_EQ(text(parsed(get(path)), "qosPolicy"), "http://localhost/midonet-api" + path_) << path;
    }
    EXPECT_EQ(post("/bridges", R"({"qosPolicyId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(del(path_).status, 204);
    for (const auto& path : {bridge, port}) EXPECT_EQ(text(parsed(get(path)), "qosPolicyId"), "<null>") << path;
}

}  // namespace
}  // namespace midonet::rest::testing
