#include "nsdb/zookeeper/paths.h"

#include <gtest/gtest.h>

namespace midonet::nsdb::zookeeper {
namespace {

const Paths kPaths("/root");

TEST(ZookeeperPaths, RecordsAndDirectoriesAreToldApart) {
    EXPECT_EQ(kPaths.directory("t/Ship/1/crew/0"), "/root/t/Ship/1/crew/0");
    EXPECT_EQ(kPaths.record({"t/Ship/1/crew", "Lcook"}), "/root/t/Ship/1/crew/=Lcook");
    EXPECT_EQ(Paths::recordName("=Lcook"), "Lcook");
    EXPECT_EQ(Paths::recordName("crew"), std::nullopt);
}

TEST(ZookeeperPaths, ObjectsAreInShards) {
    const RecordKey key{"o/Ship", "3fa85f64-5717-4562-b3fc-2c963f66afa6"};
    EXPECT_EQ(kPaths.parent(key), "/root/o/Ship/3f");
    EXPECT_EQ(kPaths.record(key), "/root/o/Ship/3f/=3fa85f64-5717-4562-b3fc-2c963f66afa6");
}

TEST(ZookeeperPaths, AnyNameCanBeWritten) {
    for (const std::string name : {"a b", "~41", "\xc3\xa9\xff", "\x7f", "\xee\x80\x80", ".", "..", "zookeeper", "=", ""}) {
        const auto path = kPaths.record({"u/Harbour.name", name});
        for (const char c : path) EXPECT_TRUE(c > 0x20 && c < 0x7f) << path;
        EXPECT_EQ(Paths::recordName(path.substr(path.rfind('/') + 1)), name);
    }
}

TEST(ZookeeperPaths, BucketsDependOnTheWholeKey) {
    const RecordKey key{"u/Harbour.name", "x"};
    EXPECT_TRUE(kPaths.recordBucket(key).starts_with("/root/v/"));
    EXPECT_EQ(kPaths.recordBucket(key).size(), std::string("/root/v/000").size());
    EXPECT_EQ(kPaths.recordBucket(key), kPaths.recordBucket(key));
    EXPECT_NE(kPaths.recordBucket(key), kPaths.recordBucket({"u/Harbour.name", "y"}));
    EXPECT_NE(kPaths.recordBucket(key), kPaths.directoryBucket("u/Harbour.name"));
}

TEST(ZookeeperPaths, BucketsAreTheSameInAllVersions) {
    // Programs that disagree do not see each other's changes. Other values: another schema version.
    EXPECT_EQ(kPaths.directoryBucket("o/Ship"), "/root/v/fe7");
    EXPECT_EQ(kPaths.recordBucket({"c", "keys"}), "/root/v/b5c");
}

TEST(ZookeeperPaths, TheRootIsAnAbsolutePathOfItsOwn) {
    EXPECT_TRUE(Paths::parseRoot("/midonet"));
    EXPECT_TRUE(Paths::parseRoot("/cloud/midonet-2"));
    for (const auto* root : {"", "/", "midonet", "/midonet/", "//midonet", "/a/../b", "/zookeeper", "/zookeeper/quota", "/mi do"})
        EXPECT_FALSE(Paths::parseRoot(root)) << root;
}

}  // namespace
}  // namespace midonet::nsdb::zookeeper
