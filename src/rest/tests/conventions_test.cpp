// What holds for every resource: root, media types, status codes, bodies, tolerance, CORS, login.
#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Conventions : public ApiTest {};

TEST_F(Conventions, RootHasEveryKeyClientsFollow) {
    for (const char* path : {"/midonet-api", "/midonet-api/"}) {
        const auto response = get(path, vnd("Application-v5"));
        ASSERT_EQ(response.status, 200);
        EXPECT_EQ(response.headers.find("Content-Type"), vnd("Application-v5"));
        const auto root = parsed(response);
        EXPECT_EQ(text(root, "version"), "v5.0");
        EXPECT_EQ(text(root, "uri"), "http://localhost/midonet-api/");
        EXPECT_EQ(text(root, "bridges"), "http://localhost/midonet-api/bridges");
        EXPECT_EQ(text(root, "bridgeTemplate"), "http://localhost/midonet-api/bridges/{id}");
        EXPECT_EQ(root.as_object().size(), 2U + 23U + 27U);
        for (const char* key : {"hosts", "tunnelZones", "ports", "systemState", "neutron", "traceRequests", "l2insertions"})
            EXPECT_NE(text(root, key), "<absent>") << key;
    }
}

TEST_F(Conventions, UrisAreBuiltFromTheHostTheClientUsed) {
    Headers headers;
    headers.add("Host", "controller.example:8181");
    EXPECT_EQ(text(parsed(ask("GET", "/midonet-api", {}, headers)), "uri"), "http://controller.example:8181/midonet-api/");
    headers.add("X-Forwarded-Host", "front.example, inner");
    headers.add("X-Forwarded-Proto", "https");
    EXPECT_EQ(text(parsed(ask("GET", "/midonet-api", {}, headers)), "uri"), "https://front.example/midonet-api/");
    Headers evil;
    evil.add("Host", "a\"b<c>");
    EXPECT_EQ(text(parsed(ask("GET", "/midonet-api", {}, evil)), "uri"), "http://localhost/midonet-api/");
}

TEST_F(Conventions, SystemState) {
    const auto response = get("/system_state", vnd("SystemState-v2"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"state":"ACTIVE","availability":"READWRITE","version":"5.0.0","information":null})");
    EXPECT_EQ(status("PUT", "/system_state"), 405);
}

TEST_F(Conventions, ErrorBodies) {
    const auto missing = get("/bridges/" + kNobody);
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.headers.find("Content-Type"), vnd("Error-v1"));
    EXPECT_EQ(text(parsed(missing), "code"), "404");
    EXPECT_NE(text(parsed(missing), "message").find(kNobody), std::string::npos);
    const auto wrong = post("/tunnel_zones", R"({"name":"z","type":"token-ring"})");
    EXPECT_EQ(wrong.status, 400);
    const auto body = parsed(wrong);
    EXPECT_EQ(text(body, "code"), "400");
    ASSERT_EQ(body.at("violations").as_array().size(), 1U);
    EXPECT_EQ(text(body.at("violations").at(0), "property"), "type");
}

TEST_F(Conventions, UnknownPathsAndMethods) {
    for (const char* path : {"/host_groups", "/nothing", "/bridges/x/y", "/hosts/a/b/c/d"}) EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(get("/midonet-apis").status, 404);
    const auto response = ask("POST", "/ports", "{}");
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD");
    EXPECT_EQ(status("POST", "/hosts"), 405);
    EXPECT_EQ(status("DELETE", "/bridges"), 405);
    EXPECT_EQ(status("BREW", "/bridges"), 405);
    for (const char* path : {"/rules", "/routes", "/bgp_peers", "/bgp_networks", "/qos_bw_limit_rules", "/qos_dscp_rules"})
        for (const char* method : {"GET", "POST", "PUT", "DELETE"}) EXPECT_EQ(status(method, path), 405) << method << path;
    for (const char* path : {"/chains/", "/rules/", "/routes/", "/ip_addr_groups/", "/bgp_networks/", "/vteps/", "/tenants/"}) EXPECT_EQ(status("PUT", path + kNobody), 405) << path;
    EXPECT_EQ(status("POST", "/load_balancers/" + kNobody + "/vips"), 405);
    EXPECT_EQ(status("PUT", "/tunnel_zones/" + kNobody + "/hosts/" + kNobody), 405);
}

