#include <gmock/gmock.h>

#include "model/ids.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using fleet::Captain;
using fleet::Harbour;
using fleet::Ship;
using testing::ElementsAre;
using testing::HasSubstr;

class Integrity : public Conformance {
protected:
    std::vector<Uuid> shipsIn(const Uuid& id) {
        const auto view = store_->view();
        EXPECT_TRUE(view);
        auto found = (*view)->referrers<Ship>("harbour_id", id);
        EXPECT_TRUE(found);
        return *found;
    }
    const Uuid a_ = Uuid::random(), b_ = Uuid::random(), c_ = Uuid::random();
};

// Unique fields.

TEST_P(Integrity, UniqueValuesAreClaimedAndReleased) {
    create(harbour(a_, "Tortuga"));
    const auto error = refused([&](Transaction& t) { return t.create(harbour(b_, "Tortuga")); });
    EXPECT_EQ(error.code, ErrorCode::AlreadyExists);
    EXPECT_THAT(error.message, HasSubstr(a_.toString()));
    commit([&](Transaction& t) { return t.update(harbour(a_, "Nassau")); });
    create(harbour(b_, "Tortuga"));
    EXPECT_EQ(refused([&](Transaction& t) { return t.update(harbour(a_, "Tortuga")); }).code,
              ErrorCode::AlreadyExists);
    commit([&](Transaction& t) { return t.remove(Harbour::descriptor(), b_); });
    commit([&](Transaction& t) { return t.update(harbour(a_, "Tortuga")); });
    EXPECT_EQ(*(*store_->view())->findUnique(Harbour::descriptor(), "name", "Tortuga"), a_);
}

TEST_P(Integrity, UnsetUniqueFieldsDoNotCollide) {
    create(harbour(a_));
    create(harbour(b_));
}

TEST_P(Integrity, UniqueValuesOfElementsAreUniqueAmongAll) {
    const auto berth = Uuid::random(), other = Uuid::random();
    const auto with = [](const Uuid& id, const std::vector<Uuid>& berths) {
        auto out = ship(id);
        for (const auto& one : berths) out.add_berths()->set_id(one.toBytes());
        return out;
    };
    const auto holder = [&](const Uuid& id) { return *(*store_->view())->findUnique(Ship::descriptor(), "berths.id", id.toString()); };
    EXPECT_EQ(refused([&](Transaction& t) { return t.create(with(a_, {berth, berth})); }).code, ErrorCode::AlreadyExists);
    create(with(a_, {berth, other}));
    EXPECT_EQ(holder(berth), a_);
    EXPECT_EQ(refused([&](Transaction& t) { return t.create(with(b_, {other})); }).code, ErrorCode::AlreadyExists);
    commit([&](Transaction& t) { return t.update(with(a_, {berth})); });
    create(with(b_, {other}));
    EXPECT_EQ(holder(other), b_);
    commit([&](Transaction& t) { return t.remove(Ship::descriptor(), b_); });
    EXPECT_EQ(holder(other), std::nullopt);
}

TEST_P(Integrity, UniqueValuesMayBeAnyText) {
    const std::string tricky[] = {"a/b", "%2F", ".", "..", std::string("nul\0nul", 7), "Straße",
                                  std::string(300, 'x') + "1", std::string(300, 'x') + "2"};
    for (const auto& name : tricky) create(harbour(Uuid::random(), name));
    for (const auto& name : tricky)
        EXPECT_EQ(refused([&](Transaction& t) { return t.create(harbour(Uuid::random(), name)); }).code,
                  ErrorCode::AlreadyExists)
            << name;
}

TEST_P(Integrity, AKeyThatIsTooLongIsInvalid) {
    const std::string longest(1000, 'k');
    EXPECT_EQ(refused([&](Transaction& t) { return t.putPersistent("table", longest, "v"); }).code,
              ErrorCode::Invalid);
    EXPECT_TRUE(store_->readTable("table")->empty());
}

