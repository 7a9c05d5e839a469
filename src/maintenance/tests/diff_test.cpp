#include "maintenance/diff.h"

#include "cloud.h"
#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using nsdb::Transaction;
using testing::ElementsAre;
using testing::IsEmpty;

const auto kFirst = *Uuid::parse("11111111-2222-3333-4444-555555555555");
const auto kSecond = *Uuid::parse("22222222-2222-3333-4444-555555555555");
const auto kThird = *Uuid::parse("33333333-2222-3333-4444-555555555555");

std::vector<std::string> between(Cloud& before, Cloud& after) {
    return diff(*parse(before.dump()), *contentsOf(after.image(), nsdb::fleetSchema()), nsdb::fleetSchema());
}

TEST(Diff, OfEqualContentsIsEmpty) {
    Cloud cloud;
    fillAtRandom(cloud, 3);
    EXPECT_THAT(between(cloud, cloud), IsEmpty());
}

TEST(Diff, NamesObjectsAndTheirFields) {
    Cloud before, after;
    before.commit([](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(nsdb::harbour(kFirst, "gone")));
        TRY_VOID(t.create(nsdb::harbour(kThird, "same")));
        auto ship = nsdb::ship(kSecond, kFirst);
        ship.set_tonnage(7);
        ship.add_berths()->mutable_comfort()->set_pillows(1);
        return t.create(ship);
    });
    after.commit([](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(nsdb::harbour(kThird, "same")));
        TRY_VOID(t.create(nsdb::captain(kThird)));
        auto ship = nsdb::ship(kSecond);
        ship.set_tonnage(8);
        ship.add_berths()->mutable_comfort()->set_pillows(2);
        return t.create(ship);
    });
    EXPECT_THAT(between(before, after),
                ElementsAre("+ Captain " + kThird.toString(), "- Harbour " + kFirst.toString(), "~ Ship " + kSecond.toString(),
                            "    berths[0].comfort.pillows: 1 -> 2", "    harbour_id: \"" + kFirst.toString() + "\" -> (unset)",
                            "    tonnage: 7 -> 8"));
}

TEST(Diff, NamesEntriesAndCounters) {
    Cloud before, after;
    before.commit([](Transaction& t) -> Result<void> {
        TRY_VOID(t.putPersistent("charts", "old", "1"));
        return t.putPersistent("charts", "both", "1");
    });
    before.write({"c", "berths"}, "1");
    after.commit([](Transaction& t) { return t.putPersistent("charts", "both", "2"); });
    after.write({"c", "berths"}, "17");
    after.write({"c", "new"}, "1");
    EXPECT_THAT(between(before, after), ElementsAre("~ table charts key both", "    1 -> 2", "- table charts key old", "~ counter berths",
                                                    "    1 -> 17", "+ counter new"));
}

}  // namespace
}  // namespace midonet::maintenance