TEST_F(Conventions, IdsThatAreNoUuidsAreNotFound) {
    for (const char* path : {"/bridges/1", "/routers/1", "/routes/1", "/rules/1", "/chains/x/rules", "/pools/1/vips", "/ports/x", "/hosts/%20", "/tunnel_zones/z", "/bridges/1/ports"}) EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(del("/bridges/1").status, 404);
}

TEST_F(Conventions, AcceptOfItems) {
    const auto path = "/bridges/" + createBridge();
    struct Case {
        std::string accept;
        int status;
        std::string type;
    };
    for (const auto& [accept, expected, type] : std::vector<Case>{
             {"", 200, "application/json"},
             {"*/*", 200, "application/json"},
             {"application/*", 200, "application/json"},
             {"application/json", 200, "application/json"},
             {"application/json;charset=UTF-8", 200, "application/json"},
             {vnd("Bridge-v4"), 200, vnd("Bridge-v4")},
             {vnd("Bridge-v5"), 200, vnd("Bridge-v5")},
             {"APPLICATION/vnd.org.midonet.bridge-V4+json", 200, vnd("Bridge-v4")},
             {"text/html, " + vnd("Bridge-v4") + ";q=0.5, application/json;q=0.4", 200, vnd("Bridge-v4")},
             {"text/html, image/gif, *; q=.2, */*; q=.2", 200, "application/json"},
             {vnd("Bridge-v2"), 406, ""},
             {vndList("Bridge-v4"), 406, ""},
             {vnd("Port-v3"), 406, ""},
             {"text/html", 406, ""},
             {"application/json;q=0", 406, ""}}) {
        const auto response = get(path, accept);
        EXPECT_EQ(response.status, expected) << accept;
        if (expected == 200) {
            EXPECT_EQ(response.headers.find("Content-Type"), type) << accept;
        }
    }
}

TEST_F(Conventions, AcceptOfLists) {
    const auto bridge = createBridge();
    for (const auto& [path, type] : std::vector<std::pair<std::string, std::string>>{
             {"/bridges", "Bridge-v4"}, {"/bridges", "Bridge-v5"}, {"/ports", "Port-v3"}, {"/ports", "Port-v4"}, {"/hosts", "Host-v3"},
             {"/tunnel_zones", "TunnelZone-v1"}, {"/routers", "Router-v3"}, {"/chains", "Chain-v1"}, {"/port_groups", "PortGroup-v1"},
             {"/ip_addr_groups", "IpAddrGroup-v1"}, {"/load_balancers", "LoadBalancer-v1"}, {"/pools", "Pool-v1"}, {"/vips", "VIP-v1"},
             {"/pool_members", "PoolMember-v1"}, {"/health_monitors", "HealthMonitor-v1"}, {"/tenants", "Tenant-v2"},
             {"/qos_policies", "QOSPolicy-v1"}, {"/mirrors", "Mirror-v1"}, {"/traces", "TraceRequest-v1"}, {"/l2insertions", "L2Insertion-v1"},
             {"/service_containers", "ServiceContainer-v1"}, {"/service_container_groups", "ServiceContainerGroup-v1"}, {"/vteps", "VTEP-v2"},
             {"/bridges/" + bridge + "/dhcp", "DhcpSubnet-v2"}, {"/bridges/" + bridge + "/dhcpV6", "DhcpV6Subnet-v1"},
             {"/routers/" + createRouter() + "/bgp_peers", "BgpPeer-v1"}, {"/routers/" + createRouter() + "/bgp_networks", "BgpNetwork-v1"},
             {"/routers/" + createRouter() + "/routes", "Route-v1"}, {"/routers/" + createRouter() + "/ports", "Port-v3"},
             {"/routers/" + createRouter() + "/peer_ports", "Port-v4"}, {"/chains/" + createChain() + "/rules", "Rule-v2"},
             {"/bridges/" + bridge + "/arp_table", "IP4Mac-v1"}, {"/ports/" + createPort(bridge) + "/port_groups", "PortGroupPort-v1"},
             {"/port_groups/" + text(create("/port_groups", "{}"), "id") + "/ports", "PortGroupPort-v1"},
             {"/ip_addr_groups/" + text(create("/ip_addr_groups", R"({"name":"g"})"), "id") + "/ip_addrs", "IpAddrGroupAddr-v1"}, {"/bridges/" + bridge + "/ports", "Port-v4"},
             {"/bridges/" + bridge + "/mac_table", "MacPort-v2"}, {"/bridges/" + bridge + "/peer_ports", "Port-v3"},
             {"/bridges/" + bridge + "/vxlan_ports", "Port-v3"}, {"/hosts/" + addHost() + "/ports", "HostInterfacePort-v1"},
             {"/hosts/" + kNobody + "/interfaces", "Interface-v1"}, {"/tunnel_zones/" + createZone("one") + "/hosts", "TunnelZoneHost-v1"},
             {"/tunnel_zones/" + createZone("two") + "/hosts", "GreTunnelZoneHost-v1"}}) {
        const auto response = get(path, vndList(type));
        EXPECT_EQ(response.status, 200) << path;
        EXPECT_EQ(response.headers.find("Content-Type"), vndList(type)) << path;
        EXPECT_TRUE(parsed(response).is_array()) << path;
        EXPECT_EQ(get(path, vnd(type)).status, 406) << path;
        EXPECT_EQ(get(path).headers.find("Content-Type"), "application/json");
    }
}

