#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Rules : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        chain_ = createChain();
        path_ = "/chains/" + chain_ + "/rules";
    }
    std::string add(std::string_view body) { return createRule(chain_, body); }
    std::vector<std::string> order() {
        std::vector<std::string> out;
        for (const auto& rule : listed(path_)) {
            out.push_back(text(rule, "id"));
            EXPECT_EQ(text(rule, "position"), std::to_string(out.size()));
        }
        return out;
    }
    std::string chain_, path_;
};
using Ids = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST_F(Rules, ShowEveryConditionAlways) {
    const auto rule = create(path_, R"({"type":"accept"})");
    const auto id = text(rule, "id");
    for (const auto& [key, value] : Pairs{{"type", "accept"}, {"chainId", chain_}, {"position", "1"}, {"uri", "http://localhost/midonet-api/rules/" + id},
                                          {"chain", "http://localhost/midonet-api/chains/" + chain_}, {"fragmentPolicy", "any"}, {"vlan", "0"}})
        EXPECT_EQ(text(rule, key), value) << key;
    for (const char* key : {"condInvert", "matchForwardFlow", "matchReturnFlow", "invInPorts", "invOutPorts", "invPortGroup", "invInPortGroup",
                            "invOutPortGroup", "invIpAddrGroupSrc", "invIpAddrGroupDst", "invTraversedDevice", "noVlan", "invDlType", "invDlSrc",
                            "invDlDst", "invNwTos", "invNwProto", "invNwSrc", "invNwDst", "invTpSrc", "invTpDst", "invIcmpDataSrcIp",
                            "invIcmpDataDstIp", "matchNwDstRewritten"})
        EXPECT_EQ(text(rule, key), "false") << key;
    for (const char* key : {"portGroup", "inPortGroup", "outPortGroup", "ipAddrGroupSrc", "ipAddrGroupDst", "traversedDevice", "dlType", "dlSrc",
                            "dlSrcMask", "dlDst", "dlDstMask", "nwTos", "nwProto", "nwSrcAddress", "nwDstAddress", "tpSrc", "tpDst",
                            "icmpDataSrcIpAddress", "icmpDataDstIpAddress", "jumpChainId", "jumpChain", "jumpChainName", "flowAction", "meterName"})
        EXPECT_EQ(text(rule, key), "<null>") << key;
    for (const char* key : {"nwSrcLength", "nwDstLength", "icmpDataSrcIpLength", "icmpDataDstIpLength"}) EXPECT_EQ(text(rule, key), "0") << key;
    for (const char* key : {"inPorts", "outPorts", "natTargets"}) EXPECT_EQ(text(rule, key), "[]") << key;
    EXPECT_EQ(text(rule, "condition"), "<absent>");
}

TEST_F(Rules, MetersHaveNamesOfOneLine) {
    const std::string longest(255, 'x');
    for (const auto& name : {std::string{"web"}, std::string{"a b/c:\\\"{}"}, std::string{"z\u00e4hler"}, longest}) {
        const auto body = json::serialize(json::object{{"type", "drop"}, {"meterName", name}});
        const auto rule = create(path_, body);
        EXPECT_EQ(text(rule, "meterName"), name);
        EXPECT_EQ(text(listed(path_)[0].as_object(), "meterName"), name);
    }
    EXPECT_EQ(text(create(path_, R"({"type":"drop","meterName":null})"), "meterName"), "<null>");
    EXPECT_EQ(text(create(path_, R"({"type":"drop","meterName":""})"), "meterName"), "<null>");
    for (const std::string bad : {R"(a\tb)", R"(a\n)", R"(\u0000)", R"(\u007f)", R"(\u0085)", R"(\u009b1m)"})
        EXPECT_EQ(violation(post(path_, R"({"type":"drop","meterName":")" + bad + "\"}")), "meterName") << bad;
    EXPECT_EQ(violation(post(path_, R"({"type":"drop","meterName":")" + longest + "x\"}")), "meterName");
}

