#include "simulation/rule_search.h"

#include <algorithm>
#include <bit>
#include <boost/container/static_vector.hpp>
#include <optional>
#include <span>

#include "base/assert.h"
#include "simulation/condition.h"
#include "topology/rule_index.h"

namespace midonet::simulation {
namespace {

using flow::Field;
using topology::Rule;
using topology::RuleDimension;
using topology::RuleSet;
using Block = topology::RuleIndex::Block;

Field fieldOf(RuleDimension by) {
    switch (by) {
        case RuleDimension::EtherType: return Field::EtherType;
        case RuleDimension::Protocol: return Field::IpProtocol;
        case RuleDimension::Destination: return Field::IpDestination;
        case RuleDimension::Source: return Field::IpSource;
        case RuleDimension::L4Destination: return Field::L4Destination;
        case RuleDimension::L4Source: return Field::L4Source;
    }
    MIDONET_UNREACHABLE();
}

const RuleSet& byAddress(PacketWalk& walk, const Block& block, RuleDimension by) {
    if (!hasAddresses(walk)) return block.without(by);
    const bool isSource = by == RuleDimension::Source;
    const auto found = block.with(by, isSource ? walk.peek().ipSource : walk.peek().ipDestination);
    walk.seePrefix(fieldOf(by), found.bits);
    return found.rules;
}

/// The rules that the packet's value of the field leaves.
const RuleSet& ask(PacketWalk& walk, const Block& block, RuleDimension by) {
    switch (by) {
        case RuleDimension::EtherType: return block.with(by, walk.etherType());
        case RuleDimension::Protocol: return hasAddresses(walk) ? block.with(by, walk.protocol()) : block.without(by);
        case RuleDimension::Destination:
        case RuleDimension::Source: return byAddress(walk, block, by);
        case RuleDimension::L4Destination: return hasL4Fields(walk) ? block.with(by, walk.l4Destination()) : block.without(by);
        case RuleDimension::L4Source: return hasL4Fields(walk) ? block.with(by, walk.l4Source()) : block.without(by);
    }
    MIDONET_UNREACHABLE();
}

class BlockSearch {
public:
    BlockSearch(PacketWalk& walk, const Block& block, std::span<const Rule> rules) : walk_(walk), block_(block), rules_(rules) {}

    /// rules.size() when none matches.
    std::size_t find(std::size_t from) {
        auto rule = RuleSet::firstInAll(left_, from);
        for (; rule < rules_.size(); rule = RuleSet::firstInAll(left_, rule + 1)) {
            const auto& condition = rules_[rule].condition;
            if (canMatchHere(walk_, condition) && isLeft(rule) && matches(walk_, condition)) break;
        }
        rule = std::min(rule, rules_.size());
        tagGroups(rule);
        return rule;
    }

private:
    /// Asks for what the rule tests, until it is left out.
    bool isLeft(std::size_t rule) {
        while (const auto by = nextToAsk(rule)) {
            left_.push_back(&ask(walk_, block_, *by));
            asked_ |= 1U << static_cast<unsigned>(*by);
            if (!left_.back()->has(rule)) return false;
        }
        return true;
    }
    bool wasAsked(RuleDimension by) const { return (asked_ & (1U << static_cast<unsigned>(by))) != 0; }

    /// What the rule tests and has not been asked for: something known already before anything new.
    std::optional<RuleDimension> nextToAsk(std::size_t rule) const {
        std::optional<RuleDimension> fresh;
        for (auto tests = block_.tests(rule) & ~asked_; tests != 0; tests &= tests - 1) {
            const auto by = static_cast<RuleDimension>(std::countr_zero(tests));
            if (walk_.isSeen(fieldOf(by))) return by;
            if (!fresh) fresh = by;
        }
        return fresh;
    }

    /// Another member of a group that left out a rule, or let it through, may change the answer.
    void tagGroups(std::size_t found) {
        for (const auto by : {RuleDimension::Source, RuleDimension::Destination}) {
            if (!wasAsked(by)) continue;
            for (const auto& [rule, group] : block_.groups(by)) {
                if (rule > found) break;
                walk_.tag(flow::FlowTag::device(group.uuid()));
            }
        }
    }

    PacketWalk& walk_;
    const Block& block_;
    std::span<const Rule> rules_;
    unsigned asked_ = 0;
    /// What was asked for left all of these: their intersection is made as far as it is looked at.
    boost::container::static_vector<const RuleSet*, 1 + topology::kRuleDimensions> left_{&block_.all()};
};

}  // namespace

std::size_t findRule(PacketWalk& walk, const topology::Chain& chain, std::size_t from) {
    const auto count = chain.rules.size();
    if (!chain.index) {
        while (from < count && !matches(walk, chain.rules[from].condition)) ++from;
        return from;
    }
    const std::span<const Rule> all{chain.rules};
    const auto& blocks = chain.index->blocks();
    for (auto n = from / RuleSet::kSize; n < blocks.size(); ++n) {
        const auto first = n * RuleSet::kSize;
        const auto rules = all.subspan(first, std::min(RuleSet::kSize, count - first));
        const auto found = BlockSearch(walk, blocks[n], rules).find(from > first ? from - first : 0);
        if (found < rules.size()) return first + found;
    }
    return count;
}

}  // namespace midonet::simulation
