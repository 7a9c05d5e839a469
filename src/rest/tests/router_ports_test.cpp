#include <set>

#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class RouterPorts : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        router_ = createRouter();
    }
    json::value port(const std::string& id) { return parsed(get("/ports/" + id)); }
    /// Destinations of the Local routes, in order.
    std::set<std::string> localRoutes() {
        std::set<std::string> out;
        for (const auto& route : listed("/routers/" + router_ + "/routes")) {
            EXPECT_EQ(text(route, "type"), "Local");
            EXPECT_EQ(text(route, "srcNetworkAddr") + "/" + text(route, "srcNetworkLength"), "0.0.0.0/0");
            EXPECT_EQ(text(route, "weight"), "0");
            EXPECT_EQ(text(route, "nextHopGateway"), "<null>");
            EXPECT_NE(text(route, "nextHopPort"), "<null>");
            out.insert(text(route, "dstNetworkAddr") + "/" + text(route, "dstNetworkLength"));
        }
        return out;
    }
    std::string router_;
};
using Strings = std::set<std::string>;

TEST_F(RouterPorts, ShowsEveryKeyClientsIndex) {
    const auto id = createRouterPort(router_, R"(,"portAddress":"10.0.0.1","networkAddress":"1.2.3.4","networkLength":"24","portMac":"02:AA:00:00:00:01")");
    const auto p = port(id);
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"type", "Router"}, {"deviceId", router_}, {"device", "http://localhost/midonet-api/routers/" + router_},
             {"portAddress", "10.0.0.1"}, {"networkAddress", "10.0.0.0"}, {"networkLength", "24"}, {"portSubnet", R"(["10.0.0.1/24"])"},
             {"portMac", "02:aa:00:00:00:01"}, {"hostInterfacePort", "<null>"}, {"active", "false"},
             {"peeringTable", "http://localhost/midonet-api/routers/" + router_ + "/ports/" + id + "/peering_table"}})
        EXPECT_EQ(text(p, key), value) << key;
    for (const char* key : {"rtrPortVni", "offRampVxlan", "serviceContainerId", "serviceContainer", "bgpStatus"}) EXPECT_EQ(text(p, key), "<null>") << key;
    EXPECT_EQ(text(port(createPort(createBridge())), "portMac"), "<absent>") << "of routers only";
}

TEST_F(RouterPorts, BothSpellingsOfAddresses) {
    struct Case {
        std::string body, address, network, subnets;
        Strings routes;
    };
    for (const auto& [body, address, network, subnets, routes] : std::vector<Case>{
             {"", "<null>", "<null>", "[]", {}},
             {R"(,"portAddress":"10.0.1.9","networkLength":20)", "10.0.1.9", "10.0.0.0", R"(["10.0.1.9/20"])", {"10.0.1.9/32"}},
             {R"(,"portSubnet":["2001:db8::1/64","10.0.2.1/24","10.0.3.1/25"],"portAddress":"1.1.1.1","networkLength":8)", "10.0.2.1", "10.0.2.0",
              R"(["2001:db8::1/64","10.0.2.1/24","10.0.3.1/25"])", {"10.0.2.1/32", "10.0.3.1/32"}},
             {R"(,"portSubnet":["2001:db8::1/64"])", "<null>", "<null>", R"(["2001:db8::1/64"])", {}}}) {
        const auto id = createRouterPort(router_, body);
        const auto p = port(id);
        EXPECT_EQ(text(p, "portAddress"), address) << body;
        EXPECT_EQ(text(p, "networkAddress"), network) << body;
        EXPECT_EQ(text(p, "portSubnet"), subnets) << body;
        EXPECT_EQ(localRoutes(), routes) << body;
        EXPECT_EQ(del("/ports/" + id).status, 204);
        EXPECT_EQ(localRoutes(), Strings{}) << "gone with the port";
    }
}

