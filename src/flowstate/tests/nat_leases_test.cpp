#include "flowstate/nat_leases.h"

#include <gmock/gmock.h>

#include <future>
#include <map>
#include <set>
#include <thread>

#include "flowstate/tests/entries.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/memory.h"

namespace midonet::flowstate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;
using testing::address;
using testing::kDevice;

constexpr HostId kA{Uuid{0xa, 1}}, kB{Uuid{0xb, 1}};
constexpr Uuid kBridge{0x3333, 0x4444};

NatRange range(std::string_view first, std::string_view last, std::uint16_t firstPort, std::uint16_t lastPort) {
    return {address(first), address(last), firstPort, lastPort};
}
const NatRange kThreeBlocks = range("203.0.113.1", "203.0.113.1", 640, 640 + 3 * 64 - 1);
const NatRange kOneBlock = range("203.0.113.1", "203.0.113.1", 650, 660);

/// One agent: its client of the store, its leases, and what was answered.
struct Agent {
    Agent(event::Loop& loop, event::BlockingPool& pool, std::shared_ptr<nsdb::SharedMemory> shared, HostId host,
          const event::WallTime& now)
        : store(nsdb::openMemory(std::move(shared))),
          leases(std::make_unique<NatLeases>(loop, pool, *store, host, [&now] { return now; },
                                             [this](const NatLeases::Answer& answer) { answers.push_back(answer); },
                                             NatLeases::Options{.seed = host.uuid().high()})) {}

    /// Blocks that were answered since the last call; failures are none.
    std::vector<NatBlockId> blocks() {
        std::vector<NatBlockId> out;
        for (const auto& answer : std::exchange(answers, {})) {
            EXPECT_TRUE(answer.block) << answer.block.error().message;
            if (answer.block) out.push_back(*answer.block);
        }
        return out;
    }
    std::vector<ErrorCode> failures() {
        std::vector<ErrorCode> out;
        for (const auto& answer : std::exchange(answers, {}))
            if (!answer.block) out.push_back(answer.block.error().code);
        return out;
    }

    std::vector<NatLeases::Answer> answers;
    std::unique_ptr<nsdb::Store> store;
    std::unique_ptr<NatLeases> leases;
};

