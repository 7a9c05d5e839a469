#include "cli/session.h"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <sstream>

#include "fake_server.h"

namespace midonet::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;
using testing::fakeId;
using testing::FakeServer;
using Outcome = Session::Outcome;

/// A session with the server in memory.
class SessionTest : public ::testing::Test {
protected:
    void begin(SessionOptions options) { session_ = std::make_unique<Session>(api_, options, out_, err_); }

    /// What a line prints.
    std::string say(std::string_view line, Outcome expected = Outcome::Succeeded) {
        out_.str("");
        err_.str("");
        EXPECT_EQ(session_->run(line), expected) << line << "\n" << out_.str();
        return out_.str();
    }
    std::string refused(std::string_view line) { return say(line, Outcome::Failed); }

    FakeServer server_;
    Api api_{std::string{FakeServer::kUrl}, std::nullopt, server_.transport()};
    std::ostringstream out_;
    std::ostringstream err_;
    std::unique_ptr<Session> session_;
};

/// As in `midonet-cli -e` and in scripts.
class ScriptTest : public SessionTest {
protected:
    ScriptTest() { begin({.oneCommand = true}); }
};

/// As on a terminal.
class AliasTest : public SessionTest {
protected:
    AliasTest() { begin({.aliases = true}); }
};

TEST_F(ScriptTest, AnObjectFromItsCreationToItsEnd) {
    const auto id = fakeId(1);
    EXPECT_EQ(say("create bridge name evalnet"), id + "\n");
    EXPECT_EQ(say("bridge name evalnet show id"), id + "\n");
    EXPECT_EQ(say("list bridge"), "bridge " + id + " name evalnet state up\n");
    EXPECT_EQ(say("show bridge " + id), "bridge " + id + " name evalnet state up\n");
    EXPECT_EQ(say("bridge " + id + " set name other state down"), "");
    EXPECT_EQ(say("list bridge state down"), "bridge " + id + " name other state down\n");
    EXPECT_EQ(say("list bridge state up"), "");
    EXPECT_EQ(say("bridge " + id + " show infilter"), "\n") << "unset";
    EXPECT_EQ(say("delete bridge " + id), "");
    EXPECT_EQ(say("bridge list"), "");
    EXPECT_EQ(refused("delete bridge " + id), "Syntax error at: ..." + id + "\n");
}

TEST_F(ScriptTest, EveryWordOrder) {
    const auto bridge = fakeId(1);
    const auto port = fakeId(2);
    say("bridge create name b");
    say("create bridge " + bridge + " port vlan 5");
    const auto line = "port " + port + " device " + bridge + " state up plugged no vlan 5\n";
    const auto path = "bridge " + bridge + " port " + port;
    for (const auto& order : {"show " + path, path + " show", "s " + path, "bridge " + bridge + " show port vlan 5", "port " + port + " show",
                              "bridge " + bridge + " port vlan 5 show id"})
        EXPECT_THAT(say(order), HasSubstr(port)) << order;
    for (const auto& order : {"list bridge " + bridge + " port", "bridge " + bridge + " list port", "bridge " + bridge + " port list",
                              std::string{"l bridge name b port vlan 5"}, std::string{"bridge name b list port"},
                              std::string{"bridge name b port list vlan 5"}, std::string{"port list"}})
        EXPECT_EQ(say(order), line) << order;
    for (const auto& order : {path + " vlan show", path + " show vlan", "show " + path + " vlan"}) EXPECT_EQ(say(order), "5\n") << order;
    say("set " + path + " vlan 6");
    say(path + " set vlan 7");
    say("bridge " + bridge + " port vlan 7 set vlan 8");
    EXPECT_EQ(say("show " + path + " vlan"), "8\n");
    say("bridge " + bridge + " delete port vlan 8");
    EXPECT_EQ(say("port list"), "");
    for (const auto* order : {"bridge name b add port", "add bridge name b port", "bridge name b port create"}) EXPECT_THAT(say(order), Not(IsEmpty()));
    EXPECT_EQ(server_.all("ports").size(), 3U);
}

