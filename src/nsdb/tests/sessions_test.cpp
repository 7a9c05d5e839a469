#include <gmock/gmock.h>

#include "model/ids.h"
#include "nsdb/backend.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using fleet::Ship;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr event::Duration kTtl = 10s;

class Sessions : public Conformance {
protected:
    std::unique_ptr<Session> openSession(Store& store) {
        return store.openSession(world_->loop(), kTtl);
    }
    bool runUntil(const std::function<bool()>& condition) { return world_->runUntil(condition); }
    bool flush(Session& session) {
        auto done = std::make_shared<bool>(false);
        session.flush([done] { *done = true; });
        return runUntil([&] { return *done; });
    }
    std::optional<std::string> state(const Uuid& id, std::string_view key = "alive") {
        const auto view = store_->view();
        EXPECT_TRUE(view);
        const auto found = (*view)->state(Ship::descriptor(), id, key);
        EXPECT_TRUE(found);
        return *found;
    }
    void put(Session& session, const std::string& value) {
        session.putState(Ship::descriptor(), a_, "alive", value);
    }
    std::shared_ptr<std::optional<Result<void>>> claim(Session& session, const std::string& value) {
        auto answer = std::make_shared<std::optional<Result<void>>>();
        session.claimState(Ship::descriptor(), a_, "alive", value,
                           [answer](Result<void> result) { *answer = std::move(result); });
        return answer;
    }
    void SetUp() override { create(ship(a_)); }
    const Uuid a_ = Uuid::random(), b_ = Uuid::random();
};

TEST_P(Sessions, StateIsThereAsLongAsItsSession) {
    auto session = openSession(*store_);
    put(*session, "yes");
    ASSERT_TRUE(flush(*session));
    EXPECT_TRUE(session->connected());
    EXPECT_EQ(state(a_), "yes");
    session.reset();
    EXPECT_TRUE(runUntil([&] { return state(a_) == std::nullopt; }));
}

TEST_P(Sessions, SnapshotsNameTheLeasesThatRecordsCouldOutlive) {
    auto session = openSession(*store_);
    put(*session, "yes");
    ASSERT_TRUE(flush(*session));
    const auto leases = [this] {
        auto found = (*backendOf(*store_).snapshot())->leases();
        EXPECT_TRUE(found);
        return *found;
    };
    if (!leases()) return;  // none can be outlived here
    EXPECT_THAT(*leases(), ElementsAre(session->id()));
    session.reset();
    EXPECT_TRUE(runUntil([&] { return leases()->empty(); }));
}

TEST_P(Sessions, StateIsWatched) {
    std::vector<std::string> seen;
    const auto watch = store_->watchState(world_->loop(), Ship::descriptor(), a_, "alive",
                                          [&](const auto& value) { seen.push_back(value.value_or("-")); });
    ASSERT_TRUE(runUntil([&] { return seen.size() == 1; }));
    const auto other = world_->open();
    auto session = openSession(*other);
    put(*session, "one");
    ASSERT_TRUE(runUntil([&] { return seen.size() == 2; }));
    put(*session, "two");
    ASSERT_TRUE(runUntil([&] { return seen.size() == 3; }));
    session->removeState(Ship::descriptor(), a_, "alive");
    ASSERT_TRUE(runUntil([&] { return seen.size() == 4; }));
    EXPECT_THAT(seen, ElementsAre("-", "one", "two", "-"));
}

TEST_P(Sessions, WritesOfOneKeyAreCoalescedToTheNewest) {
    const auto session = openSession(*store_);
    for (int i = 0; i <= 100; ++i) put(*session, std::to_string(i));
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(state(a_), "100");
    session->removeState(Ship::descriptor(), a_, "alive");
    put(*session, "back");
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(state(a_), "back");
}

TEST_P(Sessions, TheNewestWriterWinsAndTheOldOneCannotRemoveIt) {
    const auto first = openSession(*store_);
    const auto second = openSession(*store_);
    put(*first, "first");
    ASSERT_TRUE(flush(*first));
    put(*second, "second");
    ASSERT_TRUE(flush(*second));
    EXPECT_EQ(state(a_), "second");
    first->removeState(Ship::descriptor(), a_, "alive");
    ASSERT_TRUE(flush(*first));
    EXPECT_EQ(state(a_), "second");
    put(*first, "first again");
    ASSERT_TRUE(flush(*first));
    EXPECT_EQ(state(a_), "first again");
}

