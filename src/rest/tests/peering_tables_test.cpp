#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class PeeringTables : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        router_ = createRouter();
        port_ = createRouterPort(router_, R"(,"rtrPortVni":"10","offRampVxlan":"true")");
        path_ = "/routers/" + router_ + "/ports/" + port_ + "/peering_table";
    }
    std::string router_, port_, path_;
};
const std::string kEntry = R"({"ip":"192.0.2.1","mac":"02:00:00:00:00:01"})";

TEST_F(PeeringTables, SayBehindWhichVtepAMacIs) {
    const auto port = parsed(get("/ports/" + port_));
    EXPECT_EQ(text(port, "peeringTable"), "http://localhost/midonet-api" + path_);
    EXPECT_EQ(text(port, "rtrPortVni"), "10");
    EXPECT_EQ(text(port, "offRampVxlan"), "true");
    const auto made = post(path_, kEntry, vnd("MacIp-v1"));
    ASSERT_EQ(made.status, 201) << made.body;
    const auto uri = "http://localhost/midonet-api" + path_ + "/192.0.2.1_02-00-00-00-00-01";
    EXPECT_EQ(made.headers.find("Location"), uri);
    EXPECT_EQ(get(uri, vnd("MacIp-v1")).body, R"({"ip":"192.0.2.1","mac":"02:00:00:00:00:01","uri":")" + uri + "\"}");
    EXPECT_EQ(listed(path_, vnd("MacIp-v1")).size(), 1U) << "the type of an item, also for the list";
    EXPECT_EQ(post(path_, kEntry).status, 201) << "the same once more";
    EXPECT_EQ(post(path_, R"({"ip":"192.0.2.2","mac":"02:00:00:00:00:01"})").status, 409) << "a MAC is at one place";
    EXPECT_EQ(post(path_, R"({"ip":"192.0.2.1","mac":"02:00:00:00:00:02"})").status, 201);
    EXPECT_EQ(del(path_ + "/192.0.2.2_02-00-00-00-00-01").status, 204) << "no such pair";
    EXPECT_EQ(listed(path_).size(), 2U);
    EXPECT_EQ(del(uri).status, 204);
    EXPECT_EQ(get(uri).status, 404);
    EXPECT_EQ(del(uri).status, 204);
}

TEST_F(PeeringTables, AreChecked) {
    EXPECT_EQ(violation(post(path_, R"({"ip":"x","mac":"02:00:00:00:00:01"})")), "ip");
    EXPECT_EQ(violation(post(path_, R"({"ip":"192.0.2.1"})")), "mac");
    EXPECT_EQ(get(path_ + "/192.0.2.1").status, 400);
    EXPECT_EQ(get("/routers/" + createRouter() + "/ports/" + port_ + "/peering_table").status, 404) << "of another router";
    EXPECT_EQ(post("/routers/" + router_ + "/ports/" + kNobody + "/peering_table", kEntry).status, 404);
    EXPECT_EQ(violation(put("/ports/" + port_, R"({"rtrPortVni":16777216})")), "rtrPortVni");
    EXPECT_EQ(violation(put("/ports/" + port_, R"({"offRampVxlan":"perhaps"})")), "offRampVxlan");
}

}  // namespace
}  // namespace midonet::rest::testing
