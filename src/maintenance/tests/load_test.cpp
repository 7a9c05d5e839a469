#include "maintenance/load.h"

#include "cloud.h"
#include "maintenance/verify.h"
#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using nsdb::Transaction;
using testing::HasSubstr;

const std::string kShip = "22222222-2222-3333-4444-555555555555";
const std::string kLost = "33333333-2222-3333-4444-555555555555";

Result<LoadReport> loadInto(Cloud& cloud, const std::string& dump, const LoadOptions& options = {}) {
    TRY(contents, parse(dump));
    return load(cloud.store(), nsdb::fleetSchema(), contents, options);
}

Result<LoadReport> loadLines(Cloud& cloud, const std::string& lines, const LoadOptions& options = {}) {
    TRY(contents, parseLines(lines));
    return load(cloud.store(), nsdb::fleetSchema(), contents, options);
}

class Load : public testing::Test {
protected:
    Load() {
        fillAtRandom(source_, 7);
        text_ = source_.dump();
    }
    void expectLoaded(const Result<LoadReport>& loaded) {
        ASSERT_TRUE(loaded) << loaded.error().message;
        EXPECT_EQ(withoutHeader(cloud_.dump()), withoutHeader(text_));
        EXPECT_TRUE(verify(cloud_.image(), nsdb::fleetSchema()).empty());
    }
    Cloud source_;
    std::string text_;
    Cloud cloud_;
};

TEST_F(Load, MakesIndexesAndUniqueKeysAsTheyWere) {
    expectLoaded(loadInto(cloud_, text_));
    const auto records = [](const Image& image) {
        std::map<nsdb::RecordKey, std::string> out;
        for (const auto& [path, directory] : image.directories)
            for (const auto& [name, record] : directory) out.emplace(nsdb::RecordKey{path, name}, record.value);
        return out;
    };
    EXPECT_EQ(records(cloud_.image()), records(source_.image()));
}

TEST_F(Load, IsOneTransactionBesideTheCounters) {
    const auto loaded = loadInto(cloud_, text_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->transactions, 2U);
}

TEST_F(Load, InManyTransactionsEndsAsInOne) {
    for (const std::size_t bytes : {1, 3000}) {
        const auto loaded = loadInto(cloud_, text_, {.replace = true, .transactionBytes = bytes});
        expectLoaded(loaded);
        EXPECT_GT(loaded->transactions, 3U);
    }
}

TEST_F(Load, AStoreThatHoldsAnythingIsRefusedUnlessItIsReplaced) {
    cloud_.commit([](Transaction& t) { return t.create(nsdb::harbour(Uuid::random(), "Nassau")); });
    const auto before = withoutHeader(cloud_.dump());
    const auto refused = loadInto(cloud_, text_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(withoutHeader(cloud_.dump()), before);
    expectLoaded(loadInto(cloud_, text_, {.replace = true}));
    expectLoaded(loadInto(cloud_, text_, {.replace = true}));
}

TEST_F(Load, CountersNeverGoBack) {
    cloud_.write({"c", "berths"}, "100000");
    cloud_.write({"c", "other"}, "5");
    ASSERT_TRUE(loadInto(cloud_, text_, {.replace = true}));
    EXPECT_THAT(cloud_.dump(), HasSubstr(R"({"counter":"berths","next":100000})"));
    EXPECT_THAT(cloud_.dump(), HasSubstr(R"({"counter":"other","next":5})"));
}

TEST_F(Load, AStoreInUseIsRefused) {
    const auto id = Uuid::random();
    cloud_.commit([&](Transaction& t) { return t.create(nsdb::ship(id)); });
    const auto session = cloud_.session([&](nsdb::Session& s) { s.putState(fleet::Ship::descriptor(), id, "alive", "yes"); });
    EXPECT_THAT(loadInto(cloud_, text_, {.replace = true}).error().message, HasSubstr("1 sessions are alive"));
}

TEST_F(Load, WhatTheStoreRefusesIsNamedByItsLineAndNothingIsLoaded) {
    const std::string ship = R"({"class":"Ship","object":{"id":")" + kShip + "\"";
    const std::pair<std::string, std::string> cases[] = {
        {ship + R"(,"harbour_id":")" + kLost + "\"}}", "line 2: harbour_id of Ship " + kShip + " names Harbour " + kLost},
        {R"({"class":"Harbour","object":{"id":")" + kShip + R"(","name":"x"}})" + "\n" +
             R"({"class":"Harbour","object":{"id":")" + kLost + R"(","name":"x"}})",
         "line 3: the name 'x' is taken"},
        {R"({"table":"Ship/)" + kLost + R"(/crew","key":"k","value":"v"})", "line 2: the table"},
    };
    for (const auto& [lines, message] : cases) {
        const auto loaded = loadLines(cloud_, lines);
        ASSERT_FALSE(loaded) << lines;
        EXPECT_THAT(loaded.error().message, HasSubstr(message));
        EXPECT_TRUE(cloud_.image().directories.empty());
    }
}

TEST_F(Load, AHalfLoadedStoreIsRecognized) {
    const auto lines = R"({"class":"Ship","object":{"id":")" + kShip + R"("}})" + "\n" + R"({"table":"Ship/)" + kLost +
                       R"(/crew","key":"k","value":"v"})";
    ASSERT_FALSE(loadLines(cloud_, lines, {.transactionBytes = 1}));
    const auto findings = verify(cloud_.image(), nsdb::fleetSchema());
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_THAT(findings[0].what, HasSubstr("a load did not come to its end"));
    EXPECT_FALSE(dump(cloud_.store(), nsdb::fleetSchema(), {}));
    EXPECT_FALSE(loadInto(cloud_, text_));
    expectLoaded(loadInto(cloud_, text_, {.replace = true}));
}

TEST_F(Load, OfNothingEmptiesAStore) {
    ASSERT_TRUE(loadInto(cloud_, text_));
    ASSERT_TRUE(loadLines(cloud_, R"({"counter":"x","next":1})", {.replace = true}));
    EXPECT_EQ(cloud_.image().directories.size(), 1U);
}

}  // namespace
}  // namespace midonet::maintenance
