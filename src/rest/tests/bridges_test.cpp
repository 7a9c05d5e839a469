#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Bridges : public ApiTest {};

TEST_F(Bridges, CreateAnswersLocationAndDefaults) {
    const auto response = post("/bridges", "{}", vnd("Bridge-v4"));
    ASSERT_EQ(response.status, 201);
    EXPECT_TRUE(response.body.empty());
    std::string location;
    for (const auto& field : response.headers.fields())
        if (field.name == "Location") location = field.value;
    ASSERT_TRUE(location.starts_with("http://localhost/midonet-api/bridges/")) << "exact spelling, absolute";
    const auto bridge = parsed(get(location, vnd("Bridge-v4")));
    EXPECT_EQ(text(bridge, "uri"), location);
    for (const char* key : {"tenantId", "name", "inboundFilterId", "outboundFilterId", "inboundFilter", "outboundFilter", "qosPolicyId"})
        EXPECT_EQ(text(bridge, key), "<null>") << key;
    for (const char* key : {"vxLanPortIds", "inboundMirrorIds", "outboundMirrorIds"}) EXPECT_EQ(text(bridge, key), "[]") << key;
    EXPECT_EQ(text(bridge, "adminStateUp"), "true");
    for (const auto& [key, path] : std::vector<std::pair<std::string, std::string>>{
             {"ports", "/ports"}, {"peerPorts", "/peer_ports"}, {"vxLanPorts", "/vxlan_ports"}, {"macTable", "/mac_table"},
             {"arpTable", "/arp_table"}, {"dhcpSubnets", "/dhcp"}, {"dhcpSubnet6s", "/dhcpV6"},
             {"vlanMacTableTemplate", "/vlans/{vlanId}/mac_table"}, {"macPortTemplate", "/mac_table/{macAddress}_{portId}"},
             {"vlanMacPortTemplate", "/vlans/{vlanId}/mac_table/{macAddress}_{portId}"}})
        EXPECT_EQ(text(bridge, key), location + path);
}

TEST_F(Bridges, PutReplaces) {
    const auto path = "/bridges/" + createBridge(R"({"name":"old","tenantId":"t","adminStateUp":false})");
    EXPECT_EQ(put(path, R"({"name":"new","id":")" + kNobody + "\"}").status, 204);
    const auto bridge = parsed(get(path));
    EXPECT_EQ(text(bridge, "name"), "new");
    EXPECT_EQ(text(bridge, "tenantId"), "<null>");
    EXPECT_EQ(text(bridge, "adminStateUp"), "true");
    EXPECT_EQ(put("/bridges/" + kNobody, "{}").status, 404);
}

TEST_F(Bridges, ReferencesToWhatDoesNotExistAre404) {
    const auto path = "/bridges/" + createBridge();
    for (const auto& body : {R"({"inboundFilterId":")" + kNobody + "\"}", R"({"outboundFilterId":")" + kNobody + "\"}",
                             R"({"inboundMirrorIds":[")" + kNobody + "\"]}", R"({"qosPolicyId":")" + kNobody + "\"}"}) {
        EXPECT_EQ(post("/bridges", body).status, 404) << body;
        EXPECT_EQ(put(path, body).status, 404) << body;
    }
    EXPECT_EQ(post("/bridges", R"({"inboundFilterId":"null","inboundMirrorIds":[],"qosPolicyId":""})").status, 201);
}

TEST_F(Bridges, FiltersAreChains) {
    const auto chain = createChain();
    const auto bridge = createBridge(R"({"inboundFilterId":")" + chain + R"(","outboundFilterId":")" + chain + "\"}");
    const auto shown = parsed(get("/bridges/" + bridge));
    EXPECT_EQ(text(shown, "inboundFilterId"), chain);
    EXPECT_EQ(text(shown, "outboundFilter"), "http://localhost/midonet-api/chains/" + chain);
    EXPECT_EQ(del("/chains/" + chain).status, 204);
    EXPECT_EQ(text(parsed(get("/bridges/" + bridge)), "inboundFilterId"), "<null>");
}

TEST_F(Bridges, VxlanPortsCannotBeSet) {
    EXPECT_EQ(post("/bridges", R"({"vxLanPortIds":[]})").status, 400);
    const auto path = "/bridges/" + createBridge();
    EXPECT_EQ(put(path, R"({"vxLanPortIds":[]})").status, 204);
    EXPECT_EQ(put(path, R"({"vxLanPortIds":[")" + kNobody + "\"]}").status, 400);
}

TEST_F(Bridges, NamesHaveAtMost255Characters) {
    EXPECT_EQ(post("/bridges", R"({"name":")" + std::string(255, 'x') + "\"}").status, 201);
    EXPECT_EQ(post("/bridges", R"({"name":")" + std::string(256, 'x') + "\"}").status, 400);
}

TEST_F(Bridges, DeleteTakesThePortsAlong) {
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    EXPECT_EQ(del("/bridges/" + bridge).status, 204);
    EXPECT_EQ(get("/bridges/" + bridge).status, 404);
    EXPECT_EQ(get("/ports/" + port).status, 404);
    EXPECT_EQ(del("/bridges/" + bridge).status, 404);
}

TEST_F(Bridges, CollectionsBelowAMissingBridgeAre404) {
    for (const char* below : {"/ports", "/peer_ports", "/vxlan_ports", "/mac_table", "/vlans/0/mac_table", "/arp_table"})
        EXPECT_EQ(get("/bridges/" + kNobody + below).status, 404) << below;
    EXPECT_EQ(post("/bridges/" + kNobody + "/ports", R"({"type":"Bridge"})").status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
