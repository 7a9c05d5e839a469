#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "model/ids.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using fleet::Captain;
using fleet::Harbour;
using fleet::Ship;
using testing::ElementsAre;
using testing::HasSubstr;

class Transactions : public Conformance {
protected:
    const Uuid a_ = Uuid::random(), b_ = Uuid::random(), c_ = Uuid::random();
};

TEST_P(Transactions, WhatIsCreatedCanBeReadByAll) {
    create(harbour(a_, "Tortuga"));
    const auto other = world_->open();
    const auto view = other->view();
    ASSERT_TRUE(view);
    const auto found = (*view)->get<Harbour>(a_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->object->name(), "Tortuga");
    EXPECT_GT(found->revision, 0U);
    EXPECT_LE(found->revision, (*view)->revision());
}

TEST_P(Transactions, AbsentIsNotFoundAndNamed) {
    const auto view = store_->view();
    ASSERT_TRUE(view);
    const auto found = (*view)->get<Harbour>(a_);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::NotFound);
    EXPECT_THAT(found.error().message, HasSubstr("Harbour"));
    EXPECT_THAT(found.error().message, HasSubstr(a_.toString()));
}

TEST_P(Transactions, AnIdIsTakenOnce) {
    create(harbour(a_));
    EXPECT_EQ(refused([&](Transaction& t) { return t.create(harbour(a_)); }).code,
              ErrorCode::AlreadyExists);
    EXPECT_EQ(refused([&](Transaction& t) { return t.create(harbour(Uuid{})); }).code,
              ErrorCode::Invalid);
}

TEST_P(Transactions, UpdateAndRemoveNeedTheObject) {
    EXPECT_EQ(refused([&](Transaction& t) { return t.update(harbour(a_)); }).code,
              ErrorCode::NotFound);
    EXPECT_EQ(refused([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); }).code,
              ErrorCode::NotFound);
    create(harbour(a_));
    commit([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); });
    EXPECT_EQ(read<Harbour>(a_), nullptr);
    create(harbour(a_, "again"));
    EXPECT_EQ(read<Harbour>(a_)->name(), "again");
}

TEST_P(Transactions, AnErrorOfTheBodyWritesNothing) {
    const auto error = refused([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(harbour(a_)));
        return fail(ErrorCode::Invalid, "changed my mind");
    });
    EXPECT_EQ(error.message, "changed my mind");
    EXPECT_EQ(read<Harbour>(a_), nullptr);
}

TEST_P(Transactions, ReadsItsOwnWrites) {
    create(harbour(a_, "old"));
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(harbour(b_, "new")));
        TRY_VOID(t.create(ship(c_, b_)));
        TRY_VOID(t.remove(Harbour::descriptor(), a_));
        EXPECT_FALSE(t.get<Harbour>(a_));
        EXPECT_TRUE(t.get<Harbour>(b_));
        EXPECT_EQ(t.list<Harbour>()->size(), 1U);
        EXPECT_THAT(*t.referrers<Ship>("harbour_id", b_), ElementsAre(c_));
        EXPECT_EQ(*t.findUnique(Harbour::descriptor(), "name", "new"), b_);
        EXPECT_EQ(*t.findUnique(Harbour::descriptor(), "name", "old"), std::nullopt);
        return {};
    });
}

TEST_P(Transactions, ListIsOrderedById) {
    std::vector<Uuid> ids;
    commit([&](Transaction& t) -> Result<void> {
        ids.clear();
        for (int i = 0; i < 50; ++i) {
            ids.push_back(Uuid::random());
            TRY_VOID(t.create(harbour(ids.back())));
        }
        return {};
    });
    std::sort(ids.begin(), ids.end());
    const auto view = store_->view();
    std::vector<Uuid> listed;
    const auto all = (*view)->list<Harbour>();
    ASSERT_TRUE(all);
    for (const auto& found : *all) listed.push_back(model::idOf(*found.object));
    EXPECT_EQ(listed, ids);
    EXPECT_EQ((*view)->ids(Harbour::descriptor()), ids);
}

