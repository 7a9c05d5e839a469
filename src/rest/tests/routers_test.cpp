#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Routers : public ApiTest {};

TEST_F(Routers, ShowsEveryKeyClientsIndex) {
    const auto router = create("/routers", "{}");
    const auto uri = "http://localhost/midonet-api/routers/" + text(router, "id");
    EXPECT_EQ(text(router, "uri"), uri);
    EXPECT_EQ(text(router, "adminStateUp"), "true");
    EXPECT_EQ(text(router, "asNumber"), "0");
    for (const char* key : {"tenantId", "name", "inboundFilterId", "inboundFilter", "outboundFilterId", "outboundFilter", "loadBalancerId",
                            "loadBalancer", "localRedirectChainId", "localRedirectChain", "forwardChainId", "forwardChain"})
        EXPECT_EQ(text(router, key), "<null>") << key;
    for (const char* key : {"inboundMirrorIds", "outboundMirrorIds"}) EXPECT_EQ(text(router, key), "[]") << key;
    for (const auto& [key, path] : std::vector<std::pair<std::string, std::string>>{
             {"ports", "/ports"}, {"peerPorts", "/peer_ports"}, {"routes", "/routes"}, {"bgpNetworks", "/bgp_networks"}, {"bgpPeers", "/bgp_peers"}})
        EXPECT_EQ(text(router, key), uri + path);
}

TEST_F(Routers, PutReplacesAndKeepsWhatIsBelow) {
    const auto id = createRouter(R"({"name":"old","asNumber":"65000","inboundFilterId":")" + createChain() + "\"}");
    createRouterPort(id, R"(,"portAddress":"10.0.0.1","networkLength":24)");
    EXPECT_EQ(put("/routers/" + id, R"({"name":"new"})").status, 204);
    const auto router = parsed(get("/routers/" + id));
    EXPECT_EQ(text(router, "name"), "new");
    EXPECT_EQ(text(router, "asNumber"), "0");
    EXPECT_EQ(text(router, "inboundFilterId"), "<null>") << "absent is unset, as clients know it";
    EXPECT_EQ(listed("/routers/" + id + "/ports").size(), 1U);
    EXPECT_EQ(listed("/routers/" + id + "/routes").size(), 1U);
}

TEST_F(Routers, BadValues) {
    EXPECT_EQ(violation(post("/routers", R"({"name":")" + std::string(256, 'x') + "\"}")), "name");
    EXPECT_EQ(violation(post("/routers", R"({"asNumber":-1})")), "asNumber");
    EXPECT_EQ(violation(post("/routers", R"({"forwardChainId":"x"})")), "forwardChainId");
    for (const char* key : {"inboundFilterId", "outboundFilterId", "loadBalancerId", "localRedirectChainId", "forwardChainId"})
        EXPECT_EQ(post("/routers", R"({")" + std::string{key} + R"(":")" + kNobody + "\"}").status, 404) << key;
    EXPECT_EQ(get("/routers").body, "[]");
}

TEST_F(Routers, DeleteTakesPortsAndRoutesAlongAndFreesPeers) {
    const auto router = createRouter();
    const auto port = createRouterPort(router, R"(,"portAddress":"10.0.0.1","networkLength":24)");
    const auto peer = createPort(createBridge());
    EXPECT_EQ(post("/ports/" + port + "/link", R"({"peerId":")" + peer + "\"}").status, 201);
    const auto route = text(listed("/routers/" + router + "/routes").at(0), "id");
    EXPECT_EQ(del("/routers/" + router).status, 204);
    for (const auto& path : {"/routers/" + router, "/ports/" + port, "/routes/" + route, "/routers/" + router + "/ports", "/routers/" + router + "/routes"})
        EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(text(parsed(get("/ports/" + peer)), "peerId"), "<null>");
    EXPECT_EQ(del("/routers/" + router).status, 204) << "idempotent";
}

TEST_F(Routers, ALoadBalancerKeepsItsRouter) {
    const auto balancer = text(create("/load_balancers", "{}"), "id");
    const auto router = createRouter(R"({"loadBalancerId":")" + balancer + "\"}");
    EXPECT_EQ(post("/routers", R"({"loadBalancerId":")" + balancer + "\"}").status, 409) << "it has a router";
    EXPECT_EQ(del("/routers/" + router).status, 409);
    EXPECT_EQ(text(parsed(get("/load_balancers/" + balancer)), "routerId"), router);
    EXPECT_EQ(del("/load_balancers/" + balancer).status, 204);
    EXPECT_EQ(text(parsed(get("/routers/" + router)), "loadBalancerId"), "<null>");
    EXPECT_EQ(del("/routers/" + router).status, 204);
}

}  // namespace
}  // namespace midonet::rest::testing