TEST_F(Conventions, ContentTypeOfBodies) {
    for (const auto& type : {std::string{"application/json"}, vnd("Bridge-v4"), vnd("Bridge-v5"), std::string{"application/json; charset=utf-8"}})
        EXPECT_EQ(post("/bridges", "{}", type).status, 201) << type;
    EXPECT_EQ(ask("POST", "/bridges", "{}").status, 201) << "no Content-Type";
    for (const auto& type : {vnd("Bridge-v2"), vnd("Port-v3"), std::string{"text/plain"}, std::string{"application/x-www-form-urlencoded"}})
        EXPECT_EQ(post("/bridges", "{}", type).status, 406) << type;
    const auto host = addHost();
    EXPECT_EQ(put("/hosts/" + host, "{}", "text/plain").status, 415);
    EXPECT_EQ(post("/hosts/" + host + "/ports", "{}", "text/plain").status, 415);
    EXPECT_EQ(post("/tunnel_zones/" + createZone() + "/hosts", "{}", "text/plain").status, 415);
    EXPECT_EQ(listed("/bridges").size(), 5U) << "nothing was made by what was refused";
}

TEST_F(Conventions, MalformedBodiesAre400AndChangeNothing) {
    const auto bridge = createBridge();
    for (const char* body : {"", "{", "[]", "null", "\"x\"", "{\"name\":}", "{name:1}", "\xff\xfe"}) {
        EXPECT_EQ(post("/bridges", body).status, 400) << body;
        EXPECT_EQ(put("/bridges/" + bridge, body).status, 400) << body;
    }
    for (const char* body : {R"({"name":{}})", R"({"adminStateUp":"perhaps"})", R"({"id":"1"})", R"({"inboundFilterId":7})",
                             R"({"inboundMirrorIds":"x"})", R"({"name":[1]})"})
        EXPECT_EQ(post("/bridges", body).status, 400) << body;
    EXPECT_EQ(listed("/bridges").size(), 1U);
    EXPECT_EQ(text(parsed(get("/bridges/" + bridge)), "name"), "b");
}