TEST_P(Integrity, TwoObjectsMaySwapUniqueValuesInOneTransactionThroughAThird) {
    create(harbour(a_, "A"));
    create(harbour(b_, "B"));
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.update(harbour(a_, "tmp")));
        TRY_VOID(t.update(harbour(b_, "A")));
        return t.update(harbour(a_, "B"));
    });
    EXPECT_EQ(*(*store_->view())->findUnique(Harbour::descriptor(), "name", "A"), b_);
    EXPECT_EQ(*(*store_->view())->findUnique(Harbour::descriptor(), "name", "B"), a_);
    EXPECT_EQ(*(*store_->view())->findUnique(Harbour::descriptor(), "name", "tmp"), std::nullopt);
}

// References.

TEST_P(Integrity, ReferencesOfElementsTakeThemAlong) {
    create(captain(a_));
    create(captain(b_));
    const auto first = Uuid::random(), second = Uuid::random();
    auto object = ship(c_);
    for (const auto& [id, guest] : {std::pair{first, a_}, std::pair{second, b_}}) {
        auto* berth = object.add_berths();
        berth->set_id(id.toBytes());
        berth->set_guest_id(guest.toBytes());
    }
    create(object);
    commit([&](Transaction& t) { return t.remove(Captain::descriptor(), a_); });
    const auto now = read<Ship>(c_);
    ASSERT_EQ(now->berths_size(), 1);
    EXPECT_EQ(now->berths(0).guest_id(), b_.toBytes());
    EXPECT_THAT(*(*store_->view())->referrers<Ship>("berths.guest_id", b_), ElementsAre(c_));
    EXPECT_EQ(*(*store_->view())->findUnique(Ship::descriptor(), "berths.id", first.toString()), std::nullopt) << "free again";
    EXPECT_EQ(*(*store_->view())->findUnique(Ship::descriptor(), "berths.id", second.toString()), c_);
}

TEST_P(Integrity, AReferenceNamesAnExistingObject) {
    const auto error = refused([&](Transaction& t) { return t.create(ship(a_, b_)); });
    EXPECT_EQ(error.code, ErrorCode::NotFound);
    EXPECT_THAT(error.message, HasSubstr("harbour_id"));
    EXPECT_THAT(error.message, HasSubstr(b_.toString()));
    EXPECT_EQ(read<Ship>(a_), nullptr);
}

TEST_P(Integrity, ATargetRemovedWhileItIsReferredToIsNeverLeftDangling) {
    create(harbour(a_));
    int runs = 0;
    const auto result = store_->transact([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(ship(b_, a_)));
        if (++runs == 1) commit([&](Transaction& u) { return u.remove(Harbour::descriptor(), a_); });
        return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::NotFound);
    EXPECT_EQ(read<Ship>(b_), nullptr);
}

TEST_P(Integrity, AHolderAddedWhileItsTargetIsRemovedGoesWithIt) {
    create(harbour(a_));
    int runs = 0;
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.remove(Harbour::descriptor(), a_));
        if (++runs == 1) create(ship(b_, a_));
        return {};
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read<Ship>(b_), nullptr);
}

TEST_P(Integrity, IndexesFollowTheReferences) {
    create(harbour(a_));
    create(harbour(b_));
    create(ship(c_, a_));
    EXPECT_THAT(shipsIn(a_), ElementsAre(c_));
    commit([&](Transaction& t) { return t.update(ship(c_, b_)); });
    EXPECT_THAT(shipsIn(a_), ElementsAre());
    EXPECT_THAT(shipsIn(b_), ElementsAre(c_));
    commit([&](Transaction& t) { return t.update(ship(c_)); });
    EXPECT_THAT(shipsIn(b_), ElementsAre());
}

TEST_P(Integrity, CascadeTakesTheHoldersAlong) {
    create(harbour(a_));
    create(ship(b_, a_));
    auto sister = ship(c_);
    sister.set_sister_id(b_.toBytes());
    create(sister);
    commit([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); });
    EXPECT_EQ(read<Ship>(b_), nullptr);
    EXPECT_EQ(read<Ship>(c_), nullptr) << "goes with the ship that goes with the harbour";
}

