// What only the embedded store has: its file, its locks.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "nsdb/embedded/embedded_backend.h"
#include "nsdb/embedded/environment.h"
#include "nsdb/embedded/lease_file.h"
#include "nsdb/embedded/write_lock.h"
#include "nsdb/layout.h"
#include "nsdb/store_settings.h"
#include "world.h"

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EmbeddedFile : public testing::Test {
protected:
    Error refused() {
        const auto store = openEmbedded({.path = path_});
        EXPECT_FALSE(store);
        return store ? Error{} : store.error();
    }
    /// Puts a value into the store's file, as another program would.
    void putMeta(const char* table, std::string_view key, std::string_view value) {
        MDB_env* env = nullptr;
        MDB_txn* txn = nullptr;
        MDB_dbi dbi = 0;
        ASSERT_EQ(mdb_env_create(&env), 0);
        mdb_env_set_maxdbs(env, 8);
        ASSERT_EQ(mdb_env_open(env, path_.c_str(), 0, 0660), 0);
        ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
        ASSERT_EQ(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
        auto k = toVal(key);
        auto v = toVal(value);
        ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
        ASSERT_EQ(mdb_txn_commit(txn), 0);
        mdb_env_close(env);
    }
    TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/deep/er/store";
};

TEST_F(EmbeddedFile, MakesItsFolder) {
    EXPECT_TRUE(openEmbedded({.path = path_}));
    EXPECT_TRUE(std::filesystem::exists(path_ + "/data.mdb"));
}

/// The store of the settings of a program.
Result<std::unique_ptr<Store>> openAsProgram(const std::string& path) {
    config::Settings settings;
    const StoreSettings store(settings);
    EXPECT_TRUE(settings.apply({.set = {{"nsdb.path", path}}}));
    return store.open();
}

TEST_F(EmbeddedFile, HalfLoadedIsRefusedUntilTheLoadIsDone) {
    const auto store = openAsProgram(path_);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->transact([](Transaction& t) { return t.putPersistent(kLoadTable, kUnfinished, "loading"); }));
    const auto refused = openAsProgram(path_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("load it again"));
    ASSERT_TRUE((*store)->transact([](Transaction& t) { return t.removePersistent(kLoadTable, kUnfinished); }));
    EXPECT_TRUE(openAsProgram(path_));
}

TEST_F(EmbeddedFile, OfANewerSchemaIsRefusedNamingBothVersions) {
    ASSERT_TRUE(openEmbedded({.path = path_}));
    putMeta("meta", "schema", NumberText(kSchemaVersion + 41).view());
    const auto error = refused();
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_THAT(error.message, HasSubstr(std::to_string(kSchemaVersion + 41)));
    EXPECT_THAT(error.message, HasSubstr(fmt::format("version {}:", kSchemaVersion)));
    EXPECT_THAT(error.message, HasSubstr("update this program"));
}

TEST_F(EmbeddedFile, ThatIsNoStoreIsRefused) {
    std::filesystem::create_directories(path_);
    std::ofstream(path_ + "/data.mdb") << std::string(100'000, 'x');
    const auto error = refused();
    EXPECT_EQ(error.code, ErrorCode::Malformed);
    EXPECT_THAT(error.message, HasSubstr(path_));
}

TEST_F(EmbeddedFile, OfAnotherProgramIsRefusedAndLeftAlone) {
    std::filesystem::create_directories(path_);
    putMeta("phone book", "anne", "1718");
    const auto error = refused();
    EXPECT_EQ(error.code, ErrorCode::Malformed);
    EXPECT_THAT(error.message, HasSubstr("not of this product"));
}

TEST_F(EmbeddedFile, APathThatIsAFileIsRefused) {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    std::ofstream(path_) << "a file";
    EXPECT_THAT(refused().message, HasSubstr(path_));
}

TEST(WriteLock, IsOnesAtATimeAndTheHolderIsNamed) {
    const TemporaryFolder folder;
    const auto path = folder.path() + "/write.lock";
    WriteLock first(path);
    WriteLock second(path);
    ASSERT_TRUE(first.acquire(0ms));
    const auto refused = second.acquire(0ms);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("process {} ", ::getpid())));
    first.release();
    EXPECT_TRUE(second.acquire(0ms));
}

class LeaseFiles : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(leases_.open()); }
    std::vector<LeaseMonitor::Suspect> check(event::Duration sinceLast) {
        return monitor_.check(leases_, {lease_}, sinceLast);
    }
    TemporaryFolder folder_;
    LeaseFolder leases_{folder_.path()};
    const LeaseRecord lease_{Uuid::random(), 10s, 1};
    LeaseMonitor monitor_;
};

TEST_F(LeaseFiles, ALeaseLivesAsLongAsItsFileIsLocked) {
    auto file = leases_.create(lease_);
    ASSERT_TRUE(file);
    EXPECT_TRUE(check(1h).empty());
    file->reset();
    ASSERT_EQ(check(0s).size(), 1U);
    EXPECT_EQ(check(0s)[0].beats, std::nullopt);
}

TEST_F(LeaseFiles, ALeaseThatDoesNotBeatForItsTtlIsFrozen) {
    const auto file = leases_.create(lease_);
    ASSERT_TRUE(file);
    EXPECT_TRUE(check(0s).empty());
    EXPECT_TRUE(check(6s).empty());
    (*file)->beat();
    EXPECT_TRUE(check(6s).empty());
    EXPECT_TRUE(check(6s).empty());
    const auto suspects = check(6s);
    ASSERT_EQ(suspects.size(), 1U);
    EXPECT_EQ(suspects[0].beats, leases_.readBeats(lease_));
}

TEST_F(LeaseFiles, AnotherIncarnationIsAnotherLease) {
    const auto file = leases_.create(lease_);
    auto next = lease_;
    next.incarnation = 2;
    EXPECT_EQ(leases_.readBeats(next), std::nullopt);
}

}  // namespace
}  // namespace midonet::nsdb::embedded
