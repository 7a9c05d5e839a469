#include "maintenance/dump.h"

#include "cloud.h"
#include "maintenance/load.h"
#include "model/ids.h"
#include "nsdb/layout.h"

namespace midonet::maintenance {
namespace {

using nsdb::Transaction;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kHarbour = "11111111-2222-3333-4444-555555555555";
const std::string kShip = "22222222-2222-3333-4444-555555555555";

void fillSmall(Cloud& cloud) {
    cloud.commit([](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(nsdb::harbour(*Uuid::parse(kHarbour), "Tortuga")));
        TRY_VOID(t.create(nsdb::ship(*Uuid::parse(kShip), *Uuid::parse(kHarbour))));
        TRY_VOID(t.putPersistent("Ship/" + kShip + "/crew", "bosun", "Gibbs"));
        TRY_VOID(t.putPersistent("charts", "\xff", ""));
        return {};
    });
    cloud.commit([](Transaction& t) -> Result<void> {
        TRY(number, t.next("berths"));
        return t.putPersistent("charts", "last", std::to_string(number));
    });
}

TEST(Dump, IsOneLineForEachThing) {
    Cloud cloud;
    fillSmall(cloud);
    const auto text = cloud.dump();
    EXPECT_THAT(text, StartsWith(R"({"dump":"midonet-nsdb","format":1,"schema":1,"revision":)"));
    EXPECT_THAT(text, HasSubstr(R"("time":"1970-01-01T00:00:00Z"})"));
    EXPECT_EQ(withoutHeader(text), R"({"class":"Harbour","object":{"id":")" + kHarbour + R"(","name":"Tortuga"}})" + "\n" +
                                       R"({"class":"Ship","object":{"id":")" + kShip + R"(","harbour_id":")" + kHarbour + R"("}})" + "\n" +
                                       R"({"table":"Ship/)" + kShip + R"(/crew","key":"bosun","value":"Gibbs"})" + "\n" +
                                       R"({"table":"charts","key":"last","value":"1"})" + "\n" +
                                       R"({"table":"charts","key_hex":"ff","value":""})" + "\n" +
                                       R"({"counter":"berths","next":17})" + "\n" + R"({"end":7})" + "\n");
}

TEST(Dump, WhatSessionsOwnIsThereWhenAskedForAndNotLoaded) {
    Cloud cloud;
    fillSmall(cloud);
    const auto session = cloud.session([](nsdb::Session& s) {
        s.putState(fleet::Ship::descriptor(), *Uuid::parse(kShip), "alive", "\x01");
        s.learn("Ship/" + kShip + "/crew", "cook", "Ragetti");
    });
    const auto plain = cloud.dump();
    const auto leased = cloud.dump(true);
    EXPECT_THAT(plain, Not(HasSubstr("Ragetti")));
    const auto owner = R"("owner":")" + session->id().toString() + R"("})";
    EXPECT_THAT(leased, HasSubstr(R"({"state":"Ship/)" + kShip + R"(","key":"alive","value_hex":"01",)" + owner));
    EXPECT_THAT(leased, HasSubstr(R"({"learned":"Ship/)" + kShip + R"(/crew","key":"cook","value":"Ragetti",)" + owner));
    const auto contents = parse(leased);
    ASSERT_TRUE(contents) << contents.error().message;
    EXPECT_EQ(contents->entries.size(), 3U);
}

TEST(Dump, ComesBackAsItWas) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        Cloud cloud;
        fillAtRandom(cloud, seed);
        const auto text = cloud.dump();
        const auto contents = parse(text);
        ASSERT_TRUE(contents) << contents.error().message;
        Cloud other;
        const auto loaded = load(other.store(), nsdb::fleetSchema(), *contents);
        ASSERT_TRUE(loaded) << "seed " << seed << ": " << loaded.error().message;
        EXPECT_EQ(withoutHeader(other.dump()), withoutHeader(text)) << "seed " << seed;
    }
}

TEST(Dump, OfAStoreWithAnUnfinishedLoadIsRefused) {
    Cloud cloud;
    cloud.write(nsdb::unfinishedLoadMark(), "loading");
    const auto text = dump(cloud.store(), nsdb::fleetSchema(), {});
    ASSERT_FALSE(text);
    EXPECT_THAT(text.error().message, HasSubstr("--replace"));
}