TEST_P(Integrity, CascadesInACircleEnd) {
    create(ship(a_));
    auto second = ship(b_);
    second.set_sister_id(a_.toBytes());
    create(second);
    auto first = ship(a_);
    first.set_sister_id(b_.toBytes());
    commit([&](Transaction& t) { return t.update(first); });
    commit([&](Transaction& t) { return t.remove(Ship::descriptor(), a_); });
    EXPECT_EQ(read<Ship>(a_), nullptr);
    EXPECT_EQ(read<Ship>(b_), nullptr);
}

TEST_P(Integrity, ErrorKeepsTheTarget) {
    create(harbour(a_));
    create(ship(b_, a_));
    create(captain(c_, a_));
    const auto error = refused([&](Transaction& t) { return t.remove(Harbour::descriptor(), a_); });
    EXPECT_EQ(error.code, ErrorCode::Conflict);
    EXPECT_THAT(error.message, HasSubstr(c_.toString()));
    EXPECT_NE(read<Ship>(b_), nullptr) << "nothing of the cascade happened";
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.remove(Captain::descriptor(), c_));
        return t.remove(Harbour::descriptor(), a_);
    });
    EXPECT_EQ(read<Harbour>(a_), nullptr);
}

TEST_P(Integrity, ClearUnsetsTheReferenceWhereverItIs) {
    create(captain(a_));
    create(captain(b_));
    auto object = ship(c_, {}, a_);
    object.set_name("Rackham");
    auto* cargo = object.add_cargo();
    cargo->add_owner_ids(b_.toBytes());
    cargo->add_owner_ids(a_.toBytes());
    create(object);
    commit([&](Transaction& t) { return t.remove(Captain::descriptor(), a_); });
    const auto now = read<Ship>(c_);
    ASSERT_NE(now, nullptr);
    EXPECT_EQ(now->captain_id(), "");
    EXPECT_EQ(now->name(), "Rackham");
    EXPECT_THAT(now->cargo(0).owner_ids(), ElementsAre(b_.toBytes()));
    EXPECT_THAT(*(*store_->view())->referrers<Ship>("cargo.owner_ids", b_), ElementsAre(c_));
}

TEST_P(Integrity, ListsOfReferencesAreIndexedOneByOne) {
    create(ship(a_));
    create(ship(b_));
    auto escorted = ship(c_);
    escorted.add_escort_ids(a_.toBytes());
    escorted.add_escort_ids(b_.toBytes());
    create(escorted);
    escorted.mutable_escort_ids()->DeleteSubrange(0, 1);
    commit([&](Transaction& t) { return t.update(escorted); });
    const auto view = store_->view();
    EXPECT_THAT(*(*view)->referrers<Ship>("escort_ids", a_), ElementsAre());
    EXPECT_THAT(*(*view)->referrers<Ship>("escort_ids", b_), ElementsAre(c_));
}

TEST_P(Integrity, AnExclusiveTargetHasOneHolder) {
    create(captain(a_));
    create(ship(b_, {}, a_));
    const auto error = refused([&](Transaction& t) { return t.create(ship(c_, {}, a_)); });
    EXPECT_EQ(error.code, ErrorCode::Conflict);
    EXPECT_THAT(error.message, HasSubstr(b_.toString()));
    commit([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.update(ship(b_)));
        return t.create(ship(c_, {}, a_));
    });
    EXPECT_EQ(read<Ship>(c_)->captain_id(), a_.toBytes());
}

TEST_P(Integrity, TwoCannotTakeAnExclusiveTargetAtOnce) {
    create(captain(a_));
    int runs = 0;
    const auto result = store_->transact([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(ship(b_, {}, a_)));
        if (++runs == 1) create(ship(c_, {}, a_));
        return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Conflict);
    EXPECT_EQ(read<Ship>(b_), nullptr);
}

MIDONET_CONFORMANCE(Integrity, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb
