#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Links : public ApiTest {
protected:
    std::string peerOf(const std::string& port) { return text(parsed(get("/ports/" + port)), "peerId"); }
    Response link(const std::string& port, const std::string& peer) { return post("/ports/" + port + "/link", R"({"peerId":")" + peer + "\"}"); }
    std::string bridgePort() { return createPort(createBridge()); }
    std::string routerPort() { return createRouterPort(createRouter()); }
};

TEST_F(Links, AreSymmetricalForEveryPair) {
    for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
             {bridgePort(), routerPort()}, {routerPort(), bridgePort()}, {routerPort(), routerPort()}, {bridgePort(), bridgePort()}}) {
        EXPECT_EQ(post("/ports/" + one + "/link", R"({"peerId":")" + other + "\"}", vnd("PortLink-v1")).status, 201);
        EXPECT_EQ(peerOf(one), other);
        EXPECT_EQ(peerOf(other), one);
        EXPECT_EQ(text(parsed(get("/ports/" + one)), "peer"), "http://localhost/midonet-api/ports/" + other);
        EXPECT_EQ(del("/ports/" + other + "/link").status, 204);
        EXPECT_EQ(peerOf(one), "<null>");
        EXPECT_EQ(peerOf(other), "<null>");
        EXPECT_EQ(del("/ports/" + one + "/link").status, 204) << "idempotent";
    }
}

TEST_F(Links, WhatIsRefusedChangesNothing) {
    const auto a = bridgePort(), b = routerPort(), c = routerPort();
    const auto bridge = createBridge();
    ASSERT_EQ(link(a, b).status, 201);
    EXPECT_EQ(link(a, c).status, 409);
    EXPECT_EQ(link(c, b).status, 409);
    EXPECT_EQ(link(a, b).status, 409);
    EXPECT_EQ(link(c, kNobody).status, 404);
    EXPECT_EQ(link(kNobody, c).status, 404);
    EXPECT_EQ(link(c, c).status, 400);
    EXPECT_EQ(link(createPort(bridge), createPort(bridge)).status, 400) << "a loop";
    EXPECT_EQ(violation(post("/ports/" + c + "/link", "{}")), "peerId");
    EXPECT_EQ(violation(link(c, "x")), "peerId");
    EXPECT_EQ(post("/ports/" + c + "/link", "{}", "text/plain").status, 415);
    EXPECT_EQ(del("/ports/" + kNobody + "/link").status, 404);
    EXPECT_EQ(peerOf(a), b);
    EXPECT_EQ(peerOf(b), a);
    EXPECT_EQ(peerOf(c), "<null>");
}

TEST_F(Links, PutAndPostWithAPeer) {
    const auto a = bridgePort(), b = routerPort(), c = routerPort();
    EXPECT_EQ(put("/ports/" + a, R"({"peerId":")" + b + "\"}").status, 204);
    EXPECT_EQ(peerOf(b), a);
    EXPECT_EQ(put("/ports/" + a, get("/ports/" + a).body).status, 204) << "the same again";
    EXPECT_EQ(put("/ports/" + a, "{}").status, 204);
    EXPECT_EQ(peerOf(a), b) << "kept when not given";
    EXPECT_EQ(put("/ports/" + a, R"({"peerId":")" + c + "\"}").status, 204) << "moves";
    EXPECT_EQ(peerOf(b), "<null>");
    EXPECT_EQ(peerOf(c), a);
    EXPECT_EQ(put("/ports/" + b, R"({"peerId":")" + c + "\"}").status, 409) << "c is taken";
    EXPECT_EQ(put("/ports/" + b, R"({"peerId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(put("/ports/" + b, R"({"peerId":")" + b + "\"}").status, 400);
    const auto d = createPort(createBridge(), R"({"type":"Bridge","peerId":")" + b + "\"}");
    EXPECT_EQ(peerOf(b), d);
    EXPECT_EQ(post("/bridges/" + createBridge() + "/ports", R"({"type":"Bridge","peerId":")" + b + "\"}").status, 409);
}

TEST_F(Links, GoWithAPort) {
    const auto a = bridgePort(), b = routerPort();
    link(a, b);
    EXPECT_EQ(del("/ports/" + a).status, 204);
    EXPECT_EQ(peerOf(b), "<null>");
    EXPECT_EQ(link(b, bridgePort()).status, 201);
}

TEST_F(Links, PeerPorts) {
    const auto bridge = createBridge(), router = createRouter();
    const auto a = createPort(bridge), b = createRouterPort(router);
    createPort(bridge);
    for (const auto& path : {"/bridges/" + bridge + "/peer_ports", "/routers/" + router + "/peer_ports"}) EXPECT_EQ(get(path).body, "[]");
    link(a, b);
    ASSERT_EQ(listed("/bridges/" + bridge + "/peer_ports").size(), 1U);
    EXPECT_EQ(text(listed("/bridges/" + bridge + "/peer_ports").at(0), "id"), b);
    EXPECT_EQ(text(listed("/routers/" + router + "/peer_ports").at(0), "id"), a);
    EXPECT_EQ(get("/routers/" + kNobody + "/peer_ports").status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