TEST_P(Sessions, StateGoesWithItsObject) {
    const auto session = openSession(*store_);
    put(*session, "yes");
    ASSERT_TRUE(flush(*session));
    commit([&](Transaction& t) { return t.remove(Ship::descriptor(), a_); });
    EXPECT_EQ(state(a_), std::nullopt);
    put(*session, "too late");
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(state(a_), std::nullopt) << "there is nothing it could be the state of";
}

TEST_P(Sessions, StateReadInATransactionIsValidated) {
    const auto session = openSession(*store_);
    put(*session, "yes");
    ASSERT_TRUE(flush(*session));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(alive, t.state(Ship::descriptor(), a_, "alive"));
        if (++runs == 1) {
            session->removeState(Ship::descriptor(), a_, "alive");
            EXPECT_TRUE(flush(*session));
        }
        auto changed = ship(a_);
        changed.set_name(alive.value_or("dead"));
        return t.update(changed);
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Ship>(a_)->name(), "dead");
}

TEST_P(Sessions, AClaimIsRefusedWhileAnotherHoldsTheKey) {
    auto first = openSession(*store_);
    const auto second = openSession(*store_);
    const auto taken = claim(*first, "first");
    ASSERT_TRUE(runUntil([&] { return taken->has_value(); }));
    EXPECT_TRUE(**taken);
    const auto refusal = claim(*second, "second");
    ASSERT_TRUE(runUntil([&] { return refusal->has_value(); }));
    ASSERT_FALSE(**refusal);
    EXPECT_EQ((*refusal)->error().code, ErrorCode::Conflict);
    EXPECT_THAT((*refusal)->error().message, HasSubstr(first->id().toString()));
    EXPECT_EQ(state(a_), "first");
    first.reset();
    ASSERT_TRUE(runUntil([&] { return state(a_) == std::nullopt; }));
    const auto retaken = claim(*second, "second");
    ASSERT_TRUE(runUntil([&] { return retaken->has_value(); }));
    EXPECT_TRUE(**retaken);
}

TEST_P(Sessions, AClaimOnNothingIsNotFound) {
    const auto session = openSession(*store_);
    std::optional<Result<void>> answer;
    session->claimState(Ship::descriptor(), b_, "alive", "x", [&](auto result) { answer = result; });
    ASSERT_TRUE(runUntil([&] { return answer.has_value(); }));
    ASSERT_FALSE(*answer);
    EXPECT_EQ(answer->error().code, ErrorCode::NotFound);
}

TEST_P(Sessions, ALostSessionComesBackAndReassertsWhatItOwned) {
    const auto session = openSession(*store_);
    const auto taken = claim(*session, "mine");
    session->putState(Ship::descriptor(), a_, "speed", "12");
    ASSERT_TRUE(flush(*session));
    std::vector<bool> changes;
    session->onConnectionChange([&](bool connected) { changes.push_back(connected); });
    const auto id = session->id();
    taken->reset();
    world_->expire(*store_, session->id());
    ASSERT_TRUE(runUntil([&] { return changes.size() == 2; }));
    EXPECT_THAT(changes, ElementsAre(false, true));
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(state(a_), "mine");
    EXPECT_EQ(state(a_, "speed"), "12");
    EXPECT_EQ(session->id(), id);
    ASSERT_TRUE(taken->has_value()) << "the claim is answered again";
    EXPECT_TRUE(**taken);
}

TEST_P(Sessions, WhatOthersTookMeanwhileIsNotTakenBack) {
    const auto other = world_->open();
    const auto frozen = openSession(*store_);
    const auto successor = openSession(*other);
    const auto taken = claim(*frozen, "old");
    ASSERT_TRUE(flush(*frozen));
    ASSERT_TRUE(flush(*successor));
    // As fast as it can: the other one writes before the lost session is back.
    taken->reset();
    std::optional<std::string> newest;
    const auto watch = other->watchState(world_->loop(), Ship::descriptor(), a_, "alive",
                                         [&](const auto& value) {
                                             if (!value) put(*successor, "new");
                                             newest = value;
                                         });
    ASSERT_TRUE(runUntil([&] { return newest == "old"; }));
    put(*successor, "new");
    ASSERT_TRUE(flush(*successor));
    world_->expire(*store_, frozen->id());
    ASSERT_TRUE(runUntil([&] { return taken->has_value(); }));
    EXPECT_FALSE(**taken);
    ASSERT_TRUE(flush(*frozen));
    EXPECT_EQ(state(a_), "new");
}