TEST_F(Conventions, EmptyListsAreArrays) {
    for (const char* path : {"/bridges", "/ports", "/hosts", "/tunnel_zones", "/routers", "/chains", "/port_groups", "/ip_addr_groups",
                             "/load_balancers", "/pools", "/pool_members", "/vips", "/health_monitors", "/qos_policies", "/mirrors", "/traces",
                             "/l2insertions", "/service_containers", "/service_container_groups", "/vteps"}) EXPECT_EQ(get(path).body, "[]") << path;
}

TEST_F(Conventions, BodiesOnGetAndDeleteAreIgnored) {
    const auto bridge = createBridge();
    EXPECT_EQ(ask("GET", "/bridges/" + bridge, "{}").status, 200);
    EXPECT_EQ(ask("GET", "/bridges/" + bridge, "garbage").status, 200);
    EXPECT_EQ(ask("DELETE", "/bridges/" + bridge, "{}").status, 204);
}

TEST_F(Conventions, CloudControllersSendStringsNulsAndExtraKeys) {
    const auto bridge = createBridge(R"({"name":"vb","tenantId":"euca_tenant_1","unknown":{"deep":[1]},"adminStateUp":"true"})");
    const auto port = createPort(bridge, R"({"type":"Bridge","tenantId":"euca_tenant_1","vlanId":"24","deviceId":"x"})");
    EXPECT_EQ(text(parsed(get("/ports/" + port)), "vlanId"), "24");
    EXPECT_EQ(put("/bridges/" + bridge, std::string_view{"{\"name\":\"nul\"}\0", 15}).status, 204);
    EXPECT_EQ(text(parsed(get("/bridges/" + bridge)), "name"), "nul");
}

TEST_F(Conventions, WholeObjectsCanBePutBack) {
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    const auto zone = createZone();
    const auto host = addHost();
    const auto router = createRouter(R"({"name":"r","asNumber":7,"inboundFilterId":")" + createChain() + "\"}");
    const auto routerPort = createRouterPort(router, R"(,"portSubnet":["10.0.0.1/24","2001:db8::1/64"])");
    const auto balancer = text(create("/load_balancers", "{}"), "id");
    const auto pool = text(create("/load_balancers/" + balancer + "/pools", R"({"lbMethod":"ROUND_ROBIN"})"), "id");
    const auto vip = text(create("/pools/" + pool + "/vips", R"({"address":"10.0.0.9","protocolPort":80})"), "id");
    const auto member = text(create("/pools/" + pool + "/pool_members", R"({"address":"10.0.0.8","protocolPort":80})"), "id");
    const auto monitor = text(create("/health_monitors", R"({"type":"TCP","delay":1})"), "id");
    const auto group = text(create("/port_groups", R"({"name":"g","stateful":true})"), "id");
    for (const auto& path : {"/bridges/" + bridge, "/ports/" + port, "/tunnel_zones/" + zone, "/routers/" + router, "/ports/" + routerPort,
                             "/load_balancers/" + balancer, "/pools/" + pool, "/vips/" + vip, "/pool_members/" + member,
                             "/health_monitors/" + monitor, "/port_groups/" + group}) {
        const auto before = get(path).body;
        const auto response = put(path, before);
        EXPECT_EQ(response.status, 204) << path << response.body;
        EXPECT_TRUE(response.body.empty());
        EXPECT_EQ(get(path).body, before) << path;
    }
    const auto before = get("/hosts/" + host).body;
    EXPECT_EQ(put("/hosts/" + host, before).status, 200);
    EXPECT_EQ(get("/hosts/" + host).body, before);
}

