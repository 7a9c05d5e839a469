#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Routes : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        router_ = createRouter();
        port_ = createRouterPort(router_);
        path_ = "/routers/" + router_ + "/routes";
    }
    static std::string route(const std::string& type, const std::string& more = "") {
        return R"({"type":")" + type + R"(","srcNetworkAddr":"0.0.0.0","srcNetworkLength":"0","dstNetworkAddr":"10.1.0.0","dstNetworkLength":"16")" + more + "}";
    }
    std::string via(const std::string& port) const { return R"(,"nextHopPort":")" + port + "\""; }
    std::string router_, port_, path_;
};

TEST_F(Routes, ShowsEveryKeyClientsIndex) {
    const auto made = create(path_, route("Normal", via(port_) + R"(,"nextHopGateway":"10.0.0.2","weight":"100","attributes":"a")"));
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"uri", "http://localhost/midonet-api/routes/" + text(made, "id")}, {"routerId", router_},
             {"router", "http://localhost/midonet-api/routers/" + router_}, {"type", "Normal"}, {"srcNetworkAddr", "0.0.0.0"},
             {"srcNetworkLength", "0"}, {"dstNetworkAddr", "10.1.0.0"}, {"dstNetworkLength", "16"}, {"nextHopPort", port_},
             {"nextHopGateway", "10.0.0.2"}, {"weight", "100"}, {"attributes", "a"}, {"learned", "false"}})
        EXPECT_EQ(text(made, key), value) << key;
    const auto plain = create(path_, route("Normal", via(port_) + R"(,"nextHopGateway":"null")"));
    EXPECT_EQ(text(plain, "nextHopGateway"), "<null>");
    EXPECT_EQ(text(plain, "weight"), "0");
    EXPECT_EQ(listed(path_).size(), 2U);
}

TEST_F(Routes, BadValues) {
    for (const auto& [body, property] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "type"},
             {route("normal", via(port_)), "type"},
             {route("Normal"), "nextHopPort"},
             {route("Local"), "nextHopPort"},
             {route("Normal", via(kNobody)), "nextHopPort"},
             {route("Normal", via(createRouterPort(createRouter()))), "nextHopPort"},
             {route("Normal", via(createPort(createBridge()))), "nextHopPort"},
             {route("Normal", via("x")), "nextHopPort"},
             {route("Normal", via(port_) + R"(,"weight":-1)"), "weight"},
             {route("Normal", via(port_) + R"(,"nextHopGateway":"here")"), "nextHopGateway"},
             {route("Normal", via(port_) + R"(,"nextHopGateway":"2001:db8::1")"), "nextHopGateway"},
             {R"({"type":"Reject","srcNetworkAddr":"0.0.0.0","dstNetworkAddr":"10.0.0.0","dstNetworkLength":33})", "dstNetworkLength"},
             {R"({"type":"Reject","srcNetworkAddr":"0.0.0.0","srcNetworkLength":33,"dstNetworkAddr":"10.0.0.0"})", "srcNetworkLength"},
             {R"({"type":"Reject","srcNetworkAddr":"0.0.0.0","dstNetworkAddr":"2001:db8::"})", "srcNetworkAddr"},
             {R"({"type":"Reject","srcNetworkAddr":"0.0.0.0","dstNetworkAddr":"10.0.0"})", "dstNetworkAddr"},
             {R"({"type":"Reject","dstNetworkAddr":"10.0.0.0"})", "srcNetworkAddr"}})
        EXPECT_EQ(violation(post(path_, body)), property) << body;
    EXPECT_EQ(get(path_).body, "[]");
    EXPECT_EQ(post("/routers/" + kNobody + "/routes", route("BlackHole")).status, 404);
}

TEST_F(Routes, GoWithWhatTheyBelongTo) {
    create(path_, route("Normal", via(port_)));
    for (const char* type : {"BlackHole", "Reject"})
        EXPECT_EQ(text(create(path_, route(type, via(port_))), "nextHopPort"), "<null>") << "belongs to the router";
    EXPECT_EQ(del("/ports/" + port_).status, 204);
    EXPECT_EQ(listed(path_).size(), 2U);
}

TEST_F(Routes, DeleteIsIdempotent) {
    const auto id = text(create(path_, route("BlackHole")), "id");
    EXPECT_EQ(del("/routes/" + id).status, 204);
    EXPECT_EQ(get("/routes/" + id).status, 404);
    EXPECT_EQ(del("/routes/" + id).status, 204);
}

}  // namespace
}  // namespace midonet::rest::testing