TEST_P(Transactions, AViewStaysAtItsRevision) {
    if (!backendOf(*store_).isolated()) GTEST_SKIP() << "reads the newest each time";
    create(harbour(a_, "before"));
    const auto view = store_->view();
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.update(harbour(a_, "after")));
        return t.create(harbour(b_));
    });
    EXPECT_EQ((*view)->get<Harbour>(a_)->object->name(), "before");
    EXPECT_EQ((*view)->list<Harbour>()->size(), 1U);
    EXPECT_FALSE((*view)->get<Harbour>(b_));
    EXPECT_EQ(read<Harbour>(a_)->name(), "after");
}

TEST_P(Transactions, RevisionsGrowAndNameTheLastChange) {
    const auto first = store_->transact([&](Transaction& t) { return t.create(harbour(a_)); });
    const auto second = store_->transact([&](Transaction& t) { return t.create(harbour(b_)); });
    ASSERT_TRUE(first && second);
    EXPECT_LT(*first, *second);
    const auto view = store_->view();
    EXPECT_EQ((*view)->get<Harbour>(a_)->revision, *first);
    EXPECT_EQ((*view)->get<Harbour>(b_)->revision, *second);
}

// Read-set validation: the body runs again when what it read has changed.

TEST_P(Transactions, AChangedObjectRunsTheBodyAgain) {
    create(harbour(a_, "0"));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(found, t.get<Harbour>(a_));
        if (++runs == 1) commit([&](Transaction& u) { return u.update(harbour(a_, "5")); });
        return t.update(harbour(a_, std::to_string(std::stoi(found.object->name()) + 1)));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(a_)->name(), "6");
}

TEST_P(Transactions, AnObjectReadAsAbsentAndCreatedSinceRunsItAgain) {
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        const bool there = t.get<Harbour>(a_).has_value();
        if (++runs == 1) create(harbour(a_));
        return t.create(harbour(b_, there ? "second" : "first"));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(b_)->name(), "second");
}

TEST_P(Transactions, APhantomInAListRunsItAgain) {
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(all, t.list<Ship>());
        if (++runs == 1) create(ship(a_));
        return t.create(harbour(b_, std::to_string(all.size())));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(b_)->name(), "1");
}

TEST_P(Transactions, APhantomInAnIndexRunsItAgain) {
    create(harbour(a_));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(ships, t.referrers<Ship>("harbour_id", a_));
        if (++runs == 1) create(ship(b_, a_));
        return t.update(harbour(a_, std::to_string(ships.size())));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(a_)->name(), "1");
}

TEST_P(Transactions, AMemberOfAListThatChangedRunsItAgain) {
    create(harbour(a_, "x"));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(all, t.list<Harbour>());
        if (++runs == 1) commit([&](Transaction& u) { return u.update(harbour(a_, "y")); });
        return t.create(harbour(b_, all.front().object->name() + "!"));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(b_)->name(), "y!");
}

TEST_P(Transactions, AUniqueValueReadAsFreeAndTakenSinceRunsItAgain) {
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(holder, t.findUnique(Harbour::descriptor(), "name", "Tortuga"));
        if (++runs == 1) create(harbour(a_, "Tortuga"));
        return t.create(harbour(b_, holder ? "taken" : "Tortuga"));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(b_)->name(), "taken");
}

TEST_P(Transactions, WhatWasNotReadDoesNotDisturb) {
    create(harbour(a_));
    create(harbour(c_));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(found, t.get<Harbour>(a_));
        static_cast<void>(found);
        if (++runs == 1) commit([&](Transaction& u) { return u.update(harbour(c_, "elsewhere")); });
        return t.create(harbour(b_));
    });
    EXPECT_EQ(runs, 1);
}

TEST_P(Transactions, ARecordThatWasRemovedAndMadeAgainHasChanged) {
    create(ship(a_));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(found, t.get<Ship>(a_));
        if (++runs == 1) {
            commit([&](Transaction& u) { return u.remove(Ship::descriptor(), a_); });
            auto again = ship(a_);
            again.set_name("another one");
            create(again);
        }
        return t.create(harbour(b_, found.object->name()));
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Harbour>(b_)->name(), "another one");
}

