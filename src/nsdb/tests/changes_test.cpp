#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "model/ids.h"
#include "world.h"

namespace midonet::nsdb {

void PrintTo(const ObjectChange& change, std::ostream* out) {
    constexpr const char* kWords[] = {"created", "updated", "deleted"};
    *out << kWords[static_cast<int>(change.kind)] << ' ' << fleetSchema().of(change.type).name << ' ' << change.id.toString();
}

namespace {

using fleet::Captain;
using fleet::Harbour;
using fleet::Ship;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Kind = ObjectChange::Kind;
using Entries = std::vector<ChangesPart::Entry>;

template <class T>
ObjectChange changed(Kind kind, const Uuid& id) {
    return {T::descriptor(), id, kind};
}

/// What the feed says exists.
class Replay {
public:
    void apply(const Entries& entries) {
        for (const auto& entry : entries) {
            EXPECT_GT(entry.revision, revision_) << "in order, and none twice";
            revision_ = entry.revision;
            for (const auto& change : entry.changes) apply(change);
        }
    }
    std::set<Uuid> ids(Class type) const {
        std::set<Uuid> out;
        for (const auto& [known, id] : objects_)
            if (known == type) out.insert(id);
        return out;
    }

private:
    void apply(const ObjectChange& change) {
        const std::pair key{change.type, change.id};
        switch (change.kind) {
            case Kind::Created: EXPECT_TRUE(objects_.insert(key).second); break;
            case Kind::Updated: EXPECT_TRUE(objects_.contains(key)); break;
            case Kind::Deleted: EXPECT_EQ(objects_.erase(key), 1U); break;
        }
    }
    std::set<std::pair<Class, Uuid>> objects_;
    Revision revision_ = 0;
};

class Changes : public Conformance {
protected:
    Revision now(Store& store) {
        const auto part = store.changesSince(std::nullopt);
        EXPECT_TRUE(part);
        EXPECT_THAT(part->entries, IsEmpty());
        EXPECT_FALSE(part->more);
        return part->through;
    }
    Revision now() { return now(*store_); }
    /// All there is; `position` goes on.
    Entries readAll(Store& store, Revision& position) {
        Entries out;
        for (bool more = true; more;) {
            const auto part = store.changesSince(position);
            EXPECT_TRUE(part) << part.error().message;
            if (!part) break;
            EXPECT_GE(part->through, position);
            EXPECT_TRUE(part->entries.empty() || part->entries.back().revision <= part->through);
            out.insert(out.end(), part->entries.begin(), part->entries.end());
            position = part->through;
            more = part->more;
        }
        return out;
    }
    Entries since(Revision revision) { return readAll(*store_, revision); }
    void remove(Class type, const Uuid& id) {
        commit([&](Transaction& t) { return t.remove(type, id); });
    }

    const Uuid a_ = Uuid::random(), b_ = Uuid::random(), c_ = Uuid::random();
};

TEST_P(Changes, EachTransactionIsOneEntryInOrder) {
    const auto begin = now();
    const auto made = store_->transact([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(harbour(a_, "Tortuga")));
        return t.create(ship(b_, a_));
    });
    ASSERT_TRUE(made);
    create(captain(c_));
    commit([&](Transaction& t) { return t.update(harbour(a_, "Nassau")); });
    const auto entries = since(begin);
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].revision, *made);
    EXPECT_GT(entries[1].revision, entries[0].revision);
    EXPECT_GT(entries[2].revision, entries[1].revision);
    EXPECT_THAT(entries[0].changes, UnorderedElementsAre(changed<Harbour>(Kind::Created, a_), changed<Ship>(Kind::Created, b_)));
    EXPECT_THAT(entries[1].changes, ElementsAre(changed<Captain>(Kind::Created, c_)));
    EXPECT_THAT(entries[2].changes, ElementsAre(changed<Harbour>(Kind::Updated, a_)));
}