TEST_F(ScriptTest, WhatIsWrongAndWhere) {
    const auto bridge = fakeId(1);
    say("create bridge name x");
    EXPECT_EQ(refused("bogus cmd"), "Syntax error at: ...bogus cmd\n");
    EXPECT_EQ(refused("bridge " + bridge + " set bogus 1"), "Syntax error at: ...bogus 1\n");
    EXPECT_EQ(refused("bridge name x show"), "Missing arguments, incomplete command\n");
    EXPECT_EQ(refused("bridge " + bridge + " set name"), "Missing arguments, incomplete command\n");
    EXPECT_EQ(refused("create bridge name a b"), "Syntax error at: ...b\n");
    EXPECT_EQ(refused("show 'bridge"), "Syntax error: unmatched quote\n");
    EXPECT_EQ(refused("show bridge bridge0"), "Syntax error at: ...bridge0\n") << "no aliases in scripts";
    EXPECT_EQ(refused("host add name h"), "Internal error: Creating elements of this type is not possible\n");
    EXPECT_EQ(refused("bridge " + bridge + " set id " + fakeId(9)), "User error: 'id is a read-only attribute.'\n");
    EXPECT_EQ(refused("bridge " + bridge + " set state on"), "Internal error: Invalid value field state: None\n");
    EXPECT_EQ(refused("bridge " + bridge + " clear name"), "Internal error: Field name cannot be cleared.\n");
    EXPECT_EQ(say("", Outcome::Nothing), "");
}

TEST_F(ScriptTest, HintsGoToStderr) {
    refused("brdge list");
    EXPECT_EQ(err_.str(), "did you mean 'bridge'?\n");
    refused("create bridge state");
    EXPECT_EQ(err_.str(), "here may stand: down up\n");
}

TEST_F(ScriptTest, ASelectionIsOfOneObject) {
    say("create bridge name twin");
    say("create bridge name twin");
    EXPECT_EQ(refused("bridge name twin show id"), "Syntax error at: ...show id\n");
}

TEST_F(ScriptTest, WhatTheServerDoesNotOffer) {
    EXPECT_EQ(refused("list vtep"), "Internal error: the server offers no vtep\n");
    EXPECT_EQ(refused("create qos-policy name q"), "Internal error: the server offers no qos-policy\n");
}

TEST_F(ScriptTest, NumbersAreSentAsTextAndTenantsAlongWithThem) {
    begin({.tenant = "t", .oneCommand = true});
    say("create router name r asn 65000");
    const auto router = server_.all("routers").front();
    EXPECT_EQ(router.at("tenantId"), "t");
    EXPECT_EQ(router.at("asNumber"), 65000);
    server_.clearRequests();
    say("router list");
    EXPECT_THAT(server_.requests(), ElementsAre("GET /routers?tenant_id=t"));
    EXPECT_EQ(say("cleart"), "tenant_id: None\n");
    EXPECT_EQ(say("sett x"), "tenant_id: x\n");
    EXPECT_EQ(say("router list"), "");
    say("create router name other");
    EXPECT_EQ(server_.all("routers").back().at("tenantId"), "x");
}

TEST_F(ScriptTest, ObjectsWithoutId) {
    say("create bridge name b");
    EXPECT_EQ(say("bridge name b add dhcp subnet 10.0.0.0/24 gw 10.0.0.1 dns-servers 8.8.8.8,8.8.4.4 interface-mtu 1450"),
              "gw 10.0.0.1 dns-servers 8.8.8.8,8.8.4.4 subnet 10.0.0.0/24 interface-mtu 1450\n");
    EXPECT_EQ(say("bridge name b dhcp subnet 10.0.0.0/24 show gw"), "10.0.0.1\n") << "selection below selection";
    const auto subnet = "bridge " + fakeId(1) + " dhcp subnet 10.0.0.0/24 ";
    EXPECT_EQ(say(subnet + "add host name h mac 01:02:03:04:05:06 address 10.0.0.7"), "name h address 10.0.0.7 mac 01:02:03:04:05:06\n");
    EXPECT_EQ(say(subnet + "host list"), "name h address 10.0.0.7 mac 01:02:03:04:05:06\n");
    EXPECT_EQ(say(subnet + "add opt121-routes destination 10.1.0.0/16 gateway 10.0.0.2"), "destination 10.1.0.0/16 gateway 10.0.0.2\n")
        << "no list yet";
    say(subnet + "add opt121-routes destination 10.2.0.0/16 gateway 10.0.0.2");
    EXPECT_EQ(say(subnet + "opt121-routes list"), "destination 10.1.0.0/16 gateway 10.0.0.2\ndestination 10.2.0.0/16 gateway 10.0.0.2\n");
    say(subnet + "delete opt121-routes destination 10.1.0.0/16");
    EXPECT_EQ(say(subnet + "opt121-routes list"), "destination 10.2.0.0/16 gateway 10.0.0.2\n");
    const auto host = subnet + "host mac 01:02:03:04:05:06 ";
    EXPECT_EQ(say(host + "add options name domain_search value example.org"), "name domain_search value example.org\n");
    EXPECT_EQ(say(host + "options list"), "name domain_search value example.org\n");
    say(host + "delete options name domain_search");
    EXPECT_EQ(say(host + "options list"), "");
    say(subnet + "host name h delete");
    EXPECT_EQ(say(subnet + "host list"), "");
    say(subnet + "set gw 10.0.0.9");
    EXPECT_EQ(say(subnet + "show"), "dhcp gw 10.0.0.9 dns-servers 8.8.8.8,8.8.4.4 subnet 10.0.0.0/24 interface-mtu 1450\n");
}