TEST_P(Transactions, WhatABodyConcludesIsOfOneMoment) {
    // Each of the two has a name, and never the same: who reads both while they are exchanged must not be believed.
    create(harbour(a_, "x"));
    create(harbour(b_, "y"));
    int runs = 0;
    const auto error = refused([&](Transaction& t) -> Result<void> {
        TRY(first, t.get<Harbour>(a_));
        if (++runs == 1)
            commit([&](Transaction& u) -> Result<void> {
                TRY_VOID(u.update(harbour(a_, "z")));
                return u.update(harbour(b_, "x"));
            });
        TRY(second, t.get<Harbour>(b_));
        return fail(first.object->name() == second.object->name() ? ErrorCode::Internal : ErrorCode::Conflict, "seen");
    });
    EXPECT_EQ(error.code, ErrorCode::Conflict);
}

TEST_P(Transactions, NoWriteSkew) {
    // Each of two may leave only while the other one stays.
    create(ship(a_));
    create(ship(b_));
    const auto leave = [&](const Uuid& mine, const Uuid& others, bool interrupt,
                           const auto& self) -> Result<Revision> {
        bool first = interrupt;
        return store_->transact([&, mine, others](Transaction& t) -> Result<void> {
            TRY(other, t.get<Ship>(others));
            if (std::exchange(first, false)) {
                EXPECT_TRUE(self(others, mine, false, self));
            }
            if (other.object->name() == "gone") return fail(ErrorCode::Conflict, "the last one stays");
            auto gone = ship(mine);
            gone.set_name("gone");
            return t.update(gone);
        });
    };
    const auto result = leave(a_, b_, true, leave);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Conflict);
    EXPECT_EQ(read<Ship>(a_)->name(), "");
    EXPECT_EQ(read<Ship>(b_)->name(), "gone");
}

TEST_P(Transactions, ConcurrentIncrementsAreAllCounted) {
    create(ship(a_));
    constexpr int kThreads = 4, kEach = 25;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&] {
            const auto store = world_->open();
            for (int n = 0; n < kEach; ++n) {
                const auto done = store->transact([&](Transaction& t) -> Result<void> {
                    TRY(found, t.get<Ship>(a_));
                    auto next = *found.object;
                    next.set_tonnage(next.tonnage() + 1);
                    return t.update(next);
                });
                EXPECT_TRUE(done) << done.error().message;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(read<Ship>(a_)->tonnage(), static_cast<std::uint64_t>(kThreads * kEach));
}

TEST_P(Transactions, AnUpdateWithoutChangeIsNoChange) {
    create(harbour(a_, "same"));
    const auto before = (*store_->view())->get<Harbour>(a_)->revision;
    commit([&](Transaction& t) { return t.update(harbour(a_, "same")); });
    EXPECT_EQ((*store_->view())->get<Harbour>(a_)->revision, before);
}

// Counters.

TEST_P(Transactions, NumbersStartAtOneAndAreUniqueForEver) {
    std::uint64_t first = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY(number, t.next("keys"));
        first = number;
        return {};
    });
    EXPECT_EQ(first, 1U);
    std::set<std::uint64_t> seen{first};
    const auto other = world_->open();
    for (int i = 0; i < 100; ++i)
        for (auto* store : {store_.get(), other.get()})
            commitOn(*store, [&](Transaction& t) -> Result<void> {
                TRY(number, t.next("keys"));
                EXPECT_TRUE(seen.insert(number).second) << number;
                return {};
            });
    commit([&](Transaction& t) -> Result<void> {
        TRY(number, t.next("other keys"));
        EXPECT_EQ(number, 1U);
        return {};
    });
}

TEST_P(Transactions, AnUnreachableStoreSaysSoAndComesBack) {
    create(harbour(a_));
    world_->cutOff(*store_);
    ASSERT_TRUE(world_->runUntil([&] { return !store_->view(); }));
    EXPECT_EQ(store_->view().error().code, ErrorCode::Unavailable);
    EXPECT_EQ(refused([&](Transaction& t) { return t.create(harbour(b_)); }).code,
              ErrorCode::Unavailable);
    world_->reconnect(*store_);
    ASSERT_TRUE(world_->runUntil([&] { return store_->view().has_value(); }));
    EXPECT_NE(read<Harbour>(a_), nullptr);
    EXPECT_EQ(read<Harbour>(b_), nullptr);
    create(harbour(b_));
}

MIDONET_CONFORMANCE(Transactions, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
