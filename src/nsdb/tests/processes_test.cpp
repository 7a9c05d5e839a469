// The embedded store under several processes that are killed, frozen and crowded.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "child.h"
#include "model/ids.h"
#include "nsdb/embedded/embedded_backend.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using fleet::Harbour;
using fleet::Ship;
using testing::HasSubstr;

class Processes : public testing::Test {
protected:
    std::unique_ptr<Store> open(std::size_t keptRevisions = 1000, std::size_t mapSize = 1UL << 30) {
        auto backend = embedded::makeBackend(
            {.path = path_, .mapSize = mapSize, .keptRevisions = keptRevisions});
        EXPECT_TRUE(backend) << backend.error().message;
        return makeObjectStore(std::move(*backend), fleetSchema());
    }
    void create(Store& store, const Message& object) {
        const auto done = store.transact([&](Transaction& t) { return t.create(object); });
        ASSERT_TRUE(done) << done.error().message;
    }
    std::optional<std::string> alive(Store& store) { return alive(store, id_); }
    static std::optional<std::string> alive(Store& store, const Uuid& id) {
        const auto view = store.view();
        if (!view) return std::nullopt;
        const auto found = (*view)->state(Ship::descriptor(), id, "alive");
        return found ? *found : std::nullopt;
    }
    Revision revision(Store& store) { return (*store.view())->revision(); }
    bool runUntil(const std::function<bool()>& condition) { return runLoopUntil(*loop_, condition); }

    TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/store";
    const Uuid id_ = Uuid::random();
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("test");
};

/// A number said by a child; -1 (and a failure) for anything else.
int numberIn(const std::string& line) {
    int number = -1;
    EXPECT_EQ(std::sscanf(line.c_str(), "%d", &number), 1) << "'" << line << "'";
    return number;
}

/// Each harbour has its three ships, indexes agree with the objects, and nothing acknowledged is lost.
void checkFleets(Store& store, int acknowledged) {
    const auto view = store.view();
    ASSERT_TRUE(view);
    const auto harbours = (*view)->list<Harbour>();
    const auto ships = (*view)->list<Ship>();
    ASSERT_TRUE(harbours && ships);
    EXPECT_EQ(ships->size(), harbours->size() * 3);
    std::map<std::string, std::size_t> shipsOf;
    for (const auto& found : *ships) ++shipsOf[found.object->harbour_id()];
    int newest = -1;
    for (const auto& found : *harbours) {
        const auto id = model::idOf(*found.object);
        EXPECT_EQ(shipsOf[found.object->id()], 3U);
        EXPECT_EQ((*view)->referrers<Ship>("harbour_id", id)->size(), 3U);
        EXPECT_EQ(*(*view)->findUnique(Harbour::descriptor(), "name", found.object->name()), id);
        newest = std::max(newest, std::stoi(found.object->name()));
    }
    EXPECT_GE(newest, acknowledged);
    EXPECT_EQ(harbours->size(), static_cast<std::size_t>(newest + 1)) << "one after the other";
}

TEST_F(Processes, AWriterKilledAnywhereLeavesAllOrNothing) {
    const auto store = open();
    int next = 0;
    for (int round = 0; round < 12; ++round) {
        Child writer("write", path_, std::to_string(next));
        int acknowledged = -1;
        for (int n = 0; n <= round; ++n) acknowledged = numberIn(writer.line());
        writer.kill(SIGKILL);
        if (const auto last = writer.lastLine(); !last.empty()) acknowledged = numberIn(last);
        // Others go on writing; what was whole in the instant of death shows with their next write.
        create(*store, captain(Uuid::random()));
        checkFleets(*store, acknowledged);
        next = static_cast<int>((*store->view())->list<Harbour>()->size());
    }
    EXPECT_GT(next, 12);
}

TEST_F(Processes, TheNextProcessFindsWhatAKilledOneLeft) {
    int acknowledged = -1;
    {
        Child writer("write", path_, "0");
        for (int n = 0; n < 20; ++n) acknowledged = numberIn(writer.line());
        writer.kill(SIGKILL);
        if (const auto last = writer.lastLine(); !last.empty()) acknowledged = numberIn(last);
    }
    checkFleets(*open(), acknowledged);
}

