#include "flowstate/state_exchange.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "flowstate/tests/entries.h"

namespace midonet::flowstate {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::natEntry;

constexpr HostId kA{Uuid{0xa, 1}}, kB{Uuid{0xb, 1}}, kC{Uuid{0xc, 1}};
const event::TimePoint kStart = event::TimePoint{} + 1h;

std::vector<StateEntry> entries(std::uint32_t first, std::uint32_t count) {
    std::vector<StateEntry> out;
    for (std::uint32_t n = first; n < first + count; ++n) out.push_back(natEntry(n));
    return out;
}

struct Exchange : ::testing::Test {
    StateExchange a{kA, 1000};
    StateExchange b{kB, 5000};

    StateExchange::Received deliver(StateExchange& to, const Frame& frame) {
        auto received = to.onFrame(frame);
        EXPECT_TRUE(received) << received.error().message;
        return received.value_or(StateExchange::Received{});
    }
    void acksTo(StateExchange& from, StateExchange& to) {
        for (const auto& ack : from.takeAcks()) deliver(to, ack.frame);
    }
};

TEST_F(Exchange, WhatIsAcknowledgedIsNotSentAgain) {
    const auto frames = a.send(kB, entries(0, 3), kStart);
    ASSERT_THAT(frames, SizeIs(1));
    const auto received = deliver(b, frames[0]);
    EXPECT_EQ(received.peer, kA);
    EXPECT_EQ(received.entries, entries(0, 3));
    EXPECT_FALSE(received.duplicate);
    EXPECT_EQ(a.unacknowledged(), 1u);
    acksTo(b, a);
    EXPECT_EQ(a.unacknowledged(), 0u);
    EXPECT_THAT(a.tick(kStart + 1h), IsEmpty());
    EXPECT_EQ(a.counters().acknowledged, 1u);
    EXPECT_EQ(a.counters().resent, 0u);
    EXPECT_THAT(b.takeAcks(), IsEmpty()) << "acked once";
}

TEST_F(Exchange, NothingToSayIsNoFrame) { EXPECT_THAT(a.send(kB, {}, kStart), IsEmpty()); }

TEST_F(Exchange, ASilentPeerIsTriedAgainAndGivenUp) {
    const auto frames = a.send(kB, entries(0, 1), kStart);
    std::vector<std::chrono::milliseconds> resent;
    for (auto at = 0ms; at <= 20s; at += 10ms)
        for (const auto& frame : a.tick(kStart + at)) {
            EXPECT_EQ(frame.peer, kB);
            EXPECT_EQ(frame.frame, frames[0]);
            resent.push_back(at);
        }
    EXPECT_THAT(resent, ::testing::ElementsAre(50ms, 250ms, 1250ms, 6250ms));
    EXPECT_EQ(a.counters().resent, 4u);
    EXPECT_EQ(a.counters().givenUp, 1u);
    EXPECT_EQ(a.unacknowledged(), 0u);
}

TEST_F(Exchange, AWaitingMessageIsGivenUpOnlyAtTheEnd) {
    a.send(kB, entries(0, 1), kStart);
    for (const auto at : {50ms, 250ms, 1250ms, 6250ms}) EXPECT_THAT(a.tick(kStart + at), SizeIs(1));
    a.tick(kStart + 11249ms);
    EXPECT_EQ(a.unacknowledged(), 1u);
    a.tick(kStart + 11250ms);
    EXPECT_EQ(a.unacknowledged(), 0u);
}

TEST_F(Exchange, ALateTickSendsEachMessageOnce) {
    a.send(kB, entries(0, 1), kStart);
    EXPECT_THAT(a.tick(kStart + 1h), SizeIs(1));
    EXPECT_THAT(a.tick(kStart + 1h), IsEmpty());
}

TEST_F(Exchange, ADuplicateIsKnownAndStillTouches) {
    const auto frames = a.send(kB, entries(0, 2), kStart);
    deliver(b, frames[0]);
    acksTo(b, a);
    const auto again = deliver(b, frames[0]);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.entries, entries(0, 2));
    EXPECT_EQ(b.counters().duplicates, 1u);
    EXPECT_THAT(b.takeAcks(), SizeIs(1)) << "the first ack may have been lost";
}

TEST_F(Exchange, TheMemoryOfDuplicatesIsBounded) {
    const auto first = a.send(kB, entries(0, 1), kStart)[0];
    deliver(b, first);
    for (std::uint32_t n = 1; n < StateExchange::kRemembered; ++n) deliver(b, a.send(kB, entries(n, 1), kStart)[0]);
    EXPECT_TRUE(deliver(b, first).duplicate);
    deliver(b, a.send(kB, entries(9999, 1), kStart)[0]);
    EXPECT_FALSE(deliver(b, first).duplicate) << "taken for new: putting it again does no harm";
}

TEST_F(Exchange, AcksComeTogether) {
    std::vector<Frame> frames;
    for (std::uint32_t n = 0; n < 100; ++n) frames.push_back(a.send(kB, entries(n, 1), kStart)[0]);
    for (const auto& frame : frames) deliver(b, frame);
    const auto acks = b.takeAcks();
    ASSERT_THAT(acks, SizeIs(1));
    EXPECT_EQ(acks[0].peer, kA);
    EXPECT_TRUE(deliver(a, acks[0].frame).entries.empty());
    EXPECT_EQ(a.unacknowledged(), 0u);
}

