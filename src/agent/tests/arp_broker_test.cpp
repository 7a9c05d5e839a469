#include "agent/arp_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using simulation::AskArp;

class ArpBrokerTest : public ::testing::Test {
protected:
    event::VirtualClock clock;
    std::vector<AskArp> sent;
    ArpBroker broker{[this](const AskArp& question) { sent.push_back(question); }};
    const RouterId router{Uuid{1, 1}};
    const PortId port{Uuid{2, 1}};
    const net::Ipv4Address address{0x0a000001};
    bool stale = false;

    void pass(event::Duration time) {
        for (event::Duration step{}; step < time; step += 250ms) {
            clock.advance(250ms);
            broker.tick(clock.now(), [this](const Neighbour&) { return stale; });
        }
    }
};

TEST_F(ArpBrokerTest, AsksAtOnceThenAboutEveryTenSecondsForAMinute) {
    broker.ask({router, port, address}, clock.now());
    EXPECT_EQ(sent.size(), 1U);
    pass(8s);
    EXPECT_EQ(sent.size(), 1U);
    pass(5s);
    EXPECT_EQ(sent.size(), 2U);
    pass(60s);
    EXPECT_THAT(sent.size(), ::testing::AllOf(::testing::Ge(4U), ::testing::Le(9U)));
    EXPECT_EQ(broker.open(), 0U);
    const auto before = sent.size();
    pass(60s);
    EXPECT_EQ(sent.size(), before) << "it gave up";
}

TEST_F(ArpBrokerTest, OneQuestionForAllThatWait) {
    for (int i = 0; i < 10; ++i) broker.ask({router, port, address}, clock.now());
    EXPECT_EQ(sent.size(), 1U);
    broker.answered({router, address});
    pass(60s);
    EXPECT_EQ(sent.size(), 1U);
}

TEST_F(ArpBrokerTest, RefreshesWhatFlowsUseWhenItIsStale) {
    broker.use({router, port, address});
    broker.use({router, port, address});
    pass(60s);
    EXPECT_EQ(sent.size(), 0U) << "it is fresh";
    stale = true;
    pass(1s);
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent.front(), (AskArp{router, port, address}));
    stale = false;
    broker.answered({router, address});
    broker.release({router, port, address});
    stale = true;
    pass(1s);
    EXPECT_EQ(sent.size(), 2U) << "one flow is left";
    broker.answered({router, address});
    broker.release({router, port, address});
    pass(60s);
    EXPECT_EQ(sent.size(), 2U);
}

TEST_F(ArpBrokerTest, AScanOpensABoundedNumberOfQuestions) {
    const RouterId other{Uuid{1, 2}};
    broker.ask({other, port, address}, clock.now());
    constexpr std::uint32_t kScanned = 10 * ArpBroker::kPerRouter;
    for (std::uint32_t i = 0; i < kScanned; ++i) {
        clock.advance(ArpBroker::kInterval);
        broker.ask({router, port, net::Ipv4Address{i}}, clock.now());
        if (i % 7 == 0) broker.answered({router, net::Ipv4Address{i}});
        ASSERT_LE(broker.open(), 1 + ArpBroker::kPerRouter);
    }
    EXPECT_EQ(sent.size(), 1 + kScanned) << "each is asked for once";
    sent.clear();
    broker.ask({other, port, address}, clock.now());
    broker.ask({router, port, net::Ipv4Address{kScanned - 1}}, clock.now());
    EXPECT_TRUE(sent.empty()) << "the question of the other router, and the newest ones, are open";
    pass(70s);
    EXPECT_EQ(broker.open(), 0U);
}

TEST_F(ArpBrokerTest, AFastScanAsksAtASteadyRate) {
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        if (i % 25 == 0) clock.advance(1ms);
        broker.ask({router, port, net::Ipv4Address{i}}, clock.now());
    }
    const auto allowed = ArpBroker::kPerRouter + static_cast<std::size_t>(4s / ArpBroker::kInterval);
    EXPECT_LE(sent.size(), allowed);
    EXPECT_GE(sent.size(), allowed - 2);
}

}  // namespace
}  // namespace midonet::agent
