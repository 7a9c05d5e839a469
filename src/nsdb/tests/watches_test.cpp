#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "model/ids.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using fleet::Captain;
using fleet::Harbour;
using fleet::Ship;
using testing::ElementsAre;
using testing::IsEmpty;

class Watches : public Conformance {
protected:
    void rename(const Uuid& id, const std::string& name) {
        commit([&](Transaction& t) { return t.update(harbour(id, name)); });
    }
    bool runUntil(const std::function<bool()>& condition) { return world_->runUntil(condition); }
    /// Names delivered for the harbour; "-" for absent.
    event::HandlePtr watchName(const Uuid& id, std::vector<std::string>& out) {
        return store_->watchObject(world_->loop(), Harbour::descriptor(), id, [&](const auto& object) {
            out.push_back(object ? static_cast<const Harbour&>(*object).name() : "-");
        });
    }
    const Uuid a_ = Uuid::random(), b_ = Uuid::random(), c_ = Uuid::random();
};

TEST_P(Watches, AnObjectIsDeliveredNowAndWhenItChanges) {
    create(harbour(a_, "one"));
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    rename(a_, "two");
    ASSERT_TRUE(runUntil([&] { return names.size() == 2; }));
    commit([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); });
    ASSERT_TRUE(runUntil([&] { return names.size() == 3; }));
    create(harbour(a_, "again"));
    ASSERT_TRUE(runUntil([&] { return names.size() == 4; }));
    EXPECT_THAT(names, ElementsAre("one", "two", "-", "again"));
}

TEST_P(Watches, AnAbsentObjectIsDeliveredAsAbsentThenWhenItAppears) {
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    create(harbour(a_, "new"));
    ASSERT_TRUE(runUntil([&] { return names.size() == 2; }));
    EXPECT_THAT(names, ElementsAre("-", "new"));
}

TEST_P(Watches, ManyChangesMayBeOneDeliveryOfTheNewest) {
    create(harbour(a_, "0"));
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    for (int i = 1; i <= 20; ++i) rename(a_, std::to_string(i));
    ASSERT_TRUE(runUntil([&] { return names.back() == "20"; }));
    world_->settle(*store_);
    EXPECT_LE(names.size(), 21U);
    for (std::size_t i = 1; i < names.size(); ++i)
        EXPECT_LT(std::stoi(names[i - 1]), std::stoi(names[i])) << "never older than before";
}

TEST_P(Watches, ChangesOfOtherObjectsAreNotDelivered) {
    create(harbour(a_, "a"));
    create(harbour(b_, "b"));
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    rename(b_, "bb");
    world_->settle(*store_);
    EXPECT_THAT(names, ElementsAre("a"));
}

TEST_P(Watches, OneStoreSeesTheChangesOfAnother) {
    const auto other = world_->open();
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    commitOn(*other, [&](Transaction& t) { return t.create(harbour(a_, "theirs")); });
    ASSERT_TRUE(runUntil([&] { return names.back() == "theirs"; }));
}

TEST_P(Watches, AfterItsHandleIsGoneAWatchIsSilent) {
    create(harbour(a_, "one"));
    std::vector<std::string> names;
    auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    rename(a_, "two");
    watch.reset();
    world_->settle(*store_);
    EXPECT_THAT(names, ElementsAre("one"));
    EXPECT_EQ(store_->watchCount(), 0U);
}

TEST_P(Watches, AHandleMayDieInItsOwnCallback) {
    create(harbour(a_, "one"));
    int calls = 0;
    event::HandlePtr watch;
    watch = store_->watchObject(world_->loop(), Harbour::descriptor(), a_, [&](const auto&) {
        ++calls;
        watch.reset();
    });
    EXPECT_EQ(store_->watchCount(), 1U);
    ASSERT_TRUE(runUntil([&] { return calls == 1; }));
    rename(a_, "two");
    world_->settle(*store_);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(store_->watchCount(), 0U);
}

TEST_P(Watches, ACallbackMayAddWatches) {
    create(harbour(a_, "outer"));
    create(harbour(b_, "inner"));
    std::vector<std::string> names;
    event::HandlePtr inner;
    const auto outer = store_->watchObject(world_->loop(), Harbour::descriptor(), a_, [&](const auto&) {
        inner = watchName(b_, names);
    });
    ASSERT_TRUE(runUntil([&] { return names.size() == 1; }));
    EXPECT_THAT(names, ElementsAre("inner"));
}

