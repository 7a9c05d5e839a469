#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class TunnelZones : public ApiTest {
protected:
    static std::string member(const std::string& host, const std::string& address) {
        return R"({"hostId":")" + host + R"(","ipAddress":")" + address + "\"}";
    }
};

TEST_F(TunnelZones, CreateGetPutDelete) {
    const auto zone = create("/tunnel_zones", R"({"name":"mido-tz","type":"gre"})");
    const auto path = "/tunnel_zones/" + text(zone, "id");
    EXPECT_EQ(text(zone, "type"), "gre");
    EXPECT_EQ(text(zone, "hosts"), "http://localhost/midonet-api" + path + "/hosts");
    EXPECT_EQ(put(path, R"({"name":"other","type":"vxlan"})", vnd("TunnelZone-v1")).status, 204);
    EXPECT_EQ(text(parsed(get(path)), "type"), "vxlan");
    EXPECT_EQ(del(path).status, 204);
    EXPECT_EQ(get(path).status, 404);
    EXPECT_EQ(del(path).status, 204) << "idempotent";
}

TEST_F(TunnelZones, NamesAreUnique) {
    const auto first = "/tunnel_zones/" + createZone("one");
    createZone("two");
    EXPECT_EQ(post("/tunnel_zones", R"({"name":"one","type":"gre"})").status, 409);
    EXPECT_EQ(put(first, R"({"name":"two","type":"gre"})").status, 409);
    EXPECT_EQ(put(first, R"({"name":"one","type":"gre"})").status, 204) << "its own name";
    EXPECT_EQ(del(first).status, 204);
    createZone("one");
}

TEST_F(TunnelZones, NameAndTypeAreRequired) {
    for (const char* bad : {"{}", R"({"name":"z"})", R"({"type":"gre"})", R"({"name":"","type":"gre"})", R"({"name":null,"type":"gre"})",
                            R"({"name":"z","type":"GRE"})", R"({"name":"z","type":null})", R"({"name":"z","type":7})"})
        EXPECT_EQ(post("/tunnel_zones", bad).status, 400) << bad;
    EXPECT_EQ(post("/tunnel_zones", R"({"name":")" + std::string(256, 'x') + R"(","type":"gre"})").status, 400);
    for (const char* type : {"gre", "vxlan", "vtep"}) createZone(type, type);
}

TEST_F(TunnelZones, Members) {
    const auto zone = createZone();
    const auto host = addHost();
    const auto path = "/tunnel_zones/" + zone + "/hosts";
    const auto response = post(path, member(host, "10.0.0.1"), vnd("GreTunnelZoneHost-v1"));
    ASSERT_EQ(response.status, 201);
    EXPECT_EQ(response.headers.find("Location"), "http://localhost/midonet-api" + path + "/" + host);
    for (const char* type : {"TunnelZoneHost-v1", "GreTunnelZoneHost-v1"}) {
        const auto item = get(path + "/" + host, vnd(type));
        EXPECT_EQ(item.headers.find("Content-Type"), vnd(type));
        for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
                 {"tunnelZoneId", zone}, {"hostId", host}, {"ipAddress", "10.0.0.1"}, {"host", "http://localhost/midonet-api/hosts/" + host},
                 {"tunnelZone", "http://localhost/midonet-api/tunnel_zones/" + zone}})
            EXPECT_EQ(text(parsed(item), key), value);
        EXPECT_EQ(text(parsed(item), "id"), "<absent>");
    }
    EXPECT_EQ(post(path, member(host, "10.0.0.2")).status, 409) << "the same host twice";
    EXPECT_EQ(text(parsed(get(path + "/" + host)), "ipAddress"), "10.0.0.1");
    EXPECT_EQ(put("/tunnel_zones/" + zone, R"({"name":"new","type":"gre"})").status, 204);
    EXPECT_EQ(listed(path).size(), 1U) << "PUT keeps the members";
    EXPECT_EQ(del(path + "/" + host).status, 204);
    EXPECT_EQ(del(path + "/" + host).status, 404);
    EXPECT_EQ(get(path + "/" + host).status, 404);
}

TEST_F(TunnelZones, MemberErrors) {
    const auto zone = createZone();
    const auto host = addHost();
    const auto path = "/tunnel_zones/" + zone + "/hosts";
    for (const char* bad : {"10.0.0", "10.0.0.256", "fe80::1", "", "x"}) EXPECT_EQ(post(path, member(host, bad)).status, 400) << bad;
    EXPECT_EQ(post(path, R"({"hostId":")" + host + "\"}").status, 400);
    EXPECT_EQ(post(path, R"({"ipAddress":"10.0.0.1"})").status, 400);
    EXPECT_EQ(post(path, member("x", "10.0.0.1")).status, 400);
    EXPECT_EQ(post(path, member(kNobody, "10.0.0.1")).status, 404) << "unknown host";
    EXPECT_EQ(post("/tunnel_zones/" + kNobody + "/hosts", member(host, "10.0.0.1")).status, 404) << "unknown zone";
    EXPECT_EQ(get("/tunnel_zones/" + kNobody + "/hosts").status, 404);
    EXPECT_EQ(get(path).body, "[]");
}

TEST_F(TunnelZones, ShowsWhatAnAgentFindsWrongWithItsMembership) {
    const auto zone = createZone("z");
    const auto host = addHost();
    create("/tunnel_zones/" + zone + "/hosts", member(host, "10.0.0.1"));
    const auto path = "/tunnel_zones/" + zone + "/hosts/" + host;
    EXPECT_EQ(text(parsed(get(path)), "status"), "<null>");
    const auto id = model::memberId(Uuid::parse(zone).value(), Uuid::parse(host).value()).toString();
    putStateText(model::TunnelZoneMember::descriptor(), id, "status", "alone");
    EXPECT_EQ(text(parsed(get(path)), "status"), "alone");
}

}  // namespace
}  // namespace midonet::rest::testing
