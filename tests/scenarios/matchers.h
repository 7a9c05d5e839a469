#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "packet/describe.h"
#include "world.h"

namespace midonet::scenarios {

/// `EXPECT_THAT(world.send(a, frame), Delivers({{b, frame}, {c, other}}));` exactly these, in any order.
class DeliversMatcher {
public:
    using is_gtest_matcher = void;
    explicit DeliversMatcher(Deliveries expected) : expected_(std::move(expected)) {
        std::sort(expected_.begin(), expected_.end());
    }
    bool MatchAndExplain(const Deliveries& actual, ::testing::MatchResultListener* listener) const {
        if (actual == expected_) return true;
        *listener << "\n";
        for (const auto& want : expected_)
            if (std::find(actual.begin(), actual.end(), want) == actual.end()) explainMissing(want, actual, listener);
        for (const auto& got : actual)
            if (std::count(actual.begin(), actual.end(), got) > std::count(expected_.begin(), expected_.end(), got))
                *listener << got.vm << " got, but should not:\n" << packet::describe(got.frame);
        return false;
    }
    void DescribeTo(std::ostream* out) const {
        *out << "delivers to";
        for (const auto& e : expected_) *out << " " << e.vm;
        if (expected_.empty()) *out << " nobody";
    }
    void DescribeNegationTo(std::ostream* out) const { *out << "does not deliver as described"; }

private:
    static void explainMissing(const Delivery& want, const Deliveries& actual, ::testing::MatchResultListener* listener) {
        const auto other = std::find_if(actual.begin(), actual.end(), [&](const Delivery& d) { return d.vm == want.vm; });
        if (other == actual.end())
            *listener << want.vm << " did not get:\n" << packet::describe(want.frame);
        else
            *listener << want.vm << " got something else:\n" << packet::describeDifference(want.frame, other->frame);
    }
    Deliveries expected_;
};

inline DeliversMatcher Delivers(const std::vector<std::pair<Vm, packet::Packet>>& expected) {
    Deliveries deliveries;
    for (const auto& [vm, packet] : expected) deliveries.push_back({vm.name, unpadded(packet.toBytes())});
    return DeliversMatcher{std::move(deliveries)};
}
/// The same frame to each of them.
inline DeliversMatcher DeliversTo(const std::vector<Vm>& vms, const packet::Packet& packet) {
    Deliveries deliveries;
    for (const auto& vm : vms) deliveries.push_back({vm.name, unpadded(packet.toBytes())});
    return DeliversMatcher{std::move(deliveries)};
}
inline DeliversMatcher DeliversNothing() { return DeliversMatcher{{}}; }

}  // namespace midonet::scenarios