TEST(Dump, WhatOnlyANewerProgramKnowsIsNotLeftOut) {
    Cloud cloud;
    cloud.write({"o/Submarine", Uuid::random().toString()}, "");
    EXPECT_EQ(dump(cloud.store(), nsdb::fleetSchema(), {}).error().code, ErrorCode::Unsupported);
}

TEST(ReadDump, NamesLineAndField) {
    const auto object = [](const std::string& fields) { return R"({"class":"Ship","object":{"id":")" + kShip + "\"" + fields + "}}"; };
    const std::pair<std::string, std::string> cases[] = {
        {"", "line 2: not JSON"},
        {"{\"class\":\"Ship\"", "line 2: not JSON"},
        {"[]", "line 2: not a JSON object"},
        {"{}", "line 2: is no line of a dump"},
        {R"({"class":"Raft","object":{}})", "line 2: class: there is no class Raft"},
        {R"({"class":"Ship"})", "line 2: object: must be an object"},
        {R"({"class":"Ship","object":{}})", "line 2: id: must be given"},
        {object(R"(,"tonnage":"heavy")"), "line 2: tonnage: must be a whole number"},
        {object(R"(,"mast":3)"), "line 2: mast: is no field here"},
        {object(R"(,"berths":[{},{"guest_id":7}])"), "line 2: berths[1].guest_id: must be a UUID"},
        {object("") + "\n" + object(""), "line 3: the same Ship is on line 2"},
        {R"({"table":"charts","key":"x"})", "line 2: value: must be a string"},
        {R"({"table":"charts","key":"x","value_hex":"0"})", "line 2: value_hex: must be pairs of hex digits"},
        {R"({"counter":"berths","next":-1})", "line 2: next: must be a number"},
        {"{\"counter\":\"a\",\"next\":1}\n{\"counter\":\"a\",\"next\":1}", "line 3: counter: a is there twice"},
        {"{\"end\":1}\n{\"counter\":\"a\",\"next\":1}", "line 3: nothing may follow the end line"},
    };
    for (const auto& [lines, message] : cases) {
        const auto contents = parseLines(lines);
        ASSERT_FALSE(contents) << lines;
        EXPECT_THAT(contents.error().message, HasSubstr(message));
    }
}

TEST(ReadDump, OfADamagedTextIsAMistakeOrADump) {
    Cloud cloud;
    fillAtRandom(cloud, 5);
    const auto whole = cloud.dump();
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        auto text = whole;
        for (auto damage = random() % 4; damage < 4; ++damage) text[random() % text.size()] = static_cast<char>(random());
        if (random() % 4 == 0) text.erase(random() % text.size(), random() % 200);
        const auto contents = parse(text);
        if (!contents) {
            EXPECT_FALSE(contents.error().message.empty());
            continue;
        }
        Cloud other;
        const auto loaded = load(other.store(), nsdb::fleetSchema(), *contents);
        EXPECT_TRUE(loaded || other.image().directory("o/Ship").empty()) << "all or nothing";
    }
}

TEST(ReadDump, TellsAllMistakesUpToALimit) {
    EXPECT_THAT(parseLines("{}\n{}").error().message, HasSubstr("line 3"));
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "{}\n";
    EXPECT_LT(parseLines(many).error().message.size(), 2000U);
}

TEST(ReadDump, RefusesWhatIsNoDumpOrOfANewerProgram) {
    EXPECT_EQ(parse("").error().code, ErrorCode::Malformed);
    EXPECT_THAT(parse("{\"a\":1}\n").error().message, HasSubstr("no dump"));
    EXPECT_EQ(parse("{\"dump\":\"midonet-nsdb\",\"format\":2,\"schema\":1}\n{\"end\":1}\n").error().code, ErrorCode::Unsupported);
    EXPECT_EQ(parse("{\"dump\":\"midonet-nsdb\",\"format\":1,\"schema\":9}\n{\"end\":1}\n").error().code, ErrorCode::Unsupported);
}

TEST(ReadDump, RefusesAPartOfADump) {
    Cloud cloud;
    fillSmall(cloud);
    auto text = cloud.dump();
    text.erase(text.rfind("{\"end\""));
    EXPECT_THAT(parse(text).error().message, HasSubstr("a part of it is missing"));
    text.resize(text.size() - 10);
    EXPECT_FALSE(parse(text));
}

}  // namespace
}  // namespace midonet::maintenance
