// The API as tenants see it: red and blue, and an administrator.
#include "api_fixture.h"
#include "people.h"

namespace midonet::rest::testing {
namespace {

class TenantAccess : public ApiTest {
protected:
    std::unique_ptr<Authenticator> makeAuthenticator() override { return std::make_unique<People>(); }

    Response as(const std::string& who, std::string_view method, std::string_view path, const json::object& body = {}, Headers headers = {}) {
        headers.add("X-Auth-Token", who);
        if (method == "POST" || method == "PUT") headers.add("Content-Type", "application/json");
        return ask(method, path, body.empty() && method != "POST" ? "" : json::serialize(body), headers);
    }
    /// The path of a new object below the root.
    std::string made(const std::string& who, std::string_view path, const json::object& body) {
        const auto response = as(who, "POST", path, body);
        EXPECT_EQ(response.status, 201) << path << response.body;
        const std::string location{response.headers.find("Location").value_or("/midonet-api")};
        return location.substr(location.find("/midonet-api") + 12);
    }
    static std::string idIn(const std::string& path) { return path.substr(path.rfind('/') + 1); }
    json::value shown(const std::string& who, const std::string& path) { return parsed(as(who, "GET", path)); }
    /// Puts what GET gives, changed.
    Response put(const std::string& who, const std::string& path, const json::object& changes) {
        auto body = shown(who, path).as_object();
        for (const auto& [key, value] : changes) body[key] = value;
        return as(who, "PUT", path, body);
    }
    std::string bridge(const std::string& who) { return made(who, "/bridges", {{"name", "b"}}); }
    std::string port(const std::string& who, const std::string& bridge) { return made(who, bridge + "/ports", {{"type", "Bridge"}}); }
    std::string hostInZone() {
        const auto host = addHost();
        const auto zone = made("admin", "/tunnel_zones", {{"name", "z"}, {"type", "vxlan"}});
        EXPECT_EQ(as("admin", "POST", zone + "/hosts", {{"hostId", host}, {"ipAddress", "10.0.0.1"}}).status, 201);
        return host;
    }
};

TEST_F(TenantAccess, WhoIsNobodyGetsNothing) { EXPECT_EQ(as("eve", "GET", "/bridges").status, 401); }

TEST_F(TenantAccess, WhatTheyMakeIsTheirs) {
    const auto red = bridge("red/admin");
    EXPECT_EQ(text(shown("red/admin", red), "tenantId"), "red");
    EXPECT_EQ(text(shown("admin", red), "tenantId"), "red");
    EXPECT_EQ(as("red/admin", "POST", "/bridges", {{"tenantId", "red"}}).status, 201);
    const auto refused = as("red/admin", "POST", "/bridges", {{"tenantId", "blue"}});
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(text(parsed(refused), "message"), "tenantId must be your own tenant");
    EXPECT_EQ(put("red/admin", red, {{"tenantId", "blue"}}).status, 403);
    EXPECT_EQ(put("red/admin", red, {{"tenantId", nullptr}, {"name", "new"}}).status, 204);
    EXPECT_EQ(text(shown("admin", red), "tenantId"), "red");
    EXPECT_EQ(text(shown("admin", red), "name"), "new");
}

TEST_F(TenantAccess, OthersDoNotSeeIt) {
    const auto red = bridge("red/admin");
    const auto redPort = port("red/admin", red);
    bridge("blue/admin");
    EXPECT_EQ(parsed(as("blue/admin", "GET", "/bridges")).as_array().size(), 1U);
    EXPECT_EQ(parsed(as("blue/admin", "GET", "/bridges?tenant_id=red")).as_array().size(), 0U);
    EXPECT_EQ(parsed(as("blue/admin", "GET", "/ports")).as_array().size(), 0U);
    EXPECT_EQ(parsed(as("admin", "GET", "/bridges")).as_array().size(), 2U);
    for (const auto& path : {red, redPort, red + "/ports", red + "/mac_table", red + "/arp_table", red + "/dhcp"}) {
        const auto foreign = as("blue/admin", "GET", path);
        EXPECT_EQ(foreign.status, 404) << path;
    }
    EXPECT_EQ(text(shown("blue/admin", red), "message"), "no Bridge has the id " + idIn(red));
    EXPECT_EQ(text(shown("blue/admin", "/bridges/" + kNobody), "message"), "no Bridge has the id " + kNobody);
    EXPECT_EQ(as("blue/admin", "DELETE", red).status, as("blue/admin", "DELETE", "/bridges/" + kNobody).status);
    EXPECT_EQ(as("blue/admin", "PUT", red, {{"name", "x"}}).status, 404);
    EXPECT_EQ(as("red/admin", "GET", red).status, 200) << "it is still there";
}

TEST_F(TenantAccess, PagesAreOfWhatIsTheirs) {
    for (int i = 0; i < 5; ++i) bridge(i % 2 == 0 ? "red/admin" : "blue/admin");
    const auto first = as("red/admin", "GET", "/bridges?limit=2");
    EXPECT_EQ(parsed(first).as_array().size(), 2U);
    const std::string link{first.headers.find("Link").value_or("")};
    const auto next = link.substr(link.find("/midonet-api"), link.find('>') - link.find("/midonet-api"));
    const auto second = as("red/admin", "GET", next);
    EXPECT_EQ(parsed(second).as_array().size(), 1U);
    EXPECT_FALSE(second.headers.find("Link"));
    EXPECT_FALSE(as("blue/admin", "GET", "/bridges?limit=2").headers.find("Link")) << "none that is his follows";
}

TEST_F(TenantAccess, UsersOnlyRead) {
    const auto red = bridge("red/admin");
    EXPECT_EQ(as("red/user", "GET", red).status, 200);
    EXPECT_EQ(parsed(as("red/user", "GET", "/bridges")).as_array().size(), 1U);
    for (const auto* method : {"POST", "PUT", "DELETE"}) {
        const auto refused = as("red/user", method, method == std::string_view{"POST"} ? "/bridges" : red, {{"name", "x"}});
        EXPECT_EQ(refused.status, 403) << method;
        EXPECT_EQ(text(parsed(refused), "message"), "your role in the project may only read");
    }
}

TEST_F(TenantAccess, WhatIsOfAdministratorsNeedsOne) {
    const auto host = addHost();
    for (const auto* path : {"/hosts", "/tunnel_zones", "/vteps", "/system_state", "/conf/schemas", "/service_containers", "/service_container_groups"}) {
        const auto refused = as("red/admin", "GET", path);
        EXPECT_EQ(refused.status, 403) << path;
        EXPECT_EQ(text(parsed(refused), "message"), fmt::format("only an administrator may use /midonet-api{}", path));
    }
    EXPECT_EQ(as("red/admin", "GET", "/hosts/" + host).status, 403);
    EXPECT_EQ(as("red/admin", "POST", "/packet_traces", {{"portId", kNobody}}).status, 403);
    EXPECT_EQ(as("red/admin", "GET", "/midonet-api").status, 200);
    EXPECT_EQ(as("red/admin", "GET", "/no_such").status, 404);
}

TEST_F(TenantAccess, ATenantKnowsOfItselfOnly) {
    EXPECT_EQ(parsed(as("admin", "GET", "/tenants")).as_array().size(), 2U);
    const auto all = parsed(as("red/user", "GET", "/tenants")).as_array();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(text(all.at(0), "id"), "red");
    EXPECT_EQ(as("red/user", "GET", "/tenants/red").status, 200);
    EXPECT_EQ(as("red/user", "GET", "/tenants/blue").status, 404);
}

TEST_F(TenantAccess, ForeignPortsAreNotLinked) {
    const auto redBridge = bridge("red/admin");
    const auto blueBridge = bridge("blue/admin");
    const auto redPort = port("red/admin", redBridge);
    const auto bluePort = port("blue/admin", blueBridge);
    const auto foreign = as("blue/admin", "POST", bluePort + "/link", {{"peerId", idIn(redPort)}});
    const auto missing = as("blue/admin", "POST", bluePort + "/link", {{"peerId", kNobody}});
    EXPECT_EQ(foreign.status, 404);
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(text(parsed(foreign), "message"), "no Port has the id " + idIn(redPort));
    EXPECT_EQ(text(parsed(missing), "message"), "no Port has the id " + kNobody);
    EXPECT_EQ(as("blue/admin", "POST", redPort + "/link", {{"peerId", idIn(bluePort)}}).status, 404);
    const auto other = port("blue/admin", bridge("blue/admin"));
    EXPECT_EQ(as("blue/admin", "POST", bluePort + "/link", {{"peerId", idIn(other)}}).status, 201);
    EXPECT_EQ(parsed(as("blue/admin", "GET", blueBridge + "/peer_ports")).as_array().size(), 1U);
    EXPECT_EQ(as("blue/admin", "DELETE", bluePort + "/link").status, 204);
}

TEST_F(TenantAccess, ALinkOfAnAdministratorIsNeitherToldNorUndone) {
    const auto redPort = port("red/admin", bridge("red/admin"));
    const auto blueBridge = bridge("blue/admin");
    const auto bluePort = port("blue/admin", blueBridge);
    const auto other = port("blue/admin", bridge("blue/admin"));
    ASSERT_EQ(as("admin", "POST", bluePort + "/link", {{"peerId", idIn(redPort)}}).status, 201);
    EXPECT_EQ(text(shown("blue/admin", bluePort), "peerId"), "<null>");
    EXPECT_EQ(text(shown("blue/admin", bluePort), "peer"), "<null>");
    EXPECT_TRUE(parsed(as("blue/admin", "GET", blueBridge + "/peer_ports")).as_array().empty());
    EXPECT_TRUE(parsed(as("blue/admin", "GET", "/ports?peerId=" + idIn(redPort))).as_array().empty());
    for (const auto& refused : {as("blue/admin", "DELETE", bluePort + "/link"), as("blue/admin", "POST", bluePort + "/link", {{"peerId", idIn(other)}}),
                                put("blue/admin", bluePort, {{"peerId", idIn(other)}})}) {
        EXPECT_TRUE(refused.status == 403 || refused.status == 409) << refused.status << refused.body;
        EXPECT_EQ(refused.body.find(idIn(redPort)), std::string::npos) << refused.body;
    }
    EXPECT_EQ(put("blue/admin", bluePort, {{"adminStateUp", false}}).status, 204);
    EXPECT_EQ(text(shown("admin", bluePort), "peerId"), idIn(redPort));
    EXPECT_EQ(as("blue/admin", "DELETE", bluePort).status, 204);
    EXPECT_EQ(text(shown("admin", redPort), "peerId"), "<null>") << "a port that goes leaves its peer free";
}

TEST_F(TenantAccess, WhereAPortIsBoundIsForAdministrators) {
    const auto host = hostInZone();
    const auto red = port("red/admin", bridge("red/admin"));
    EXPECT_EQ(put("red/admin", red, {{"hostId", host}, {"interfaceName", "tap0"}}).status, 403);
    EXPECT_EQ(put("red/admin", red, {{"hostId", kNobody}}).status, 403);
    ASSERT_EQ(as("admin", "POST", "/hosts/" + host + "/ports", {{"portId", idIn(red)}, {"interfaceName", "tap0"}}).status, 201);
    auto seen = shown("red/admin", red);
    for (const auto* key : {"hostId", "host", "interfaceName", "hostInterfacePort", "status"}) EXPECT_EQ(text(seen, key), "<null>") << key;
    EXPECT_EQ(text(seen, "active"), "false");
    EXPECT_TRUE(parsed(as("red/admin", "GET", "/ports?hostId=" + host)).as_array().empty()) << "nor can it be asked for";
    EXPECT_EQ(put("red/admin", red, {{"adminStateUp", false}}).status, 204);
    EXPECT_EQ(text(shown("admin", red), "hostId"), host) << "it stays bound";
    model::PortState state;
    state.set_host_id(model::bytesOf(*Uuid::parse(host)));
    state.set_active(true);
    putState(model::Port::descriptor(), idIn(red), "state", state);
    EXPECT_EQ(text(shown("red/admin", red), "active"), "true");
}

TEST_F(TenantAccess, TagsAreOfWhatIsShown) {
    const auto host = hostInZone();
    const auto red = port("red/admin", bridge("red/admin"));
    ASSERT_EQ(as("admin", "POST", "/hosts/" + host + "/ports", {{"portId", idIn(red)}, {"interfaceName", "tap0"}}).status, 201);
    const auto seen = as("red/admin", "GET", red);
    Headers match;
    match.add("If-Match", *seen.headers.find("ETag"));
    EXPECT_EQ(as("red/admin", "PUT", red, parsed(seen).as_object(), match).status, 204);
    EXPECT_NE(as("admin", "GET", red).headers.find("ETag"), seen.headers.find("ETag"));
    Headers stale;
    stale.add("If-Match", "\"0\"");
    EXPECT_EQ(as("red/admin", "PUT", red, parsed(seen).as_object(), stale).status, 412);
}

TEST_F(TenantAccess, BalancersGroupsAndMonitorsAreWhoseMadeThem) {
    const auto balancer = made("red/admin", "/load_balancers", {});
    const auto monitor = made("red/admin", "/health_monitors", {{"type", "TCP"}});
    const auto group = made("red/admin", "/ip_addr_groups", {{"name", "g"}});
    const auto pool = made("red/admin", balancer + "/pools", {{"lbMethod", "ROUND_ROBIN"}, {"healthMonitorId", idIn(monitor)}});
    const auto member = made("red/admin", pool + "/pool_members", {{"address", "10.0.0.1"}, {"protocolPort", 80}});
    const auto vip = made("red/admin", pool + "/vips", {{"address", "10.0.0.2"}, {"protocolPort", 80}});
    for (const auto& path : {balancer, monitor, group, pool, member, vip}) {
        EXPECT_EQ(as("red/admin", "GET", path).status, 200) << path;
        EXPECT_EQ(as("blue/admin", "GET", path).status, 404) << path;
        EXPECT_FALSE(shown("admin", path).as_object().contains("tenantId")) << path << ": as it always was";
    }
    EXPECT_EQ(as("red/admin", "POST", "/pools", {{"lbMethod", "ROUND_ROBIN"}}).status, 400) << "nobody's";
    const auto administrators = made("admin", "/load_balancers", {});
    EXPECT_EQ(as("red/admin", "GET", administrators).status, 404);
    EXPECT_EQ(as("red/admin", "POST", administrators + "/pools", {{"lbMethod", "ROUND_ROBIN"}}).status, 404);
}

TEST_F(TenantAccess, MessagesNameNoIdsOfOthers) {
    const auto redChain = made("red/admin", "/chains", {{"name", "c"}});
    const auto rule = made("red/admin", redChain + "/rules", {{"type", "accept"}});
    const auto blueChain = made("blue/admin", "/chains", {{"name", "c"}});
    const auto taken = as("blue/admin", "POST", blueChain + "/rules", {{"type", "accept"}, {"id", idIn(rule)}});
    EXPECT_EQ(taken.status, 409);
    EXPECT_EQ(text(parsed(taken), "message"), "the rules.id '" + idIn(rule) + "' is taken by Chain (hidden)");
}

}  // namespace
}  // namespace midonet::rest::testing
