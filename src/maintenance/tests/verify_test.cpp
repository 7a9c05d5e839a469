#include "maintenance/verify.h"

#include "cloud.h"
#include "maintenance/contents.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/layout.h"

namespace midonet::maintenance {
namespace {

using nsdb::RecordKey;
using nsdb::Transaction;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kLost = "33333333-2222-3333-4444-555555555555";
const auto kLostId = *Uuid::parse(kLost);

/// A harbour with a ship, its captain and its crew; each test damages it.
class Verify : public testing::Test {
protected:
    Verify() {
        cloud_.commit([this](Transaction& t) -> Result<void> {
            TRY_VOID(t.create(nsdb::harbour(harbour_, "Tortuga")));
            TRY_VOID(t.create(nsdb::captain(captain_)));
            TRY_VOID(t.create(nsdb::ship(ship_, harbour_, captain_)));
            return t.putPersistent("Ship/" + ship_.toString() + "/crew", "bosun", "Gibbs");
        });
    }

    std::vector<Finding> findings() { return verify(cloud_.image(), nsdb::fleetSchema()); }
    Collected collect() {
        auto out = collectGarbage(cloud_.store(), nsdb::fleetSchema());
        EXPECT_TRUE(out) << out.error().message;
        return out.value_or(Collected{});
    }
    /// The only finding says `what`, and a person has to decide.
    void expectForAPerson(const std::string& what) {
        const auto found = findings();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_THAT(found[0].what, HasSubstr(what));
        EXPECT_FALSE(found[0].fix.empty());
        EXPECT_FALSE(found[0].mend);
        EXPECT_EQ(collect().mended, 0U);
        EXPECT_EQ(findings().size(), 1U);
    }
    /// The only finding says `what`, and is mended.
    void expectMended(const std::string& what) {
        const auto found = findings();
        ASSERT_EQ(found.size(), 1U) << found[0].what;
        EXPECT_THAT(found[0].what, HasSubstr(what));
        EXPECT_EQ(collect().mended, 1U);
        EXPECT_THAT(findings(), IsEmpty());
    }
    template <class T>
    std::shared_ptr<const T> read(const Uuid& id) {
        const auto found = (*cloud_.store().view())->get<T>(id);
        return found ? found->object : nullptr;
    }
    const model::ClassSchema& type(std::string_view name) { return *nsdb::fleetSchema().byName(name); }
    RecordKey object(std::string_view name, const Uuid& id) { return nsdb::objectKey(type(name), id); }
    RecordKey index(std::string_view target, const Uuid& id, std::string_view field, const Uuid& holder) {
        const auto& ship = type("Ship");
        return {nsdb::indexDirectory(type(target), id, ship, *ship.reference(field)), holder.toString()};
    }
    RecordKey uniqueName(const std::string& value) { return nsdb::uniqueKey(type("Harbour"), *type("Harbour").unique("name"), value); }

    Cloud cloud_;
    const Uuid harbour_ = Uuid::random(), captain_ = Uuid::random(), ship_ = Uuid::random();
};

TEST_F(Verify, FindsNothingInAStoreThatIsWell) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        Cloud cloud;
        fillAtRandom(cloud, seed);
        const auto found = verify(cloud.image(), nsdb::fleetSchema());
        EXPECT_THAT(found, IsEmpty()) << found[0].what;
    }
}

TEST_F(Verify, AMissingIndexEntryIsAdded) {
    cloud_.write(index("Harbour", harbour_, "harbour_id", ship_), std::nullopt);
    expectMended("is not in the index of Harbour");
    EXPECT_EQ((*cloud_.store().view())->referrers<fleet::Ship>("harbour_id", harbour_)->size(), 1U);
}

TEST_F(Verify, AnIndexEntryOfNobodyIsRemoved) {
    cloud_.write(index("Harbour", harbour_, "harbour_id", kLostId), "");
    expectMended(kLost + ", which does not exist");
}

TEST_F(Verify, AnIndexEntryOfOneThatNamesAnotherIsRemoved) {
    cloud_.write(index("Harbour", harbour_, "harbour_id", ship_), std::nullopt);
    cloud_.commit([this](Transaction& t) { return t.update(nsdb::ship(ship_)); });
    cloud_.write(index("Harbour", harbour_, "harbour_id", ship_), "");
    expectMended("which does not name it");
}

TEST_F(Verify, AReferenceToNothingThatCascadesTakesItsHolderAlong) {
    cloud_.write(object("Harbour", harbour_), std::nullopt);
    cloud_.write(uniqueName("Tortuga"), std::nullopt);
    expectMended("harbour_id of Ship " + ship_.toString() + " names Harbour");
    EXPECT_EQ(read<fleet::Ship>(ship_), nullptr);
    EXPECT_NE(read<fleet::Captain>(captain_), nullptr);
}

