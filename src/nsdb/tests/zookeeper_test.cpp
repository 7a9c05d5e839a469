// What only the store on ZooKeeper has: its root, its settings, its limits.
#include <gmock/gmock.h>
#include <unistd.h>

#include "ensemble.h"
#include "loopback.h"
#include "nsdb/layout.h"
#include "nsdb/zookeeper/zookeeper_backend.h"
#include "raw_client.h"
#include "relay.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class ZookeeperRoot : public testing::Test {
protected:
    ZookeeperOptions options() const {
        return {.hosts = Ensemble::single().hosts(), .root = root_, .connectPatience = 10s, .patience = 500ms};
    }
    static Error refused(const ZookeeperOptions& options) {
        const auto store = openZookeeper(options);
        EXPECT_FALSE(store);
        return store ? Error{} : store.error();
    }
    const std::string root_ = "/" + Uuid::random().toString();
};

TEST_F(ZookeeperRoot, IsMadeWithAllAboveIt) {
    auto deep = options();
    deep.root += "/deep/er";
    EXPECT_TRUE(openZookeeper(deep));
    EXPECT_TRUE(openZookeeper(deep)) << "and found again";
}

TEST_F(ZookeeperRoot, IsNotMadeByThoseWhoOnlyLook) {
    auto look = options();
    look.create = false;
    EXPECT_EQ(refused(look).code, ErrorCode::NotFound);
    ASSERT_TRUE(openZookeeper(options()));
    EXPECT_TRUE(openZookeeper(look));
}

TEST_F(ZookeeperRoot, OfANewerSchemaIsRefusedNamingBothVersions) {
    ASSERT_TRUE(openZookeeper(options()));
    ASSERT_TRUE(RawClient(options().hosts).set(root_ + "/schema", std::to_string(kSchemaVersion + 41)));
    const auto error = refused(options());
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_THAT(error.message, AllOf(HasSubstr("zookeeper.root"), HasSubstr(std::to_string(kSchemaVersion + 41)),
                                     HasSubstr(fmt::format("version {}:", kSchemaVersion)), HasSubstr("update this program")));
}

TEST_F(ZookeeperRoot, OfAnotherProgramIsRefusedAndLeftAlone) {
    RawClient raw(options().hosts);
    ASSERT_TRUE(raw.create(root_, "phone book"));
    ASSERT_TRUE(raw.create(root_ + "/anne", "1718"));
    const auto error = refused(options());
    EXPECT_EQ(error.code, ErrorCode::Malformed);
    EXPECT_THAT(error.message, AllOf(HasSubstr("zookeeper.root"), HasSubstr("not of this product")));
    EXPECT_THAT(raw.children(root_), testing::ElementsAre("anne"));
}

TEST_F(ZookeeperRoot, ThatIsNoPathIsRefused) {
    auto bad = options();
    bad.root = "midonet";
    EXPECT_THAT(refused(bad).message, HasSubstr("zookeeper.root"));
}

TEST_F(ZookeeperRoot, BelongsToItsUser) {
    auto owned = options();
    owned.user = "anne";
    owned.password = "1718";
    ASSERT_TRUE(openZookeeper(owned));
    ASSERT_TRUE(openZookeeper(owned));
    auto wrong = owned;
    wrong.password = "1719";
    for (const auto& other : {options(), wrong}) {
        const auto error = refused(other);
        EXPECT_EQ(error.code, ErrorCode::PermissionDenied);
        EXPECT_THAT(error.message, AllOf(HasSubstr("zookeeper.user"), HasSubstr("zookeeper.password")));
    }
}

TEST_F(ZookeeperRoot, AClosedStoreLeavesNoMarkers) {
    RawClient raw(options().hosts);
    {
        const auto store = makeObjectStore(std::move(*zookeeper::makeBackend(options())), fleetSchema());
        ASSERT_TRUE(store->transact([](Transaction& t) { return t.create(harbour(Uuid::random())); }));
        EXPECT_FALSE(raw.children(root_ + "/m").empty());
    }
    EXPECT_THAT(raw.children(root_ + "/m"), IsEmpty());
}

TEST_F(ZookeeperRoot, NothingIsLeftOfAnObjectThatIsGone) {
    const auto store = makeObjectStore(std::move(*zookeeper::makeBackend(options())), fleetSchema());
    const auto home = Uuid::random();
    const auto id = Uuid::random();
    ASSERT_TRUE(store->transact([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(harbour(home)));
        TRY_VOID(t.create(ship(id, home)));
        return t.putPersistent("Ship/" + id.toString() + "/crew", "cook", "here");
    }));
    ASSERT_TRUE(store->transact([&](Transaction& t) { return t.remove(fleet::Harbour::descriptor(), home); }));
    RawClient raw(options().hosts);
    for (const auto* folder : {"/i/Harbour", "/t/Ship"}) EXPECT_THAT(raw.children(root_ + folder), IsEmpty()) << folder;
}

