#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Dhcp : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
        all_ = "/bridges/" + bridge_ + "/dhcp";
        all6_ = "/bridges/" + bridge_ + "/dhcpV6";
    }
    json::value at(const std::string& path) { return parsed(get(path)); }
    std::string bridge_, all_, all6_;
};
const std::string kSubnet = R"({"subnetPrefix":"10.0.0.0","subnetLength":"24"})";
const std::string kHost = R"({"name":"i-1","macAddr":"D0:0D:00:00:00:01","ipAddr":"10.0.0.5"})";

TEST_F(Dhcp, SubnetsAreNamedByAddressAndLength) {
    const auto made = post(all_, kSubnet, vnd("DhcpSubnet-v2"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.headers.find("Location"), "http://localhost/midonet-api" + all_ + "/10.0.0.0_24");
    const auto subnet = get(all_ + "/10.0.0.0_24", vnd("DhcpSubnet-v2"));
    EXPECT_EQ(subnet.body, R"({"subnetPrefix":"10.0.0.0","subnetLength":24,"defaultGateway":null,"serverAddr":null,"dnsServerAddrs":null,)"
                           R"("interfaceMTU":0,"opt121Routes":[],"enabled":true,"uri":"http://localhost/midonet-api)" + all_ +
                           R"(/10.0.0.0_24","hosts":"http://localhost/midonet-api)" + all_ + R"(/10.0.0.0_24/hosts"})");
    EXPECT_EQ(listed(all_, vndList("DhcpSubnet-v2")).size(), 1U);
    EXPECT_EQ(post(all_, kSubnet).status, 409);
    EXPECT_EQ(post(all_, R"({"subnetPrefix":"10.0.0.0","subnetLength":25})").status, 201) << "another length is another subnet";
    EXPECT_EQ(post(all_, R"({"subnetPrefix":"10.0.0.7","subnetLength":24})").status, 201) << "the address is taken as it is";
    EXPECT_EQ(post("/bridges/" + createBridge() + "/dhcp", kSubnet).status, 201);
    for (const char* missing : {"/10.0.1.0_24", "/10.0.0.0_23", "/10.0.0.0", "/x_24", "/10.0.0.0_", "/10.0.0.0_24x"}) {
        EXPECT_EQ(get(all_ + missing).status, 404) << missing;
        EXPECT_EQ(del(all_ + missing).status, 404) << missing;
    }
    EXPECT_EQ(post("/bridges/" + kNobody + "/dhcp", kSubnet).status, 404);
    EXPECT_EQ(post(all_, kSubnet, "text/plain").status, 415);
}

TEST_F(Dhcp, SubnetsAreChecked) {
    EXPECT_EQ(violation(post(all_, "{}")), "subnetPrefix");
    for (const auto& [property, value] : std::vector<std::pair<std::string, std::string>>{
             {"subnetPrefix", "\"10.0.0.0/24\""}, {"subnetPrefix", "\"2001:db8::\""}, {"subnetLength", "33"}, {"defaultGateway", "\"x\""},
             {"serverAddr", "7"}, {"interfaceMTU", "65537"}, {"enabled", "\"perhaps\""}, {"dnsServerAddrs", "\"10.0.0.1\""}})
        EXPECT_EQ(violation(post(all_, R"({"subnetPrefix":"10.0.0.0",")" + property + "\":" + value + "}")), property) << value;
    EXPECT_EQ(violation(post(all_, R"({"subnetPrefix":"10.0.0.0","dnsServerAddrs":["10.0.0.1","x"]})")), "dnsServerAddrs[1]");
    EXPECT_EQ(violation(post(all_, R"({"subnetPrefix":"10.0.0.0","opt121Routes":[{"destinationPrefix":"10.1.0.0","destinationLength":16}]})")),
              "opt121Routes[0].gatewayAddr");
    EXPECT_TRUE(listed(all_).empty());
}

TEST_F(Dhcp, PutReplacesASubnetAndKeepsItsHosts) {
    create(all_, R"({"subnetPrefix":"10.0.0.0","subnetLength":24,"defaultGateway":"10.0.0.1","dnsServerAddrs":["8.8.8.8","8.8.4.4"],)"
                 R"("interfaceMTU":"1450","opt121Routes":[{"destinationPrefix":"10.1.0.0","destinationLength":"16","gatewayAddr":"10.0.0.2"}]})");
    create(all_ + "/10.0.0.0_24/hosts", kHost);
    const auto before = get(all_ + "/10.0.0.0_24").body;
    EXPECT_EQ(put(all_ + "/10.0.0.0_24", before).status, 204);
    EXPECT_EQ(get(all_ + "/10.0.0.0_24").body, before);
    create(all_, R"({"subnetPrefix":"10.0.2.0","subnetLength":24})");
    EXPECT_EQ(put(all_ + "/10.0.0.0_24", R"({"subnetPrefix":"10.0.2.0","subnetLength":24})").status, 409);
    EXPECT_EQ(put(all_ + "/10.0.0.0_24", R"({"subnetPrefix":"10.0.1.0","subnetLength":24,"enabled":"false"})").status, 204);
    EXPECT_EQ(get(all_ + "/10.0.0.0_24").status, 404);
    const auto moved = at(all_ + "/10.0.1.0_24");
    EXPECT_EQ(text(moved, "defaultGateway"), "<null>");
    EXPECT_EQ(text(moved, "dnsServerAddrs"), "<null>");
    EXPECT_EQ(text(moved, "enabled"), "false");
    EXPECT_EQ(listed(text(moved, "hosts"), vndList("DhcpHost-v2")).size(), 1U);
    EXPECT_EQ(put(all_ + "/10.0.9.0_24", kSubnet).status, 404);
    EXPECT_EQ(del(all_ + "/10.0.1.0_24").status, 204);
    EXPECT_EQ(del(all_ + "/10.0.1.0_24").status, 404);
}

