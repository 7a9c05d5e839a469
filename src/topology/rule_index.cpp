#include "topology/rule_index.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace midonet::topology {
namespace {

constexpr std::size_t kSmallChain = 4;

struct RuleSetHash {
    std::size_t operator()(const RuleSet& set) const noexcept { return set.hash(); }
};

template <class Key>
using Flips = std::vector<std::pair<Key, std::size_t>>;  // at this value the rule goes in or out

constexpr auto at(RuleDimension by) { return static_cast<std::size_t>(by); }

}  // namespace

std::size_t RuleSet::firstInAll(std::span<const RuleSet* const> sets, std::size_t from) {
    auto rest = ~0ULL << (from % 64);
    for (auto word = from / 64; word < kSize / 64; ++word, rest = ~0ULL) {
        for (const auto* set : sets) rest &= set->words_[word];
        if (rest != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(rest));
    }
    return kSize;
}

std::uint64_t RuleSet::hash() const {
    std::uint64_t h = 0;
    for (const auto word : words_) h = combineHash(h, word);
    return h;
}

/// Goes through the values of a dimension in order and keeps the set that holds there.
class RuleIndex::Block::Builder {
public:
    Builder(Block& block, std::span<const Rule> rules, const FindGroup& group) : block_(block), rules_(rules), group_(group) {
        RuleSet all;
        for (std::size_t i = 0; i < rules.size(); ++i) all.flip(i);
        block_.all_ = keep(all);
        block_.tests_.resize(rules.size());
    }

    template <class Member>
    void single(RuleDimension by, Member member) {
        numbers(by, [member](const Condition& c) -> std::optional<Test<PortRange>> {
            const auto& test = c.*member;
            if (!test.value) return std::nullopt;
            return Test<PortRange>{PortRange{*test.value, *test.value}, test.inverted};
        }, false);
    }
    void ports(RuleDimension by, Test<PortRange> Condition::*member) {
        numbers(by, [member](const Condition& c) -> std::optional<Test<PortRange>> {
            if (!(c.*member).value) return std::nullopt;
            return c.*member;
        }, true);
    }
    void addresses(RuleDimension by, Test<net::IpPrefix> Condition::*prefix, Test<IpAddrGroupId> Condition::*group);

private:
    /// `absentIsInside`: a packet without the field passes the test (and fails the inverted one).
    template <class TestOf>
    void numbers(RuleDimension by, const TestOf& testOf, bool absentIsInside);

    /// A condition that is meant the other way round as a whole holds where a test of it fails.
    bool isIndexed(std::size_t rule) const { return !rules_[rule].condition.inverted; }
    void mark(std::size_t rule, RuleDimension by) {
        block_.tests_[rule] = static_cast<std::uint8_t>(block_.tests_[rule] | (1U << at(by)));
    }
    std::uint32_t keep(const RuleSet& set) {
        const auto [found, added] = known_.try_emplace(set, static_cast<std::uint32_t>(block_.sets_.size()));
        if (added) block_.sets_.push_back(set);
        return found->second;
    }
    /// Calls visit(value, set from there on) for each value where something changes.
    template <class Key, class Visit>
    void sweep(Flips<Key> flips, RuleSet set, const Visit& visit) {
        std::sort(flips.begin(), flips.end());
        for (auto i = flips.begin(); i != flips.end();) {
            const auto value = i->first;
            for (; i != flips.end() && i->first == value; ++i) set.flip(i->second);
            visit(value, keep(set));
        }
    }

    Block& block_;
    std::span<const Rule> rules_;
    const FindGroup& group_;
    std::unordered_map<RuleSet, std::uint32_t, RuleSetHash> known_;
};

template <class TestOf>
void RuleIndex::Block::Builder::numbers(RuleDimension by, const TestOf& testOf, bool absentIsInside) {
    auto& dimension = block_.dimensions_[at(by)];
    auto outside = block_.all(), absent = outside;
    Flips<std::uint16_t> flips;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const auto test = testOf(rules_[i].condition);
        if (!test || !isIndexed(i)) continue;
        mark(i, by);
        if (!test->inverted) outside.flip(i);
        if (test->inverted == absentIsInside) absent.flip(i);
        const auto range = *test->value;
        if (range.first > range.last) continue;
        flips.emplace_back(range.first, i);
        if (range.last < 0xffff) flips.emplace_back(static_cast<std::uint16_t>(range.last + 1), i);
    }
    dimension.absent = keep(absent);
    dimension.numbers.emplace_back(std::uint16_t{0}, keep(outside));
    sweep(std::move(flips), outside, [&](std::uint16_t value, std::uint32_t set) { dimension.numbers.emplace_back(value, set); });
}

