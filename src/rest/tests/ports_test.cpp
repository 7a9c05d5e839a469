#include <set>

#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Ports : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
    }
    json::value port(const std::string& id) { return parsed(get("/ports/" + id)); }
    void report(const std::string& id, const std::string& host, bool active, const std::string& status = "") {
        model::PortState state;
        state.set_host_id(model::bytesOf(*Uuid::parse(host)));
        state.set_active(active);
        state.set_status(status);
        putState(model::Port::descriptor(), id, "state", state);
    }
    std::string bridge_;
};

TEST_F(Ports, ShowsEveryKeyClientsIndex) {
    const auto p = create("/bridges/" + bridge_ + "/ports", R"({"type":"Bridge"})");
    const auto uri = "http://localhost/midonet-api/ports/" + text(p, "id");
    EXPECT_EQ(text(p, "uri"), uri);
    EXPECT_EQ(text(p, "type"), "Bridge");
    EXPECT_EQ(text(p, "deviceId"), bridge_);
    EXPECT_EQ(text(p, "device"), "http://localhost/midonet-api/bridges/" + bridge_);
    EXPECT_EQ(text(p, "adminStateUp"), "true");
    EXPECT_EQ(text(p, "active"), "false");
    EXPECT_EQ(text(p, "vlanId"), "0");
    EXPECT_EQ(text(p, "link"), uri + "/link");
    EXPECT_EQ(text(p, "portGroups"), uri + "/port_groups");
    for (const char* key : {"hostId", "host", "interfaceName", "peerId", "peer", "vifId", "inboundFilterId", "inboundFilter",
                            "outboundFilterId", "outboundFilter", "qosPolicyId", "hostInterfacePort", "status"})
        EXPECT_EQ(text(p, key), "<null>") << key;
    for (const char* key : {"inboundMirrorIds", "outboundMirrorIds", "postInFilterMirrorIds", "preOutFilterMirrorIds", "insertionIds"})
        EXPECT_EQ(text(p, key), "[]") << key;
}

TEST_F(Ports, TypesOfBridgePorts) {
    const auto path = "/bridges/" + bridge_ + "/ports";
    for (const char* type : {"Bridge", "ExteriorBridge", "InteriorBridge"})
        EXPECT_EQ(text(create(path, R"({"type":")" + std::string{type} + "\"}"), "type"), "Bridge");
    for (const char* type : {"Router", "Vxlan", "ExteriorRouter", "bridge", ""})
        EXPECT_EQ(post(path, R"({"type":")" + std::string{type} + "\"}").status, 400) << type;
    EXPECT_EQ(post(path, "{}").status, 400) << "missing";
    const auto item = "/ports/" + createPort(bridge_);
    EXPECT_EQ(put(item, "{}").status, 204) << "missing means the stored one";
    EXPECT_EQ(put(item, R"({"type":"Router"})").status, 400);
}

TEST_F(Ports, TunnelKeysAreAllocatedAndKept) {
    std::set<std::string> keys;
    std::string last;
    for (int i = 0; i < 5; ++i) {
        last = createPort(bridge_, R"({"type":"Bridge","tunnelKey":1})");
        keys.insert(text(port(last), "tunnelKey"));
    }
    EXPECT_EQ(keys.size(), 5U);
    EXPECT_FALSE(keys.contains("0"));
    const auto before = text(port(last), "tunnelKey");
    put("/ports/" + last, R"({"tunnelKey":"77"})");
    EXPECT_EQ(text(port(last), "tunnelKey"), before);
}

TEST_F(Ports, RangesAndReferences) {
    const auto path = "/bridges/" + bridge_ + "/ports";
    for (const char* bad : {R"("vlanId":4096)", R"("vlanId":-1)", R"("vlanId":"x")", R"("hostId":"x")", R"("vifId":5)",
                            R"("interfaceName":"sixteencharslong")", R"("peerId":"x")"})
        EXPECT_EQ(post(path, R"({"type":"Bridge",)" + std::string{bad} + "}").status, 400) << bad;
    for (const char* key : {"hostId", "inboundFilterId", "peerId", "qosPolicyId"})
        EXPECT_EQ(post(path, R"({"type":"Bridge",")" + std::string{key} + R"(":")" + kNobody + "\"}").status, 404) << key;
    EXPECT_EQ(get(path).body, "[]");
}

TEST_F(Ports, DeleteOfAMissingPortIs404) {
    const auto id = createPort(bridge_);
    EXPECT_EQ(del("/ports/" + id).status, 204);
    EXPECT_EQ(del("/ports/" + id).status, 404);
    EXPECT_EQ(put("/ports/" + id, "{}").status, 404);
}

