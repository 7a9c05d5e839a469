#include "flowstate/state_table.h"

#include <gmock/gmock.h>

#include <thread>

#include "flowstate/tests/entries.h"

namespace midonet::flowstate {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing::ipv6Entry;
using testing::natEntry;
using Put = StateTable::Put;

const event::TimePoint kStart = event::TimePoint{} + 1h;

/// Everything that is past its time.
std::vector<StateEntry> expireAll(StateTable& table, event::TimePoint now) { return table.expire(now, 1); }

class BothFamilies : public ::testing::TestWithParam<StateEntry (*)(std::uint32_t)> {
protected:
    StateEntry entry(std::uint32_t n) const { return GetParam()(n); }
    StateTable table;
};
INSTANTIATE_TEST_SUITE_P(Families, BothFamilies, ::testing::Values(&natEntry, &ipv6Entry));

TEST_P(BothFamilies, WhatIsPutIsFoundUntilItIsRemoved) {
    EXPECT_FALSE(table.find(entry(1).key));
    EXPECT_EQ(table.put(entry(1), kStart), Put::Added);
    EXPECT_EQ(table.find(entry(1).key), entry(1).binding);
    EXPECT_TRUE(table.contains(entry(1).key));
    EXPECT_FALSE(table.contains(entry(2).key));
    EXPECT_EQ(table.size(), 1u);
    EXPECT_TRUE(table.remove(entry(1).key));
    EXPECT_FALSE(table.remove(entry(1).key));
    EXPECT_FALSE(table.contains(entry(1).key));
    EXPECT_EQ(table.size(), 0u);
}

TEST_P(BothFamilies, PutTellsWhatItFound) {
    auto other = entry(1);
    other.binding = {other.key.destination, 7};
    EXPECT_EQ(table.put(entry(1), kStart), Put::Added);
    EXPECT_EQ(table.put(entry(1), kStart), Put::Same);
    EXPECT_EQ(table.put(other, kStart), Put::Replaced);
    EXPECT_EQ(table.find(other.key), other.binding);
    EXPECT_EQ(table.size(), 1u);
}

TEST_P(BothFamilies, EveryFieldOfTheKeyCounts) {
    const auto base = entry(1);
    table.put(base, kStart);
    const std::function<void(StateKey&)> changes[] = {
        [](StateKey& k) { k.kind = KeyKind::StickyNat; },
        [](StateKey& k) { k.protocol = 1; },
        [](StateKey& k) { ++k.sourcePort; },
        [](StateKey& k) { ++k.destinationPort; },
        [](StateKey& k) { k.source = k.destination; },
        [](StateKey& k) { k.destination = k.source; },
        [](StateKey& k) { k.destination = k.source.isV4() ? net::IpAddress{net::Ipv6Address{0, 1}} : net::Ipv4Address{1}; },
        [](StateKey& k) { k.device = Uuid{9, 9}; },
    };
    for (std::size_t i = 0; i < std::size(changes); ++i) {
        auto key = base.key;
        changes[i](key);
        EXPECT_FALSE(table.contains(key)) << "change " << i;
    }
}

TEST_P(BothFamilies, AnEntryLivesForItsIdleTime) {
    const auto idle = std::chrono::seconds{entry(1).idleSeconds};
    table.put(entry(1), kStart);
    EXPECT_THAT(expireAll(table, kStart + idle - 1ms), IsEmpty());
    EXPECT_THAT(expireAll(table, kStart + idle), UnorderedElementsAre(entry(1)));
    EXPECT_EQ(table.size(), 0u);
    EXPECT_FALSE(table.contains(entry(1).key));
    EXPECT_THAT(expireAll(table, kStart + idle), IsEmpty()) << "it goes once";
}

TEST_P(BothFamilies, TouchAndPutBeginItsTimeAnew) {
    const auto idle = std::chrono::seconds{entry(1).idleSeconds};
    table.put(entry(1), kStart);
    EXPECT_TRUE(table.touch(entry(1).key, kStart + 10s));
    EXPECT_THAT(expireAll(table, kStart + 10s + idle - 1ms), IsEmpty());
    table.put(entry(1), kStart + 20s);
    EXPECT_THAT(expireAll(table, kStart + 20s + idle - 1ms), IsEmpty());
    EXPECT_EQ(expireAll(table, kStart + 20s + idle).size(), 1u);
    EXPECT_FALSE(table.touch(entry(1).key, kStart + 20s));
}

TEST_P(BothFamilies, AHeldEntryStays) {
    const auto idle = std::chrono::seconds{entry(1).idleSeconds};
    EXPECT_FALSE(table.hold(entry(1).key)) << "not there";
    table.put(entry(1), kStart);
    EXPECT_TRUE(table.hold(entry(1).key));
    EXPECT_TRUE(table.hold(entry(1).key));
    table.release(entry(1).key.hash(), kStart);
    EXPECT_THAT(expireAll(table, kStart + 24h), IsEmpty());
    EXPECT_THAT(table.held(1), UnorderedElementsAre(entry(1)));

    table.release(entry(1).key.hash(), kStart + 24h);
    EXPECT_THAT(table.held(1), IsEmpty());
    EXPECT_THAT(expireAll(table, kStart + 24h + idle - 1ms), IsEmpty());
    EXPECT_EQ(expireAll(table, kStart + 24h + idle).size(), 1u);
}

TEST_P(BothFamilies, AClosedConnectionGoesSooner) {
    table.put(entry(1), kStart);
    table.hold(entry(1).key);
    table.hold(entry(1).key);
    table.release(entry(1).key.hash(), kStart, true);
    EXPECT_THAT(expireAll(table, kStart + 24h), IsEmpty()) << "another flow rests on it";
    table.release(entry(1).key.hash(), kStart, true);
    EXPECT_THAT(expireAll(table, kStart + StateTable::kClosedIdle - 1ms), IsEmpty());
    EXPECT_THAT(expireAll(table, kStart + StateTable::kClosedIdle), UnorderedElementsAre(entry(1)));
}

TEST(StateTable, ATranslationClosesWithItsOtherDirection) {
    const auto translation = natEntry(1), back = reverseOf(translation);
    for (const bool bothAreHeld : {false, true}) {
        StateTable table;
        table.put(translation, kStart);  // told by the host where the connection began
        table.put(back, kStart);
        table.hold(back.key);
        if (bothAreHeld) table.hold(translation.key);
        table.release(back.key.hash(), kStart + 1s, true);
        EXPECT_THAT(expireAll(table, kStart + 1s + StateTable::kClosedIdle - 1ms), IsEmpty());
        const auto gone = expireAll(table, kStart + 1s + StateTable::kClosedIdle);
        EXPECT_THAT(gone, ::testing::Contains(back));
        EXPECT_EQ(table.contains(translation.key), bothAreHeld);
    }
}

TEST_P(BothFamilies, WhatIsUsedOrToldAgainIsOpenAgain) {
    const auto idle = std::chrono::seconds{entry(1).idleSeconds};
    for (const bool told : {false, true}) {
        table.put(entry(1), kStart);
        table.hold(entry(1).key);
        table.release(entry(1).key.hash(), kStart, true);
        if (told) {
            table.put(entry(1), kStart);
        } else {
            table.hold(entry(1).key);
            table.release(entry(1).key.hash(), kStart);
        }
        EXPECT_THAT(expireAll(table, kStart + idle - 1ms), IsEmpty());
        EXPECT_EQ(expireAll(table, kStart + idle).size(), 1u);
    }
}

TEST_P(BothFamilies, StickyClientsOutliveTheirConnections) {
    auto sticky = entry(1);
    sticky.key.kind = KeyKind::StickyNat;
    sticky.idleSeconds = 300;
    table.put(sticky, kStart);
    table.hold(sticky.key);
    table.release(sticky.key.hash(), kStart, true);
    EXPECT_THAT(expireAll(table, kStart + 299s), IsEmpty());
}

TEST_P(BothFamilies, ACrowdedTableForgetsSooner) {
    StateTable small{1000};
    for (std::uint32_t n = 0; n < 1000; ++n) EXPECT_EQ(small.put(entry(n), kStart), Put::Added);
    small.hold(entry(0).key);
    EXPECT_EQ(small.put(entry(1000), kStart), Put::Refused);
    EXPECT_THAT(expireAll(small, kStart + StateTable::kFullIdle - 1ms), IsEmpty());
    for (std::uint32_t n = 100; n < 200; ++n) small.remove(entry(n).key);
    EXPECT_THAT(expireAll(small, kStart + StateTable::kCrowdedIdle - 1ms), IsEmpty()) << "it is crowded, not full";
    for (std::uint32_t n = 100; n < 200; ++n) small.put(entry(n), kStart + StateTable::kFullIdle);
    EXPECT_EQ(expireAll(small, kStart + 2 * StateTable::kFullIdle).size(), 999u) << "all but what a flow rests on";
}

TEST_P(BothFamilies, MemoryOfManyIsUsedForNoneAfterThem) {
    constexpr std::uint32_t kMany = 200'000;
    for (std::uint32_t n = 0; n < kMany; ++n) table.put(entry(n), n % 100 == 0 ? kStart + 1h : kStart);
    table.hold(entry(0).key);
    EXPECT_EQ(expireAll(table, kStart + 1h).size(), kMany - kMany / 100);
    EXPECT_EQ(table.size(), kMany / 100);
    for (std::uint32_t n = 0; n < kMany; ++n) ASSERT_EQ(table.find(entry(n).key).has_value(), n % 100 == 0) << n;
    EXPECT_THAT(table.held(1), UnorderedElementsAre(entry(0)));
    EXPECT_EQ(expireAll(table, kStart + 24h).size(), kMany / 100 - 1);
}

TEST_P(BothFamilies, AReplacedEntryKeepsItsFlows) {
    table.put(entry(1), kStart);
    table.hold(entry(1).key);
    auto other = entry(1);
    other.binding.port = 9;
    table.put(other, kStart);
    EXPECT_THAT(expireAll(table, kStart + 24h), IsEmpty());
}

TEST_P(BothFamilies, AReleaseTooManyIsHarmless) {
    table.release(entry(1).key.hash(), kStart);
    table.put(entry(1), kStart);
    table.release(entry(1).key.hash(), kStart);
    table.hold(entry(1).key);
    EXPECT_EQ(table.held(1).size(), 1u);
}

TEST_P(BothFamilies, RoomOfTheRemovedIsUsedAgain) {
    for (std::uint32_t n = 0; n < 3000; ++n) table.put(entry(n), kStart);
    for (std::uint32_t n = 0; n < 3000; n += 2) EXPECT_TRUE(table.remove(entry(n).key));
    for (std::uint32_t n = 3000; n < 6000; ++n) EXPECT_EQ(table.put(entry(n), kStart), Put::Added);
    EXPECT_EQ(table.size(), 4500u);
    EXPECT_EQ(table.all().size(), 4500u);
    for (std::uint32_t n = 0; n < 6000; ++n)
        ASSERT_EQ(table.contains(entry(n).key), n >= 3000 || n % 2 == 1) << n;
}

TEST_P(BothFamilies, AllOfItIsLookedAtInSoManyCalls) {
    for (std::uint32_t n = 0; n < 1000; ++n) table.put(entry(n), kStart);
    for (std::uint32_t n = 0; n < 100; ++n) table.hold(entry(n).key);
    for (const unsigned calls : {1U, 3U, 16U, 64U, 1000U}) {
        std::size_t held = 0;
        const auto share = std::min(calls, 64U);  // no less than a shard at a time
        for (unsigned i = 0; i < share; ++i) held += table.held(calls).size();
        EXPECT_GE(held, 100u) << calls << " calls";
    }
    std::size_t gone = 0;
    for (int i = 0; i < 16; ++i) {
        const auto now = table.expire(kStart + 1h, 16).size();
        EXPECT_LT(now, 900u) << "a share at each call";
        gone += now;
    }
    EXPECT_EQ(gone, 900u);
    EXPECT_EQ(table.size(), 100u);
}

TEST(StateTable, RefusesAboveItsCapacity) {
    StateTable table(2);
    EXPECT_EQ(table.put(natEntry(1), kStart), Put::Added);
    EXPECT_EQ(table.put(ipv6Entry(1), kStart), Put::Added);
    EXPECT_EQ(table.put(natEntry(2), kStart), Put::Refused);
    EXPECT_FALSE(table.contains(natEntry(2).key));
    EXPECT_EQ(table.put(natEntry(1), kStart), Put::Same) << "what is there is not refused";
    table.remove(ipv6Entry(1).key);
    EXPECT_EQ(table.put(natEntry(2), kStart), Put::Added);
    expireAll(table, kStart + 1h);
    EXPECT_EQ(table.put(natEntry(3), kStart), Put::Added);
}

TEST(StateTable, RefusesATranslationIntoAnotherFamily) {
    StateTable table;
    auto entry = natEntry(1);
    entry.binding.address = net::Ipv6Address{1, 2};
    EXPECT_EQ(table.put(entry, kStart), Put::Refused);
    EXPECT_EQ(table.size(), 0u);
}

TEST(StateTable, MixedFamiliesInAKeyAreKept) {
    StateTable table;
    auto entry = ipv6Entry(1);
    entry.key.destination = net::Ipv4Address{1};
    EXPECT_EQ(table.put(entry, kStart), Put::Added);
    EXPECT_THAT(table.all(), UnorderedElementsAre(entry));
}

TEST(StateTable, ManyThreadsAtOnce) {
    constexpr std::uint32_t kThreads = 4, kEach = 2000;
    StateTable table(kThreads * kEach);
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < kThreads; ++t)
        threads.emplace_back([&table, t] {
            for (std::uint32_t i = 0; i < kEach; ++i) {
                const auto own = natEntry(t * kEach + i);
                const auto shared = ipv6Entry(i % 16);
                table.put(own, kStart);
                table.put(shared, kStart);
                if (table.hold(shared.key)) table.release(shared.key.hash(), kStart);
                table.touch(own.key, kStart);
                if (i % 3 == 0) table.remove(own.key);
                if (i % 500 == 0) table.expire(kStart, 16);
                if (i % 500 == 1) table.held(16);
            }
        });
    for (auto& thread : threads) thread.join();
    const auto all = table.all();
    EXPECT_EQ(all.size(), table.size());
    for (std::uint32_t n = 0; n < kThreads * kEach; ++n)
        ASSERT_EQ(table.contains(natEntry(n).key), n % kEach % 3 != 0) << n;
    EXPECT_EQ(expireAll(table, kStart + 1h).size(), all.size()) << "no hold is left";
    EXPECT_EQ(table.size(), 0u);
}

TEST(StateTable, AWholeEntryAndOnlyWhileItIsHeld) {
    StateTable table;
    const event::TimePoint now{};
    const StateEntry entry{{KeyKind::SourceNat, 6, 1000, 80, net::Ipv4Address{1}, net::Ipv4Address{2}, Uuid{1, 1}},
                           {net::Ipv4Address{9}, 20000}, 60};
    EXPECT_EQ(table.entry(entry.key.hash()), std::nullopt);
    table.put(entry, now);
    EXPECT_EQ(table.entry(entry.key.hash()), entry);
    EXPECT_EQ(table.entry(entry.key.hash(), true), std::nullopt);
    table.hold(entry.key);
    EXPECT_EQ(table.entry(entry.key.hash(), true), entry);
    table.release(entry.key.hash(), now);
    EXPECT_EQ(table.entry(entry.key.hash(), true), std::nullopt);
}

}  // namespace
}  // namespace midonet::flowstate
