#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Hosts : public ApiTest {
protected:
    std::string binding(const std::string& port, const std::string& name) {
        return R"({"portId":")" + port + R"(","interfaceName":")" + name + R"(","hostId":"ignored","deviceId":"ignored"})";
    }
    void reportInterfaces(const std::string& host) {
        model::HostState state;
        auto& eth0 = *state.add_interfaces();
        eth0.set_name("eth0");
        eth0.set_type(model::HostState::PHYSICAL);
        eth0.set_endpoint(model::HostState::ENDPOINT_PHYSICAL);
        eth0.set_mac("02:00:00:00:00:01");
        eth0.set_mtu(1500);
        eth0.set_up(true);
        eth0.set_has_link(true);
        eth0.add_addresses("10.0.0.1");
        eth0.add_addresses("fe80::1");
        auto& odd = *state.add_interfaces();
        odd.set_name("a b/c");
        odd.set_up(true);
        odd.add_addresses("10.0.0.2");
        putState(model::Host::descriptor(), host, "state", state);
    }
};

TEST_F(Hosts, ShowsWhatTheAgentReports) {
    const auto id = addHost("compute-1");
    const auto uri = "http://localhost/midonet-api/hosts/" + id;
    auto host = parsed(get("/hosts/" + id, vnd("Host-v3")));
    EXPECT_EQ(text(host, "name"), "compute-1");
    EXPECT_EQ(text(host, "alive"), "false");
    EXPECT_EQ(text(host, "addresses"), "[]");
    EXPECT_EQ(text(host, "hostInterfaces"), "[]");
    EXPECT_EQ(text(host, "interfaces"), uri + "/interfaces");
    EXPECT_EQ(text(host, "ports"), uri + "/ports");
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"floodingProxyWeight", "1"}, {"containerWeight", "1"}, {"containerLimit", "-1"}, {"enforceContainerLimit", "false"}})
        EXPECT_EQ(text(host, key), value);
    setAlive(id);
    reportInterfaces(id);
    host = parsed(get("/hosts/" + id));
    EXPECT_EQ(text(host, "alive"), "true");
    EXPECT_EQ(text(host, "addresses"), R"(["10.0.0.1","fe80::1","10.0.0.2"])");
    EXPECT_EQ(host.at("hostInterfaces"), parsed(get("/hosts/" + id + "/interfaces")));
}

TEST_F(Hosts, ShowsWhatAgentsFindWrong) {
    const auto id = addHost("compute-1");
    EXPECT_EQ(text(parsed(get("/hosts/" + id)), "status"), "<null>");
    putStateText(model::Host::descriptor(), id, "status", "in no tunnel zone");
    EXPECT_EQ(text(parsed(get("/hosts/" + id)), "status"), "in no tunnel zone");
    putStateText(model::Host::descriptor(), id, "conflict", "twice");
    EXPECT_EQ(text(parsed(get("/hosts/" + id)), "status"), "twice");
}

TEST_F(Hosts, Interfaces) {
    const auto id = addHost();
    reportInterfaces(id);
    const auto list = listed("/hosts/" + id + "/interfaces", vndList("Interface-v1"));
    ASSERT_EQ(list.size(), 2U);
    const auto eth0 = parsed(get("/hosts/" + id + "/interfaces/eth0", vnd("Interface-v1")));
    EXPECT_EQ(eth0, list[0]);
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"hostId", id}, {"name", "eth0"}, {"mac", "02:00:00:00:00:01"}, {"mtu", "1500"}, {"type", "Physical"}, {"endpoint", "PHYSICAL"},
             {"portType", "<null>"}, {"status", "3"}, {"addresses", R"(["10.0.0.1","fe80::1"])"}})
        EXPECT_EQ(text(eth0, key), value) << key;
    const auto odd = parsed(get(text(list[1], "uri")));
    EXPECT_EQ(text(odd, "name"), "a b/c");
    EXPECT_EQ(text(odd, "mac"), "<null>");
    EXPECT_EQ(text(odd, "type"), "Unknown");
    EXPECT_EQ(text(odd, "endpoint"), "UNKNOWN");
    EXPECT_EQ(text(odd, "status"), "1");
    EXPECT_EQ(get("/hosts/" + id + "/interfaces/eth9").status, 404);
    EXPECT_EQ(get("/hosts/" + kNobody + "/interfaces").body, "[]");
}

TEST_F(Hosts, PutStoresTheWeightsOnly) {
    const auto id = addHost("name");
    const auto path = "/hosts/" + id;
    const std::string good = R"({"name":"other","floodingProxyWeight":"5","containerWeight":6,"containerLimit":7,"enforceContainerLimit":"true","alive":true})";
    const auto response = put(path, good, vnd("Host-v3"));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body.empty());
    const auto host = parsed(get(path));
    EXPECT_EQ(text(host, "name"), "name");
    EXPECT_EQ(text(host, "floodingProxyWeight"), "5");
    EXPECT_EQ(text(host, "containerLimit"), "7");
    EXPECT_EQ(text(host, "enforceContainerLimit"), "true");
    EXPECT_EQ(text(host, "alive"), "false");
    for (const char* bad : {"{}", R"({"floodingProxyWeight":1,"containerWeight":1,"containerLimit":1})",
                            R"({"floodingProxyWeight":null,"containerWeight":1,"containerLimit":1,"enforceContainerLimit":true})",
                            R"({"floodingProxyWeight":65536,"containerWeight":1,"containerLimit":1,"enforceContainerLimit":true})",
                            R"({"floodingProxyWeight":1,"containerWeight":-1,"containerLimit":1,"enforceContainerLimit":true})",
                            R"({"floodingProxyWeight":1,"containerWeight":1,"containerLimit":-2,"enforceContainerLimit":true})"})
        EXPECT_EQ(put(path, bad).status, 400) << bad;
    EXPECT_EQ(put("/hosts/" + kNobody, good).status, 404);
}