TEST_F(Ports, PutKeepsTheBindingUnlessAnotherIsGiven) {
    const auto first = addHost("one");
    const auto second = addHost("two");
    const auto id = createPort(bridge_);
    EXPECT_EQ(put("/ports/" + id, R"({"hostId":")" + first + R"(","interfaceName":"tap0","vlanId":3})").status, 204);
    EXPECT_EQ(put("/ports/" + id, R"({"adminStateUp":false,"hostId":null})").status, 204);
    auto p = port(id);
    EXPECT_EQ(text(p, "hostId"), first);
    EXPECT_EQ(text(p, "interfaceName"), "tap0");
    EXPECT_EQ(text(p, "vlanId"), "0");
    EXPECT_EQ(text(p, "hostInterfacePort"), "http://localhost/midonet-api/hosts/" + first + "/ports/" + id);
    EXPECT_EQ(put("/ports/" + id, R"({"hostId":")" + second + "\"}").status, 204);
    EXPECT_EQ(text(port(id), "hostId"), second);
    const auto view = store_->view();
    EXPECT_EQ(model::uuidOf((*view)->get<model::Port>(*Uuid::parse(id))->object->previous_host_id()).toString(), first);
    EXPECT_EQ(put("/ports/" + id, R"({"hostId":")" + kNobody + "\"}").status, 404);
}

TEST_F(Ports, AnInterfaceHasOnePort) {
    const auto host = addHost();
    addMember(createZone(), host);
    const std::string place = R"("hostId":")" + host + R"(","interfaceName":"tap0")";
    const auto first = createPort(bridge_, R"({"type":"Bridge",)" + place + "}");
    const auto second = createPort(bridge_);
    const std::string binding = R"({"portId":")" + second + R"(","interfaceName":"tap0"})";
    EXPECT_EQ(post("/hosts/" + host + "/ports", binding).status, 409);
    EXPECT_EQ(put("/ports/" + second, "{" + place + "}").status, 409);
    EXPECT_EQ(post("/bridges/" + bridge_ + "/ports", R"({"type":"Bridge",)" + place + "}").status, 409);
    EXPECT_EQ(put("/ports/" + first, "{" + place + R"(,"vlanId":7})").status, 204) << "its own";
    EXPECT_EQ(del("/hosts/" + host + "/ports/" + first).status, 204);
    EXPECT_EQ(put("/ports/" + second, "{" + place + "}").status, 204);
    EXPECT_EQ(del("/ports/" + second).status, 204);
    EXPECT_EQ(put("/ports/" + first, "{" + place + "}").status, 204);
}

TEST_F(Ports, ActiveAndStatusComeFromTheHostItIsBoundTo) {
    const auto host = addHost();
    const auto other = addHost();
    const auto id = createPort(bridge_, R"({"type":"Bridge","hostId":")" + host + R"(","interfaceName":"tap0"})");
    EXPECT_EQ(text(port(id), "status"), "no agent is running on host " + host);
    setAlive(host);
    EXPECT_EQ(text(port(id), "status"), "the agent of host " + host + " has not taken the port up yet");
    report(id, other, true);
    EXPECT_EQ(text(port(id), "active"), "false") << "another host's word does not count";
    report(id, host, false, "interface tap0 does not exist");
    EXPECT_EQ(text(port(id), "active"), "false");
    EXPECT_EQ(text(port(id), "status"), "interface tap0 does not exist");
    EXPECT_EQ(text(parsed(get("/hosts/" + host + "/ports/" + id)), "status"), "interface tap0 does not exist");
    report(id, host, true);
    EXPECT_EQ(text(port(id), "active"), "true");
    EXPECT_EQ(text(port(id), "status"), "<null>");
    EXPECT_EQ(del("/hosts/" + host + "/ports/" + id).status, 204);
    EXPECT_EQ(text(port(id), "active"), "false");
    EXPECT_EQ(text(port(id), "status"), "<null>");
}

TEST_F(Ports, ListsOfABridgeAndOfAll) {
    const auto other = createBridge();
    createPort(bridge_);
    createPort(bridge_);
    createPort(other);
    EXPECT_EQ(listed("/bridges/" + bridge_ + "/ports?tenant_id=x").size(), 2U);
    EXPECT_EQ(listed("/ports").size(), 3U);
    EXPECT_EQ(get("/bridges/" + bridge_ + "/peer_ports").body, "[]");
    EXPECT_EQ(get("/bridges/" + bridge_ + "/vxlan_ports").body, "[]");
}

}  // namespace
}  // namespace midonet::rest::testing