TEST_F(RouterPorts, BadValues) {
    const auto path = "/routers/" + router_ + "/ports";
    for (const auto& [more, property] : std::vector<std::pair<std::string, std::string>>{
             {R"("portAddress":"10.0.0","networkLength":24)", "portAddress"}, {R"("portAddress":"2001:db8::1","networkLength":24)", "portAddress"},
             {R"("portAddress":"10.0.0.1")", "networkLength"}, {R"("portAddress":"10.0.0.1","networkLength":33)", "networkLength"},
             {R"("portAddress":"10.0.0.1","networkLength":"x")", "networkLength"}, {R"("portSubnet":"10.0.0.1/24")", "portSubnet"},
             {R"("portSubnet":["10.0.0.1/24","10.0.0.1"])", "portSubnet[1]"}, {R"("portSubnet":["10.0.0.1/33"])", "portSubnet[0]"},
             {R"("portMac":"x")", "portMac"}, {R"("portMac":"01:00:5e:00:00:01")", "portMac"}, {R"("portMac":"00:00:00:00:00:00")", "portMac"}})
        EXPECT_EQ(violation(post(path, R"({"type":"Router",)" + more + "}")), property) << more;
    for (const char* type : {"Bridge", "InteriorBridge", "Vxlan", "router", ""})
        EXPECT_EQ(violation(post(path, R"({"type":")" + std::string{type} + "\"}")), "type") << type;
    EXPECT_EQ(violation(post(path, "{}")), "type");
    EXPECT_EQ(post("/routers/" + kNobody + "/ports", R"({"type":"Router"})").status, 404);
    EXPECT_EQ(get(path).body, "[]");
    EXPECT_EQ(localRoutes(), Strings{});
    for (const char* type : {"Router", "ExteriorRouter", "InteriorRouter"})
        EXPECT_EQ(text(create(path, R"({"type":")" + std::string{type} + "\"}"), "type"), "Router");
}

TEST_F(RouterPorts, PutKeepsTheLocalRoutesInStep) {
    const auto id = createRouterPort(router_, R"(,"portAddress":"10.0.0.1","networkLength":24)");
    const auto path = "/ports/" + id;
    const auto mac = text(port(id), "portMac");
    const auto kept = text(listed("/routers/" + router_ + "/routes").at(0), "id");
    EXPECT_EQ(put(path, R"({"portSubnet":["10.0.0.1/16","10.2.0.1/24"]})").status, 204);
    EXPECT_EQ(localRoutes(), (Strings{"10.0.0.1/32", "10.2.0.1/32"}));
    EXPECT_EQ(get("/routes/" + kept).status, 200) << "that of an address that stays is not touched";
    EXPECT_EQ(put(path, R"({"type":"Router","portAddress":"10.3.0.1","networkLength":24})").status, 204);
    EXPECT_EQ(localRoutes(), Strings{"10.3.0.1/32"});
    EXPECT_EQ(text(port(id), "portMac"), mac) << "a MAC that is not given stays";
    EXPECT_EQ(put(path, "{}").status, 204);
    EXPECT_EQ(text(port(id), "portAddress"), "<null>") << "absent is unset";
    EXPECT_EQ(localRoutes(), Strings{});
    EXPECT_EQ(violation(put(path, R"({"type":"Bridge"})")), "type");
}

TEST_F(RouterPorts, APortPutBackWithAnotherAddressHasThat) {
    const auto id = createRouterPort(router_, R"(,"portSubnet":["2001:db8::1/64","10.0.0.1/24","10.1.0.1/24"])");
    auto body = port(id).as_object();
    body["portAddress"] = "10.9.0.1";
    EXPECT_EQ(put("/ports/" + id, json::serialize(body)).status, 204);
    EXPECT_EQ(text(port(id), "portSubnet"), R"(["2001:db8::1/64","10.9.0.1/24","10.1.0.1/24"])");
    EXPECT_EQ(localRoutes(), (Strings{"10.9.0.1/32", "10.1.0.1/32"}));
}

TEST_F(RouterPorts, MacsAreRandomAndOfOneStation) {
    Strings macs;
    for (int i = 0; i < 20; ++i) macs.insert(text(port(createRouterPort(router_)), "portMac"));
    EXPECT_EQ(macs.size(), 20U);
    for (const auto& mac : macs) EXPECT_EQ(net::Mac::parse(mac)->value() >> 40 & 3, 2U) << mac;
}

}  // namespace
}  // namespace midonet::rest::testing