TEST_F(ScriptTest, TablesOfBridges) {
    say("create bridge name b");
    say("bridge name b add port");
    const auto line = "mac 02:00:00:00:00:01 port " + fakeId(2) + " vlan 0\n";
    EXPECT_EQ(say("bridge name b add mac-port mac 02:00:00:00:00:01 port " + fakeId(2)), line);
    EXPECT_EQ(say("bridge name b list mac-port port " + fakeId(2)), line);
    EXPECT_EQ(refused("bridge name b add mac-port mac red"), "Internal error: Invalid value field mac: red\n");
    say("bridge name b delete mac-port mac 02:00:00:00:00:01");
    EXPECT_EQ(say("bridge name b mac-port list"), "");
    EXPECT_EQ(say("bridge name b add ip4-mac ip 10.0.0.2 mac 02:00:00:00:00:01"), "ip 10.0.0.2 mac 02:00:00:00:00:01\n");
    EXPECT_EQ(say("show bridge " + fakeId(1) + " ip4-mac ip 10.0.0.2"), "ip4-mac ip 10.0.0.2 mac 02:00:00:00:00:01\n");
    say("bridge name b delete ip4-mac mac 02:00:00:00:00:01");
    EXPECT_EQ(say("bridge name b list ip4-mac"), "");
}

TEST_F(ScriptTest, RulesStandByPosition) {
    say("create chain name c");
    say("chain name c add rule type drop pos 2 src !10.0.0.0/8");
    say("chain name c add rule type accept pos 1 proto 6");
    EXPECT_EQ(say("chain name c list rule"), "rule " + fakeId(3) + " inverted no proto 6 pos 1 type accept\n" +
                                                 "rule " + fakeId(2) + " inverted no src !10.0.0.0/8 pos 2 type drop\n");
}

TEST_F(ScriptTest, PeersAreLinked) {
    say("create bridge name b");
    say("bridge name b add port");
    say("bridge name b add port");
    say("port " + fakeId(2) + " set peer " + fakeId(3) + " vlan 4");
    EXPECT_EQ(say("port " + fakeId(3) + " peer show id"), fakeId(2) + "\n") << "through the field";
    EXPECT_EQ(server_.all("ports").front().at("vlanId"), 4);
    say("port " + fakeId(2) + " clear peer");
    EXPECT_EQ(say("port " + fakeId(3) + " show peer"), "\n");
    EXPECT_EQ(refused("port " + fakeId(3) + " peer show id"), "Syntax error at: ...id\n");
}

TEST_F(ScriptTest, ChangesDoNotGoThroughReferences) {
    say("create chain name c");
    say("create bridge name b infilter chain " + fakeId(1));
    EXPECT_EQ(say("bridge " + fakeId(2) + " infilter show name"), "c\n");
    refused("delete bridge " + fakeId(2) + " infilter");
    EXPECT_EQ(server_.all("chains").size(), 1U);
}

