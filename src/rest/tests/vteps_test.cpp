#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Vteps : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        zone_ = createZone("v", "vtep");
        vtep_ = text(create("/vteps", body("192.0.2.1")), "id");
        path_ = "/vteps/" + vtep_;
        bridge_ = createBridge();
    }
    std::string body(const std::string& address) const {
        return R"({"managementIp":")" + address + R"(","managementPort":"6632","tunnelZoneId":")" + zone_ + "\"}";
    }
    static std::string binding(const std::string& bridge, const std::string& port = "eth0", const std::string& vlan = "10") {
        return R"({"mgmtIp":"192.0.2.1","portName":")" + port + R"(","vlanId":")" + vlan + R"(","networkId":")" + bridge + "\"}";
    }
    json::value at(const std::string& path) { return parsed(get(path)); }
    std::string zone_, vtep_, path_, bridge_;
};

TEST_F(Vteps, AreNotConnected) {
    const auto vtep = parsed(get(path_, vnd("VTEP-v2")));
    EXPECT_EQ(text(vtep, "managementPort"), "6632");
    EXPECT_EQ(text(vtep, "connectionState"), "disconnected");
    for (const char* key : {"name", "description"}) EXPECT_EQ(text(vtep, key), "<null>") << key;
    EXPECT_EQ(text(vtep, "tunnelIpAddrs"), "[]");
    EXPECT_EQ(text(vtep, "vtepBindingTemplate"), text(vtep, "bindings") + "/{portName}/{vlanId}");
    for (const char* below : {"/ports", "/ports/eth0"}) EXPECT_EQ(get(path_ + below).status, 503) << below;
    EXPECT_EQ(get("/vteps/" + kNobody + "/ports").status, 404);
    EXPECT_EQ(status("PUT", path_), 405);
    EXPECT_EQ(listed("/vteps", vndList("VTEP-v2")).size(), 1U);
}

TEST_F(Vteps, AreChecked) {
    EXPECT_EQ(post("/vteps", body("192.0.2.1")).status, 409) << "the address of another one";
    for (const char* property : {"managementIp", "managementPort", "tunnelZoneId"}) {
        auto without = json::parse(body("192.0.2.2")).as_object();
        without.erase(property);
        EXPECT_EQ(violation(post("/vteps", json::serialize(without))), property);
    }
    for (const auto& zone : {createZone("x", "vxlan"), kNobody})
        EXPECT_EQ(violation(post("/vteps", R"({"managementIp":"192.0.2.3","managementPort":1,"tunnelZoneId":")" + zone + "\"}")), "tunnelZoneId");
    EXPECT_EQ(violation(post("/vteps", R"({"managementIp":"192.0.2.3","managementPort":0,"tunnelZoneId":")" + zone_ + "\"}")), "managementPort");
    EXPECT_EQ(del("/tunnel_zones/" + zone_).status, 409) << "in use";
    EXPECT_EQ(del(path_).status, 204);
    EXPECT_EQ(del(path_).status, 404);
    EXPECT_EQ(del("/tunnel_zones/" + zone_).status, 204);
}

TEST_F(Vteps, Bindings) {
    const auto made = post(path_ + "/bindings", binding(bridge_, "Te 0/2"), vnd("VTEPBinding-v2"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.headers.find("Location"), "http://localhost/midonet-api" + path_ + "/bindings/Te%200%2F2/10");
    const auto shown = parsed(get(*made.headers.find("Location"), vnd("VTEPBinding-v2")));
    EXPECT_EQ(text(shown, "portName"), "Te 0/2");
    EXPECT_EQ(text(shown, "vlanId"), "10");
    EXPECT_EQ(text(shown, "networkId"), bridge_);
    EXPECT_EQ(text(shown, "vtepId"), vtep_);
    EXPECT_EQ(post(path_ + "/bindings", binding(createBridge(), "Te 0/2")).status, 409);
    EXPECT_EQ(post(path_ + "/bindings", binding(bridge_, "Te 0/2", "11")).status, 201);
    EXPECT_EQ(listed(path_ + "/bindings", vndList("VTEPBinding-v2")).size(), 2U);
    EXPECT_EQ(violation(post("/vteps/" + kNobody + "/bindings", binding(bridge_))), "vtepId");
    EXPECT_EQ(violation(post(path_ + "/bindings", binding(kNobody))), "networkId");
    EXPECT_EQ(violation(post(path_ + "/bindings", binding(bridge_, "eth0", "4096"))), "vlanId");
    EXPECT_EQ(violation(post(path_ + "/bindings", R"({"vlanId":1,"networkId":")" + bridge_ + "\"}")), "portName");
    for (const char* missing : {"/bindings/eth9/10", "/bindings/Te%200%2F2/12"}) {
        EXPECT_EQ(get(path_ + missing).status, 404) << missing;
        EXPECT_EQ(del(path_ + missing).status, 204) << missing;
    }
    EXPECT_EQ(del("/vteps/" + kNobody + "/bindings/eth0/10").status, 204);
    EXPECT_EQ(get("/vteps/" + kNobody + "/bindings").status, 404);
    EXPECT_EQ(del(path_).status, 400) << "it has bindings";
}

