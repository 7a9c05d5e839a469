// Long lists, pages of them, and lists of those that are as asked for.
#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Lists : public ApiTest {
protected:
    /// Bridges with the ids 1 to `count`, quicker than over HTTP.
    void addBridges(std::uint64_t count) {
        EXPECT_TRUE(store_->transact([&](nsdb::Transaction& transaction) -> Result<void> {
            for (std::uint64_t i = 1; i <= count; ++i) {
                model::Bridge bridge;
                model::setId(bridge, Uuid{0, i});
                bridge.set_name(i % 2 == 0 ? "even" : "odd");
                TRY_VOID(transaction.create(bridge));
            }
            return {};
        }));
    }
    std::vector<std::string> idsOf(const json::value& list) {
        std::vector<std::string> out;
        for (const auto& object : list.as_array()) out.push_back(text(object, "id"));
        return out;
    }
    static std::string idOf(std::uint64_t number) { return Uuid{0, number}.toString(); }
    /// The target of the next page; empty: none.
    static std::string next(const Response& response) {
        const auto link = response.headers.find("Link");
        if (!link) return {};
        EXPECT_TRUE(link->ends_with(">; rel=\"next\"")) << *link;
        return std::string{link->substr(1, link->find('>') - 1)};
    }
};

TEST_F(Lists, LongOnesComeInChunksAndAreWhole) {
    addBridges(2000);
    const auto response = get("/bridges");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.find("Transfer-Encoding"), "chunked");
    EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
    const auto ids = idsOf(parsed(response));
    ASSERT_EQ(ids.size(), 2000U);
    for (std::uint64_t i = 0; i < 2000; ++i) EXPECT_EQ(ids[i], idOf(i + 1));
    EXPECT_EQ(ask("HEAD", "/bridges").status, 200);
    EXPECT_EQ(listed("/bridges/" + idOf(7) + "/ports").size(), 0U);
}

TEST_F(Lists, LongOnesWithoutAnyThatFit) {
    addBridges(1000);
    EXPECT_EQ(parsed(get("/bridges?name=neither")).as_array().size(), 0U);
}

TEST_F(Lists, ShortOnesHaveALength) {
    addBridges(10);
    EXPECT_TRUE(get("/bridges").headers.find("Content-Length"));
}

TEST_F(Lists, WhatGoesWhileALongOneIsSentIsLeftOut) {
    addBridges(1000);
    std::vector<Uuid> ids;
    for (std::uint64_t i = 1; i <= 1000; ++i) ids.push_back(Uuid{0, i});
    auto bridge = resource<model::Bridge>();
    ListText list(ScopedStore{*store_, Identity{}}, bridge, "http://here", {ids}, ListQuery({}, *bridge.schema));
    auto whole = list.next().value();
    ASSERT_FALSE(list.ended());
    EXPECT_TRUE(store_->transact([](nsdb::Transaction& t) { return t.remove(model::Bridge::descriptor(), Uuid{0, 1000}); }));
    while (!list.ended()) whole += list.next().value();
    EXPECT_EQ(list.next().value(), "");
    EXPECT_EQ(json::parse(whole).as_array().size(), 999U);
}

TEST_F(Lists, PagesFollowTheOrderOfIdsAndNameTheNext) {
    addBridges(25);
    auto response = get("/bridges?limit=10&x=y");
    EXPECT_EQ(idsOf(parsed(response)).front(), idOf(1));
    std::vector<std::string> all = idsOf(parsed(response));
    EXPECT_EQ(all.size(), 10U);
    int pages = 1;
    for (auto target = next(response); !target.empty(); target = next(response), ++pages) {
        EXPECT_NE(target.find("x=y"), target.npos);
        response = get(target);
        for (auto& id : idsOf(parsed(response))) all.push_back(id);
    }
    EXPECT_EQ(pages, 3);
    ASSERT_EQ(all.size(), 25U);
    for (std::uint64_t i = 0; i < 25; ++i) EXPECT_EQ(all[i], idOf(i + 1));
}