TEST_P(Changes, WhatGoesAlongIsTold) {
    create(harbour(a_));
    create(captain(c_));
    create(ship(b_, a_, c_));
    auto position = now();
    remove(Captain::descriptor(), c_);
    auto entries = readAll(*store_, position);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_THAT(entries[0].changes, UnorderedElementsAre(changed<Captain>(Kind::Deleted, c_), changed<Ship>(Kind::Updated, b_)));
    remove(Harbour::descriptor(), a_);
    entries = readAll(*store_, position);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_THAT(entries[0].changes, UnorderedElementsAre(changed<Harbour>(Kind::Deleted, a_), changed<Ship>(Kind::Deleted, b_)));
}

TEST_P(Changes, WhatIsMadeAndRemovedAtOnceIsNotTold) {
    create(harbour(a_, "old"));
    const auto begin = now();
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(captain(c_)));
        TRY_VOID(t.remove(Captain::descriptor(), c_));
        TRY_VOID(t.remove(Harbour::descriptor(), a_));
        return t.create(harbour(a_, "new"));
    });
    const auto entries = since(begin);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_THAT(entries[0].changes, ElementsAre(changed<Harbour>(Kind::Updated, a_)));
}

TEST_P(Changes, OnlyObjectsAreTold) {
    create(captain(a_));
    const auto begin = now();
    const auto session = store_->openSession(world_->loop(), std::chrono::seconds(10));
    bool written = false;
    session->putState(Captain::descriptor(), a_, "alive", "yes");
    session->learn("winds", "north", "strong");
    session->flush([&] { written = true; });
    ASSERT_TRUE(world_->runUntil([&] { return written; }));
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.next("numbers"));
        return t.putPersistent("winds", "south", "weak");
    });
    commit([&](Transaction& t) { return t.update(captain(a_)); });  // equal
    EXPECT_THAT(since(begin), IsEmpty());
}

TEST_P(Changes, OthersAreTold) {
    const auto other = world_->open();
    int calls = 0;
    const auto watch = other->watchChanges(world_->loop(), [&] { ++calls; });
    ASSERT_TRUE(world_->runUntil([&] { return calls > 0; }));
    auto position = now(*other);
    for (int i = 0; i < 5; ++i) {
        const auto before = calls;
        const auto id = Uuid::random();
        create(captain(id));
        ASSERT_TRUE(world_->runUntil([&] { return calls > before; }));
        const auto entries = readAll(*other, position);
        ASSERT_EQ(entries.size(), 1U);
        EXPECT_THAT(entries[0].changes, ElementsAre(changed<Captain>(Kind::Created, id)));
    }
}

TEST_P(Changes, WhoComesBackLearnsWhatHappenedMeanwhile) {
    int calls = 0;
    const auto watch = store_->watchChanges(world_->loop(), [&] { ++calls; });
    ASSERT_TRUE(world_->runUntil([&] { return calls > 0; }));
    auto position = now();
    world_->cutOff(*store_);
    ASSERT_TRUE(world_->runUntil([&] { return !store_->changesSince(position); }));
    world_->reconnect(*store_);
    const auto other = world_->open();
    ASSERT_TRUE(world_->runUntil([&] { return other->transact([&](Transaction& t) { return t.create(captain(a_)); }).has_value(); }));
    Entries entries;
    ASSERT_TRUE(world_->runUntil([&] {
        const auto part = store_->changesSince(position);
        if (part) entries.insert(entries.end(), part->entries.begin(), part->entries.end());
        if (part) position = part->through;
        return !entries.empty();
    }));
    EXPECT_THAT(entries[0].changes, ElementsAre(changed<Captain>(Kind::Created, a_)));
    const auto before = calls;
    create(captain(b_));
    EXPECT_TRUE(world_->runUntil([&] { return calls > before; }));
}