TEST_F(Vteps, BridgesHaveAPortForEachVtep) {
    const auto second = text(create("/vteps", body("192.0.2.2")), "id");
    const auto vxlan = [&] { return listed("/bridges/" + bridge_ + "/vxlan_ports"); };
    EXPECT_EQ(vxlan().size(), 0U);
    create(path_ + "/bindings", binding(bridge_));
    create(path_ + "/bindings", binding(bridge_, "eth1"));
    ASSERT_EQ(vxlan().size(), 1U);
    const auto port = vxlan()[0];
    const auto uri = text(port, "uri");
    EXPECT_EQ(text(port, "type"), "Vxlan");
    EXPECT_EQ(text(port, "vtepId"), vtep_);
    EXPECT_EQ(text(port, "vtep"), "http://localhost/midonet-api" + path_);
    EXPECT_EQ(text(port, "deviceId"), bridge_);
    EXPECT_NE(text(port, "tunnelKey"), "0");
    EXPECT_EQ(text(at("/bridges/" + bridge_), "vxLanPortIds"), "[\"" + text(port, "id") + "\"]");
    EXPECT_EQ(del(uri).status, 409);
    EXPECT_EQ(del("/bridges/" + bridge_).status, 409);
    EXPECT_EQ(put(uri, get(uri).body).status, 204);
    EXPECT_EQ(put("/bridges/" + bridge_, get("/bridges/" + bridge_).body).status, 204);
    EXPECT_EQ(put("/bridges/" + bridge_, R"({"name":"x"})").status, 204);
    EXPECT_EQ(violation(put("/bridges/" + bridge_, R"({"vxLanPortIds":[]})")), "vxLanPortIds");
    EXPECT_EQ(vxlan().size(), 1U);
    EXPECT_EQ(violation(post("/bridges/" + bridge_ + "/ports", R"({"type":"Vxlan"})")), "type");

    create("/vteps/" + second + "/bindings", binding(bridge_));
    EXPECT_EQ(vxlan().size(), 2U);
    const auto below = "/bridges/" + bridge_ + "/ports/" + text(port, "id") + "/vtep_bindings";
    EXPECT_EQ(listed(below, vndList("VTEPBinding-v2")).size(), 2U);
    EXPECT_EQ(get(below + "/eth1/10").status, 200);
    EXPECT_EQ(get(below + "/eth1/11").status, 404);
    EXPECT_EQ(get("/bridges/" + bridge_ + "/ports/" + createPort(bridge_) + "/vtep_bindings").status, 400);
    EXPECT_EQ(get("/bridges/" + createBridge() + "/ports/" + text(port, "id") + "/vtep_bindings").status, 404);

    EXPECT_EQ(del(path_ + "/bindings/eth0/10").status, 204);
    EXPECT_EQ(vxlan().size(), 2U);
    EXPECT_EQ(del(path_ + "/bindings/eth1/10").status, 204);
    EXPECT_EQ(vxlan().size(), 1U);
    EXPECT_EQ(get(uri).status, 404);
    EXPECT_EQ(del("/vteps/" + second + "/bindings/eth0/10").status, 204);
    EXPECT_EQ(text(at("/bridges/" + bridge_), "vxLanPortIds"), "[]");
    EXPECT_EQ(del("/bridges/" + bridge_).status, 204);
    EXPECT_EQ(del(path_).status, 204);
}

}  // namespace
}  // namespace midonet::rest::testing