TEST_P(Sessions, AWriteUnderWayWhenTheSessionWasLostIsOlderThanWhatOthersWroteSince) {
    const auto other = world_->open();
    const auto frozen = openSession(*store_);
    const auto successor = openSession(*other);
    ASSERT_TRUE(runUntil([&] { return frozen->connected() && successor->connected(); }));
    put(*frozen, "old");
    world_->expire(*store_, frozen->id());
    put(*successor, "new");
    ASSERT_TRUE(flush(*successor));
    ASSERT_TRUE(flush(*frozen));
    EXPECT_EQ(state(a_), "new");
}

TEST_P(Sessions, AWriteMadeBeforeTheLossIsKnownIsOlderThanWhatOthersWroteSince) {
    const auto other = world_->open();
    const auto frozen = openSession(*store_);
    const auto successor = openSession(*other);
    ASSERT_TRUE(runUntil([&] { return frozen->connected() && successor->connected(); }));
    world_->expire(*store_, frozen->id());
    put(*frozen, "old");
    put(*successor, "new");
    ASSERT_TRUE(flush(*successor));
    ASSERT_TRUE(flush(*frozen));
    EXPECT_EQ(state(a_), "new");
}

TEST_P(Sessions, WritesWaitUntilTheStoreIsBack) {
    const auto session = openSession(*store_);
    put(*session, "before");
    ASSERT_TRUE(flush(*session));
    std::vector<bool> changes;
    session->onConnectionChange([&](bool connected) { changes.push_back(connected); });
    world_->cutOff(*store_);
    ASSERT_TRUE(runUntil([&] { return !session->connected(); }));
    put(*session, "after");
    bool flushed = false;
    session->flush([&] { flushed = true; });
    world_->reconnect(*store_);
    ASSERT_TRUE(runUntil([&] { return flushed; }));
    EXPECT_TRUE(session->connected());
    EXPECT_THAT(changes, ElementsAre(false, true));
    EXPECT_EQ(state(a_), "after");
}

TEST_P(Sessions, FlushOfNothingAnswers) {
    const auto session = openSession(*store_);
    EXPECT_TRUE(flush(*session));
}

TEST_P(Sessions, OneLeadsAndTheNextFollows) {
    auto first = openSession(*store_);
    auto second = openSession(*store_);
    std::vector<bool> a, b;
    auto candidateA = store_->elect(*first, "monitor", [&](bool leader) { a.push_back(leader); });
    ASSERT_TRUE(runUntil([&] { return a == std::vector{true}; }));
    const auto candidateB = store_->elect(*second, "monitor", [&](bool leader) { b.push_back(leader); });
    ASSERT_TRUE(flush(*second));
    world_->settle(*store_);
    EXPECT_THAT(b, testing::IsEmpty());
    candidateA.reset();
    ASSERT_TRUE(runUntil([&] { return b == std::vector{true}; }));
    EXPECT_THAT(a, ElementsAre(true)) << "who resigned is not told";
}

TEST_P(Sessions, ALeaderWhoseSessionIsLostStepsDownBehindTheOthers) {
    const auto other = world_->open();
    const auto first = openSession(*store_);
    const auto second = openSession(*other);
    std::vector<bool> a, b;
    const auto candidateA = store_->elect(*first, "monitor", [&](bool leader) { a.push_back(leader); });
    ASSERT_TRUE(runUntil([&] { return a == std::vector{true}; }));
    const auto candidateB = other->elect(*second, "monitor", [&](bool leader) { b.push_back(leader); });
    ASSERT_TRUE(flush(*second));
    world_->expire(*store_, first->id());
    ASSERT_TRUE(runUntil([&] { return b == std::vector{true}; }));
    ASSERT_TRUE(flush(*first));
    world_->settle(*store_);
    EXPECT_THAT(a, ElementsAre(true, false));
}

MIDONET_CONFORMANCE(Sessions, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