TEST_F(Verify, AReferenceToNothingThatIsClearedIsCleared) {
    cloud_.write(object("Captain", captain_), std::nullopt);
    expectMended("captain_id of Ship");
    EXPECT_TRUE(read<fleet::Ship>(ship_)->captain_id().empty());
    EXPECT_FALSE(read<fleet::Ship>(ship_)->harbour_id().empty());
}

TEST_F(Verify, AnElementThatGoesWithItsTargetGoes) {
    const auto guest = Uuid::random();
    cloud_.commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(nsdb::captain(guest)));
        auto ship = nsdb::ship(ship_, harbour_, captain_);
        ship.add_berths()->set_id(Uuid::random().toBytes());
        ship.add_berths()->set_guest_id(guest.toBytes());
        ship.mutable_berths(1)->set_id(Uuid::random().toBytes());
        return t.update(ship);
    });
    cloud_.write(object("Captain", guest), std::nullopt);
    expectMended("berths.guest_id of Ship");
    EXPECT_EQ(read<fleet::Ship>(ship_)->berths_size(), 1);
}

TEST_F(Verify, AReferenceToNothingThatForbidsItIsForAPerson) {
    cloud_.commit([this](Transaction& t) { return t.update(nsdb::captain(captain_, harbour_)); });
    cloud_.write(object("Ship", ship_), nsdb::ship(ship_, {}, captain_).SerializeAsString());
    cloud_.write(index("Harbour", harbour_, "harbour_id", ship_), std::nullopt);
    cloud_.write(object("Harbour", harbour_), std::nullopt);
    cloud_.write(uniqueName("Tortuga"), std::nullopt);
    expectForAPerson("home_id of Captain");
}

TEST_F(Verify, ATargetOfTwoThatIsForOneIsForAPerson) {
    const auto other = Uuid::random();
    cloud_.commit([&](Transaction& t) { return t.create(nsdb::ship(other)); });
    cloud_.write(object("Ship", other), nsdb::ship(other, {}, captain_).SerializeAsString());
    cloud_.write(index("Captain", captain_, "captain_id", other), "");
    expectForAPerson("which is for one alone");
}

TEST_F(Verify, AUniqueValueThatIsNotKeptIsTaken) {
    cloud_.write(uniqueName("Tortuga"), std::nullopt);
    expectMended("is not kept as taken");
    EXPECT_EQ(*(*cloud_.store().view())->findUnique(fleet::Harbour::descriptor(), "name", "Tortuga"), harbour_);
}

TEST_F(Verify, AUniqueValueKeptForAnotherIsTaken) {
    cloud_.write(uniqueName("Tortuga"), kLost);
    expectMended("is kept as taken by " + kLost);
    EXPECT_EQ(*(*cloud_.store().view())->findUnique(fleet::Harbour::descriptor(), "name", "Tortuga"), harbour_);
}

TEST_F(Verify, AUniqueValueOfNobodyIsFreed) {
    cloud_.write(uniqueName("Nassau"), kLost);
    expectMended("'Nassau' is kept as taken in u/Harbour.name");
    cloud_.write(uniqueName("Nassau"), harbour_.toString());
    expectMended("has another value");
}

TEST_F(Verify, AUniqueValueOfTwoIsForAPerson) {
    const auto other = Uuid::random();
    cloud_.write(object("Harbour", other), nsdb::harbour(other, "Tortuga").SerializeAsString());
    expectForAPerson("both have the name 'Tortuga'");
}

TEST_F(Verify, StateAndTablesOfNobodyAreRemoved) {
    cloud_.write({"s/Ship/" + kLost, "alive"}, "yes");
    expectMended("the state Ship/" + kLost);
    cloud_.write({"t/Ship/" + kLost + "/crew/0", "Pcook"}, "Ragetti");
    expectMended("the table Ship/" + kLost + "/crew/0");
    EXPECT_THAT(cloud_.dump(), HasSubstr("Gibbs"));
}

