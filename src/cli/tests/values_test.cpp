#include "cli/values.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace midonet::cli {
namespace {

namespace json = boost::json;

const Field& field(std::string_view type, std::string_view name) {
    return *findField(ObjectModel::instance(), ObjectModel::instance().type(type), name);
}

/// What the text makes of an empty object, as JSON; or the error.
std::string assigned(const Field& field, std::string_view text) {
    json::object body;
    const auto done = assign(field, body, text, uuidOnly);
    return done ? json::serialize(body) : done.error().message;
}

std::string printed(const Field& field, std::string_view body) {
    return valueText(field, json::parse(body).as_object(), idAsName).value_or("(unset)");
}

constexpr std::string_view kId = "11111111-2222-3333-4444-555555555555";

struct Case {
    std::string_view type;
    std::string_view name;
    std::string_view text;
    std::string_view json;
};

class RoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(RoundTrip, TextToJsonToText) {
    const auto& [type, name, text, body] = GetParam();
    EXPECT_EQ(assigned(field(type, name), text), body);
    EXPECT_EQ(printed(field(type, name), body), text);
}

INSTANTIATE_TEST_SUITE_P(
    Values, RoundTrip,
    ::testing::Values(
        Case{"bridge", "name", "my net", R"({"name":"my net"})"}, Case{"bridge", "state", "down", R"({"adminStateUp":false})"},
        Case{"bridge-port", "vlan", "5", R"({"vlanId":"5"})"},
        Case{"bridge", "infilter", kId, R"({"inboundFilterId":"11111111-2222-3333-4444-555555555555"})"},
        Case{"bridge", "in-mirrors", kId, R"({"inboundMirrorIds":["11111111-2222-3333-4444-555555555555"]})"},
        Case{"router-port", "mac", "2:0:0:0:0:1", R"({"portMac":"2:0:0:0:0:1"})"},
        Case{"router-port", "addresses", "10.0.0.1/24,fd00::1/64", R"({"portSubnet":["10.0.0.1/24","fd00::1/64"]})"},
        Case{"route", "type", "blackhole", R"({"type":"BlackHole"})"},
        Case{"route", "src", "0.0.0.0/0", R"({"srcNetworkAddr":"0.0.0.0","srcNetworkLength":0})"},
        Case{"route", "dst", "10.0.0.7", R"({"dstNetworkAddr":"10.0.0.7","dstNetworkLength":32})"},
        Case{"route", "dst", "fd00::/8", R"({"dstNetworkAddr":"fd00::","dstNetworkLength":8})"},
        Case{"dhcp", "dns-servers", "8.8.8.8,8.8.4.4", R"({"dnsServerAddrs":["8.8.8.8","8.8.4.4"]})"},
        Case{"rule", "src", "!10.0.0.0/8", R"({"nwSrcAddress":"10.0.0.0","nwSrcLength":8,"invNwSrc":true})"},
        Case{"rule", "proto", "6", R"({"nwProto":"6","invNwProto":false})"},
        Case{"rule", "dst-port", "80-90", R"({"tpDst":{"start":80,"end":90},"invTpDst":false})"},
        Case{"rule", "flow", "return-flow", R"({"matchForwardFlow":false,"matchReturnFlow":true})"},
        Case{"rule", "hw-src-mask", "ffff.0000.0000", R"({"dlSrcMask":"ffff.0000.0000"})"},
        Case{"rule", "type", "l2-transform", R"({"type":"l2_transform"})"}, Case{"rule", "tracelimit", "no-limit", R"({"limit":-1})"},
        Case{"rule", "target", "10.0.0.1-10.0.0.9:80-90,10.0.1.1",
             R"({"natTargets":[{"addressFrom":"10.0.0.1","addressTo":"10.0.0.9","portFrom":80,"portTo":90},)"
             R"({"addressFrom":"10.0.1.1","addressTo":"10.0.1.1","portFrom":0,"portTo":0}]})"},
        Case{"rule", "target", "[fd00::1]:80", R"({"natTargets":[{"addressFrom":"fd00::1","addressTo":"fd00::1","portFrom":80,"portTo":80}]})"},
        Case{"ip-address", "address", "fd00::1", R"({"addr":"fd00::1","version":6})"},
        Case{"tracerequest", "src-port", "7-7", R"({"condition":{"tpSrc":{"start":7,"end":7},"invTpSrc":false}})"},
        Case{"tracerequest", "router", kId, R"({"deviceId":"11111111-2222-3333-4444-555555555555","deviceType":"ROUTER"})"}));

TEST(ValuesTest, WhatIsRefused) {
    EXPECT_EQ(assigned(field("bridge", "state"), "on"), "Invalid value field state: None");
    EXPECT_EQ(assigned(field("bridge", "infilter"), "chain9"), "Invalid value field infilter: chain9");
    EXPECT_EQ(assigned(field("router-port", "mac"), "2-0-0-0-0-1"), "Invalid value field mac: 2-0-0-0-0-1");
    EXPECT_EQ(assigned(field("route", "dst"), "10.0.0.0/33"), "Invalid network address: 10.0.0.0/33");
    EXPECT_EQ(assigned(field("router-port", "addresses"), "10.0.0.1"), "Invalid network address: 10.0.0.1");
    EXPECT_EQ(assigned(field("rule", "type"), "let"), "Invalid value field type: let");
    EXPECT_EQ(assigned(field("rule", "flow"), "flow"), "flow is not a valid flow");
    EXPECT_EQ(assigned(field("rule", "target"), "10.0.0.1,10.0.0"), "Invalid NAT target: 10.0.0");
    EXPECT_EQ(assigned(field("rule", "target"), "10.0.0.1:9-8"), "Invalid NAT target: 10.0.0.1:9-8");
    EXPECT_EQ(assigned(field("rule", "dst-port"), "70000"), "Invalid value field dst-port: 70000");
    EXPECT_EQ(assigned(field("router-port", "vni"), "16777216"), "Invalid value field vni: 16777216");
    EXPECT_EQ(assigned(field("host", "name"), "x"), "name is a read-only attribute.");
    EXPECT_EQ(assigned(field("dhcp", "gw"), "10.0.0.x"), "Invalid value field gw: 10.0.0.x");
}

TEST(ValuesTest, WhatIsPrinted) {
    EXPECT_EQ(printed(field("rule", "dst-port"), R"({"tpDst":{"start":80,"end":80}})"), "80-80");
    EXPECT_EQ(printed(field("bridge-port", "vlan"), R"({"vlanId":0})"), "0");
    EXPECT_EQ(printed(field("bridge-port", "vlan"), R"({"vlanId":null})"), "(unset)");
    EXPECT_EQ(printed(field("bridge-port", "vlan"), "{}"), "(unset)");
    EXPECT_EQ(printed(field("bridge", "in-mirrors"), R"({"inboundMirrorIds":[]})"), "(unset)");
    EXPECT_EQ(printed(field("rule", "flow"), R"({"matchForwardFlow":false,"matchReturnFlow":false})"), "(unset)");
    EXPECT_EQ(printed(field("rule", "type"), R"({"type":"new_type"})"), "new_type") << "of a newer server";
    EXPECT_EQ(printed(field("tracerequest", "port"), R"({"deviceId":"x","deviceType":"BRIDGE"})"), "(unset)");
}

TEST(ValuesTest, ClearUnsets) {
    auto body = json::parse(R"({"inboundFilterId":"x"})").as_object();
    ASSERT_TRUE(clear(field("bridge", "infilter"), body));
    EXPECT_EQ(json::serialize(body), R"({"inboundFilterId":null})");
    auto port = json::parse(R"({"portSubnet":["10.0.0.1/24"],"portAddress":"10.0.0.1"})").as_object();
    ASSERT_TRUE(clear(field("router-port", "addresses"), port));
    EXPECT_EQ(json::serialize(port), R"({"portSubnet":null,"portAddress":null})") << "else the server takes the old key for the value";
    EXPECT_EQ(clear(field("bridge", "name"), body).error().message, "Field name cannot be cleared.");
}

TEST(ValuesTest, FiltersCompareWhatIsPrinted) {
    const auto body = json::parse(R"({"vlanId":5,"adminStateUp":true,"inboundFilterId":"11111111-2222-3333-4444-555555555555"})").as_object();
    const IdOf chain0 = [](std::string_view word) { return word == "chain0" ? std::optional{std::string{kId}} : std::nullopt; };
    EXPECT_TRUE(matches(field("bridge-port", "vlan"), body, "5", uuidOnly));
    EXPECT_TRUE(matches(field("bridge-port", "state"), body, "up", uuidOnly));
    EXPECT_FALSE(matches(field("bridge-port", "state"), body, "true", uuidOnly));
    EXPECT_TRUE(matches(field("bridge-port", "infilter"), body, "chain0", chain0));
    EXPECT_FALSE(matches(field("bridge-port", "infilter"), body, "chain1", chain0));
    EXPECT_FALSE(matches(field("bridge-port", "outfilter"), body, "chain0", chain0));
}

}  // namespace
}  // namespace midonet::cli
