// Meters of rules: what the packets that the agent decides on, and those that flows carry on, count for.
#include <gtest/gtest.h>

#include "matchers.h"
#include "network.h"

namespace midonet::scenarios {
namespace {

using namespace packet;
using model::Condition;
using model::Rule;
using ::testing::Not;

Rule metered(Rule rule, const std::string& meter) {
    rule.set_meter_name(meter);
    return rule;
}
Rule toPort(unsigned port, Rule::Type type) {
    return when(rule(type), [&](Condition& c) {
        c.set_dl_type(0x0800);
        c.set_nw_proto(17);
        c.mutable_tp_dst()->set_start(port);
        c.mutable_tp_dst()->set_end(port);
    });
}

/// a at one host sends to b at another through a chain at its port.
class RuleMetersTest : public ::testing::Test {
protected:
    World world;
    Network network{world};
    const HostName first = world.host();
    const HostName second = world.host();
    const BridgeId bridge = world.bridge();
    const Vm a = world.vm(bridge, first);
    const Vm b = world.vm(bridge, second);
    const ChainId chain = network.chain({});

    RuleMetersTest() {
        world.sendOnce(b, (eth(b.mac, net::Mac::broadcast()) / "hello").toBytes());
        network.setPortFilters(a.port, chain, {});
    }
    Packet toB(unsigned port) const { return eth(a.mac, b.mac) / ipv4("10.0.0.1", "10.0.0.2") / udp(1000, port) / "more words for b than a short frame has room for"; }
    std::uint64_t packets(const HostName& host, const std::string& name) { return world.meter(host, "meters:user:" + name).packets; }
};

TEST_F(RuleMetersTest, CountWhatMatchesWhateverBecomesOfIt) {
    network.setRules(chain, {metered(toPort(53, Rule::ACCEPT), "dns"), metered(toPort(666, Rule::DROP), "evil"), toPort(80, Rule::ACCEPT)});
    for (int i = 0; i < 3; ++i) EXPECT_THAT(world.send(a, toB(53)), DeliversTo({b}, toB(53)));
    EXPECT_THAT(world.send(a, toB(666)), DeliversNothing());
    EXPECT_THAT(world.send(a, toB(80)), DeliversTo({b}, toB(80)));
    EXPECT_EQ(packets(first, "dns"), 6U) << "the first by the agent, the others by its flow";
    EXPECT_EQ(world.meter(first, "meters:user:dns").bytes, 6 * toB(53).toBytes().size());
    EXPECT_EQ(packets(first, "evil"), 2U);
    EXPECT_EQ(packets(second, "dns"), 0U) << "rules are asked where packets come in";
}

TEST_F(RuleMetersTest, RulesOfOneNameAreOneMeter) {
    const auto sub = network.chain({metered(toPort(54, Rule::DROP), "dns")});
    network.setRules(chain, {metered(toPort(53, Rule::ACCEPT), "dns"), metered(jump(sub), "all"), metered(rule(Rule::ACCEPT), "all")});
    for (const auto port : {53U, 54U, 55U}) world.send(a, toB(port));
    EXPECT_EQ(packets(first, "dns"), 4U);
    EXPECT_EQ(packets(first, "all"), 4U) << "a packet that matches two of them counts once";
}

TEST_F(RuleMetersTest, AnotherNameTakesOverWithTheFlowsThatAreThere) {
    network.setRules(chain, {metered(toPort(53, Rule::ACCEPT), "old")});
    world.send(a, toB(53));
    network.setRules(chain, {metered(toPort(53, Rule::ACCEPT), "new")});
    world.check();
    world.send(a, toB(53));
    world.send(a, toB(53));
    EXPECT_EQ(packets(first, "new"), 4U);
    EXPECT_EQ(packets(first, "old"), 0U) << "no rule has it any more";
    network.setRules(chain, {metered(toPort(53, Rule::ACCEPT), "old")});
    EXPECT_EQ(packets(first, "old"), 2U) << "what it had counted";
}

TEST_F(RuleMetersTest, CountWhatADeviceAnswers) {
    const auto router = network.router();
    const auto port = network.attach(router, bridge, "10.0.0.254/24");
    world.setAddress(a, "10.0.0.1");
    network.setRouterFilters(router, network.chain({metered(toPort(666, Rule::REJECT), "refused")}), {});
    const Packet refused = eth(a.mac, port.mac) / ipv4("10.0.0.1", "192.0.2.1") / udp(1000, 666) / "more words than a short frame has room for in all";
    EXPECT_THAT(world.sendOnce(a, refused.toBytes()), Not(DeliversNothing())) << "an ICMP error";
    EXPECT_EQ(packets(first, "refused"), 1U);
}

}  // namespace
}  // namespace midonet::scenarios