TEST_F(ScriptTest, MediaTypeOfZoneMembersAndIdsOfTraces) {
    say("create tunnel-zone name z type gre");
    server_.add("hosts", {{"name", "h"}});
    EXPECT_EQ(say("tunnel-zone name z add member host " + fakeId(2) + " address 10.0.0.1"),
              "zone " + fakeId(1) + " host " + fakeId(2) + " address 10.0.0.1\n");
    say("create tracerequest name t bridge " + fakeId(7) + " proto 6 limit no-limit");
    EXPECT_EQ(boost::json::serialize(server_.all("traces").front().at("condition")), R"({"nwProto":"6","invNwProto":false})");
    EXPECT_EQ(say("list tracerequest"), "tr " + std::string{server_.all("traces").front().at("id").as_string()} +
                                            " proto 6 name t bridge " + fakeId(7) + " limit no-limit\n");
}

TEST_F(ScriptTest, DescribeAndHelp) {
    EXPECT_EQ(say("describe bridge"),
              "Object collections:\n    port  dhcp  mac-port  ip4-mac\nFields:\n    id      name   infilter   qos-policy  out-mirrors\n"
              "tenant  state  outfilter  in-mirrors\n");
    EXPECT_THAT(say("desc"), HasSubstr("Fields:\n    <NONE>\n"));
    EXPECT_THAT(say("help", Outcome::Nothing), HasSubstr("cleart"));
    EXPECT_THAT(say("help debug", Outcome::Nothing), HasSubstr("debug on|off"));
    EXPECT_EQ(say("exit", Outcome::Ended), "");
}

TEST_F(ScriptTest, SystemStateAndDebug) {
    EXPECT_EQ(say("system-state show state"), "ACTIVE\n");
    EXPECT_EQ(say("show system-state availability"), "READWRITE\n");
    EXPECT_EQ(say("debug on"), "turned on debug mode\n");
    say("list bridge");
    EXPECT_THAT(err_.str(), HasSubstr("GET http://fake/midonet-api/bridges"));
    EXPECT_EQ(say("debug off"), "turned off debug mode\n");
}

TEST_F(ScriptTest, JsonIsWhatTheServerShows) {
    begin({.oneCommand = true, .style = {.json = true}});
    EXPECT_THAT(say("create chain name c"), StartsWith(R"({"id":)"));
    EXPECT_THAT(say("list chain"), StartsWith(R"([{"id":)"));
    EXPECT_EQ(say("list chain name d"), "[]\n");
    EXPECT_EQ(say("chain name c show name"), "\"c\"\n");
}

TEST_F(ScriptTest, FewRequests) {
    ASSERT_TRUE(session_->probe());
    server_.clearRequests();
    say("create bridge name b");
    EXPECT_THAT(server_.requests(), ElementsAre("POST /bridges", "GET /bridges/" + fakeId(1)));
    server_.clearRequests();
    say("list bridge");
    EXPECT_THAT(server_.requests(), ElementsAre("GET /bridges"));
    server_.clearRequests();
    say("bridge " + fakeId(1) + " add port");
    EXPECT_THAT(server_.requests(), ElementsAre("GET /bridges/" + fakeId(1), "POST /bridges/" + fakeId(1) + "/ports", "GET /ports/" + fakeId(2)));
}

TEST_F(AliasTest, NamesOfASession) {
    EXPECT_EQ(say("create bridge name \"my net\""), "bridge0\n");
    EXPECT_EQ(say("bridge bridge0 add port vlan 5"), "bridge0:port0\n");
    EXPECT_EQ(say("bridge bridge0 list port"), "port port0 device bridge0 state up plugged no vlan 5\n");
    EXPECT_EQ(say("create router name r1"), "router0\n");
    EXPECT_EQ(say("router router0 add port mac 02:00:00:00:00:01"), "router0:port0\n");
    EXPECT_EQ(say("router router0 port port0 set peer bridge0:port0"), "");
    EXPECT_EQ(say("router router0 list port"), "port port0 device router0 state up plugged no mac 02:00:00:00:00:01 peer bridge0:port0\n");
    EXPECT_EQ(say("router router0 port port0 peer show"), "port port0 device bridge0 state up plugged no vlan 5 peer router0:port0\n");
    EXPECT_EQ(say("router router0 port port0 set peer bridge bridge0 port port0"), "") << "a path as value";
    EXPECT_EQ(say("bridge bridge0 show id"), fakeId(1) + "\n");
    EXPECT_EQ(refused("show bridge0:port0"), "Syntax error at: ...bridge0:port0\n");
    say("delete bridge bridge0");
    EXPECT_EQ(say("create bridge name next"), "bridge1\n") << "never used again";
    EXPECT_EQ(refused("bridge bridge0 show"), "Syntax error at: ...bridge0 show\n");
    EXPECT_EQ(say("list bridge"), "bridge bridge1 name next state up\n");
}