TEST_F(Dhcp, Hosts) {
    create(all_, kSubnet);
    const auto hosts = all_ + "/10.0.0.0_24/hosts";
    const auto made = post(hosts, kHost, vnd("DhcpHost-v2"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.headers.find("Location"), "http://localhost/midonet-api" + hosts + "/d0:0d:00:00:00:01");
    const auto host = get(*made.headers.find("Location"), vnd("DhcpHost-v2"));
    EXPECT_EQ(host.body, R"({"macAddr":"d0:0d:00:00:00:01","ipAddr":"10.0.0.5","name":"i-1","extraDhcpOpts":[],"uri":"http://localhost/midonet-api)" +
                             hosts + R"(/d0:0d:00:00:00:01"})");
    EXPECT_EQ(get(hosts + "/D0-0D-00-00-00-01").body, host.body);
    EXPECT_EQ(post(hosts, kHost).status, 409);
    EXPECT_EQ(put(hosts + "/d0:0d:00:00:00:01",
                  R"({"name":"","macAddr":"d0:0d:00:00:00:01","ipAddr":"10.0.0.6","extraDhcpOpts":[{"optName":"domain_search","optValue":"a.b"}]})").status, 204);
    const auto changed = at(hosts + "/d0:0d:00:00:00:01");
    EXPECT_EQ(text(changed, "ipAddr"), "10.0.0.6");
    EXPECT_EQ(text(changed.at("extraDhcpOpts").at(0), "optName"), "domain_search");
    create(hosts, R"({"name":"i-2","macAddr":"d0:0d:00:00:00:02","ipAddr":"10.0.0.7"})");
    EXPECT_EQ(put(hosts + "/d0:0d:00:00:00:02", kHost).status, 409) << "the MAC of another host";
    for (const char* missing : {"macAddr", "ipAddr", "name"}) {
        auto body = json::parse(kHost).as_object();
        body.erase(missing);
        EXPECT_EQ(violation(post(hosts, json::serialize(body))), missing);
    }
    EXPECT_EQ(violation(post(hosts, R"({"name":"x","macAddr":"x","ipAddr":"10.0.0.8"})")), "macAddr");
    EXPECT_EQ(post(all_ + "/10.0.9.0_24/hosts", kHost).status, 404);
    EXPECT_EQ(get(all_ + "/10.0.9.0_24/hosts").status, 404);
    EXPECT_EQ(del(hosts + "/d0:0d:00:00:00:01").status, 204);
    EXPECT_EQ(del(hosts + "/d0:0d:00:00:00:01").status, 404);
    EXPECT_EQ(listed(hosts).size(), 1U);
}

TEST_F(Dhcp, SubnetsGoWithTheirBridge) {
    create(all_, kSubnet);
    create(all6_, R"({"prefix":"2001:db8::","prefixLength":64})");
    EXPECT_EQ(del("/bridges/" + bridge_).status, 204);
    for (const auto type : {model::DhcpSubnet::descriptor(), model::DhcpV6Subnet::descriptor()}) {
        auto view = store_->view();
        ASSERT_TRUE(view);
        EXPECT_TRUE((*view)->list(type)->empty());
    }
}

TEST_F(Dhcp, Ipv6) {
    const auto subnet = create(all6_, R"({"prefix":"2001:DB8::0","prefixLength":"64"})");
    EXPECT_EQ(text(subnet, "uri"), "http://localhost/midonet-api" + all6_ + "/2001:db8::_64");
    EXPECT_EQ(text(subnet, "prefix"), "2001:db8::");
    EXPECT_EQ(listed(all6_, vndList("DhcpV6Subnet-v1")).size(), 1U);
    EXPECT_EQ(violation(post(all6_, R"({"prefix":"10.0.0.0","prefixLength":24})")), "prefix");
    const auto hosts = text(subnet, "hosts");
    EXPECT_TRUE(hosts.ends_with("/hostsV6"));
    const auto host = create(hosts, R"({"clientId":"00:03:00:01","fixedAddress":"2001:db8::5","name":"a"})");
    EXPECT_EQ(text(host, "uri"), hosts + "/00-03-00-01");
    EXPECT_EQ(text(host, "clientId"), "00:03:00:01");
    EXPECT_EQ(post(hosts, R"({"clientId":"00:03:00:01","fixedAddress":"2001:db8::6","name":"a"})").status, 409);
    EXPECT_EQ(get(text(host, "uri"), vnd("DhcpV6Host-v1")).status, 200);
    EXPECT_EQ(del(text(host, "uri")).status, 204);
    EXPECT_EQ(del(text(subnet, "uri")).status, 204);
    EXPECT_EQ(get(hosts).status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
