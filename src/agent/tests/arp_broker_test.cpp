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
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(broker.ask({router, port, address}, clock.now()));
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
    for (std::uint32_t i = 0; i < ArpBroker::kCapacity; ++i) EXPECT_TRUE(broker.ask({router, port, net::Ipv4Address{i}}, clock.now()));
    EXPECT_FALSE(broker.ask({router, port, net::Ipv4Address{99'999}}, clock.now()));
    EXPECT_EQ(sent.size(), ArpBroker::kCapacity);
}

}  // namespace
}  // namespace midonet::agent
