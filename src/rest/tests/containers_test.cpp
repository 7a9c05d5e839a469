#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Containers : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        group_ = text(create("/service_container_groups", "{}"), "id");
        router_ = createRouter();
        port_ = createRouterPort(router_);
    }
    std::string body(const std::string& more = "") const {
        return R"({"serviceType":"IPSEC","portId":")" + port_ + R"(","serviceGroupId":")" + group_ + "\"" + more + "}";
    }
    std::string group_, router_, port_;
};

TEST_F(Containers, Groups) {
    const auto path = "/service_container_groups/" + group_;
    const auto group = parsed(get(path, vnd("ServiceContainerGroup-v1")));
    EXPECT_EQ(text(group, "policy"), "WEIGHTED");
    for (const char* key : {"hostGroupId", "portGroupId", "portGroup"}) EXPECT_EQ(text(group, key), "<null>") << key;
    EXPECT_EQ(text(group, "serviceContainers"), text(group, "uri") + "/service_containers");
    const auto ports = text(create("/port_groups", "{}"), "id");
    EXPECT_EQ(put(path, R"({"policy":"LEAST","portGroupId":")" + ports + "\"}").status, 204);
    EXPECT_EQ(text(parsed(get(path)), "policy"), "LEAST");
    EXPECT_EQ(put(path, R"({"policy":null,"portGroupId":")" + ports + "\"}").status, 204);
    EXPECT_EQ(text(parsed(get(path)), "policy"), "WEIGHTED");
    EXPECT_EQ(violation(put(path, R"({"policy":"MOST"})")), "policy");
    EXPECT_EQ(put(path, R"({"hostGroupId":")" + kNobody + "\"}").status, 404) << "there are no host groups";
    EXPECT_EQ(violation(put(path, R"({"hostGroupId":"x"})")), "hostGroupId");
    EXPECT_EQ(del("/port_groups/" + ports).status, 204);
    EXPECT_EQ(text(parsed(get(path)), "portGroupId"), "<null>");
}

TEST_F(Containers, AreShownAtTheirPort) {
    const auto container = create("/service_containers", body(R"(,"configurationId":")" + kNobody + "\""));
    EXPECT_EQ(text(container, "serviceType"), "IPSEC");
    EXPECT_EQ(text(container, "configurationId"), kNobody);
    EXPECT_EQ(text(container, "statusCode"), "STOPPED");
    EXPECT_EQ(text(container, "serviceContainerGroup"), "http://localhost/midonet-api/service_container_groups/" + group_);
    for (const char* key : {"statusMessage", "namespaceName", "interfaceName", "hostId"}) EXPECT_EQ(text(container, key), "<null>") << key;
    EXPECT_EQ(text(parsed(get("/ports/" + port_)), "serviceContainerId"), text(container, "id"));
    EXPECT_EQ(text(parsed(get("/ports/" + port_)), "serviceContainer"), text(container, "uri"));
    EXPECT_EQ(post("/service_containers", body()).status, 409) << "the port has one";
    EXPECT_EQ(violation(post("/service_containers", "{}")), "serviceType");
    EXPECT_EQ(listed("/service_container_groups/" + group_ + "/service_containers", vndList("ServiceContainer-v1")).size(), 1U);
    const auto other = create("/service_container_groups/" + group_ + "/service_containers", R"({"serviceType":"QUAGGA"})");
    EXPECT_EQ(text(other, "statusCode"), "<null>") << "no port";
    EXPECT_EQ(text(other, "serviceGroupId"), group_);
    EXPECT_EQ(del("/ports/" + port_).status, 204);
    EXPECT_EQ(listed("/service_containers").size(), 1U);
    EXPECT_EQ(del("/service_container_groups/" + group_).status, 204);
    EXPECT_EQ(listed("/service_containers").size(), 0U);
}

TEST_F(Containers, PutMovesThem) {
    const auto path = text(create("/service_containers", body()), "uri");
    const auto host = addHost();
    EXPECT_EQ(put(path, R"({"hostId":")" + host + R"(","serviceType":"QUAGGA","portId":null})").status, 204);
    const auto container = parsed(get(path));
    EXPECT_EQ(text(container, "hostId"), host);
    EXPECT_EQ(text(container, "serviceType"), "IPSEC") << "nothing else can be changed";
    EXPECT_EQ(text(container, "portId"), port_);
    EXPECT_EQ(text(parsed(get("/ports/" + port_)), "hostId"), host);
    EXPECT_EQ(put(path, get(path).body).status, 204);
    EXPECT_EQ(put(path, R"({"hostId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(violation(put(path, R"({"hostId":"x"})")), "hostId");
    const auto homeless = text(create("/service_containers", R"({"serviceType":"HAPROXY"})"), "uri");
    EXPECT_EQ(put(homeless, R"({"hostId":")" + host + "\"}").status, 406);
}

}  // namespace
}  // namespace midonet::rest::testing