void RuleIndex::Block::Builder::addresses(RuleDimension by, Test<net::IpPrefix> Condition::*prefix,
                                          Test<IpAddrGroupId> Condition::*group) {
    auto& dimension = block_.dimensions_[at(by)];
    auto outside = block_.all();
    Flips<net::IpAddress> v4, v6;
    const auto inside = [&](const net::IpPrefix& block, std::size_t rule) {
        auto& flips = block.address().isV4() ? v4 : v6;
        flips.emplace_back(block.address(), rule);
        if (const auto behind = addressBehind(block)) flips.emplace_back(*behind, rule);
    };
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const auto& prefixTest = rules_[i].condition.*prefix;
        const auto& groupTest = rules_[i].condition.*group;
        if ((!prefixTest.value && !groupTest.value) || !isIndexed(i)) continue;
        // Of a rule with both tests one is enough to leave it out: the group, as it says more.
        mark(i, by);
        if (groupTest.value) {
            dimension.groups.emplace_back(i, *groupTest.value);
            if (!groupTest.inverted) outside.flip(i);
            if (const auto* members = group_(*groupTest.value))
                for (const auto& address : members->addresses()) inside({address, address.bits()}, i);
        } else {
            if (!prefixTest.inverted) outside.flip(i);
            inside(*prefixTest.value, i);
        }
    }
    dimension.absent = keep(outside);
    dimension.addresses = AddressRanges{dimension.absent};
    const auto record = [&](const net::IpAddress& first, std::uint32_t set) { dimension.addresses.from(first, set); };
    sweep(std::move(v4), outside, record);
    sweep(std::move(v6), outside, record);

    std::vector<IpAddrGroupId> named;
    std::erase_if(dimension.groups, [&](const auto& entry) {
        const auto place = std::lower_bound(named.begin(), named.end(), entry.second);
        if (place != named.end() && *place == entry.second) return true;
        named.insert(place, entry.second);
        return false;
    });
}

RuleIndex::Block::Block(std::span<const Rule> rules, const FindGroup& group) {
    Builder builder(*this, rules, group);
    builder.single(RuleDimension::EtherType, &Condition::etherType);
    builder.single(RuleDimension::Protocol, &Condition::protocol);
    builder.addresses(RuleDimension::Destination, &Condition::destination, &Condition::destinationGroup);
    builder.addresses(RuleDimension::Source, &Condition::source, &Condition::sourceGroup);
    builder.ports(RuleDimension::L4Destination, &Condition::l4Destination);
    builder.ports(RuleDimension::L4Source, &Condition::l4Source);
}

const RuleSet& RuleIndex::Block::with(RuleDimension by, std::uint16_t value) const {
    const auto& numbers = dimensions_[at(by)].numbers;
    const auto next = std::upper_bound(numbers.begin(), numbers.end(), value,
                                       [](std::uint16_t v, const auto& entry) { return v < entry.first; });
    return sets_[(next - 1)->second];
}

RuleIndex::Block::Found RuleIndex::Block::with(RuleDimension by, const net::IpAddress& address) const {
    const auto [set, bits] = dimensions_[at(by)].addresses.find(address);
    return {sets_[set], bits};
}

RuleIndex::RuleIndex(std::span<const Rule> rules, const FindGroup& group) {
    for (std::size_t first = 0; first < rules.size(); first += RuleSet::kSize)
        blocks_.emplace_back(rules.subspan(first, std::min(RuleSet::kSize, rules.size() - first)), group);
}

std::shared_ptr<const RuleIndex> makeRuleIndex(std::span<const Rule> rules, const RuleIndex::FindGroup& group) {
    return rules.size() <= kSmallChain ? nullptr : std::make_shared<const RuleIndex>(rules, group);
}

}  // namespace midonet::topology
