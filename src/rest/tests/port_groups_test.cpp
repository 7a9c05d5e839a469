#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class PortGroups : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        port_ = createPort(createBridge());
        group_ = text(create("/port_groups", R"({"name":"g","stateful":"true"})"), "id");
        members_ = "/port_groups/" + group_ + "/ports";
    }
    std::string member() const { return R"({"portId":")" + port_ + "\"}"; }
    std::string port_, group_, members_;
};

TEST_F(PortGroups, KeepTheirMembersOnPut) {
    create(members_, member());
    EXPECT_EQ(text(parsed(get("/port_groups/" + group_)), "stateful"), "true");
    EXPECT_EQ(put("/port_groups/" + group_, R"({"name":"new"})").status, 204);
    const auto group = parsed(get("/port_groups/" + group_));
    EXPECT_EQ(text(group, "stateful"), "false");
    EXPECT_EQ(text(group, "ports"), "http://localhost/midonet-api" + members_);
    EXPECT_EQ(listed(members_).size(), 1U);
    EXPECT_EQ(violation(post("/port_groups", R"({"stateful":"perhaps"})")), "stateful");
}

TEST_F(PortGroups, Members) {
    const auto made = create(members_, member());
    EXPECT_EQ(text(made, "uri"), "http://localhost/midonet-api" + members_ + "/" + port_);
    EXPECT_EQ(text(made, "portId"), port_);
    EXPECT_EQ(text(made, "portGroupId"), group_);
    EXPECT_EQ(text(made, "port"), "http://localhost/midonet-api/ports/" + port_);
    EXPECT_EQ(text(made, "portGroup"), "http://localhost/midonet-api/port_groups/" + group_);
    EXPECT_EQ(text(made, "id"), "<absent>");
    EXPECT_EQ(post(members_, member()).status, 409);
    EXPECT_EQ(post(members_, R"({"portId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(violation(post(members_, "{}")), "portId");
    EXPECT_EQ(post("/port_groups/" + kNobody + "/ports", member()).status, 404);
    EXPECT_EQ(listed("/ports/" + port_ + "/port_groups"), listed(members_));
    EXPECT_EQ(get("/ports/" + kNobody + "/port_groups").status, 404);
}

TEST_F(PortGroups, RemovingMembers) {
    create(members_, member());
    EXPECT_EQ(del(members_ + "/" + port_).status, 204);
    EXPECT_EQ(get(members_ + "/" + port_).status, 404);
    EXPECT_EQ(del(members_ + "/" + port_).status, 404) << "a port that is no member";
    create(members_, member());
    EXPECT_EQ(del("/ports/" + port_).status, 204);
    EXPECT_EQ(get(members_).body, "[]");
    EXPECT_EQ(del(members_ + "/" + port_).status, 204) << "a port that is gone";
}

TEST_F(PortGroups, FilterByPort) {
    const auto other = text(create("/port_groups", R"({"tenantId":"t"})"), "id");
    create("/port_groups", R"({"tenantId":"t"})");
    create(members_, member());
    create("/port_groups/" + other + "/ports", member());
    EXPECT_EQ(listed("/port_groups").size(), 3U);
    EXPECT_EQ(listed("/port_groups?port_id=" + port_).size(), 2U);
    EXPECT_EQ(listed("/port_groups?tenant_id=t&port_id=" + port_).size(), 1U);
    EXPECT_EQ(listed("/port_groups?port_id=" + kNobody).size(), 0U);
    EXPECT_EQ(listed("/port_groups?port_id=x").size(), 0U);
}

TEST_F(PortGroups, DeleteLeavesThePorts) {
    create(members_, member());
    EXPECT_EQ(del("/port_groups/" + group_).status, 204);
    EXPECT_EQ(get("/ports/" + port_ + "/port_groups").body, "[]");
    EXPECT_EQ(del("/port_groups/" + group_).status, 204);
}

}  // namespace
}  // namespace midonet::rest::testing