TEST_F(Exchange, MoreAcksThanFitGoInSeveralFrames) {
    StateExchange small{kB, 1, {.frameSize = kMinStateFrame}};
    for (std::uint32_t n = 0; n < 100; ++n) deliver(small, a.send(kB, entries(n, 1), kStart)[0]);
    const auto acks = small.takeAcks();
    EXPECT_GT(acks.size(), 1u);
    for (const auto& ack : acks) {
        EXPECT_LE(ack.frame.size(), kMinStateFrame);
        deliver(a, ack.frame);
    }
    EXPECT_EQ(a.unacknowledged(), 0u);
}

TEST_F(Exchange, AckOfAnotherPeerDoesNotCount) {
    const auto frames = a.send(kB, entries(0, 1), kStart);
    StateExchange c{kC, 1};
    deliver(c, frames[0]);
    acksTo(c, a);
    EXPECT_EQ(a.unacknowledged(), 1u);
    deliver(a, encodeAckFrame(kB, std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(a.unacknowledged(), 1u) << "of messages that it did not send";
}

TEST_F(Exchange, TooManyWaitingDropTheOldest) {
    StateExchange sender{kA, 1, {.unacknowledged = 10}};
    std::vector<Frame> frames;
    for (std::uint32_t n = 0; n < 15; ++n) frames.push_back(sender.send(kB, entries(n, 1), kStart)[0]);
    EXPECT_EQ(sender.unacknowledged(), 10u);
    EXPECT_EQ(sender.counters().dropped, 5u);
    const auto again = sender.tick(kStart + 50ms);
    ASSERT_THAT(again, SizeIs(10));
    EXPECT_EQ(again.front().frame, frames[5]);
    sender.send(kC, entries(0, 1), kStart);
    EXPECT_EQ(sender.counters().dropped, 5u) << "per peer";
}

TEST_F(Exchange, ManyPeersAreForgottenNotGathered) {
    StateExchange receiver{kB, 1, {.peers = 4}};
    for (std::uint64_t n = 1; n <= 20; ++n) {
        StateExchange peer{HostId{Uuid{n, n}}, 1};
        EXPECT_FALSE(deliver(receiver, peer.send(kB, entries(0, 1), kStart)[0]).duplicate);
    }
    EXPECT_THAT(receiver.takeAcks(), SizeIs(4)) << "the others send again";
}

TEST_F(Exchange, AForgottenPeerIsLeftAlone) {
    deliver(b, a.send(kB, entries(0, 1), kStart)[0]);
    deliver(a, b.send(kA, entries(0, 1), kStart)[0]);
    a.forget(kB);
    EXPECT_EQ(a.unacknowledged(), 0u);
    EXPECT_THAT(a.takeAcks(), IsEmpty());
    EXPECT_THAT(a.tick(kStart + 1h), IsEmpty());
    a.forget(kC);
}

TEST_F(Exchange, RefusesItsOwnAndForeignFrames) {
    const auto own = a.onFrame(a.send(kB, entries(0, 1), kStart)[0]);
    ASSERT_FALSE(own);
    EXPECT_EQ(own.error().code, ErrorCode::Invalid);
    const auto foreign = a.onFrame(asBytes("no frame of ours"));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code, ErrorCode::Malformed);
    EXPECT_EQ(a.counters().malformed, 1u);
    EXPECT_THAT(a.takeAcks(), IsEmpty());
}

/// A network that loses, doubles and mixes up, both ways, until everything has come.
TEST_F(Exchange, EverythingArrivesThroughABadNetwork) {
    constexpr std::uint32_t kEntries = 20'000;
    std::mt19937 random(7);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    std::vector<Frame> toB = a.send(kB, entries(0, kEntries), kStart), toA;
    EXPECT_GT(toB.size(), 500u);
    std::set<std::uint32_t> arrived;
    for (auto at = 0ms; at < 12s && a.unacknowledged() > 0; at += 50ms) {
        for (auto& frame : a.tick(kStart + at)) toB.push_back(std::move(frame.frame));
        std::shuffle(toB.begin(), toB.end(), random);
        for (const auto& frame : toB) {
            if (chance(10)) continue;
            for (int copies = chance(20) ? 2 : 1; copies > 0; --copies)
                for (const auto& entry : deliver(b, frame).entries)
                    arrived.insert(entry.key.source.v4().toHostOrder());
        }
        toB.clear();
        for (auto& ack : b.takeAcks()) toA.push_back(std::move(ack.frame));
        for (const auto& frame : toA)
            if (!chance(10)) deliver(a, frame);
        toA.clear();
    }
    EXPECT_EQ(arrived.size(), kEntries);
    EXPECT_EQ(a.unacknowledged(), 0u);
    EXPECT_EQ(a.counters().acknowledged, a.counters().sent);
    EXPECT_EQ(a.counters().givenUp, 0u);
    EXPECT_GT(a.counters().resent, 0u);
    EXPECT_GT(b.counters().duplicates, 0u);
}

}  // namespace
}  // namespace midonet::flowstate
