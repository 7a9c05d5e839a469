#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class LoadBalancers : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        balancer_ = text(create("/load_balancers", "{}"), "id");
        pool_ = text(create("/load_balancers/" + balancer_ + "/pools", R"({"lbMethod":"ROUND_ROBIN"})"), "id");
    }
    json::value at(const std::string& path) { return parsed(get(path)); }
    std::string balancer_, pool_;
};
const std::string kAddress = R"("address":"10.0.0.9","protocolPort":"80")";

TEST_F(LoadBalancers, AreNamedByTheirRouter) {
    const auto path = "/load_balancers/" + balancer_;
    for (const char* key : {"routerId", "router"}) EXPECT_EQ(text(at(path), key), "<null>") << key;
    EXPECT_EQ(violation(post("/load_balancers", R"({"routerId":")" + createRouter() + "\"}")), "routerId");
    const auto router = createRouter(R"({"loadBalancerId":")" + balancer_ + "\"}");
    EXPECT_EQ(text(at(path), "routerId"), router);
    EXPECT_EQ(text(at(path), "router"), "http://localhost/midonet-api/routers/" + router);
    EXPECT_EQ(put(path, R"({"adminStateUp":false,"routerId":")" + router + "\"}").status, 204);
    EXPECT_EQ(put(path, R"({"adminStateUp":false})").status, 204);
    EXPECT_EQ(violation(put(path, R"({"routerId":")" + createRouter() + "\"}")), "routerId");
    EXPECT_EQ(violation(put(path, R"({"routerId":"x"})")), "routerId");
    EXPECT_EQ(text(at(path), "adminStateUp"), "false");
    EXPECT_EQ(listed(path + "/pools").size(), 1U) << "kept";
    for (const char* below : {"pools", "vips"}) EXPECT_EQ(text(at(path), below), "http://localhost/midonet-api" + path + "/" + below);
}

TEST_F(LoadBalancers, Pools) {
    const auto pool = at("/pools/" + pool_);
    EXPECT_EQ(text(pool, "loadBalancerId"), balancer_);
    EXPECT_EQ(text(pool, "protocol"), "TCP");
    EXPECT_EQ(text(pool, "status"), "ACTIVE");
    for (const char* key : {"healthMonitorId", "healthMonitor"}) EXPECT_EQ(text(pool, key), "<null>") << key;
    EXPECT_EQ(text(pool, "poolMembers"), "http://localhost/midonet-api/pools/" + pool_ + "/pool_members");
    EXPECT_EQ(violation(post("/pools", "{}")), "lbMethod");
    EXPECT_EQ(violation(post("/pools", R"({"lbMethod":"RANDOM"})")), "lbMethod");
    EXPECT_EQ(violation(post("/pools", R"({"lbMethod":"ROUND_ROBIN","protocol":"UDP"})")), "protocol");
    EXPECT_EQ(post("/pools", R"({"lbMethod":"ROUND_ROBIN","loadBalancerId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(text(create("/pools", R"({"lbMethod":"ROUND_ROBIN"})"), "loadBalancerId"), "<null>");
    const auto other = text(create("/load_balancers", "{}"), "id");
    EXPECT_EQ(text(create("/load_balancers/" + other + "/pools", R"({"lbMethod":"ROUND_ROBIN","loadBalancerId":")" + balancer_ + "\"}"), "loadBalancerId"), other)
        << "the path wins";
    EXPECT_EQ(put("/pools/" + pool_, R"({"lbMethod":"ROUND_ROBIN","status":"INACTIVE","loadBalancerId":")" + balancer_ + "\"}").status, 204);
    EXPECT_EQ(text(at("/pools/" + pool_), "status"), "ACTIVE") << "not for clients to say";
}

TEST_F(LoadBalancers, HealthMonitorsAndTheirPools) {
    const auto monitor = create("/health_monitors", R"({"type":"TCP","delay":"5","timeout":3,"maxRetries":2,"adminStateUp":false})");
    const auto id = text(monitor, "id");
    EXPECT_EQ(text(monitor, "adminStateUp"), "true") << "always, at first";
    EXPECT_EQ(text(monitor, "delay"), "5");
    EXPECT_EQ(violation(post("/health_monitors", R"({"type":"PING"})")), "type");
    EXPECT_EQ(violation(post("/health_monitors", R"({"type":"TCP","delay":-1})")), "delay");
    const auto watched = text(create("/pools", R"({"lbMethod":"ROUND_ROBIN","healthMonitorId":")" + id + "\"}"), "id");
    for (const auto& path : {"/pools?hm_id=" + id, "/health_monitors/" + id + "/pools"}) {
        ASSERT_EQ(listed(path).size(), 1U) << path;
        EXPECT_EQ(text(listed(path).at(0), "id"), watched);
    }
    EXPECT_EQ(listed("/pools?hm_id=" + kNobody).size(), 0U);
    EXPECT_EQ(status("POST", "/health_monitors/" + id + "/pools"), 405);
    EXPECT_EQ(put("/health_monitors/" + id, R"({"type":"TCP","adminStateUp":false})").status, 204);
    EXPECT_EQ(text(at("/health_monitors/" + id), "adminStateUp"), "false");
    EXPECT_EQ(del("/health_monitors/" + id).status, 204);
    EXPECT_EQ(text(at("/pools/" + watched), "healthMonitorId"), "<null>");
}