TEST_F(Rules, EveryConditionComesBack) {
    const auto group = "\"" + kNobody + "\"";
    const auto list = "[" + group + "]";
    for (const auto& [key, value] : Pairs{
             {"condInvert", "true"}, {"matchForwardFlow", "true"}, {"matchReturnFlow", "true"}, {"inPorts", list}, {"invInPorts", "true"},
             {"outPorts", list}, {"invOutPorts", "true"}, {"portGroup", group}, {"invPortGroup", "true"}, {"inPortGroup", group},
             {"invInPortGroup", "true"}, {"outPortGroup", group}, {"invOutPortGroup", "true"}, {"ipAddrGroupSrc", group},
             {"invIpAddrGroupSrc", "true"}, {"ipAddrGroupDst", group}, {"invIpAddrGroupDst", "true"}, {"traversedDevice", group},
             {"invTraversedDevice", "true"}, {"noVlan", "true"}, {"vlan", "7"}, {"dlType", "2048"}, {"dlType", "65535"}, {"invDlType", "true"},
             {"dlSrc", "\"02:00:00:00:00:01\""}, {"dlSrcMask", "\"ffff.ff00.0000\""}, {"invDlSrc", "true"}, {"dlDst", "\"02:00:00:00:00:01\""},
             {"dlDstMask", "\"ffff.ff00.0000\""}, {"invDlDst", "true"}, {"nwTos", "0"}, {"nwTos", "16"}, {"invNwTos", "true"}, {"nwProto", "0"},
             {"nwProto", "6"}, {"invNwProto", "true"}, {"nwSrcAddress", "\"10.0.0.0\""}, {"nwSrcLength", "8"}, {"invNwSrc", "true"},
             {"nwDstAddress", "\"2001:db8::\""}, {"nwDstLength", "32"}, {"invNwDst", "true"}, {"tpSrc", R"({"start":0,"end":0})"},
             {"invTpSrc", "true"}, {"tpDst", R"({"start":80,"end":443})"}, {"invTpDst", "true"}, {"fragmentPolicy", "\"any\""},
             {"fragmentPolicy", "\"nonheader\""}, {"fragmentPolicy", "\"header\""}, {"fragmentPolicy", "\"unfragmented\""},
             {"icmpDataSrcIpAddress", "\"10.0.0.0\""}, {"icmpDataSrcIpLength", "8"}, {"invIcmpDataSrcIp", "true"},
             {"icmpDataDstIpAddress", "\"10.0.0.0\""}, {"icmpDataDstIpLength", "8"}, {"invIcmpDataDstIp", "true"}, {"matchNwDstRewritten", "true"}}) {
        const auto rule = create(path_, R"({"type":"drop",")" + key + "\":" + value + "}");
        EXPECT_EQ(json::serialize(rule.at(key)), value) << key;
    }
}

TEST_F(Rules, CloudControllersSendStrings) {
    const auto rule = create(path_, R"({"type":"dnat","flowAction":"continue","position":"1","nwProto":"6","tpDst":{"start":"80","end":"80"},
        "nwDstAddress":"169.254.169.254","nwDstLength":"32","invNwDst":"false","dlType":"2048","tenantId":"t",
        "natTargets":[{"addressFrom":"10.0.0.5","addressTo":"10.0.0.5","portFrom":"8008","portTo":"8008"}]})");
    for (const auto& [key, value] : Pairs{{"tpDst", R"({"start":80,"end":80})"}, {"nwProto", "6"}, {"flowAction", "continue"}, {"fragmentPolicy", "unfragmented"},
             {"natTargets", R"([{"addressFrom":"10.0.0.5","addressTo":"10.0.0.5","portFrom":8008,"portTo":8008}])"}})
        EXPECT_EQ(text(rule, key), value) << key;
    EXPECT_EQ(text(create(path_, R"({"type":"accept","nwProto":"null","tpDst":null})"), "nwProto"), "<null>");
}

