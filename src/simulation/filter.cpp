#include "simulation/filter.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "base/overloaded.h"
#include "simulation/nat.h"
#include "simulation/rule_search.h"

namespace midonet::simulation {
namespace {

using topology::Chain;
using topology::Continuation;
using topology::Jump;
using topology::Rule;
using topology::Translate;
using topology::Untranslate;
using topology::Verdict;
using Kind = FilterResult::Kind;

constexpr std::size_t kMaxDepth = 32;
constexpr unsigned kMaxChains = 1024;  // entered in one evaluation; deep shared sub-chains multiply

/// What follows a rule or a chain: the next rule, the rest of the caller, or nothing.
struct Outcome {
    enum class Kind : std::uint8_t { Next, Return, Decided };
    Kind kind = Kind::Next;
    FilterResult result;
};

Outcome decided(Kind kind) { return {Outcome::Kind::Decided, {kind, flow::DropReason::RuleDropped, std::nullopt}}; }

Outcome outcomeOf(Continuation then) {
    switch (then) {
        case Continuation::Accept: return decided(Kind::Accept);
        case Continuation::Continue: return {};
        case Continuation::Return: return {Outcome::Kind::Return, {}};
    }
    return {};
}

Outcome outcomeOf(const Verdict& verdict) {
    switch (verdict.kind) {
        case Verdict::Kind::Accept: return decided(Kind::Accept);
        case Verdict::Kind::Drop: return decided(Kind::Drop);
        case Verdict::Kind::Reject: return decided(Kind::Reject);
        case Verdict::Kind::Return: return {Outcome::Kind::Return, {}};
    }
    return {};
}

Outcome outcomeOf(const NatResult& result, Continuation then) {
    switch (result.kind) {
        case NatResult::Kind::Applied: return outcomeOf(then);
        case NatResult::Kind::NotApplicable: return {};
        case NatResult::Kind::Exhausted:
            return {Outcome::Kind::Decided, {Kind::Drop, flow::DropReason::NatExhausted, std::nullopt}};
        case NatResult::Kind::Park: return {Outcome::Kind::Decided, {Kind::Park, {}, result.until}};
    }
    return {};
}

std::string describe(const Rule& rule) {
    return std::visit(Overloaded{
        [](const Verdict& verdict) -> std::string {
            switch (verdict.kind) {
                case Verdict::Kind::Accept: return "matches: accept";
                case Verdict::Kind::Drop: return "matches: drop";
                case Verdict::Kind::Reject: return "matches: reject";
                case Verdict::Kind::Return: return "matches: return";
            }
            return {};
        },
        [](const Jump& jump) { return fmt::format("matches: jump to {}", jump.chain); },
        [](const Translate& nat) -> std::string {
            return nat.kind == Translate::Kind::Source ? "matches: source translation" : "matches: destination translation";
        },
        [](const Untranslate& nat) -> std::string {
            return nat.kind == Translate::Kind::Source ? "matches: undo source translation"
                                                       : "matches: undo destination translation";
        }}, rule.action);
}

class Evaluation {
public:
    explicit Evaluation(PacketWalk& walk) : walk_(walk) {}

    Outcome run(const Chain& chain) {
        walk_.tag(flow::FlowTag::device(chain.id.uuid()));
        if (walk_.tracing()) walk_.step(TraceStep::Kind::Chain, chain.id.uuid(), "enters " + chain.name);
        stack_.push_back(chain.id);
        ++entered_;
        Outcome outcome;
        for (auto i = findRule(walk_, chain, 0); i < chain.rules.size(); i = findRule(walk_, chain, i + 1)) {
            const auto& rule = chain.rules[i];
            if (walk_.tracing()) walk_.step(TraceStep::Kind::Rule, rule.id.uuid(), describe(rule));
            if (rule.meter) walk_.tag(*rule.meter);
            outcome = apply(rule);
            if (outcome.kind != Outcome::Kind::Next) break;
        }
        stack_.pop_back();
        return outcome;
    }

private:
    Outcome apply(const Rule& rule) {
        return std::visit(Overloaded{
            [](const Verdict& verdict) { return outcomeOf(verdict); },
            [&](const Jump& jump) { return follow(jump); },
            [&](const Translate& nat) {
                const bool onlyIcmpData = rule.condition.icmpDataSource.value || rule.condition.icmpDataDestination.value;
                return outcomeOf(translate(walk_, nat, onlyIcmpData), nat.then);
            },
            [&](const Untranslate& nat) { return outcomeOf(untranslate(walk_, nat), nat.then); }}, rule.action);
    }

    /// A chain that is gone, and one that is being evaluated already, is passed over.
    Outcome follow(const Jump& jump) {
        if (jump.chain.isNil()) return {};
        const auto* chain = walk_.topology().chain(jump.chain);
        const bool recursion = std::find(stack_.begin(), stack_.end(), jump.chain) != stack_.end();
        if (chain == nullptr || recursion || stack_.size() >= kMaxDepth || entered_ >= kMaxChains) {
            walk_.tag(flow::FlowTag::device(jump.chain.uuid()));
            if (walk_.tracing())
                walk_.step(TraceStep::Kind::Chain, jump.chain.uuid(),
                           chain == nullptr ? "passed over: there is no such chain"
                                            : "passed over: jumps go in a circle or too deep");
            return {};
        }
        auto outcome = run(*chain);
        if (outcome.kind == Outcome::Kind::Return) outcome.kind = Outcome::Kind::Next;
        return outcome;
    }

    PacketWalk& walk_;
    boost::container::small_vector<ChainId, 8> stack_;
    unsigned entered_ = 0;
};

}  // namespace

FilterResult runFilter(PacketWalk& walk, const ChainId& id) {
    if (id.isNil()) return {};
    const auto* chain = walk.topology().chain(id);
    if (chain == nullptr) return {Kind::Park, {}, flow::FlowTag::device(id.uuid())};
    const auto outcome = Evaluation(walk).run(*chain);
    return outcome.kind == Outcome::Kind::Decided ? outcome.result : FilterResult{};
}

}  // namespace midonet::simulation
