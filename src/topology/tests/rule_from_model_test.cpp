// Rules of the NSDB as the simulation evaluates them; one that cannot be read is refused as a whole.
#include "topology/rule_from_model.h"

#include <gtest/gtest.h>

#include <functional>

#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::topology {
namespace {

model::Rule accept() {
    model::Rule rule;
    rule.set_type(model::Rule::ACCEPT);
    return rule;
}

TEST(RuleFromModel, NothingAskedIsNothingTested) {
    const auto rule = ruleFromModel(accept());
    ASSERT_TRUE(rule.has_value());
    EXPECT_EQ(rule->condition, Condition{});
    EXPECT_FALSE(rule->meter.has_value());
}

TEST(RuleFromModel, AMeterIsKnownByItsName) {
    auto model = accept();
    model.set_meter_name("web");
    const auto rule = ruleFromModel(model);
    ASSERT_TRUE(rule.has_value());
    EXPECT_EQ(rule->meter, flow::FlowTag::user("web"));
    EXPECT_NE(*rule, *ruleFromModel(accept())) << "another meter is a change of the chain";
}

TEST(RuleFromModel, TracesAndTransformationsHaveNoEffectYet) {
    auto rule = accept();
    EXPECT_TRUE(isEvaluated(rule));
    for (const auto type : {model::Rule::TRACE, model::Rule::L2_TRANSFORM}) {
        rule.set_type(type);
        EXPECT_FALSE(isEvaluated(rule));
    }
}

TEST(RuleFromModel, ReadsTests) {
    auto model = accept();
    auto& c = *model.mutable_condition();
    c.set_dl_src("01:02:03:04:05:06");
    c.set_dl_src_mask("ffff.ff00.0000");
    c.set_inv_dl_src(true);
    c.set_nw_src_address("10.1.2.3");
    c.set_nw_src_length(8);
    c.set_nw_proto(0);
    c.mutable_tp_dst()->set_start(80);
    c.mutable_tp_dst()->set_end(81);
    c.set_inv_nw_dst(true);
    const auto rule = ruleFromModel(model);
    ASSERT_TRUE(rule.has_value());
    Condition expected;
    expected.ethSource = {MaskedMac{net::Mac{0x010203040506}, 0xffffff000000}, true};
    expected.source = {*net::IpPrefix::parse("10.0.0.0/8"), false};
    expected.protocol = {std::uint8_t{0}, false};
    expected.l4Destination = {PortRange{80, 81}, false};
    expected.fragments = FragmentPolicy::Header;
    EXPECT_EQ(rule->condition, expected);
}

TEST(RuleFromModel, ReadsTranslations) {
    auto model = accept();
    model.set_type(model::Rule::SNAT);
    model.set_flow_action(model::Rule::FLOW_CONTINUE);
    auto& target = *model.add_nat_targets();
    target.set_address_from("10.0.0.1");
    target.set_port_from(1);
    target.set_port_to(9);
    const auto rule = ruleFromModel(model);
    ASSERT_TRUE(rule.has_value());
    const net::IpAddress address = *net::IpAddress::parse("10.0.0.1");
    const Translate expected{Translate::Kind::Source, {NatTarget{address, address, 1, 9}}, Continuation::Continue};
    EXPECT_EQ(std::get<Translate>(rule->action), expected);
}

TEST(RuleFromModel, RefusesWhatCannotBeRead) {
    using Break = std::function<void(model::Rule&)>;
    const std::vector<std::pair<const char*, Break>> cases{
        {"type", [](auto& r) { r.clear_type(); }},
        {"address", [](auto& r) { r.mutable_condition()->set_nw_src_address("10.0.0"); }},
        {"length", [](auto& r) {
             r.mutable_condition()->set_nw_dst_address("10.0.0.1");
             r.mutable_condition()->set_nw_dst_length(33);
         }},
        {"MAC", [](auto& r) { r.mutable_condition()->set_dl_dst("01:02"); }},
        {"mask", [](auto& r) {
             r.mutable_condition()->set_dl_dst("01:02:03:04:05:06");
             r.mutable_condition()->set_dl_dst_mask("ff");
         }},
        {"protocol", [](auto& r) { r.mutable_condition()->set_nw_proto(256); }},
        {"range", [](auto& r) { r.mutable_condition()->mutable_tp_src()->set_start(2); }},
        {"no target", [](auto& r) { r.set_type(model::Rule::DNAT); }},
        {"families", [](auto& r) {
             r.set_type(model::Rule::DNAT);
             r.add_nat_targets()->set_address_from("10.0.0.1");
             r.mutable_nat_targets(0)->set_address_to("::1");
         }},
    };
    for (const auto& [name, damage] : cases) {
        auto rule = accept();
        damage(rule);
        EXPECT_FALSE(ruleFromModel(rule).has_value()) << name;
    }
}

}  // namespace
}  // namespace midonet::topology