TEST_F(Conventions, EveryListElementHasAUri) {
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    const auto host = addHost();
    const auto zone = createZone();
    addMember(zone, host);
    post("/hosts/" + host + "/ports", R"({"portId":")" + port + R"(","interfaceName":"eth0"})");
    post("/bridges/" + bridge + "/mac_table", R"({"macAddr":"02:00:00:00:00:01","portId":")" + port + "\"}");
    const auto chain = createChain();
    createRule(chain, R"({"type":"accept"})");
    const auto group = text(create("/port_groups", "{}"), "id");
    create("/port_groups/" + group + "/ports", R"({"portId":")" + port + "\"}");
    const auto addresses = text(create("/ip_addr_groups", R"({"name":"g"})"), "id");
    create("/ip_addr_groups/" + addresses + "/ip_addrs", R"({"addr":"2001:db8::1","version":"6"})");
    create("/bridges/" + bridge + "/arp_table", R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:01"})");
    const auto router = createRouter();
    create("/routers/" + router + "/routes", R"({"type":"BlackHole","srcNetworkAddr":"0.0.0.0","dstNetworkAddr":"0.0.0.0"})");
    create("/bridges/" + bridge + "/dhcp", R"({"subnetPrefix":"10.0.0.0","subnetLength":24})");
    create("/bridges/" + bridge + "/dhcp/10.0.0.0_24/hosts", R"({"name":"","macAddr":"02:00:00:00:00:01","ipAddr":"10.0.0.1"})");
    create("/bridges/" + bridge + "/dhcpV6", R"({"prefix":"2001:db8::","prefixLength":64})");
    create("/bridges/" + bridge + "/dhcpV6/2001:db8::_64/hostsV6", R"({"name":"","clientId":"00:01","fixedAddress":"2001:db8::1"})");
    create("/routers/" + router + "/bgp_peers", R"({"asNumber":1,"address":"10.0.0.1"})");
    create("/routers/" + router + "/bgp_networks", R"({"subnetAddress":"10.0.0.0","subnetLength":8})");
    for (const auto& path : {"/bridges/" + bridge + "/dhcp", "/bridges/" + bridge + "/dhcp/10.0.0.0_24/hosts", "/bridges/" + bridge + "/dhcpV6",
                             "/bridges/" + bridge + "/dhcpV6/2001:db8::_64/hostsV6", "/routers/" + router + "/bgp_peers",
                             "/routers/" + router + "/bgp_networks", std::string{"/tenants"},
                             "/chains/" + chain + "/rules", "/port_groups/" + group + "/ports", "/ports/" + port + "/port_groups",
                             "/ip_addr_groups/" + addresses + "/ip_addrs", "/bridges/" + bridge + "/arp_table", "/routers/" + router + "/routes",
                             std::string{"/bridges"}, std::string{"/ports"}, std::string{"/hosts"}, std::string{"/tunnel_zones"},
                             "/bridges/" + bridge + "/ports", "/bridges/" + bridge + "/mac_table", "/hosts/" + host + "/ports",
                             "/tunnel_zones/" + zone + "/hosts"}) {
        const auto list = parsed(get(path));
        ASSERT_EQ(list.as_array().size(), 1U) << path;
        const auto uri = text(list.at(0), "uri");
        ASSERT_NE(uri, "<absent>") << path;
        const auto item = get(uri);
        EXPECT_EQ(item.status, 200) << uri;
        EXPECT_EQ(parsed(item), list.at(0)) << path;
    }
}

TEST_F(Conventions, TenantFilterAndUnknownParameters) {
    createBridge(R"({"name":"a","tenantId":"one"})");
    createBridge(R"({"name":"b","tenantId":"two"})");
    createBridge(R"({"name":"c"})");
    EXPECT_EQ(listed("/bridges?tenant_id=one").size(), 1U);
    EXPECT_EQ(listed("/bridges?x=y&tenant_id=two").size(), 1U);
    EXPECT_EQ(listed("/bridges?tenant_id=none").size(), 0U);
    EXPECT_EQ(listed("/bridges?marker=7").size(), 3U);
    EXPECT_EQ(get("/tunnel_zones?tenant_id=one").status, 200);
    for (const char* path : {"/routers", "/chains", "/port_groups"}) {
        create(path, R"({"tenantId":"one"})");
        create(path, R"({"tenantId":"two"})");
        EXPECT_EQ(listed(std::string{path} + "?tenant_id=one").size(), 1U) << path;
    }
    create("/ip_addr_groups", R"({"name":"g","tenantId":"one"})");
    EXPECT_EQ(listed("/ip_addr_groups?tenant_id=two").size(), 1U) << "groups are nobody's";
}

