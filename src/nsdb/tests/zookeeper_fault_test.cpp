// The store on ZooKeeper while servers die, connections break and sessions end.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "child.h"
#include "ensemble.h"
#include "model/ids.h"
#include "nsdb/zookeeper/zookeeper_backend.h"
#include "relay.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using fleet::Ship;

class ZookeeperFaults : public testing::Test {
protected:
    std::unique_ptr<Store> open(const std::string& hosts, event::Duration patience = 60s) {
        auto backend = zookeeper::makeBackend({.hosts = hosts, .root = root_, .patience = patience});
        EXPECT_TRUE(backend) << backend.error().message;
        return makeObjectStore(std::move(*backend), fleetSchema());
    }
    static void create(Store& store, const Message& object) {
        const auto done = store.transact([&](Transaction& t) { return t.create(object); });
        ASSERT_TRUE(done) << done.error().message;
    }
    static Result<Revision> add(Store& store, const Uuid& id, std::int64_t amount) {
        return store.transact([&](Transaction& t) -> Result<void> {
            TRY(found, t.get<Ship>(id));
            auto next = *found.object;
            next.set_tonnage(next.tonnage() + static_cast<std::uint64_t>(amount));
            return t.update(next);
        });
    }
    static std::uint64_t tonnage(Store& store, const Uuid& id) { return (*store.view())->get<Ship>(id)->object->tonnage(); }
    std::optional<std::string> alive(Store& store) {
        const auto view = store.view();
        if (!view) return std::nullopt;
        const auto found = (*view)->state(Ship::descriptor(), id_, "alive");
        return found ? *found : std::nullopt;
    }
    bool runUntil(const std::function<bool()>& condition) { return runLoopUntil(*loop_, condition); }

    const std::string root_ = "/" + Uuid::random().toString();
    const Uuid id_ = Uuid::random();
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("test");
};

TEST_F(ZookeeperFaults, AnAnswerThatIsLostNeitherLosesNorRepeatsAWrite) {
    Relay relay({Ensemble::single().port(0)});
    const auto store = open(relay.address());
    create(*store, ship(id_));
    for (int i = 0; i < 60; ++i) {
        // To one of the reads, to the write, or to one of the next transaction.
        relay.loseAnswerAfter(i % 6);
        const auto done = add(*store, id_, 1);
        ASSERT_TRUE(done) << i << ": " << done.error().message;
        ASSERT_EQ(tonnage(*store, id_), static_cast<std::uint64_t>(i + 1));
    }
}

TEST_F(ZookeeperFaults, AServerThatSleepsOverAnAnswerIsWoken) {
    Relay relay({Ensemble::single().port(0)});
    const auto store = open(relay.address());
    create(*store, ship(id_));
    const int connections = relay.accepted();
    for (int i = 1; i <= 3; ++i) {
        relay.withholdAnswer();
        ASSERT_TRUE(add(*store, id_, 1));
        EXPECT_EQ(tonnage(*store, id_), static_cast<std::uint64_t>(i));
    }
    EXPECT_EQ(relay.accepted(), connections) << "it answered only a new connection";
}

TEST_F(ZookeeperFaults, AStoreOpensThoughItsConnectionIsLostMeanwhile) {
    Relay relay({Ensemble::single().port(0)});
    for (int lost = 0; lost < 6; ++lost) {
        relay.loseAnswerAfter(lost);
        const auto store = openZookeeper({.hosts = relay.address(), .root = root_ + std::to_string(lost), .patience = 10ms});
        EXPECT_TRUE(store) << lost << ": " << store.error().message;
    }
}

TEST_F(ZookeeperFaults, TwoStoresWithConflictingTransactionsAreSerialisable) {
    constexpr int kAccounts = 5, kThreads = 4, kEach = 250;
    const auto hosts = Ensemble::three().hosts();
    const auto first = open(hosts);
    const auto second = open(hosts);
    std::vector<Uuid> accounts;
    for (int i = 0; i < kAccounts; ++i) {
        accounts.push_back(Uuid::random());
        auto account = ship(accounts.back());
        account.set_tonnage(1000);
        create(*first, account);
    }
    std::vector<std::thread> threads;
    for (int n = 0; n < kThreads; ++n)
        threads.emplace_back([&, n] {
            auto& store = n % 2 == 0 ? *first : *second;
            for (int i = 0; i < kEach; ++i) {
                const auto& from = accounts[static_cast<std::size_t>((i + n) % kAccounts)];
                const auto& to = accounts[static_cast<std::size_t>((i * 3 + n + 1) % kAccounts)];
                if (from == to) continue;
                const auto done = store.transact([&](Transaction& t) -> Result<void> {
                    TRY(a, t.get<Ship>(from));
                    TRY(b, t.get<Ship>(to));
                    auto less = *a.object;
                    auto more = *b.object;
                    less.set_tonnage(less.tonnage() - 1);
                    more.set_tonnage(more.tonnage() + 1);
                    TRY_VOID(t.update(less));
                    return t.update(more);
                });
                EXPECT_TRUE(done) << done.error().message;
                // Who writes nothing sees one moment, too.
                std::uint64_t sum = 0;
                const auto read = store.transact([&](Transaction& t) -> Result<void> {
                    sum = 0;
                    for (const auto& id : accounts) {
                        TRY(account, t.get<Ship>(id));
                        sum += account.object->tonnage();
                    }
                    return {};
                });
                EXPECT_TRUE(read) << read.error().message;
                EXPECT_EQ(sum, 1000U * kAccounts);
            }
        });
    for (auto& thread : threads) thread.join();
}