TEST_F(AliasTest, DeepNamesAndInvertedOnes) {
    say("create load-balancer");
    EXPECT_EQ(say("list load-balancer"), "lb lb0 state up\n");
    EXPECT_EQ(say("load-balancer lb0 add pool lb-method ROUND_ROBIN"), "lb0:pool0\n");
    EXPECT_EQ(say("load-balancer lb0 pool pool0 add member address 10.0.0.1 protocol-port 80"), "lb0:pool0:pm0\n");
    say("create chain name c");
    say("create bridge");
    say("bridge bridge0 add port");
    EXPECT_EQ(say("chain chain0 add rule type drop in-ports !bridge0:port0 pos 1"), "chain0:rule0\n");
    EXPECT_EQ(say("chain chain0 list rule"), "rule rule0 inverted no in-ports !bridge0:port0 pos 1 type drop\n");
    say("delete bridge bridge0 port port0");
    EXPECT_EQ(say("chain chain0 list rule"), "rule rule0 inverted no in-ports !" + fakeId(6) + " pos 1 type drop\n") << "it names nothing";
}

TEST_F(AliasTest, TenantsThatAreNoProjects) {
    EXPECT_EQ(say("sett x"),
              "WARNING!: tenant_id=x is not a 32-char hex string, which is used in Keystone for project id format\ntenant_id: x\n");
    EXPECT_EQ(say("sett 0123456789abcdef0123456789abcdef"), "tenant_id: 0123456789abcdef0123456789abcdef\n");
}

TEST_F(AliasTest, Completion) {
    say("create bridge name b");
    say("bridge bridge0 add port");
    EXPECT_THAT(session_->complete("crea"), ElementsAre("create"));
    EXPECT_THAT(session_->complete("bri"), ElementsAre("bridge"));
    EXPECT_THAT(session_->complete("list bridge bridge0 "), IsSupersetOf({"dhcp", "port"}));
    EXPECT_THAT(session_->complete("bridge "), Contains("bridge0"));
    EXPECT_THAT(session_->complete("bridge bridge0 port "), Contains("port0"));
    EXPECT_THAT(session_->complete("create bridge sta"), ElementsAre("state"));
    EXPECT_THAT(session_->complete("create bridge state "), ElementsAre("down", "up"));
    EXPECT_THAT(session_->complete("chain c add rule ty"), IsEmpty());
    EXPECT_THAT(session_->complete("system-state sh"), ElementsAre("show"));
    EXPECT_THAT(session_->complete("create bridge name "), IsEmpty());
    EXPECT_THAT(session_->complete("debug o"), ElementsAre("off", "on"));
}

TEST_F(SessionTest, LosingTheServerEndsASession) {
    begin({});
    ASSERT_TRUE(session_->probe());
    server_.stop();
    EXPECT_EQ(say("list bridge", Outcome::Lost), "Connection to MidoNet API server refused.\nBye.\n");
}

TEST(LoginTest, OnceAndAgainWhenTheTokenIsOld) {
    FakeServer server;
    server.requireLogin("admin", "secret");
    Api api(std::string{FakeServer::kUrl}, Credentials{"admin", "secret", "p"}, server.transport());
    ASSERT_TRUE(api.get(api.url(), "x"));
    ASSERT_TRUE(api.get(api.url(), "x"));
    EXPECT_THAT(server.requests(), ElementsAre("POST /login", "GET ", "GET "));
    server.clearRequests();
    server.forgetTokens();
    ASSERT_TRUE(api.get(api.url(), "x"));
    EXPECT_THAT(server.requests(), ElementsAre("GET ", "POST /login", "GET "));
    Api stranger(std::string{FakeServer::kUrl}, Credentials{"admin", "wrong", "p"}, server.transport());
    EXPECT_FALSE(stranger.get(api.url(), "x"));
    EXPECT_EQ(stranger.lost(), Lost::Credentials);
}

}  // namespace
}  // namespace midonet::cli
