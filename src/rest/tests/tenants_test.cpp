#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Tenants : public ApiTest {};

TEST_F(Tenants, TheAuthenticatorKnowsThem) {
    const auto all = listed("/tenants?marker=x&limit=5", vndList("Tenant-v2"));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(text(all[0], "id"), "admin");
    const auto one = get("/tenants/any%20body", vnd("Tenant-v2"));
    EXPECT_EQ(one.headers.find("Content-Type"), vnd("Tenant-v2"));
    const std::string base = "http://localhost/midonet-api";
    EXPECT_EQ(one.body, R"({"id":"any body","name":"any body","description":"any body","enabled":true,"uri":")" + base + R"(/tenants/any%20body",)" +
                            R"("routers":")" + base + R"(/routers?tenant_id=any%20body","bridges":")" + base + R"(/bridges?tenant_id=any%20body",)" +
                            R"("chains":")" + base + R"(/chains?tenant_id=any%20body","portGroups":")" + base + R"(/port_groups?tenant_id=any%20body"})");
    createBridge(R"({"tenantId":"any body"})");
    createBridge();
    EXPECT_EQ(listed(text(parsed(one), "bridges")).size(), 1U);
    for (const char* method : {"POST", "PUT", "DELETE"}) EXPECT_EQ(status(method, "/tenants/admin"), 405) << method;
    EXPECT_EQ(status("POST", "/tenants"), 405);
}

}  // namespace
}  // namespace midonet::rest::testing