TEST_F(Lists, TheLastPageNamesNoOther) {
    addBridges(20);
    EXPECT_EQ(next(get("/bridges?limit=20")), "");
    EXPECT_EQ(next(get("/bridges?limit=10&after=" + idOf(10))), "");
    EXPECT_EQ(get("/bridges?limit=10&after=" + idOf(20)).body, "[]");
}

TEST_F(Lists, PagesOfThoseThatFit) {
    addBridges(1200);
    auto response = get("/bridges?name=even&limit=500");
    EXPECT_EQ(idsOf(parsed(response)).size(), 500U);
    response = get(next(response));
    EXPECT_EQ(idsOf(parsed(response)).size(), 100U);
    EXPECT_EQ(next(response), "");
}

TEST_F(Lists, PagesAreOfBoundedSize) {
    addBridges(1001);
    const auto response = get("/bridges?limit=99999999999");
    EXPECT_EQ(idsOf(parsed(response)).size(), 1000U);
    EXPECT_NE(next(response), "");
}

TEST_F(Lists, LimitsThatMeanNothingAreIgnored) {
    addBridges(3);
    for (const char* query : {"?limit=0", "?limit=-1", "?limit=x", "?limit=", "?limit", "?after=00000000-0000-0000-0000-000000000002"})
        EXPECT_EQ(listed(std::string{"/bridges"} + query).size(), 3U) << query;
    EXPECT_EQ(listed("/bridges?limit=5&after=x").size(), 3U);
}

TEST_F(Lists, TextPropertiesAreConditions) {
    const auto chain = createChain();
    const auto one = createBridge(R"({"name":"a b","tenantId":"t","inboundFilterId":")" + chain + "\"}");
    createBridge(R"({"name":"other"})");
    for (const auto& query : {std::string{"?name=a+b"}, "?inboundFilterId=" + chain, "?id=" + one, std::string{"?tenant_id=t"},
                              std::string{"?name=a%20b&tenant_id=t"}}) {
        const auto list = listed("/bridges" + query);
        ASSERT_EQ(list.size(), 1U) << query;
        EXPECT_EQ(text(list[0], "id"), one);
    }
    EXPECT_EQ(listed("/bridges?name=a+b&tenant_id=u").size(), 0U);
    EXPECT_EQ(listed("/bridges?tenant_id=").size(), 1U) << "those without";
    EXPECT_EQ(listed("/bridges?NAME=x").size(), 2U);
    EXPECT_EQ(listed("/bridges?adminStateUp=false").size(), 2U) << "no text";
}

TEST_F(Lists, TheSameBelowAParent) {
    const auto bridge = createBridge();
    std::vector<std::string> ports;
    for (int i = 0; i < 5; ++i) ports.push_back(createPort(bridge));
    std::sort(ports.begin(), ports.end());
    const auto path = "/bridges/" + bridge + "/ports";
    const auto response = get(path + "?limit=3");
    EXPECT_EQ(idsOf(parsed(response)), (std::vector<std::string>{ports.begin(), ports.begin() + 3}));
    EXPECT_EQ(idsOf(parsed(get(next(response)))), (std::vector<std::string>{ports.begin() + 3, ports.end()}));
    EXPECT_EQ(listed(path + "?id=" + ports[2]).size(), 1U);
    EXPECT_EQ(listed(path + "?tenant_id=whoever").size(), 5U) << "ports have no tenant";
}

TEST_F(Lists, WhatTracesCallLimitIsNoCondition) {
    createBridge();
    EXPECT_EQ(get("/traces?limit=3").body, "[]");
    create("/qos_policies", R"({"name":"q","tenant_id":"one"})");
    EXPECT_EQ(listed("/qos_policies?tenant_id=two").size(), 1U) << "policies are not filtered by their tenant";
}

}  // namespace
}  // namespace midonet::rest::testing
