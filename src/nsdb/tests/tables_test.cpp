#include <gmock/gmock.h>

#include <map>

#include "model/ids.h"
#include "nsdb/backend.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using fleet::Ship;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class Tables : public Conformance {
protected:
    std::unique_ptr<Session> openSession() { return store_->openSession(world_->loop(), 10s); }
    bool runUntil(const std::function<bool()>& condition) { return world_->runUntil(condition); }
    bool flush(Session& session) {
        auto done = std::make_shared<bool>(false);
        session.flush([done] { *done = true; });
        return runUntil([&] { return *done; });
    }
    std::map<std::string, std::string> table() {
        std::map<std::string, std::string> out;
        const auto entries = store_->readTable(table_);
        EXPECT_TRUE(entries);
        for (const auto& entry : *entries) out.emplace(entry.key, entry.value);
        return out;
    }
    void persist(const std::string& key, const std::string& value) {
        commit([&](Transaction& t) { return t.putPersistent(table_, key, value); });
    }
    void SetUp() override { create(ship(a_)); }
    const Uuid a_ = Uuid::random();
    const std::string table_ = "Ship/" + a_.toString() + "/crew/0";
};

TEST_P(Tables, LearnedEntriesAreReadAndForgotten) {
    const auto session = openSession();
    session->learn(table_, "02:00:00:00:00:01", "port 1");
    session->learn(table_, "10.0.0.1/32", "port 2");
    ASSERT_TRUE(flush(*session));
    EXPECT_THAT(table(), ElementsAre(Pair("02:00:00:00:00:01", "port 1"), Pair("10.0.0.1/32", "port 2")));
    const auto entries = store_->readTable(table_);
    EXPECT_EQ(entries->front().owner, session->id());
    EXPECT_FALSE(entries->front().persistent);
    EXPECT_GT(entries->front().version, 0U);
    session->forget(table_, "10.0.0.1/32");
    ASSERT_TRUE(flush(*session));
    EXPECT_THAT(table(), ElementsAre(Pair("02:00:00:00:00:01", "port 1")));
}

TEST_P(Tables, OfTwoWritersOfAKeyTheNewerWins) {
    const auto first = openSession();
    const auto second = openSession();
    first->learn(table_, "k", "here");
    ASSERT_TRUE(flush(*first));
    second->learn(table_, "k", "there");
    ASSERT_TRUE(flush(*second));
    EXPECT_THAT(table(), ElementsAre(Pair("k", "there")));
    first->forget(table_, "k");
    ASSERT_TRUE(flush(*first));
    EXPECT_THAT(table(), ElementsAre(Pair("k", "there"))) << "only the owner forgets";
    first->learn(table_, "k", "here");
    ASSERT_TRUE(flush(*first));
    EXPECT_THAT(table(), ElementsAre(Pair("k", "here"))) << "it moved back";
}

TEST_P(Tables, AnEqualEntryOfOnesOwnIsNotWrittenAgain) {
    const auto session = openSession();
    session->learn(table_, "k", "v");
    ASSERT_TRUE(flush(*session));
    const auto before = store_->readTable(table_)->front().version;
    session->learn(table_, "k", "v");
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(store_->readTable(table_)->front().version, before);
}

TEST_P(Tables, LearnedEntriesGoWithTheirOwner) {
    auto session = openSession();
    session->learn(table_, "k", "v");
    ASSERT_TRUE(flush(*session));
    session.reset();
    EXPECT_TRUE(runUntil([&] { return table().empty(); }));
}

TEST_P(Tables, ALearnedEntryHidesThePersistentOneUntilItGoes) {
    persist("k", "configured");
    EXPECT_THAT(table(), ElementsAre(Pair("k", "configured")));
    EXPECT_TRUE(store_->readTable(table_)->front().persistent);
    EXPECT_TRUE(store_->readTable(table_)->front().owner.isNil());
    auto session = openSession();
    session->learn(table_, "k", "learned");
    ASSERT_TRUE(flush(*session));
    EXPECT_THAT(table(), ElementsAre(Pair("k", "learned")));
    persist("k", "configured anew");
    EXPECT_THAT(table(), ElementsAre(Pair("k", "learned"))) << "also below a newer persistent one";
    session.reset();
    EXPECT_TRUE(runUntil([&] { return table()["k"] == "configured anew"; }));
    commit([&](Transaction& t) { return t.removePersistent(table_, "k"); });
    EXPECT_THAT(table(), IsEmpty());
}

TEST_P(Tables, AWatchFollowsTheWinners) {
    persist("p", "1");
    persist("both", "below");
    std::map<std::string, std::string> seen;
    int calls = 0;
    const auto watch = store_->watchTable(world_->loop(), table_, [&](const TableChange& change) {
        ++calls;
        for (const auto& entry : change.updated) seen[entry.key] = entry.value;
        for (const auto& key : change.removed) EXPECT_EQ(seen.erase(key), 1U);
    });
    ASSERT_TRUE(runUntil([&] { return calls == 1; }));
    EXPECT_THAT(seen, ElementsAre(Pair("both", "below"), Pair("p", "1")));
    auto session = openSession();
    session->learn(table_, "both", "above");
    session->learn(table_, "l", "2");
    ASSERT_TRUE(runUntil([&] { return seen["both"] == "above" && seen["l"] == "2"; }));
    session.reset();
    ASSERT_TRUE(runUntil([&] { return seen["both"] == "below" && !seen.contains("l"); }));
}