struct NatLeasesTest : ::testing::Test {
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::shared_ptr<nsdb::SharedMemory> shared = nsdb::makeSharedMemory();
    event::WallTime now{500'000h};
    std::unique_ptr<event::BlockingPool> pool_ = std::make_unique<event::BlockingPool>(1, 64);
    Agent a{*loop, pool(), shared, kA, now};
    Agent b{*loop, pool(), shared, kB, now};
    std::map<HostId, std::unique_ptr<nsdb::Session>> sessions;

    event::BlockingPool& pool() { return *pool_; }
    NatLeasesTest() {
        const auto created = a.store->transact([](nsdb::Transaction& transaction) -> Result<void> {
            for (const auto host : {kA, kB}) {
                model::Host object;
                object.set_id(host.uuid().toBytes());
                object.set_name(host.toString());
                TRY_VOID(transaction.create(object));
            }
            model::Router router;
            router.set_id(kDevice.toBytes());
            TRY_VOID(transaction.create(router));
            model::Bridge bridge;
            bridge.set_id(kBridge.toBytes());
            return transaction.create(bridge);
        });
        EXPECT_TRUE(created) << created.error().message;
        setAlive(kA);
        setAlive(kB);
    }
    ~NatLeasesTest() override {
        pool_.reset();
        loop->runReady();
        sessions.clear();
    }

    void setAlive(HostId host) {
        auto& session = sessions[host] = a.store->openSession(*loop, 1h);
        session->putState(model::Host::descriptor(), host.uuid(), "alive", "yes");
        settle();
    }
    void setDead(HostId host) {
        sessions.at(host)->removeState(model::Host::descriptor(), host.uuid(), "alive");
        settle();
    }
    /// Until neither pool nor loop has anything left to do now.
    void settle() {
        do {
            std::promise<void> reached;
            EXPECT_TRUE(pool().submit([&] { reached.set_value(); }));
            reached.get_future().wait();
        } while (loop->runReady() > 0);
    }
    std::vector<NatBlockId> lease(Agent& agent, const NatRange& r, NatLeases::WorkerTag worker = 0) {
        agent.leases->lease(kDevice, false, std::span(&r, 1), worker);
        settle();
        return agent.blocks();
    }
    ErrorCode leaseFails(Agent& agent, const NatRange& r) {
        agent.leases->lease(kDevice, false, std::span(&r, 1), 0);
        settle();
        const auto codes = agent.failures();
        EXPECT_THAT(codes, SizeIs(1));
        return codes.empty() ? ErrorCode::Internal : codes[0];
    }
    void pauseAfterFailure() {
        loop->advance(NatLeases::kBackOff);
        settle();
    }
    model::NatBlock stored(const NatBlockId& block) {
        auto view = a.store->view();
        const auto object = (*view)->get<model::NatBlock>(model::natBlockId(block.device, block.address, block.block));
        EXPECT_TRUE(object);
        return object ? *object->object : model::NatBlock{};
    }
    NatBlockId block(std::uint16_t number) const { return {kDevice, address("203.0.113.1"), number}; }
};

TEST_F(NatLeasesTest, EachBlockHasOneHolder) {
    std::vector<NatBlockId> got;
    for (auto* agent : {&a, &b, &a})
        for (const auto& leased : lease(*agent, kThreeBlocks)) got.push_back(leased);
    EXPECT_THAT(got, UnorderedElementsAreArray({block(10), block(11), block(12)}));
    EXPECT_EQ(a.leases->held(), 2u);
    const auto object = stored(got[1]);
    EXPECT_EQ(model::uuidOf(object.host_id()), kB.uuid());
    EXPECT_EQ(model::uuidOf(object.router_id()), kDevice);
    EXPECT_TRUE(object.bridge_id().empty());
    EXPECT_EQ(object.address(), "203.0.113.1");
    EXPECT_EQ(object.idle_since_unix_ms(), 0u);
    EXPECT_EQ(leaseFails(b, kThreeBlocks), ErrorCode::Exhausted);
}

TEST_F(NatLeasesTest, OfABridgeToo) {
    a.leases->lease(kBridge, true, std::span(&kOneBlock, 1), 0);
    settle();
    const auto got = a.blocks();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(model::uuidOf(stored(got[0]).bridge_id()), kBridge);
    EXPECT_TRUE(stored(got[0]).router_id().empty());
    EXPECT_THAT(lease(a, kOneBlock), SizeIs(1)) << "the router's is another";
}

TEST_F(NatLeasesTest, AddressesAndRangesInOrder) {
    const NatRange ranges[] = {range("203.0.113.254", "203.0.114.1", 64, 127), range("2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::", 1, 63)};
    std::vector<std::string> order;
    for (int i = 0; i < 6; ++i) {
        a.leases->lease(kDevice, false, ranges, 0);
        settle();
        for (const auto& got : a.blocks()) order.push_back(fmt::format("{} {}", got.address, got.block));
    }
    EXPECT_THAT(order, ElementsAre("203.0.113.254 1", "203.0.113.255 1", "203.0.114.0 1", "203.0.114.1 1",
                                   "2001:db8::ffff:ffff:ffff:ffff 0", "2001:db8:0:1:: 0"));
}

TEST_F(NatLeasesTest, RangesThatAreNoneAreExhausted) {
    for (const auto& bad : {range("203.0.113.2", "203.0.113.1", 1, 2), range("203.0.113.1", "203.0.113.1", 2, 1),
                            range("203.0.113.1", "203.0.113.1", 0, 0), range("203.0.113.1", "2001:db8::", 1, 2)})
        EXPECT_EQ(leaseFails(a, bad), ErrorCode::Exhausted);
}

TEST_F(NatLeasesTest, TheChoiceIsRandom) {
    std::set<std::uint16_t> numbers;
    for (int i = 0; i < 10; ++i)
        for (const auto& got : lease(a, range("203.0.113.1", "203.0.113.1", 1, 65535))) numbers.insert(got.block);
    EXPECT_EQ(numbers.size(), 10u);
    EXPECT_GT(*numbers.rbegin(), 100) << "not one after the other";
}

TEST_F(NatLeasesTest, AWorkerWaitsOnceAndOthersForTheirTurn) {
    for (const NatLeases::WorkerTag worker : {0U, 1U, 0U, 1U, 2U})
        a.leases->lease(kDevice, false, std::span(&kThreeBlocks, 1), worker);
    settle();
    std::vector<NatLeases::WorkerTag> workers;
    for (const auto& answer : a.answers) {
        workers.push_back(answer.worker);
        EXPECT_EQ(answer.device, kDevice);
        EXPECT_THAT(answer.ranges, ElementsAre(kThreeBlocks));
    }
    EXPECT_THAT(workers, ElementsAre(0, 1, 2));
    EXPECT_THAT(a.blocks(), SizeIs(3));
}

TEST_F(NatLeasesTest, ExhaustedBacksOff) {
    lease(b, kOneBlock);
    for (const NatLeases::WorkerTag worker : {0U, 1U}) a.leases->lease(kDevice, false, std::span(&kOneBlock, 1), worker);
    settle();
    EXPECT_THAT(a.failures(), ElementsAre(ErrorCode::Exhausted, ErrorCode::Exhausted));

    // Even when there is one again, nothing asks for it before the pause is over.
    const auto removed = a.store->transact([&](nsdb::Transaction& transaction) {
        return transaction.remove(model::NatBlock::descriptor(), model::natBlockId(kDevice, address("203.0.113.1"), 10));
    });
    ASSERT_TRUE(removed);
    EXPECT_EQ(leaseFails(a, kOneBlock), ErrorCode::Exhausted);
    pauseAfterFailure();
    EXPECT_THAT(lease(a, kOneBlock), ElementsAre(block(10)));
}

TEST_F(NatLeasesTest, AStoreThatIsAwayIsAFailureToo) {
    nsdb::setReachable(*a.store, false);
    EXPECT_EQ(leaseFails(a, kOneBlock), ErrorCode::Unavailable);
    nsdb::setReachable(*a.store, true);
    pauseAfterFailure();
    EXPECT_THAT(lease(a, kOneBlock), SizeIs(1));
}

TEST_F(NatLeasesTest, ADeviceThatIsGoneIsNamed) {
    const Uuid gone{7, 7};
    a.leases->lease(gone, false, std::span(&kOneBlock, 1), 0);
    settle();
    ASSERT_THAT(a.answers, SizeIs(1));
    ASSERT_FALSE(a.answers[0].block);
    EXPECT_EQ(a.answers[0].block.error().code, ErrorCode::NotFound);
}

TEST_F(NatLeasesTest, AReleasedBlockRestsForTheGraceTime) {
    const auto got = lease(a, kOneBlock);
    a.leases->release(got);
    settle();
    EXPECT_EQ(a.leases->held(), 0u);
    EXPECT_NE(stored(got[0]).idle_since_unix_ms(), 0u);
    now += 150s;
    EXPECT_EQ(leaseFails(b, kOneBlock), ErrorCode::Exhausted);
    pauseAfterFailure();
    now += 1ms;
    EXPECT_EQ(lease(b, kOneBlock), got);
    EXPECT_EQ(stored(got[0]).idle_since_unix_ms(), 0u);
    EXPECT_EQ(model::uuidOf(stored(got[0]).host_id()), kB.uuid());
}

TEST_F(NatLeasesTest, TheOneReleasedLongestAgoComesFirst) {
    std::vector<NatBlockId> all;
    for (int i = 0; i < 3; ++i) all.push_back(lease(a, kThreeBlocks).at(0));
    for (const auto i : {1U, 2U, 0U}) {
        a.leases->release(std::span(&all[i], 1));
        settle();
        now += 10s;
    }
    now += 1h;
    for (const auto i : {1U, 2U, 0U}) EXPECT_THAT(lease(b, kThreeBlocks), ElementsAre(all[i]));
}

TEST_F(NatLeasesTest, ReleasesAreTriedUntilTheStoreHasThem) {
    const auto got = lease(a, kOneBlock);
    nsdb::setReachable(*a.store, false);
    a.leases->release(got);
    settle();
    nsdb::setReachable(*a.store, true);
    EXPECT_EQ(stored(got[0]).idle_since_unix_ms(), 0u);
    pauseAfterFailure();
    EXPECT_NE(stored(got[0]).idle_since_unix_ms(), 0u);
}

TEST_F(NatLeasesTest, OnlyOwnBlocksAreReleased) {
    const auto got = lease(b, kOneBlock);
    a.leases->release(got);
    settle();
    EXPECT_EQ(stored(got[0]).idle_since_unix_ms(), 0u);
}

TEST_F(NatLeasesTest, BlocksOfADeadHostAreUsableAfterTheGraceTime) {
    const auto got = lease(a, kOneBlock);
    now += 10h;
    EXPECT_EQ(leaseFails(b, kOneBlock), ErrorCode::Exhausted);
    EXPECT_EQ(stored(got[0]).idle_since_unix_ms(), 0u) << "its holder lives";

    setDead(kA);
    pauseAfterFailure();
    EXPECT_EQ(leaseFails(b, kOneBlock), ErrorCode::Exhausted);
    EXPECT_NE(stored(got[0]).idle_since_unix_ms(), 0u) << "seen dead for the first time";
    pauseAfterFailure();
    now += 151s;
    EXPECT_EQ(lease(b, kOneBlock), got);
}

TEST_F(NatLeasesTest, ARestartFindsItsBlocksAgain) {
    std::vector<NatBlockId> all;
    for (int i = 0; i < 3; ++i) all.push_back(lease(a, kThreeBlocks).at(0));
    lease(b, range("203.0.113.9", "203.0.113.9", 1, 63));
    Agent again(*loop, pool(), shared, kA, now);
    again.leases->start(2);
    settle();
    std::vector<NatLeases::WorkerTag> workers;
    for (const auto& answer : again.answers) workers.push_back(answer.worker);
    EXPECT_THAT(workers, ElementsAre(0, 1, 0));
    EXPECT_THAT(again.blocks(), UnorderedElementsAreArray(all));
    again.leases->start(2);
    settle();
    EXPECT_THAT(again.blocks(), IsEmpty()) << "each is given once";
}

TEST_F(NatLeasesTest, AStartRevokesThatItWasTakenForDead) {
    const auto got = lease(a, kOneBlock);
    setDead(kA);
    EXPECT_EQ(leaseFails(b, kOneBlock), ErrorCode::Exhausted);
    setAlive(kA);
    now += 100s;
    a.leases->start(1);
    settle();
    EXPECT_EQ(stored(got[0]).idle_since_unix_ms(), 0u);
    EXPECT_THAT(a.blocks(), IsEmpty()) << "its worker has it";
    now += 1h;
    pauseAfterFailure();
    EXPECT_EQ(leaseFails(b, kOneBlock), ErrorCode::Exhausted);
}

TEST_F(NatLeasesTest, WhatWasGivenBackLongAgoIsNotFoundAgain) {
    a.leases->release(lease(a, kOneBlock));
    settle();
    now += 151s;
    Agent again(*loop, pool(), shared, kA, now);
    again.leases->start(1);
    settle();
    EXPECT_THAT(again.blocks(), IsEmpty());
}

TEST_F(NatLeasesTest, TheStartWaitsForTheStore) {
    const auto got = lease(a, kOneBlock);
    Agent again(*loop, pool(), shared, kA, now);
    nsdb::setReachable(*again.store, false);
    again.leases->start(1);
    settle();
    EXPECT_THAT(again.answers, IsEmpty());
    nsdb::setReachable(*again.store, true);
    pauseAfterFailure();
    EXPECT_EQ(again.blocks(), got);
}

TEST_F(NatLeasesTest, AFullPoolIsAFailure) {
    std::promise<void> go;
    auto gate = go.get_future().share();
    while (pool().submit([gate] { gate.wait(); })) {
    }
    a.leases->lease(kDevice, false, std::span(&kOneBlock, 1), 0);
    loop->runReady();
    EXPECT_THAT(a.failures(), ElementsAre(ErrorCode::Unavailable));
    go.set_value();
    pool_.reset();
}

TEST_F(NatLeasesTest, AnswersAfterItsEndAreDropped) {
    a.leases->lease(kDevice, false, std::span(&kOneBlock, 1), 0);
    a.leases->release(std::vector{block(1)});
    a.leases->start(1);
    pool_.reset();
    a.leases.reset();
    loop->runReady();
    EXPECT_THAT(a.answers, IsEmpty());
}

TEST_F(NatLeasesTest, TwoHostsAtOnceGetDifferentBlocks) {
    event::BlockingPool two(2, 64);
    Agent c(*loop, two, shared, kA, now), d(*loop, two, shared, kB, now);
    const auto wide = range("203.0.113.1", "203.0.113.1", 64, 64 * 20 + 63);
    for (NatLeases::WorkerTag worker = 0; worker < 10; ++worker)
        for (auto* agent : {&c, &d}) agent->leases->lease(kDevice, false, std::span(&wide, 1), worker);
    for (int i = 0; i < 1'000'000 && c.answers.size() + d.answers.size() < 20; ++i) {
        loop->runReady();
        std::this_thread::yield();
    }
    std::set<NatBlockId> all;
    for (auto* agent : {&c, &d})
        for (const auto& got : agent->blocks()) EXPECT_TRUE(all.insert(got).second);
    EXPECT_EQ(all.size(), 20u);
}

}  // namespace
}  // namespace midonet::flowstate