TEST_F(Processes, AKilledHolderLosesWhatItOwnsAtOnce) {
    const auto store = open();
    create(*store, ship(id_));
    std::vector<std::string> seen;
    const auto watch = store->watchState(*loop_, Ship::descriptor(), id_, "alive",
                                         [&](const auto& value) { seen.push_back(value.value_or("-")); });
    // A ttl far beyond the deadline of this test: only its death can end the session.
    Child holder("hold", path_, id_.toString(), "600000");
    ASSERT_TRUE(holder.says("holding"));
    ASSERT_TRUE(runUntil([&] { return !seen.empty() && seen.back() == "yes"; }));
    holder.kill(SIGKILL);
    ASSERT_TRUE(runUntil([&] { return seen.back() == "-"; }));
    EXPECT_TRUE(store->readTable("Ship/" + id_.toString() + "/crew")->empty());
}

TEST_F(Processes, TheFirstToOpenRemovesWhatAKilledHolderLeft) {
    create(*open(), ship(id_));
    {
        Child holder("hold", path_, id_.toString(), "600000");
        ASSERT_TRUE(holder.says("holding"));
        holder.kill(SIGKILL);
    }
    const auto store = open();
    EXPECT_EQ(alive(*store), std::nullopt) << "also when it looks at once";
}

TEST_F(Processes, ExactlyOneOfManyEndsADeadSession) {
    const auto store = open();
    create(*store, ship(id_));
    Child first("watch", path_, id_.toString());
    Child second("watch", path_, id_.toString());
    ASSERT_EQ(first.line(), "0");
    ASSERT_EQ(second.line(), "0");
    Child holder("hold", path_, id_.toString(), "600000");
    ASSERT_TRUE(holder.says("holding"));
    const auto before = revision(*store);
    holder.kill(SIGKILL);
    ASSERT_TRUE(runUntil([&] { return alive(*store) == std::nullopt; }));
    // Anything more would have been queued before this.
    create(*store, captain(Uuid::random()));
    EXPECT_EQ(revision(*store), before + 2);
}

TEST_F(Processes, AFrozenHolderExpiresAndComesBack) {
    const auto store = open();
    create(*store, ship(id_));
    Child holder("hold", path_, id_.toString(), "1000");
    ASSERT_TRUE(holder.says("holding"));
    EXPECT_EQ(alive(*store), "yes");
    holder.signal(SIGSTOP);
    ASSERT_TRUE(runUntil([&] { return alive(*store) == std::nullopt; }));
    holder.signal(SIGCONT);
    EXPECT_TRUE(holder.says("lost"));
    EXPECT_TRUE(holder.says("connected"));
    EXPECT_TRUE(runUntil([&] { return alive(*store) == "yes"; }));
    EXPECT_TRUE(runUntil([&] { return store->readTable("Ship/" + id_.toString() + "/crew")->size() == 1; }));
}

TEST_F(Processes, WhoIsFrozenForLessThanItsTtlKeepsItsSession) {
    const auto store = open();
    const auto otherShip = Uuid::random();
    create(*store, ship(id_));
    create(*store, ship(otherShip));
    Child holder("hold", path_, id_.toString(), "600000");
    ASSERT_TRUE(holder.says("holding"));
    holder.signal(SIGSTOP);
    Child other("hold", path_, otherShip.toString(), "600000");
    ASSERT_TRUE(other.says("holding"));
    other.kill(SIGKILL);
    ASSERT_TRUE(runUntil([&] { return alive(*store, otherShip) == std::nullopt; })) << "we did look";
    EXPECT_EQ(alive(*store, id_), "yes");
}

TEST_F(Processes, SeveralWriteAtOnce) {
    const auto store = open();
    create(*store, ship(id_));
    std::uint64_t seen = 0;
    const auto watch = store->watchObject(*loop_, Ship::descriptor(), id_, [&](const auto& object) {
        const auto now = static_cast<const Ship&>(*object).tonnage();
        EXPECT_GE(now, seen);
        seen = now;
    });
    Child a("increment", path_, id_.toString(), "40");
    Child b("increment", path_, id_.toString(), "40");
    Child c("increment", path_, id_.toString(), "40");
    EXPECT_TRUE(runUntil([&] { return seen == 120; }));
    for (auto* child : {&a, &b, &c}) EXPECT_EQ(child->line(), "done");
}