TEST_F(Rules, BadValues) {
    for (const auto& [more, property] : Pairs{
             {R"("type":"explode")", "type"}, {R"("type":"l2_transform")", "flowAction"}, {R"("type":"")", "type"},
             {R"("type":"accept","inPorts":["x"])", "inPorts[0]"}, {R"("type":"accept","inPorts":"x")", "inPorts"},
             {R"("type":"accept","portGroup":"x")", "portGroup"}, {R"("type":"accept","vlan":4096)", "vlan"}, {R"("type":"accept","dlType":1535)", "dlType"},
             {R"("type":"accept","dlType":65536)", "dlType"}, {R"("type":"accept","dlSrc":"x")", "dlSrc"},
             {R"("type":"accept","dlSrcMask":"ff:ff:ff:00:00:00")", "dlSrcMask"}, {R"("type":"accept","dlDstMask":"ffff.ffff.fffg")", "dlDstMask"},
             {R"("type":"accept","nwTos":256)", "nwTos"}, {R"("type":"accept","nwProto":-1)", "nwProto"}, {R"("type":"accept","nwProto":256)", "nwProto"},
             {R"("type":"accept","nwSrcAddress":"10.0.0")", "nwSrcAddress"}, {R"("type":"accept","nwSrcAddress":"10.0.0.0","nwSrcLength":33)", "nwSrcLength"},
             {R"("type":"accept","nwDstAddress":"2001:db8::","nwDstLength":129)", "nwDstLength"},
             {R"("type":"accept","icmpDataSrcIpAddress":"10.0.0.0","icmpDataSrcIpLength":64)", "icmpDataSrcIpLength"},
             {R"("type":"accept","tpSrc":{"start":2,"end":1})", "tpSrc"}, {R"("type":"accept","tpDst":{"start":1,"end":65536})", "tpDst.end"},
             {R"("type":"accept","tpDst":{"start":1})", "tpDst.end"}, {R"("type":"accept","tpDst":80)", "tpDst"},
             {R"("type":"accept","invNwSrc":"perhaps")", "invNwSrc"}, {R"("type":"accept","fragmentPolicy":"some")", "fragmentPolicy"},
             {R"("type":"jump")", "jumpChainId"}, {R"("type":"dnat","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"1.1.1.1"}])", "flowAction"},
             {R"("type":"snat","flowAction":"accept")", "natTargets"}, {R"("type":"snat","flowAction":"accept","natTargets":[])", "natTargets"},
             {R"("type":"rev_snat")", "flowAction"}, {R"("type":"rev_dnat","flowAction":"redirect")", "flowAction"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1"}])", "natTargets[0].addressTo"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"x","addressTo":"1.1.1.1"}])", "natTargets[0].addressFrom"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.2","addressTo":"1.1.1.1"}])", "natTargets[0].addressTo"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"::1"}])", "natTargets[0].addressTo"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"1.1.1.1","portFrom":2,"portTo":1}])",
              "natTargets[0].portTo"},
             {R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"1.1.1.1","portTo":65536}])",
              "natTargets[0].portTo"}})
        EXPECT_EQ(violation(post(path_, "{" + more + "}")), property) << more;
    EXPECT_EQ(violation(post(path_, "{}")), "type");
    EXPECT_EQ(post(path_, R"({"type":"jump","jumpChainId":")" + kNobody + "\"}").status, 404);
    EXPECT_EQ(post("/chains/" + kNobody + "/rules", R"({"type":"accept"})").status, 404);
    EXPECT_EQ(get(path_).body, "[]");
}

TEST_F(Rules, PositionsInsertBefore) {
    const auto first = add(R"({"type":"accept"})");
    const auto second = add(R"({"type":"accept"})");
    EXPECT_EQ(order(), (Ids{second, first})) << "at the front when nothing is said";
    const auto last = add(R"({"type":"drop","position":3})");
    EXPECT_EQ(order(), (Ids{second, first, last}));
    const auto middle = add(R"({"type":"accept","position":"3"})");
    EXPECT_EQ(order(), (Ids{second, first, middle, last})) << "before the last";
    const auto front = add(R"({"type":"accept","position":0})");
    EXPECT_EQ(order(), (Ids{front, second, first, middle, last}));
    for (const char* bad : {"7", "-1", "\"x\""})
        EXPECT_EQ(violation(post(path_, R"({"type":"accept","position":)" + std::string{bad} + "}")), "position") << bad;
    EXPECT_EQ(text(parsed(get("/rules/" + middle)), "position"), "4");
    EXPECT_EQ(del("/rules/" + second).status, 204);
    EXPECT_EQ(order(), (Ids{front, first, middle, last}));
    EXPECT_EQ(text(parsed(get("/rules/" + middle)), "position"), "3");
    EXPECT_EQ(get("/rules/" + second).status, 404);
    EXPECT_EQ(del("/rules/" + second).status, 404);
}

