#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class IpAddrGroups : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        group_ = text(create("/ip_addr_groups", R"({"name":"g"})"), "id");
        path_ = "/ip_addr_groups/" + group_;
    }
    static std::string address(const std::string& text, const std::string& version) {
        return R"({"addr":")" + text + R"(","version":)" + version + "}";
    }
    std::string group_, path_;
};

TEST_F(IpAddrGroups, ShowsEveryKeyClientsIndex) {
    const auto group = parsed(get(path_));
    EXPECT_EQ(text(group, "addrs"), "http://localhost/midonet-api" + path_ + "/ip_addrs");
    for (const char* key : {"ipAddrPorts", "ruleIds"}) EXPECT_EQ(text(group, key), "[]") << key;
    for (const char* key : {"inboundChainId", "outboundChainId"}) EXPECT_EQ(text(group, key), "<null>") << key;
    EXPECT_EQ(violation(post("/ip_addr_groups", "{}")), "name");
    EXPECT_EQ(violation(post("/ip_addr_groups", R"({"name":""})")), "name");
}

TEST_F(IpAddrGroups, AddressesOfBothFamiliesInOrder) {
    for (const auto& [text, version] : {std::pair{"2001:DB8:0::2", "6"}, {"10.0.0.10", "\"4\""}, {"10.0.0.9", "4"}})
        EXPECT_EQ(post(path_ + "/ip_addrs", address(text, version)).status, 201) << text;
    const auto addresses = listed(path_ + "/ip_addrs");
    ASSERT_EQ(addresses.size(), 3U);
    EXPECT_EQ(text(addresses.at(0), "addr"), "10.0.0.9");
    EXPECT_EQ(text(addresses.at(1), "addr"), "10.0.0.10");
    EXPECT_EQ(text(addresses.at(1), "version"), "4");
    EXPECT_EQ(text(addresses.at(1), "ipAddrGroupId"), group_);
    EXPECT_EQ(text(addresses.at(1), "ipAddrGroup"), "http://localhost/midonet-api" + path_);
    EXPECT_EQ(text(addresses.at(2), "addr"), "2001:db8::2");
    EXPECT_EQ(text(addresses.at(2), "uri"), "http://localhost/midonet-api" + path_ + "/versions/6/ip_addrs/2001%3Adb8%3A%3A2");
    for (const auto& one : addresses) EXPECT_EQ(parsed(get(text(one, "uri"))), one);
}

TEST_F(IpAddrGroups, BadAddresses) {
    const auto all = path_ + "/ip_addrs";
    EXPECT_EQ(violation(post(all, address("x", "4"))), "addr");
    EXPECT_EQ(violation(post(all, R"({"version":4})")), "addr");
    EXPECT_EQ(violation(post(all, R"({"addr":"10.0.0.1"})")), "version");
    EXPECT_EQ(violation(post(all, address("10.0.0.1", "6"))), "version");
    EXPECT_EQ(violation(post(all, address("10.0.0.1", "5"))), "version");
    EXPECT_EQ(post("/ip_addr_groups/" + kNobody + "/ip_addrs", address("10.0.0.1", "4")).status, 404);
    create(all, address("10.0.0.1", "4"));
    EXPECT_EQ(post(all, address("10.0.0.1", "4")).status, 409);
    EXPECT_EQ(listed(all).size(), 1U);
}

TEST_F(IpAddrGroups, RemovingAddresses) {
    for (const char* one : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) create(path_ + "/ip_addrs", address(one, "4"));
    const auto middle = path_ + "/versions/4/ip_addrs/10.0.0.2";
    EXPECT_EQ(del(middle).status, 204);
    EXPECT_EQ(get(middle).status, 404);
    EXPECT_EQ(del(middle).status, 204) << "idempotent";
    EXPECT_EQ(listed(path_ + "/ip_addrs").size(), 2U);
    for (const char* bad : {"/versions/6/ip_addrs/10.0.0.1", "/versions/5/ip_addrs/10.0.0.1", "/versions/4/ip_addrs/x"}) {
        EXPECT_EQ(get(path_ + bad).status, 400) << bad;
        EXPECT_EQ(del(path_ + bad).status, 400) << bad;
    }
    EXPECT_EQ(del(path_).status, 204);
    EXPECT_EQ(del(path_ + "/versions/4/ip_addrs/10.0.0.1").status, 204);
    EXPECT_EQ(get(path_ + "/ip_addrs").status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