TEST_F(LoadBalancers, Vips) {
    const auto vip = create("/pools/" + pool_ + "/vips", "{" + kAddress + "}");
    const auto path = "/vips/" + text(vip, "id");
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"poolId", pool_}, {"loadBalancerId", balancer_}, {"loadBalancer", "http://localhost/midonet-api/load_balancers/" + balancer_},
             {"address", "10.0.0.9"}, {"protocolPort", "80"}, {"sessionPersistence", "<null>"}, {"stickyTimeout", "86400"}, {"adminStateUp", "true"}})
        EXPECT_EQ(text(vip, key), value) << key;
    for (const auto& [body, property] : std::vector<std::pair<std::string, std::string>>{
             {"{" + kAddress + "}", "poolId"}, {"{" + kAddress + R"(,"poolId":")" + kNobody + "\"}", "poolId"},
             {R"({"poolId":")" + pool_ + "\"}", "address"}, {R"({"address":"::1","poolId":")" + pool_ + "\"}", "address"},
             {R"({"address":"10.0.0.1","protocolPort":65536})", "protocolPort"},
             {"{" + kAddress + R"(,"sessionPersistence":"COOKIE"})", "sessionPersistence"}, {"{" + kAddress + R"(,"stickyTimeout":59})", "stickyTimeout"}})
        EXPECT_EQ(violation(post("/vips", body)), property) << body;
    EXPECT_EQ(put(path, "{" + kAddress + R"(,"sessionPersistence":"SOURCE_IP","stickyTimeout":"60"})").status, 204);
    EXPECT_EQ(text(at(path), "sessionPersistence"), "SOURCE_IP");
    EXPECT_EQ(text(at(path), "stickyTimeout"), "60");
    EXPECT_EQ(text(at(path), "poolId"), pool_) << "kept";
    EXPECT_EQ(violation(put(path, "{" + kAddress + R"(,"poolId":")" + kNobody + "\"}")), "poolId");
    EXPECT_EQ(post("/pools/" + kNobody + "/vips", "{" + kAddress + "}").status, 404);
    for (const auto& list : {"/load_balancers/" + balancer_ + "/vips", "/pools/" + pool_ + "/vips", std::string{"/vips"}})
        EXPECT_EQ(listed(list).size(), 1U) << list;
    EXPECT_EQ(get("/load_balancers/" + kNobody + "/vips").status, 404);
    const auto alone = text(create("/pools", R"({"lbMethod":"ROUND_ROBIN"})"), "id");
    EXPECT_EQ(text(create("/vips", "{" + kAddress + R"(,"poolId":")" + alone + "\"}"), "loadBalancerId"), "<null>");
}

TEST_F(LoadBalancers, Members) {
    const auto member = create("/pools/" + pool_ + "/pool_members", "{" + kAddress + R"(,"adminStateUp":false,"status":"INACTIVE"})");
    const auto path = "/pool_members/" + text(member, "id");
    EXPECT_EQ(text(member, "adminStateUp"), "true") << "always, at first";
    EXPECT_EQ(text(member, "status"), "ACTIVE");
    EXPECT_EQ(text(member, "weight"), "1");
    EXPECT_EQ(text(member, "pool"), "http://localhost/midonet-api/pools/" + pool_);
    EXPECT_EQ(put(path, R"({"address":"10.0.0.1","protocolPort":1,"weight":"5","adminStateUp":false})").status, 204);
    const auto changed = at(path);
    EXPECT_EQ(text(changed, "address"), "10.0.0.9");
    EXPECT_EQ(text(changed, "protocolPort"), "80");
    EXPECT_EQ(text(changed, "weight"), "5");
    EXPECT_EQ(text(changed, "adminStateUp"), "false");
    EXPECT_EQ(text(changed, "poolId"), pool_);
    EXPECT_EQ(violation(post("/pool_members", "{" + kAddress + "}")), "poolId");
    EXPECT_EQ(post("/pool_members", "{" + kAddress + R"(,"poolId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(violation(put(path, R"({"weight":0})")), "weight");
    EXPECT_EQ(violation(post("/pools/" + pool_ + "/pool_members", R"({"protocolPort":80})")), "address");
    EXPECT_EQ(listed("/pools/" + pool_ + "/pool_members").size(), 1U);
}

TEST_F(LoadBalancers, DeleteTakesEverythingBelowAlong) {
    const auto vip = text(create("/pools/" + pool_ + "/vips", "{" + kAddress + "}"), "id");
    const auto member = text(create("/pools/" + pool_ + "/pool_members", "{" + kAddress + "}"), "id");
    EXPECT_EQ(del("/load_balancers/" + balancer_).status, 204);
    for (const auto& path : {"/load_balancers/" + balancer_, "/pools/" + pool_, "/vips/" + vip, "/pool_members/" + member}) {
        EXPECT_EQ(get(path).status, 404) << path;
        EXPECT_EQ(del(path).status, 204) << path;
    }
}

}  // namespace
}  // namespace midonet::rest::testing