TEST_P(Watches, ReferrersAreDeliveredAsTheyComeAndGo) {
    create(harbour(a_));
    create(ship(b_, a_));
    std::vector<std::vector<Uuid>> seen;
    const auto watch = store_->watchReferrers(world_->loop(), Ship::descriptor(), "harbour_id", a_,
                                              [&](std::vector<Uuid> ids) { seen.push_back(std::move(ids)); });
    ASSERT_TRUE(runUntil([&] { return seen.size() == 1; }));
    EXPECT_THAT(seen.back(), ElementsAre(b_));
    create(ship(c_, a_));
    ASSERT_TRUE(runUntil([&] { return seen.size() == 2; }));
    EXPECT_THAT(seen.back(), ElementsAre(std::min(b_, c_), std::max(b_, c_)));
    auto renamed = ship(c_, a_);
    renamed.set_name("changed, but still there");
    commit([&](Transaction& t) { return t.update(renamed); });
    world_->settle(*store_);
    EXPECT_EQ(seen.size(), 2U) << "the set of holders did not change";
    commit([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); });
    ASSERT_TRUE(runUntil([&] { return seen.size() == 3; }));
    EXPECT_THAT(seen.back(), IsEmpty());
}

TEST_P(Watches, ReferrersOfNothingAreDeliveredOnceAsNone) {
    std::vector<std::vector<Uuid>> seen;
    const auto watch = store_->watchReferrers(world_->loop(), Ship::descriptor(), "captain_id", a_,
                                              [&](std::vector<Uuid> ids) { seen.push_back(std::move(ids)); });
    ASSERT_TRUE(runUntil([&] { return seen.size() == 1; }));
    EXPECT_THAT(seen.back(), IsEmpty());
}

TEST_P(Watches, NothingIsLostWhileTheStoreIsAway) {
    create(harbour(a_, "before"));
    std::vector<std::string> names;
    const auto watch = watchName(a_, names);
    ASSERT_TRUE(runUntil([&] { return !names.empty(); }));
    const auto other = world_->open();
    world_->cutOff(*store_);
    ASSERT_TRUE(runUntil([&] { return !store_->view(); }));
    std::vector<std::string> late;
    const auto lateWatch = watchName(a_, late);
    // Where a cut concerns every client, the change is made right after it.
    const auto changed = other->transact([&](Transaction& t) { return t.update(harbour(a_, "after")); });
    world_->reconnect(*store_);
    if (!changed) {
        ASSERT_TRUE(runUntil([&] { return other->view().has_value(); }));
        commitOn(*other, [&](Transaction& t) { return t.update(harbour(a_, "after")); });
    }
    ASSERT_TRUE(runUntil([&] { return names.back() == "after"; }));
    ASSERT_TRUE(runUntil([&] { return !late.empty() && late.back() == "after"; }));
}

TEST_P(Watches, NothingIsLostUnderConcurrentWriters) {
    constexpr int kObjects = 8, kWriters = 3, kEach = 40;
    std::vector<Uuid> ids;
    for (int i = 0; i < kObjects; ++i) {
        ids.push_back(Uuid::random());
        create(ship(ids.back()));
    }
    create(harbour(a_));
    std::vector<std::uint64_t> seen(kObjects);
    std::vector<event::HandlePtr> watches;
    for (int i = 0; i < kObjects; ++i)
        watches.push_back(store_->watchObject(
            world_->loop(), Ship::descriptor(), ids[static_cast<std::size_t>(i)], [&seen, i](const auto& object) {
                auto& last = seen[static_cast<std::size_t>(i)];
                const auto now = static_cast<const Ship&>(*object).tonnage();
                EXPECT_GE(now, last);
                last = now;
            }));
    std::size_t inHarbour = 0;
    watches.push_back(store_->watchReferrers(world_->loop(), Ship::descriptor(), "harbour_id", a_,
                                             [&](const auto& all) { inHarbour = all.size(); }));
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w)
        writers.emplace_back([&, w] {
            const auto store = world_->open();
            for (int n = 0; n < kEach; ++n) {
                const auto& id = ids[static_cast<std::size_t>((n * 3 + w) % kObjects)];
                const auto done = store->transact([&](Transaction& t) -> Result<void> {
                    TRY(found, t.get<Ship>(id));
                    auto next = *found.object;
                    next.set_tonnage(next.tonnage() + 1);
                    TRY_VOID(t.update(next));
                    return t.create(ship(Uuid::random(), a_));
                });
                EXPECT_TRUE(done) << done.error().message;
            }
        });
    const auto total = [&] {
        std::uint64_t sum = 0;
        for (const auto n : seen) sum += n;
        return sum;
    };
    EXPECT_TRUE(runUntil([&] {
        return total() == kWriters * kEach && inHarbour == static_cast<std::size_t>(kWriters * kEach);
    })) << total() << " " << inHarbour;
    for (auto& writer : writers) writer.join();
}

MIDONET_CONFORMANCE(Watches, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
