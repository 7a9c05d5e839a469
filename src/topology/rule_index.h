#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "topology/address_ranges.h"
#include "topology/chain.h"
#include "topology/ip_addr_group.h"

namespace midonet::topology {

/// The fields that rules are found by, cheapest to look at first.
enum class RuleDimension : std::uint8_t { EtherType, Protocol, Destination, Source, L4Destination, L4Source };
constexpr std::size_t kRuleDimensions = 6;

/// Some of the rules of one block, by their place in it.
class RuleSet {
public:
    static constexpr std::size_t kSize = 1024;
    void flip(std::size_t rule) { words_[rule / 64] ^= 1ULL << (rule % 64); }
    bool has(std::size_t rule) const { return (words_[rule / 64] >> (rule % 64) & 1) != 0; }
    /// The first one at `from` or later that all of the sets have; kSize when there is none.
    static std::size_t firstInAll(std::span<const RuleSet* const> sets, std::size_t from);
    std::uint64_t hash() const;
    friend bool operator==(const RuleSet&, const RuleSet&) = default;

private:
    std::array<std::uint64_t, kSize / 64> words_{};
};

/// Which rules of a chain a packet can match, by the value of one field at a time: so a search needs to look only
/// at the fields that decide. What a set leaves out does not match; what is in it may.
///
/// Rules come in blocks of 1024, which bounds the memory; equal sets of a block are kept once. Immutable.
class RuleIndex {
public:
    using FindGroup = std::function<const IpAddrGroup*(const IpAddrGroupId&)>;
    RuleIndex(std::span<const Rule> rules, const FindGroup& group);

    class Block {
    public:
        Block(std::span<const Rule> rules, const FindGroup& group);

        const RuleSet& all() const { return sets_[all_]; }
        /// A bit for each dimension whose sets say anything about the rule.
        std::uint8_t tests(std::size_t rule) const { return tests_[rule]; }

        /// EtherType, Protocol, L4Source, L4Destination.
        const RuleSet& with(RuleDimension by, std::uint16_t value) const;
        struct Found {
            const RuleSet& rules;
            unsigned bits;  ///< So many leading bits of the address decide.
        };
        /// Source, Destination.
        Found with(RuleDimension by, const net::IpAddress& address) const;
        /// For a packet that does not have the field.
        const RuleSet& without(RuleDimension by) const { return sets_[dimensions_[static_cast<std::size_t>(by)].absent]; }

        /// The address groups that the sets of a dimension were made of, each with the (first) rule that names it;
        /// in the order of the rules.
        using Groups = std::vector<std::pair<std::size_t, IpAddrGroupId>>;
        const Groups& groups(RuleDimension by) const { return dimensions_[static_cast<std::size_t>(by)].groups; }

    private:
        struct Dimension {
            std::vector<std::pair<std::uint16_t, std::uint32_t>> numbers;  // from this value on -> index into sets_
            AddressRanges addresses;
            std::uint32_t absent = 0;
            Groups groups;
        };
        class Builder;
        std::array<Dimension, kRuleDimensions> dimensions_;
        std::vector<std::uint8_t> tests_;  // of each rule: a bit for each dimension
        std::vector<RuleSet> sets_;
        std::uint32_t all_ = 0;
    };
    /// Block n holds the rules from n * RuleSet::kSize on.
    const std::vector<Block>& blocks() const { return blocks_; }

private:
    std::vector<Block> blocks_;
};

/// nullptr for a chain so small that asking each rule is as fast. A group that `group` does not know (nullptr) has
/// no addresses. To be made anew when a group that a rule names changes.
std::shared_ptr<const RuleIndex> makeRuleIndex(std::span<const Rule> rules, const RuleIndex::FindGroup& group);

}  // namespace midonet::topology