TEST_F(Hosts, DeleteIsRefusedWhileAliveOrBound) {
    const auto host = addHost();
    const auto zone = createZone();
    addMember(zone, host);
    const auto port = createPort(createBridge());
    ASSERT_EQ(post("/hosts/" + host + "/ports", binding(port, "tap0")).status, 201);
    EXPECT_EQ(del("/hosts/" + host).status, 403) << "bound";
    ASSERT_EQ(del("/hosts/" + host + "/ports/" + port).status, 204);
    setAlive(host);
    EXPECT_EQ(del("/hosts/" + host).status, 403) << "alive";
    onLoop([this] { session_.reset(); });
    EXPECT_EQ(del("/hosts/" + host).status, 200);
    EXPECT_EQ(del("/hosts/" + host).status, 404);
    EXPECT_EQ(get("/tunnel_zones/" + zone + "/hosts").body, "[]") << "gone from its zones";
}

TEST_F(Hosts, BindingChecksInTheirOrder) {
    const auto host = addHost();
    const auto bindings = "/hosts/" + host + "/ports";
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    EXPECT_EQ(post("/hosts/" + kNobody + "/ports", binding(kNobody, "tap0")).status, 404) << "host unknown";
    EXPECT_EQ(post(bindings, binding(kNobody, "tap0")).status, 409) << "in no tunnel zone, before the port is looked at";
    addMember(createZone(), host);
    EXPECT_EQ(post(bindings, binding(kNobody, "tap0")).status, 404) << "port unknown";
    const auto response = post(bindings, binding(port, "tap0"), vnd("HostInterfacePort-v1"));
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.headers.find("Location"), "http://localhost/midonet-api/hosts/" + host + "/ports/" + port);
    EXPECT_EQ(post(bindings, binding(port, "tap1")).status, 409) << "bound already";
    const auto second = createPort(bridge);
    EXPECT_EQ(post(bindings, binding(second, "tap0")).status, 409) << "interface taken";
    EXPECT_EQ(post(bindings, binding(second, "tap1")).status, 201);
    const auto third = createPort(bridge);
    const auto other = addHost();
    addMember(createZone("z2"), other, "10.0.0.2");
    EXPECT_EQ(post("/hosts/" + other + "/ports", binding(third, "tap0")).status, 201) << "the same name on another host";
}

TEST_F(Hosts, BindingBodies) {
    const auto host = addHost();
    addMember(createZone(), host);
    const auto port = createPort(createBridge());
    for (const auto& bad : {std::string{"{}"}, R"({"portId":")" + port + "\"}", std::string{R"({"interfaceName":"tap0"})"}, binding("x", "tap0"),
                            binding(port, ""), binding(port, "sixteencharslong")})
        EXPECT_EQ(post("/hosts/" + host + "/ports", bad).status, 400) << bad;
    EXPECT_EQ(get("/hosts/" + host + "/ports").body, "[]");
}

TEST_F(Hosts, BindingsShowAndUnbind) {
    const auto host = addHost();
    addMember(createZone(), host);
    const auto port = createPort(createBridge());
    const auto path = "/hosts/" + host + "/ports/" + port;
    EXPECT_EQ(get(path).status, 404) << "not bound";
    const auto bound = create("/hosts/" + host + "/ports", binding(port, "tap0"));
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"hostId", host}, {"portId", port}, {"interfaceName", "tap0"}, {"host", "http://localhost/midonet-api/hosts/" + host},
             {"port", "http://localhost/midonet-api/ports/" + port}, {"uri", "http://localhost/midonet-api" + path}})
        EXPECT_EQ(text(bound, key), value);
    EXPECT_EQ(text(parsed(get("/ports/" + port)), "hostInterfacePort"), "http://localhost/midonet-api" + path);
    EXPECT_EQ(get("/hosts/" + addHost() + "/ports/" + port).status, 404) << "bound elsewhere";
    EXPECT_EQ(get("/hosts/" + kNobody + "/ports").status, 404);
    EXPECT_EQ(del("/hosts/" + kNobody + "/ports/" + port).status, 204) << "the path host is not checked";
    const auto p = parsed(get("/ports/" + port));
    EXPECT_EQ(text(p, "hostId"), "<null>");
    EXPECT_EQ(text(p, "interfaceName"), "<null>");
    EXPECT_EQ(text(p, "hostInterfacePort"), "<null>");
    const auto view = store_->view();
    EXPECT_EQ(model::uuidOf((*view)->get<model::Port>(*Uuid::parse(port))->object->previous_host_id()).toString(), host);
    EXPECT_EQ(del("/hosts/" + host + "/ports/" + kNobody).status, 404);
}

}  // namespace
}  // namespace midonet::rest::testing