TEST_F(ZookeeperFaults, AFrozenHolderExpiresAndComesBack) {
    const auto store = open(Ensemble::single().hosts());
    create(*store, ship(id_));
    Child holder("hold", "zookeeper:" + Ensemble::single().hosts() + root_, id_.toString(), "1500");
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

TEST_F(ZookeeperFaults, WhoFollowsAKilledHolderEndsItsSession) {
    const auto where = "zookeeper:" + Ensemble::single().hosts() + root_;
    const TemporaryFolder folder;
    const auto file = folder.path() + "/run/session";
    const auto store = open(Ensemble::single().hosts());
    create(*store, ship(id_));
    // Nothing in this test waits for so long.
    Child holder("hold", where, id_.toString(), "60000", file);
    ASSERT_TRUE(holder.says("holding"));

    // A living process keeps its session, whoever comes with the same file.
    const auto early = store->openSession(*loop_, SessionOptions{60s, file});
    ASSERT_TRUE(runUntil([&] { return early->connected(); }));
    EXPECT_EQ(alive(*store), "yes");

    holder.kill(SIGKILL);
    EXPECT_EQ(alive(*store), "yes");
    for (int successor = 0; successor < 2; ++successor) {
        const auto session = store->openSession(*loop_, SessionOptions{60s, file});
        EXPECT_TRUE(runUntil([&] { return alive(*store) == std::nullopt; }));
        EXPECT_TRUE(runUntil([&] { return session->connected(); })) << "also when the one before ended in order";
    }
}

TEST_F(ZookeeperFaults, ALeaderThatIsKilledTakesNoAcknowledgedWriteAndRepeatsNone) {
    Ensemble ensemble(3);
    const auto store = open(ensemble.hosts());
    create(*store, ship(id_));
    constexpr int kWriters = 2;
    std::atomic<int> acknowledged = 0;
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    for (int n = 0; n < kWriters; ++n)
        writers.emplace_back([&] {
            const auto own = open(ensemble.hosts());
            while (!stop) {
                const auto done = add(*own, id_, 1);
                if (done) {
                    ++acknowledged;
                } else {
                    // Who sits at a slow server may lose to the other one again and again: then nothing was written.
                    EXPECT_EQ(done.error().code, ErrorCode::Stale) << done.error().message;
                }
            }
        });
    const auto until = [&](int count) { return runUntil([&] { return acknowledged >= count; }); };
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(until(acknowledged + 50));
        const auto leader = ensemble.leader();
        ASSERT_LT(leader, ensemble.size());
        ensemble.kill(leader);
        EXPECT_TRUE(until(acknowledged + 50)) << "goes on with the next leader";
        ensemble.start(leader);
        ensemble.waitUntilServing();
    }
    stop = true;
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(tonnage(*store, id_), static_cast<std::uint64_t>(acknowledged));
}

TEST_F(ZookeeperFaults, WithoutAMajorityNothingIsWrittenAndThenAllGoesOn) {
    Ensemble ensemble(3);
    const auto store = open(ensemble.hosts(), 1s);
    create(*store, ship(id_));
    std::vector<std::uint64_t> seen;
    const auto watch = store->watchObject(*loop_, Ship::descriptor(), id_, [&](const auto& object) {
        seen.push_back(static_cast<const Ship&>(*object).tonnage());
    });
    const auto session = store->openSession(*loop_, 2s);
    int claimed = 0;
    session->claimState(Ship::descriptor(), id_, "alive", "yes", [&](const auto& result) {
        EXPECT_TRUE(result);
        ++claimed;
    });
    ASSERT_TRUE(runUntil([&] { return claimed == 1 && !seen.empty(); }));
    ensemble.kill(0);
    ensemble.kill(1);
    ASSERT_TRUE(runUntil([&] { return !session->connected(); }));
    const auto refused = add(*store, id_, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    ensemble.start(0);
    ensemble.start(1);
    ASSERT_TRUE(runUntil([&] { return session->connected(); }));
    // Not added: what was refused without an answer may have been done when the majority was back.
    auto changed = ship(id_);
    changed.set_tonnage(7);
    ASSERT_TRUE(runUntil([&] { return store->transact([&](Transaction& t) { return t.update(changed); }).has_value(); }));
    EXPECT_TRUE(runUntil([&] { return seen.back() == 7; })) << "the watch is still there, " << seen.back();
    EXPECT_TRUE(runUntil([&] { return alive(*store) == "yes"; })) << "and so is what the session holds";
}

}  // namespace
}  // namespace midonet::nsdb
