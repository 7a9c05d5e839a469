#include "agent/mac_learning.h"

#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using simulation::LearnMac;
using topology::MacChange;

/// Two hosts' sessions on one NSDB; MacLearning is the first host's.
class MacLearningTest : public ::testing::Test {
protected:
    MacLearningTest() {
        const auto written = store->transact([&](nsdb::Transaction& t) {
            model::Bridge object;
            object.set_id(model::bytesOf(bridge.uuid()));
            return t.create(object);
        });
        EXPECT_TRUE(written.has_value());
        loop->runReady();
    }

    LearnMac at(std::uint64_t port, std::uint64_t mac = 1) const { return {bridge, {}, net::Mac{mac}, portId(port)}; }
    static PortId portId(std::uint64_t n) { return PortId{Uuid{2, n}}; }
    void report(datapath::WorkerIndex worker, const LearnMac& learned, bool isNew, bool held) {
        WorkerReport out;
        out.macs[learned] = {isNew, held};
        learning.onReport(worker, out);
        loop->runReady();
    }
    /// What the NSDB says about MAC 1: a port's number, 0 for nothing.
    std::uint64_t stored(std::uint64_t mac = 1) {
        loop->runReady();
        const auto entries = store->readTable(nsdb::macTableName(bridge.uuid(), 0));
        EXPECT_TRUE(entries.has_value());
        for (const auto& entry : *entries)
            if (entry.key == net::Mac{mac}.toString()) return Uuid::parse(entry.value)->low();
        return 0;
    }
    /// What was broadcast since the last call, last per MAC: 0 = removed.
    std::map<std::uint64_t, std::uint64_t> takeNews() { return std::exchange(news, {}); }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> session = store->openSession(*loop, 30s);
    std::unique_ptr<nsdb::Session> otherHost = store->openSession(*loop, 30s);
    const BridgeId bridge{Uuid{1, 1}};
    std::map<std::uint64_t, std::uint64_t> news;
    MacLearning learning{*loop, *session, [this](const std::vector<MacChange>& changes) {
                             for (const auto& c : changes) news[c.mac.value()] = c.port.uuid().low();
                         }};
};

using News = std::map<std::uint64_t, std::uint64_t>;

TEST_F(MacLearningTest, LearnedMacIsPublishedAndToldToAllWorkers) {
    report(0, at(1), true, true);
    EXPECT_EQ(stored(), 1U);
    EXPECT_EQ(takeNews(), (News{{1, 1}}));
}

TEST_F(MacLearningTest, SecondWorkerWithTheSameMacIsNoNews) {
    report(0, at(1), true, true);
    takeNews();
    report(1, at(1), true, true);
    EXPECT_EQ(takeNews(), News{});
    EXPECT_EQ(learning.published(), 1U);
}

TEST_F(MacLearningTest, WithdrawnFifteenSecondsAfterTheLastFlowOfTheLastWorker) {
    report(0, at(1), true, true);
    report(1, at(1), true, true);
    report(0, at(1), false, false);
    loop->advance(60s);
    EXPECT_EQ(stored(), 1U) << "the other worker still has a flow";
    report(1, at(1), false, false);
    takeNews();
    loop->advance(14s);
    EXPECT_EQ(stored(), 1U);
    loop->advance(4s);
    EXPECT_EQ(stored(), 0U);
    EXPECT_EQ(takeNews(), (News{{1, 0}}));
    EXPECT_EQ(learning.published(), 0U);
}

TEST_F(MacLearningTest, NewFlowWithinTheTimeKeepsIt) {
    report(0, at(1), true, false);
    loop->advance(10s);
    report(0, at(1), true, true);
    loop->advance(60s);
    EXPECT_EQ(stored(), 1U);
}

TEST_F(MacLearningTest, FlowThatCameAndWentBetweenTwoReportsIsPublished) {
    report(0, at(1), true, false);
    EXPECT_EQ(stored(), 1U);
    loop->advance(20s);
    EXPECT_EQ(stored(), 0U);
}

TEST_F(MacLearningTest, EndOfSomethingUnknownIsNothing) {
    report(0, at(1), false, false);
    EXPECT_EQ(stored(), 0U);
    EXPECT_EQ(learning.published(), 0U);
}

