#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Chains : public ApiTest {};

TEST_F(Chains, ShowsEveryKeyClientsIndex) {
    const auto chain = create("/chains", R"({"tenantId":"t","name":"c"})");
    const auto uri = "http://localhost/midonet-api/chains/" + text(chain, "id");
    EXPECT_EQ(text(chain, "uri"), uri);
    EXPECT_EQ(text(chain, "rules"), uri + "/rules");
    EXPECT_EQ(text(chain, "name"), "c");
    EXPECT_EQ(text(chain, "tenantId"), "t");
    create("/chains", R"({"name":"c"})");
    EXPECT_EQ(listed("/chains").size(), 2U) << "names are not unique";
    EXPECT_EQ(violation(post("/chains", R"({"name":")" + std::string(256, 'x') + "\"}")), "name");
}

TEST_F(Chains, DeleteTakesTheJumpsToItAlong) {
    const auto chain = createChain(), other = createChain();
    const auto jump = R"({"type":"jump","jumpChainId":")" + chain + "\"}";
    createRule(chain, R"({"type":"accept"})");
    createRule(chain, jump);  // to itself
    const auto drop = createRule(other, R"({"type":"drop"})");
    const auto first = createRule(other, jump), last = createRule(other, jump);
    const auto router = createRouter(R"({"forwardChainId":")" + chain + R"(","localRedirectChainId":")" + chain + "\"}");
    EXPECT_EQ(del("/chains/" + chain).status, 204);
    EXPECT_EQ(get("/chains/" + chain).status, 404);
    EXPECT_EQ(get("/chains/" + chain + "/rules").status, 404);
    const auto rules = listed("/chains/" + other + "/rules");
    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(text(rules.at(0), "id"), drop);
    EXPECT_EQ(text(rules.at(0), "position"), "1");
    for (const auto& rule : {first, last}) EXPECT_EQ(get("/rules/" + rule).status, 404);
    EXPECT_EQ(text(parsed(get("/routers/" + router)), "forwardChainId"), "<null>");
    EXPECT_EQ(text(parsed(get("/routers/" + router)), "localRedirectChainId"), "<null>");
    EXPECT_EQ(del("/chains/" + chain).status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