TEST_F(Processes, AWatcherThatSleptThroughTheLogReadsAnew) {
    const auto store = open(5);
    create(*store, ship(id_));
    Child watcher("watch", path_, id_.toString());
    ASSERT_EQ(watcher.line(), "0");
    watcher.signal(SIGSTOP);
    for (std::uint64_t n = 1; n <= 30; ++n) {
        auto next = ship(id_);
        next.set_tonnage(std::min<std::uint64_t>(n, 10));  // and nothing of it is in the log any more
        ASSERT_TRUE(store->transact([&](Transaction& t) -> Result<void> {
            TRY_VOID(t.update(next));
            return t.create(captain(Uuid::random()));
        }));
    }
    watcher.signal(SIGCONT);
    EXPECT_TRUE(watcher.says("10"));
}

TEST_F(Processes, TheMapGrowsInAllProcesses) {
    constexpr std::size_t kSmall = 1UL << 20;
    const auto store = open(1000, kSmall);
    create(*store, ship(id_));
    Child watcher("watch", path_, id_.toString());
    ASSERT_EQ(watcher.line(), "0");
    for (int i = 0; i < 40; ++i) {
        auto large = harbour(Uuid::random(), std::to_string(i));
        large.set_name(std::string(100'000, 'x') + std::to_string(i));
        create(*store, large);
    }
    EXPECT_EQ((*store->view())->list<Harbour>()->size(), 40U);
    Child incrementer("increment", path_, id_.toString(), "1");
    EXPECT_TRUE(incrementer.says("done"));
    EXPECT_EQ(watcher.line(), "1");
}

TEST_F(Processes, AnotherStorePutInItsPlaceIsReadAnew) {
    const auto backup = folder_.path() + "/backup";
    create(*open(), ship(id_));
    std::filesystem::copy(path_, backup, std::filesystem::copy_options::recursive);
    const auto store = open();
    std::vector<std::uint64_t> seen;
    const auto watch = store->watchObject(*loop_, Ship::descriptor(), id_, [&](const auto& object) {
        seen.push_back(static_cast<const Ship&>(*object).tonnage());
    });
    const auto session = store->openSession(*loop_, 10s);
    session->putState(Ship::descriptor(), id_, "alive", "yes");
    auto changed = ship(id_);
    changed.set_tonnage(7);
    ASSERT_TRUE(store->transact([&](Transaction& t) { return t.update(changed); }));
    ASSERT_TRUE(runUntil([&] { return !seen.empty() && seen.back() == 7 && alive(*store) == "yes"; }));
    ASSERT_EQ(::rename(path_.c_str(), (path_ + ".old").c_str()), 0);
    ASSERT_TRUE(runUntil([&] { return !store->view() && !session->connected(); }));
    ASSERT_EQ(::rename(backup.c_str(), path_.c_str()), 0);
    EXPECT_TRUE(runUntil([&] { return seen.back() == 0; })) << "the backup's value";
    EXPECT_TRUE(runUntil([&] { return store->view() && alive(*store) == "yes"; })) << "asserted anew";
}

TEST_F(Processes, WithoutPermissionItSaysSo) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    create(*open(), ship(id_));
    Child other("open-as-nobody", path_);
    EXPECT_THAT(other.line(), testing::AllOf(HasSubstr("error"), HasSubstr(path_),
                                             HasSubstr("Permission denied")));
}

TEST_F(Processes, AFullDiskIsSaidAndHarmsNothing) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
    std::filesystem::create_directory(path_);
    Child child("fill-disk", path_);
    EXPECT_EQ(child.line(), "exhausted");
    EXPECT_THAT(child.line(), testing::AllOf(HasSubstr("No space left"), HasSubstr("make room")));
    const auto counts = [&] {
        std::size_t fleets = 0, harbours = 0, ships = 0;
        EXPECT_EQ(std::sscanf(child.line().c_str(), "%zu %zu %zu", &fleets, &harbours, &ships), 3);
        EXPECT_EQ(harbours, fleets);
        EXPECT_EQ(ships, fleets * 50);
        return fleets;
    };
    const auto before = counts();
    EXPECT_GT(before, 2U);
    EXPECT_EQ(counts(), before + 1) << "goes on once there is room";
}

}  // namespace
}  // namespace midonet::nsdb