TEST_F(Rules, IdsAreUniqueAmongAllChains) {
    const auto body = R"({"type":"accept","id":")" + kNobody + "\"}";
    EXPECT_EQ(add(body), kNobody);
    EXPECT_EQ(post(path_, body).status, 409);
    EXPECT_EQ(post("/chains/" + createChain() + "/rules", body).status, 409);
    EXPECT_EQ(del("/chains/" + chain_).status, 204);
    EXPECT_EQ(get("/rules/" + kNobody).status, 404);
    EXPECT_EQ(createRule(createChain(), body), kNobody) << "free again";
}

TEST_F(Rules, JumpsNameTheirChain) {
    const auto target = createChain(R"({"name":"target"})");
    const auto rule = create(path_, R"({"type":"jump","flowAction":"accept","jumpChainId":")" + target + "\"}");
    EXPECT_EQ(text(rule, "jumpChainId"), target);
    EXPECT_EQ(text(rule, "jumpChainName"), "target");
    EXPECT_EQ(text(rule, "jumpChain"), "http://localhost/midonet-api/chains/" + target);
    EXPECT_EQ(text(rule, "flowAction"), "<null>") << "of translations only";
    EXPECT_EQ(text(create(path_, R"({"type":"accept","jumpChainId":")" + target + "\"}"), "jumpChainId"), "<null>");
}

TEST_F(Rules, FragmentPolicies) {
    const std::string fixed = R"("type":"dnat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"1.1.1.1"}])";
    const std::string pool = R"("type":"snat","flowAction":"accept","natTargets":[{"addressFrom":"1.1.1.1","addressTo":"1.1.1.2"}])";
    const std::string ports = R"(,"tpDst":{"start":80,"end":80})";
    const std::string accept = R"("type":"accept")";
    const std::string reverse = R"("type":"rev_snat","flowAction":"accept")";
    const std::string none;
    // What is asked for -> what is shown; empty: refused.
    for (const auto& [rule, policies] : std::vector<std::pair<std::string, Pairs>>{
             {accept, {{none, "any"}, {"any", "any"}, {"nonheader", "nonheader"}, {"header", "header"}, {"unfragmented", "unfragmented"}}},
             {reverse, {{none, "any"}, {"nonheader", "nonheader"}}},
             {accept + ports, {{none, "header"}, {"any", ""}, {"nonheader", ""}, {"header", "header"}, {"unfragmented", "unfragmented"}}},
             {fixed, {{none, "any"}, {"any", "any"}, {"nonheader", "nonheader"}, {"header", "header"}, {"unfragmented", "unfragmented"}}},
             {fixed + ports, {{none, "unfragmented"}, {"any", ""}, {"header", ""}, {"unfragmented", "unfragmented"}}},
             {pool, {{none, "unfragmented"}, {"any", ""}, {"nonheader", ""}, {"header", ""}, {"unfragmented", "unfragmented"}}}})
        for (const auto& [asked, shown] : policies) {
            const auto body = "{" + rule + (asked.empty() ? "" : R"(,"fragmentPolicy":")" + asked + "\"") + "}";
            if (shown.empty())
                EXPECT_EQ(violation(post(path_, body)), "fragmentPolicy") << body;
            else
                EXPECT_EQ(text(create(path_, body), "fragmentPolicy"), shown) << body;
        }
}

}  // namespace
}  // namespace midonet::rest::testing