TEST_P(Tables, AnEmptyTableIsDeliveredOnce) {
    int calls = 0;
    const auto watch = store_->watchTable(world_->loop(), table_, [&](const TableChange& change) {
        ++calls;
        EXPECT_THAT(change.updated, IsEmpty());
    });
    ASSERT_TRUE(runUntil([&] { return calls == 1; }));
    world_->settle(*store_);
    EXPECT_EQ(calls, 1);
}

TEST_P(Tables, TablesGoWithTheirObject) {
    const auto session = openSession();
    const auto other = "Ship/" + a_.toString() + "/passengers";
    session->learn(table_, "k", "v");
    ASSERT_TRUE(flush(*session));
    persist("p", "v");
    commit([&](Transaction& t) { return t.putPersistent(other, "p", "v"); });
    commit([&](Transaction& t) { return t.remove(Ship::descriptor(), a_); });
    EXPECT_THAT(table(), IsEmpty());
    EXPECT_THAT(*store_->readTable(other), IsEmpty());
    session->learn(table_, "k", "too late");
    ASSERT_TRUE(flush(*session));
    EXPECT_THAT(table(), IsEmpty()) << "nothing is left of an object that is gone";
    EXPECT_EQ(refused([&](Transaction& t) { return t.putPersistent(table_, "p", "v"); }).code,
              ErrorCode::NotFound);
}

TEST_P(Tables, TablesBelowAPrefixAreListedWhileTheyHoldEntries) {
    const auto session = openSession();
    const auto ship = "Ship/" + a_.toString();
    EXPECT_THAT(*store_->listTables(ship + "/crew"), IsEmpty());
    session->learn(table_, "k", "v");
    session->learn(ship + "/crew/0-1", "k", "v");
    session->learn(ship + "/crew/0/deep", "k", "v");
    session->learn(ship + "/crewed/9", "k", "v");
    ASSERT_TRUE(flush(*session));
    commit([&](Transaction& t) { return t.putPersistent(ship + "/crew/100", "p", "v"); });
    EXPECT_THAT(*store_->listTables(ship + "/crew"), ElementsAre("0", "0-1", "100"));
    EXPECT_THAT(*store_->listTables(ship), ElementsAre("crew", "crewed"));
    session->forget(table_, "k");
    session->forget(ship + "/crew/0/deep", "k");
    commit([&](Transaction& t) { return t.removePersistent(ship + "/crew/100", "p"); });
    ASSERT_TRUE(flush(*session));
    EXPECT_THAT(*store_->listTables(ship + "/crew"), ElementsAre("0-1"));
}

TEST_P(Tables, RecordsAndTheDirectoriesBesideThemAreTwoThings) {
    const auto outer = "Ship/" + a_.toString() + "/crew";
    commit([&](Transaction& t) { return t.putPersistent(outer, "cook", "Ragetti"); });
    commit([&](Transaction& t) { return t.putPersistent(outer + "/0", "bosun", "Gibbs"); });
    const auto snapshot = *backendOf(*store_).snapshot();
    const auto recordsOf = [&](const std::string& directory) {
        std::vector<std::string> names;
        EXPECT_TRUE(snapshot->list(directory, [&](const Record& record) { names.emplace_back(record.name); }));
        return names;
    };
    EXPECT_THAT(recordsOf("t/" + outer), ElementsAre("Pcook"));
    EXPECT_THAT(recordsOf("t"), IsEmpty());
    EXPECT_THAT(*store_->listTables(outer), ElementsAre("0"));
}

TEST_P(Tables, TablesOfNoObjectNeedNone) {
    const auto session = openSession();
    session->learn("global/peers", "k", "v");
    ASSERT_TRUE(flush(*session));
    EXPECT_EQ(store_->readTable("global/peers")->size(), 1U);
}

TEST_P(Tables, ALostSessionsEntriesComeBackUnlessSomebodyLearnedThemSince) {
    const auto other = world_->open();
    const auto frozen = openSession();
    const auto successor = other->openSession(world_->loop(), 10s);
    frozen->learn(table_, "moved", "old place");
    frozen->learn(table_, "stayed", "here");
    ASSERT_TRUE(flush(*frozen));
    successor->learn(table_, "moved", "new place");
    ASSERT_TRUE(flush(*successor));
    bool lost = false;
    bool back = false;
    frozen->onConnectionChange([&](bool connected) { (connected ? back : lost) = true; });
    world_->expire(*store_, frozen->id());
    ASSERT_TRUE(runUntil([&] { return lost && back; }));
    ASSERT_TRUE(flush(*frozen));
    EXPECT_THAT(table(), ElementsAre(Pair("moved", "new place"), Pair("stayed", "here")));
}

TEST(ArpTables, AreNamedAfterTheirDevice) {
    const Uuid device{1, 2};
    EXPECT_EQ(routerArpTableName(device), "Router/00000000-0000-0001-0000-000000000002/arp_table");
    EXPECT_EQ(bridgeArpTableName(device), "Bridge/00000000-0000-0001-0000-000000000002/ip4_mac_map");
}

TEST(MacTable, IsNamedAfterBridgeAndVlan) {
    const Uuid bridge{1, 2};
    EXPECT_EQ(macTableName(bridge, 7),
              "Bridge/00000000-0000-0001-0000-000000000002/mac_table/7");
}

MIDONET_CONFORMANCE(Tables, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