TEST_P(Changes, AReaderGoesOnAnywhere) {
    auto position = now();
    for (int i = 0; i < 300; ++i) create(captain(Uuid::random()));
    const auto part = store_->changesSince(position);
    ASSERT_TRUE(part);
    EXPECT_TRUE(part->more) << "a part is not longer than fits in memory";
    const auto other = world_->open();
    auto rest = part->through;
    EXPECT_EQ(part->entries.size() + readAll(*other, rest).size(), 300U);
    EXPECT_EQ(now(*other), rest);
}

TEST_P(Changes, ALargeTransactionIsOneEntry) {
    const auto begin = now();
    commit([&](Transaction& t) -> Result<void> {
        for (int i = 0; i < 600; ++i) TRY_VOID(t.create(captain(Uuid::random())));
        return {};
    });
    const auto entries = since(begin);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].changes.size(), 600U);
}

TEST_P(Changes, WhatIsForgottenIsSaid) {
    store_.reset();
    world_->keepChanges(16);
    store_ = world_->open();
    const auto begin = now();
    const auto forgotten = [&] {
        for (int i = 0; i < 20; ++i) create(captain(Uuid::random()));
        const auto part = store_->changesSince(begin);
        return !part && part.error().code == ErrorCode::Stale;
    };
    EXPECT_TRUE(world_->runUntil(forgotten));
    auto position = now();
    create(captain(a_));
    EXPECT_EQ(readAll(*store_, position).size(), 1U) << "what is new is known";
}

TEST_P(Changes, ARevisionThatHasNotBeenIsUnknown) {
    const auto part = store_->changesSince(now() + 1'000'000'000'000);
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().code, ErrorCode::Stale);
}

/// Creates, renames and removes captains and ships of its own and of others.
class Writer {
public:
    Writer(World& world, std::vector<Uuid> ids, unsigned seed) : store_(world.open()), ids_(std::move(ids)), random_(seed) {}
    void run(int transactions) {
        for (int i = 0; i < transactions; ++i)
            static_cast<void>(store_->transact([&](Transaction& t) -> Result<void> {
                for (auto n = 1 + random_() % 3; n > 0; --n) TRY_VOID(step(t));
                return {};
            }));
    }

private:
    Result<void> step(Transaction& t) {
        const auto& id = ids_[random_() % ids_.size()];
        const auto& of = ids_[random_() % ids_.size()];
        switch (random_() % 5) {
            case 0: return t.create(harbour(id));
            case 1: return t.create(ship(id, of));
            case 2: return t.update(harbour(id, std::to_string(random_())));
            case 3: return t.remove(Harbour::descriptor(), id);
            default: return t.remove(Ship::descriptor(), id);
        }
    }
    std::unique_ptr<Store> store_;
    std::vector<Uuid> ids_;
    std::minstd_rand random_;
};

TEST_P(Changes, TheFeedReplayedIsTheStore) {
    const auto begin = now();
    std::vector<Uuid> ids;
    for (int i = 0; i < 8; ++i) ids.push_back(Uuid::random());
    std::vector<std::unique_ptr<Writer>> writers;
    for (unsigned seed = 1; seed <= 4; ++seed) writers.push_back(std::make_unique<Writer>(*world_, ids, seed));
    std::vector<std::thread> threads;
    for (auto& writer : writers) threads.emplace_back([&writer] { writer->run(60); });
    Replay replay;
    auto position = begin;
    for (int i = 0; i < 20; ++i) replay.apply(readAll(*store_, position));  // while they write
    for (auto& thread : threads) thread.join();
    replay.apply(readAll(*store_, position));
    Replay again;
    again.apply(since(begin));
    const auto view = store_->view();
    ASSERT_TRUE(view);
    for (const auto* type : {Harbour::descriptor(), Ship::descriptor()}) {
        const auto listed = (*view)->ids(type);
        ASSERT_TRUE(listed);
        const std::set<Uuid> stored(listed->begin(), listed->end());
        EXPECT_EQ(replay.ids(type), stored);
        EXPECT_EQ(again.ids(type), stored);
    }
}

MIDONET_CONFORMANCE(Changes, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