TEST_F(Verify, StaticMacsOfPortsThatAreGoneAreRemoved) {
    const auto store = nsdb::openMemory();
    const auto& schema = model::Schema::get();
    const auto bridge = Uuid::random(), port = Uuid::random();
    const auto table = nsdb::macTableName(bridge, 7);
    ASSERT_TRUE(store->transact([&](Transaction& t) -> Result<void> {
        model::Bridge newBridge;
        model::setId(newBridge, bridge);
        TRY_VOID(t.create(newBridge));
        model::Port newPort;
        model::setId(newPort, port);
        newPort.set_bridge_id(model::bytesOf(bridge));
        TRY_VOID(t.create(newPort));
        TRY_VOID(t.putPersistent(table, "02:00:00:00:00:01", port.toString()));
        return t.putPersistent(table, "02:00:00:00:00:02", kLost);
    }));
    const auto look = [&] { return verify(readImage(nsdb::backendOf(*store), kAllRoots).value(), schema); };
    const auto found = look();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].what, testing::AllOf(HasSubstr(table + " has 02:00:00:00:00:02"), HasSubstr("Port " + kLost)));
    EXPECT_EQ(collectGarbage(*store, schema)->mended, 1U);
    EXPECT_THAT(look(), IsEmpty());
    const auto left = store->readTable(table);
    ASSERT_EQ(left->size(), 1U);
    EXPECT_EQ(left->front().value, port.toString());
}

TEST_F(Verify, WhatADeadSessionOwnsIsRemoved) {
    const auto session = cloud_.session([this](nsdb::Session& s) { s.putState(fleet::Ship::descriptor(), ship_, "alive", "yes"); });
    auto image = cloud_.image();
    image.leases = std::set<Uuid>{session->id()};
    EXPECT_THAT(verify(image, nsdb::fleetSchema()), IsEmpty());
    image.leases->clear();
    const auto found = verify(image, nsdb::fleetSchema());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].what, HasSubstr(session->id().toString() + ", which has ended"));
    ASSERT_TRUE(found[0].mend(cloud_.store()));
    EXPECT_EQ(*(*cloud_.store().view())->state(fleet::Ship::descriptor(), ship_, "alive"), std::nullopt);
}

TEST_F(Verify, WhatChangedMeanwhileIsLeft) {
    cloud_.write(index("Harbour", harbour_, "harbour_id", kLostId), "");
    const auto found = findings();
    cloud_.commit([this](Transaction& t) { return t.create(nsdb::ship(kLostId, harbour_)); });
    EXPECT_EQ(found[0].mend(cloud_.store()).error().code, ErrorCode::Stale);
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Verify, AnObjectThatCannotBeReadIsForAPerson) {
    cloud_.write(object("Captain", captain_), "\xff\xff\xff");
    expectForAPerson("the Captain in the record " + captain_.toString());
}

TEST_F(Verify, AnObjectUnderAnotherIdIsForAPerson) {
    cloud_.write(object("Captain", kLostId), nsdb::captain(captain_).SerializeAsString());
    expectForAPerson("another id than its record");
}

TEST_F(Verify, WhatANewerProgramMayKnowIsForAPerson) {
    for (const auto& key : {RecordKey{"o/Raft", kLost}, RecordKey{"s/Raft/" + kLost, "alive"}, RecordKey{"u/Ship.motto", "x"},
                            RecordKey{"u/Raft.name", "x"}, RecordKey{"i/Harbour/" + kLost + "/Raft.harbour_id", kLost},
                            RecordKey{"i/Harbour/" + kLost + "/Ship.second_id", kLost}, RecordKey{"i/odd", kLost}}) {
        cloud_.write(key, "");
        expectForAPerson("unknown");
        cloud_.write(key, std::nullopt);
    }
}

TEST_F(Verify, ACounterWithoutANumberIsForAPerson) {
    cloud_.write({"c", "berths"}, "many");
    expectForAPerson("the counter berths");
}

TEST_F(Verify, AnUnfinishedLoadIsForAPerson) {
    cloud_.write(nsdb::unfinishedLoadMark(), "loading");
    expectForAPerson("a load did not come to its end");
}

TEST_F(Verify, DamageOfAllKindsAtOnceIsMended) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        Cloud cloud;
        fillAtRandom(cloud, seed);
        std::mt19937 random(seed);
        for (const auto& [path, records] : cloud.image().directories) {
            if (path.starts_with("o/Harbour") || path.starts_with("c")) continue;  // captains keep harbours: ERROR
            for (const auto& [name, record] : records)
                if (random() % 3 == 0) cloud.write({path, name}, std::nullopt);
        }
        const auto collected = collectGarbage(cloud.store(), nsdb::fleetSchema());
        ASSERT_TRUE(collected) << "seed " << seed << ": " << collected.error().message;
        EXPECT_THAT(collected->left, IsEmpty()) << "seed " << seed << ": " << collected->left[0].what;
    }
}

}  // namespace
}  // namespace midonet::maintenance
