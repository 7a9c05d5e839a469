#include "topology/rule_index.h"

#include <gtest/gtest.h>

namespace midonet::topology {
namespace {

using By = RuleDimension;

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
net::IpPrefix prefix(const char* text) { return *net::IpPrefix::parse(text); }
const IpAddrGroupId kGroup{Uuid{3, 1}}, kUnknown{Uuid{3, 2}};
const IpAddrGroup kMembers{kGroup, {ip("10.0.0.1"), ip("10.0.0.2"), ip("2001:db8::1")}};
const IpAddrGroup* findGroup(const IpAddrGroupId& id) { return id == kGroup ? &kMembers : nullptr; }

template <class Set>
Rule ruleWith(Set set) {
    Rule out;
    set(out.condition);
    return out;
}
bool isTested(const RuleIndex::Block& block, std::size_t rule, RuleDimension by) {
    return (block.tests(rule) >> static_cast<unsigned>(by) & 1) != 0;
}

std::vector<std::size_t> members(const RuleSet& set) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < RuleSet::kSize; ++i)
        if (set.has(i)) out.push_back(i);
    return out;
}
using Set = std::vector<std::size_t>;

TEST(RuleSet, FirstInAllCrossesWords) {
    RuleSet some, others;
    for (const std::size_t rule : {std::size_t{3}, std::size_t{5}, std::size_t{64}, RuleSet::kSize - 1}) some.flip(rule);
    for (const std::size_t rule : {std::size_t{4}, std::size_t{5}, std::size_t{66}, RuleSet::kSize - 1}) others.flip(rule);
    const RuleSet* const one[] = {&some};
    EXPECT_EQ(RuleSet::firstInAll(one, 0), 3U);
    EXPECT_EQ(RuleSet::firstInAll(one, 6), 64U);
    EXPECT_EQ(RuleSet::firstInAll(one, 65), RuleSet::kSize - 1);
    EXPECT_EQ(RuleSet::firstInAll(one, RuleSet::kSize), RuleSet::kSize);
    const RuleSet* const both[] = {&some, &others};
    EXPECT_EQ(RuleSet::firstInAll(both, 0), 5U);
    EXPECT_EQ(RuleSet::firstInAll(both, 6), RuleSet::kSize - 1);
    some.flip(RuleSet::kSize - 1);
    EXPECT_EQ(RuleSet::firstInAll(both, 6), RuleSet::kSize);
}

TEST(RuleIndex, SmallChainsHaveNone) {
    EXPECT_EQ(makeRuleIndex(std::vector<Rule>(4), findGroup), nullptr);
    ASSERT_NE(makeRuleIndex(std::vector<Rule>(5), findGroup), nullptr);
}

TEST(RuleIndex, NumbersByRange) {
    const std::vector<Rule> rules{
        ruleWith([](Condition& c) { c.l4Destination = {PortRange{80, 90}, false}; }),
        ruleWith([](Condition& c) { c.l4Destination = {PortRange{85, 0xffff}, true}; }),
        ruleWith([](Condition&) {}),
        ruleWith([](Condition& c) { c.l4Destination = {PortRange{80, 80}, false}, c.inverted = true; }),
        ruleWith([](Condition& c) { c.l4Destination = {PortRange{9, 5}, false}; }),
        ruleWith([](Condition& c) { c.protocol = {6, true}; }),
    };
    const RuleIndex index(rules, findGroup);
    const auto& block = index.blocks().at(0);
    EXPECT_EQ(members(block.with(By::L4Destination, 0)), (Set{1, 2, 3, 5}));
    EXPECT_EQ(members(block.with(By::L4Destination, 80)), (Set{0, 1, 2, 3, 5}));
    EXPECT_EQ(members(block.with(By::L4Destination, 85)), (Set{0, 2, 3, 5}));
    EXPECT_EQ(members(block.with(By::L4Destination, 91)), (Set{2, 3, 5}));
    EXPECT_EQ(members(block.with(By::L4Destination, 0xffff)), (Set{2, 3, 5}));
    EXPECT_EQ(members(block.without(By::L4Destination)), (Set{0, 2, 3, 4, 5})) << "counts as inside";
    EXPECT_EQ(members(block.with(By::Protocol, 6)), (Set{0, 1, 2, 3, 4}));
    EXPECT_EQ(members(block.without(By::Protocol)), (Set{0, 1, 2, 3, 4, 5}));
    EXPECT_TRUE(isTested(block, 0, By::L4Destination));
    EXPECT_FALSE(isTested(block, 3, By::L4Destination)) << "meant the other way round";
    EXPECT_FALSE(isTested(block, 0, By::Protocol));
}

TEST(RuleIndex, AddressesAndGroups) {
    const std::vector<Rule> rules{
        ruleWith([](Condition& c) { c.source = {prefix("10.0.0.0/24"), false}; }),
        ruleWith([](Condition& c) { c.source = {prefix("10.0.0.0/24"), true}; }),
        ruleWith([](Condition& c) { c.sourceGroup = {kGroup, false}; }),
        ruleWith([](Condition& c) { c.sourceGroup = {kGroup, true}, c.source = {prefix("0.0.0.0/0"), false}; }),
        ruleWith([](Condition& c) { c.sourceGroup = {kUnknown, false}; }),
        ruleWith([](Condition& c) { c.sourceGroup = {kUnknown, true}; }),
        ruleWith([](Condition& c) { c.source = {prefix("255.255.255.0/24"), false}; }),
    };
    const RuleIndex index(rules, findGroup);
    const auto& block = index.blocks().at(0);
    const auto with = [&](const char* address) { return members(block.with(By::Source, ip(address)).rules); };
    EXPECT_EQ(with("10.0.0.1"), (Set{0, 2, 5}));
    EXPECT_EQ(with("10.0.0.3"), (Set{0, 3, 5}));
    EXPECT_EQ(with("10.0.1.0"), (Set{1, 3, 5}));
    EXPECT_EQ(with("255.255.255.255"), (Set{1, 3, 5, 6}));
    EXPECT_EQ(with("2001:db8::1"), (Set{1, 2, 5}));
    EXPECT_EQ(with("::"), (Set{1, 3, 5}));
    EXPECT_EQ(members(block.without(By::Source)), (Set{1, 3, 5}));
    EXPECT_EQ(block.with(By::Source, ip("10.0.0.128")).bits, 25U);
    EXPECT_EQ(block.with(By::Source, ip("10.0.0.1")).bits, 32U);
    const auto& groups = block.groups(By::Source);
    ASSERT_EQ(groups.size(), 2U) << "each once";
    EXPECT_EQ(groups[0], (std::pair<std::size_t, IpAddrGroupId>{2, kGroup}));
    EXPECT_TRUE(block.groups(By::Destination).empty());
}

TEST(RuleIndex, LongChainsComeInBlocks) {
    std::vector<Rule> rules(RuleSet::kSize + 3);
    rules.back().condition.etherType = {0x0800, false};
    const RuleIndex index(rules, findGroup);
    ASSERT_EQ(index.blocks().size(), 2U);
    EXPECT_EQ(members(index.blocks()[1].all()), (Set{0, 1, 2}));
    EXPECT_EQ(members(index.blocks()[1].with(By::EtherType, 0x86dd)), (Set{0, 1}));
    EXPECT_EQ(members(index.blocks()[0].all()).size(), RuleSet::kSize);
}

}  // namespace
}  // namespace midonet::topology