TEST_F(ZookeeperRoot, AChangeThatIsTooLargeIsRefusedAndTheConnectionStays) {
    const auto store = makeObjectStore(std::move(*zookeeper::makeBackend(options())), fleetSchema());
    auto large = harbour(Uuid::random());
    large.set_name(std::string(1'100'000, 'x'));
    const auto refusal = store->transact([&](Transaction& t) { return t.create(large); });
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().code, ErrorCode::Invalid);
    EXPECT_THAT(refusal.error().message, HasSubstr("too large for ZooKeeper"));
    large.set_name(std::string(900'000, 'x'));
    EXPECT_TRUE(store->transact([&](Transaction& t) { return t.create(large); }));
}

/// The log of changes below the root.
class ZookeeperLog : public ZookeeperRoot {
protected:
    static void create(Store& store, int objects = 1) {
        ASSERT_TRUE(store.transact([&](Transaction& t) -> Result<void> {
            for (int i = 0; i < objects; ++i) TRY_VOID(t.create(captain(Uuid::random())));
            return {};
        }));
    }
    std::unique_ptr<Store> open(std::size_t keptChanges = ZookeeperOptions{}.keptChanges) {
        auto keeps = options();
        keeps.keptChanges = keptChanges;
        return makeObjectStore(std::move(*zookeeper::makeBackend(keeps)), fleetSchema());
    }
    std::vector<std::string> entries() { return RawClient(options().hosts).children(root_ + "/l"); }
};

TEST_F(ZookeeperLog, AChangeThatIsTooLargeForItIsAReasonToReadAnew) {
    const auto store = open();
    create(*store);
    const auto begin = store->changesSince(std::nullopt)->through;
    create(*store);
    create(*store, 1100);
    const auto known = store->changesSince(begin);
    ASSERT_TRUE(known) << "what came before it";
    EXPECT_EQ(known->entries.size(), 1U);
    EXPECT_TRUE(known->more);
    const auto behind = store->changesSince(known->through);
    ASSERT_FALSE(behind);
    EXPECT_EQ(behind.error().code, ErrorCode::Stale);
    const auto anew = store->changesSince(std::nullopt)->through;
    create(*store);
    EXPECT_EQ(store->changesSince(anew)->entries.size(), 1U);
}

TEST_F(ZookeeperLog, OneThatDoesNotFitBesideItsChangeIsLeftOut) {
    const auto store = open();
    auto large = harbour(Uuid::random(), "x");
    ASSERT_TRUE(store->transact([&](Transaction& t) { return t.create(large); }));
    // The largest that are taken at all.
    bool leftOut = false;
    for (std::size_t size = 997'000; !leftOut; size += 200) {
        const auto begin = store->changesSince(std::nullopt)->through;
        large.set_name(std::string(size, 'x'));
        ASSERT_TRUE(store->transact([&](Transaction& t) { return t.update(large); })) << size;
        const auto behind = store->changesSince(begin);
        leftOut = !behind && behind.error().code == ErrorCode::Stale;
    }
}

TEST_F(ZookeeperLog, IsKeptShortByItsWriters) {
    const auto one = open(32);
    const auto two = open(32);
    bool shorter = false;
    std::size_t before = 0;
    for (int i = 0; i < 1000 && !shorter; ++i) {
        create(*one);
        create(*two);
        const auto now = entries().size();
        shorter = now < before && now >= 32;
        before = now;
    }
    EXPECT_TRUE(shorter);
    const auto end = one->changesSince(std::nullopt)->through;
    create(*two);
    EXPECT_EQ(one->changesSince(end)->entries.size(), 1U);
}

TEST_F(ZookeeperLog, BeginsWithTheFirstObject) {
    const auto store = open();
    EXPECT_THAT(entries(), IsEmpty());
    EXPECT_EQ(store->changesSince(std::nullopt)->through, 0U) << "there is none yet";
    EXPECT_THAT(store->changesSince(0)->entries, IsEmpty());
    create(*store);
    EXPECT_EQ(entries().size(), 1U);
    EXPECT_EQ(store->changesSince(0)->entries.size(), 1U);
}

TEST(ZookeeperHosts, ThatDoNotAnswerAreNamed) {
    const Relay nobody({1});  // accepts, and ends the connection
    const auto error = openZookeeper({.hosts = nobody.address(), .connectPatience = 300ms, .patience = 100ms}).error();
    EXPECT_EQ(error.code, ErrorCode::Unavailable);
    EXPECT_THAT(error.message, AllOf(HasSubstr("zookeeper.hosts"), HasSubstr(nobody.address())));
}

TEST(ZookeeperHosts, ThatAreNoHostsAreNamed) {
    EXPECT_THAT(openZookeeper({.hosts = "a:b"}).error().message, AllOf(HasSubstr("zookeeper.hosts"), HasSubstr("'a:b'")));
}

TEST(ZookeeperHosts, AnotherServiceOnThatPortIsNoZookeeper) {
    // A port on which somebody listens and says nothing.
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto hosts = fmt::format("127.0.0.1:{}", bindToFreePort(fd));
    ASSERT_EQ(::listen(fd, 8), 0);
    const auto error = openZookeeper({.hosts = hosts, .connectPatience = 300ms, .patience = 100ms}).error();
    EXPECT_THAT(error.message, AllOf(HasSubstr("zookeeper.hosts"), HasSubstr(hosts)));
    ::close(fd);
}

}  // namespace
}  // namespace midonet::nsdb