TEST_F(Conventions, CallerMayChooseTheId) {
    EXPECT_EQ(createBridge(R"({"id":")" + kNobody + "\"}"), kNobody);
    EXPECT_EQ(post("/bridges", R"({"id":")" + kNobody + "\"}").status, 409);
    EXPECT_EQ(createBridge(R"({"id":""})").size(), 36U);
}

TEST_F(Conventions, CrossOriginHeaders) {
    for (const auto& response : {get("/bridges"), get("/nothing"), post("/bridges", "{}"), post("/bridges", "{")}) {
        EXPECT_EQ(response.headers.find("Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(response.headers.find("Access-Control-Allow-Methods"), "GET, POST, PUT, DELETE, OPTIONS");
        EXPECT_EQ(response.headers.find("Access-Control-Expose-Headers"), "Location");
    }
    const auto preflight = ask("OPTIONS", "/any/where");
    EXPECT_EQ(preflight.status, 200);
    EXPECT_EQ(preflight.headers.find("Access-Control-Allow-Headers"),
              "Origin, X-Auth-Token, X-Auth-Project, Content-Type, Accept, Authorization");
}

TEST_F(Conventions, Login) {
    Headers headers;
    headers.add("Authorization", "Basic YWRtaW46c2VjcmV0");  // admin:secret
    for (const char* method : {"POST", "GET"}) {
        const auto response = ask(method, "/login", "{}", headers);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.headers.find("Content-Type"), vnd("Token-v1"));
        EXPECT_EQ(response.headers.find("Set-Cookie"), "sessionId=00000000");
        EXPECT_EQ(response.body, R"({"key":"00000000","expires":null})");
    }
    for (const char* bad : {"Basic YWRtaW4=", "Basic YTpiOmM=", "Basic !!", "Bearer YWRtaW46c2VjcmV0", "Basic"}) {
        Headers wrong;
        wrong.add("Authorization", bad);
        const auto response = ask("POST", "/login", "{}", wrong);
        EXPECT_EQ(response.status, 401) << bad;
        EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Basic  realm=\"BASIC_AUTH_REALM\"");
        EXPECT_EQ(response.headers.find("Content-Type"), vnd("Error-v1"));
    }
    EXPECT_EQ(ask("POST", "/login", "{}").status, 401);
}

TEST_F(Conventions, AnyTokenOrNoneIsAdministrator) {
    Headers headers;
    headers.add("X-Auth-Token", "whatever");
    EXPECT_EQ(ask("GET", "/bridges", {}, headers).status, 200);
    EXPECT_EQ(get("/bridges").status, 200);
}

TEST_F(Conventions, HeadAnswersWithoutBody) {
    const auto response = ask("HEAD", "/bridges");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.find("Content-Length"), "2");
}

TEST_F(Conventions, MetricsAreOutsideTheApi) {
    get("/bridges");
    get("/nothing");
    const auto response = get("/metrics");
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.body.find("midonet_rest_requests_total{status=\"2xx\"} 1"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("midonet_rest_requests_total{status=\"4xx\"} 1"), std::string::npos);
    EXPECT_NE(response.body.find("midonet_rest_connections 1"), std::string::npos);
}

TEST_F(Conventions, ErrorsOfTheTransportHaveTheErrorBody) {
    client_->send("nonsense\r\n\r\n");
    const auto malformed = client_->read();
    ASSERT_TRUE(malformed);
    EXPECT_EQ(malformed->status, 400);
    EXPECT_EQ(malformed->headers.find("Content-Type"), vnd("Error-v1"));
    EXPECT_EQ(text(parsed(*malformed), "code"), "400");
    client_ = std::make_unique<http::testing::Client>(server_->address());
    const auto large = post("/bridges", std::string(2 << 20, ' '));
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(text(parsed(large), "code"), "413");
    Headers headers;
    headers.add("X-Long", std::string(100'000, 'x'));
    EXPECT_EQ(ask("GET", "/bridges", {}, headers).status, 431);
    EXPECT_EQ(get("/bridges").body, "[]");
}

}  // namespace
}  // namespace midonet::rest::testing