TEST_F(MacLearningTest, MoveBetweenPortsOfThisHost) {
    report(0, at(1), true, true);
    report(1, at(2), true, true);
    EXPECT_EQ(stored(), 2U);
    EXPECT_EQ(takeNews(), (News{{1, 2}}));
    report(0, at(1), false, false);
    loop->advance(20s);
    EXPECT_EQ(stored(), 2U) << "the end of the old place does not take the new one";
    EXPECT_EQ(takeNews(), News{});
}

TEST_F(MacLearningTest, NewerEntryOfAnotherHostWins) {
    report(0, at(1), true, true);
    takeNews();
    otherHost->learn(nsdb::macTableName(bridge.uuid(), 0), net::Mac{1}.toString(), portId(9).toString());
    loop->runReady();
    learning.onStore({{bridge, {}, net::Mac{1}, portId(9)}});
    EXPECT_EQ(takeNews(), (News{{1, 9}}));
    EXPECT_EQ(stored(), 9U);
    EXPECT_EQ(learning.published(), 0U);
    report(0, at(1), false, false);
    loop->advance(60s);
    EXPECT_EQ(stored(), 9U);
}

TEST_F(MacLearningTest, MacComesBackFromAnotherHost) {
    report(0, at(1), true, true);
    otherHost->learn(nsdb::macTableName(bridge.uuid(), 0), net::Mac{1}.toString(), portId(9).toString());
    loop->runReady();
    learning.onStore({{bridge, {}, net::Mac{1}, portId(9)}});
    report(0, at(1), true, true);
    EXPECT_EQ(stored(), 1U);
    EXPECT_EQ(takeNews()[1], 1U);
}

TEST_F(MacLearningTest, OwnEntryComingBackIsNoNews) {
    report(0, at(1), true, true);
    takeNews();
    learning.onStore({{bridge, {}, net::Mac{1}, portId(1)}});
    EXPECT_EQ(takeNews(), News{});
    EXPECT_EQ(learning.published(), 1U);
}

TEST_F(MacLearningTest, StoreThatForgetsOurEntryIsNotBelieved) {
    report(0, at(1), true, true);
    takeNews();
    learning.onStore({{bridge, {}, net::Mac{1}, PortId{}}});
    EXPECT_EQ(takeNews(), News{});
}

TEST_F(MacLearningTest, EntriesOfOthersArePassedOn) {
    learning.onStore({{bridge, {}, net::Mac{5}, portId(9)}, {bridge, {}, net::Mac{6}, PortId{}}});
    EXPECT_EQ(takeNews(), (News{{5, 9}, {6, 0}}));
}

TEST_F(MacLearningTest, PortThatLeavesTakesItsMacsAtOnce) {
    report(0, at(1, 1), true, true);
    report(0, at(1, 2), true, true);
    report(0, at(2, 3), true, true);
    takeNews();
    learning.forgetPort(portId(1));
    EXPECT_EQ(stored(1), 0U);
    EXPECT_EQ(stored(2), 0U);
    EXPECT_EQ(stored(3), 2U);
    EXPECT_EQ(takeNews(), (News{{1, 0}, {2, 0}}));
    report(0, at(1, 1), false, false);
    EXPECT_EQ(learning.published(), 1U);
}

TEST_F(MacLearningTest, PortThatLeavesLeavesWhatMovedOn) {
    report(0, at(1), true, true);
    report(0, at(2), true, true);
    takeNews();
    learning.forgetPort(portId(1));
    EXPECT_EQ(stored(), 2U);
    EXPECT_EQ(takeNews(), News{});
}

TEST_F(MacLearningTest, TableThatNobodyFollowsIsGivenUp) {
    report(0, at(1), true, true);
    takeNews();
    learning.forgetTable(bridge, net::VlanId{5});
    EXPECT_EQ(stored(), 1U) << "that was another table";
    learning.forgetTable(bridge, {});
    EXPECT_EQ(stored(), 0U);
    EXPECT_EQ(takeNews(), (News{{1, 0}}));
}

}  // namespace
}  // namespace midonet::agent
