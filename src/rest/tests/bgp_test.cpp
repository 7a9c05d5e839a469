#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Bgp : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        router_ = createRouter(R"({"name":"r","asNumber":"4294967295"})");
        peers_ = "/routers/" + router_ + "/bgp_peers";
        networks_ = "/routers/" + router_ + "/bgp_networks";
    }
    std::string router_, peers_, networks_;
};

TEST_F(Bgp, PeersOfARouter) {
    EXPECT_EQ(text(parsed(get("/routers/" + router_)), "asNumber"), "4294967295");
    EXPECT_EQ(text(parsed(get("/routers/" + router_)), "bgpPeers"), "http://localhost/midonet-api" + peers_);
    const auto peer = create(peers_, R"({"asNumber":"65000","address":"10.0.0.1","tenantId":"x"})");
    const auto path = "/bgp_peers/" + text(peer, "id");
    EXPECT_EQ(text(peer, "uri"), "http://localhost/midonet-api" + path);
    EXPECT_EQ(text(peer, "routerId"), router_);
    EXPECT_EQ(text(peer, "router"), "http://localhost/midonet-api/routers/" + router_);
    EXPECT_EQ(text(peer, "asNumber"), "65000");
    for (const char* key : {"keepAlive", "holdTime", "connectRetry", "password"}) EXPECT_EQ(text(peer, key), "<null>") << key;
    EXPECT_EQ(put(path, R"({"asNumber":65001,"address":"10.0.0.2","keepAlive":"5","holdTime":7200,"connectRetry":null,"password":"secret"})").status, 204);
    const auto changed = parsed(get(path, vnd("BgpPeer-v1")));
    EXPECT_EQ(text(changed, "routerId"), router_) << "kept";
    EXPECT_EQ(text(changed, "keepAlive"), "5");
    EXPECT_EQ(text(changed, "password"), "secret");
    EXPECT_EQ(listed(peers_, vndList("BgpPeer-v1")).size(), 1U);
}

TEST_F(Bgp, PeersAreChecked) {
    EXPECT_EQ(violation(post(peers_, R"({"address":"10.0.0.1"})")), "asNumber");
    EXPECT_EQ(violation(post(peers_, R"({"asNumber":1})")), "address");
    for (const auto& [property, value] : std::vector<std::pair<std::string, std::string>>{
             {"asNumber", "0"}, {"asNumber", "4294967296"}, {"address", "\"2001:db8::1\""}, {"keepAlive", "4"}, {"keepAlive", "3601"},
             {"holdTime", "7201"}, {"connectRetry", "0"}}) {
        auto body = json::object{{"asNumber", 1}, {"address", "10.0.0.1"}};
        body[property] = json::parse(value);
        EXPECT_EQ(violation(post(peers_, json::serialize(body))), property) << value;
    }
    create(peers_, R"({"asNumber":1,"address":"10.0.0.1"})");
    EXPECT_EQ(violation(post(peers_, R"({"asNumber":1,"address":"10.0.0.1"})")), "address");
    const auto other = text(create(peers_, R"({"asNumber":2,"address":"10.0.0.1"})"), "uri");
    EXPECT_EQ(violation(put(other, R"({"asNumber":1,"address":"10.0.0.1"})")), "address");
    EXPECT_EQ(put(other, R"({"asNumber":2,"address":"10.0.0.1"})").status, 204);
    EXPECT_EQ(post("/routers/" + createRouter() + "/bgp_peers", R"({"asNumber":1,"address":"10.0.0.1"})").status, 201);
    EXPECT_EQ(post("/routers/" + kNobody + "/bgp_peers", R"({"asNumber":1,"address":"10.0.0.1"})").status, 404);
}

TEST_F(Bgp, NetworksOfARouter) {
    const auto network = create(networks_, R"({"subnetAddress":"10.116.150.0","subnetLength":"24"})");
    EXPECT_EQ(text(network, "subnetAddress"), "10.116.150.0");
    EXPECT_EQ(text(network, "subnetLength"), "24");
    EXPECT_EQ(text(network, "routerId"), router_);
    EXPECT_EQ(violation(post(networks_, R"({"subnetAddress":"10.0.0.0","subnetLength":33})")), "subnetLength");
    EXPECT_EQ(violation(post(networks_, R"({"subnetLength":8})")), "subnetAddress");
    EXPECT_EQ(status("PUT", text(network, "uri")), 405);
    EXPECT_EQ(listed(networks_, vndList("BgpNetwork-v1")).size(), 1U);
    EXPECT_EQ(del(text(network, "uri")).status, 204);
    EXPECT_EQ(del(text(network, "uri")).status, 204);
}

TEST_F(Bgp, GoesWithTheRouter) {
    const auto peer = text(create(peers_, R"({"asNumber":1,"address":"10.0.0.1"})"), "uri");
    const auto network = text(create(networks_, R"({"subnetAddress":"10.0.0.0"})"), "uri");
    EXPECT_EQ(del("/routers/" + router_).status, 204);
    EXPECT_EQ(get(peer).status, 404);
    EXPECT_EQ(get(network).status, 404);
    for (const char* path : {"/bgp_peers", "/bgp_networks"})
        for (const char* method : {"GET", "POST"}) EXPECT_EQ(status(method, path), 405) << path;
}

}  // namespace
}  // namespace midonet::rest::testing
