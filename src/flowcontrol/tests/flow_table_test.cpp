#include "flowcontrol/flow_table.h"

#include <gmock/gmock.h>

#include <set>

#include "datapath/fake/fake_datapath.h"
#include "packet/builder.h"

namespace midonet::flowcontrol {
namespace {

using namespace std::chrono_literals;
using simulation::FlowClass;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

flow::FlowTag tag(std::uint64_t n) { return flow::FlowTag::device(Uuid{9, n}); }
simulation::Effects learned(std::uint64_t n) {
    return {simulation::LearnMac{BridgeId{Uuid{1, 1}}, {}, net::Mac{n}, PortId{Uuid{2, n}}}};
}

struct Extras {
    flow::FlowTags tags{};
    simulation::Effects effects{};
    FlowClass flowClass = FlowClass::Normal;
};

class FlowTableTest : public ::testing::Test {
protected:
    static constexpr std::size_t kCapacity = 100;
    event::VirtualClock clock;
    datapath::fake::FakeDatapath datapath{clock, {.flowsPerWorker = kCapacity}};
    struct Released {
        std::vector<std::uint64_t> states;
        bool closed = false;
        friend bool operator==(const Released&, const Released&) = default;
    };
    std::vector<simulation::Effects> released;
    std::vector<Released> releasedStates;
    FlowTable table{datapath, 0, [this](const FlowTable::Kept& kept) {
                        released.push_back(kept.effects);
                        releasedStates.push_back({{kept.states.begin(), kept.states.end()}, kept.closed});
                    }};
    flow::PortNumber port = *datapath.addPort("p");

    static flow::FlowKey key(std::uint64_t source) {
        flow::FlowKey key;
        key.inPort = flow::PortNumber{1};
        key.ethSource = net::Mac{0x020000000000ULL + source};
        return key;
    }
    static flow::FlowMask sourceMask() {
        flow::FlowMask mask;
        mask.see(flow::Field::EthSource);
        mask.close();
        return mask;
    }
    Result<void> install(std::uint64_t source, const Extras& extras = {}) {
        return install(key(source), sourceMask(), extras);
    }
    Result<void> install(const flow::FlowKey& key, const flow::FlowMask& mask, const Extras& extras = {}) {
        return table.install({key, mask, flow::FlowActions{flow::Output{flow::PortNumber{1}}}, extras.tags, {}, extras.effects, extras.flowClass},
                             clock.now());
    }
    std::uint64_t removed(RemovalReason reason) const { return table.removed()[static_cast<std::size_t>(reason)]; }
    std::set<std::uint64_t> sources() const {
        std::set<std::uint64_t> out;
        for (const auto& [key, mask] : datapath.flows()) out.insert(key.ethSource.value() - 0x020000000000ULL);
        return out;
    }
    /// A packet of the flow: it has been used now.
    void use(std::uint64_t source) {
        std::vector<std::uint8_t> frame(60);
        net::Mac{0x020000000000ULL + source}.toWire(frame.data() + 6);
        ASSERT_TRUE(datapath.inject(flow::PortNumber{1}, frame));
    }
};

flowstate::StateKey stateKey(std::uint16_t port) { return {flowstate::KeyKind::ConnTrack, 6, port, 80, {}, {}, Uuid{1, 1}}; }

/// A TCP connection that rests on connection state; packets of it with flags.
class TcpFlowTest : public FlowTableTest {
protected:
    void SetUp() override {
        auto effects = learned(1);
        for (const std::uint16_t port : {1, 2}) effects.push_back(simulation::UseState{stateKey(port)});
        ASSERT_TRUE(install(1, {.effects = effects, .flowClass = FlowClass::TcpConnection}));
    }
    void send(unsigned flags) {
        const auto frame = packet::eth("02:00:00:00:00:01", "02:00:00:00:00:02") / packet::ipv4("10.0.0.1", "10.0.0.2") / packet::tcp(1, 2).flags(flags);
        ASSERT_TRUE(datapath.inject(flow::PortNumber{1}, frame.toBytes()));
    }
    void pass(std::chrono::seconds time) {
        for (; time > 0s; time -= 1s) {
            clock.advance(1s);
            table.expire(clock.now());
        }
    }
    static constexpr unsigned kFin = packet::tcpflag::kFin, kAck = packet::tcpflag::kAck, kSyn = packet::tcpflag::kSyn, kRst = packet::tcpflag::kRst;
};

TEST_F(TcpFlowTest, EndsSoonAfterItsSenderHasClosed) {
    for (const auto end : {kFin | kAck, kRst}) {
        releasedStates.clear();
        SetUp();
        releasedStates.clear();
        send(kAck);
        pass(10s);
        send(end);
        pass(3s);
        EXPECT_EQ(table.size(), 1U) << "the last packets are on their way";
        pass(5s);
        EXPECT_EQ(table.size(), 0U);
        EXPECT_THAT(releasedStates, ElementsAre(Released{{stateKey(2).hash(), stateKey(1).hash()}, true}));
    }
}

TEST_F(TcpFlowTest, HalfClosedConnectionLivesWhileItIsUsed) {
    send(kFin | kAck);
    for (int i = 0; i < 100; ++i) {
        pass(2s);
        send(kAck);
    }
    EXPECT_EQ(table.size(), 1U);
}

TEST_F(TcpFlowTest, NewConnectionBetweenTheSamePortsIsOpen) {
    send(kFin | kAck);
    send(kSyn);
    pass(50s);
    EXPECT_EQ(table.size(), 1U);
    pass(15s);
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(releasedStates.back().closed) << "it fell silent";
}

TEST_F(TcpFlowTest, IdleConnectionLivesAsLongAsOthers) {
    send(kAck);
    pass(58s);
    EXPECT_EQ(table.size(), 1U);
    pass(6s);
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(releasedStates.back().closed);
}

TEST_F(TcpFlowTest, StatesGoWithTheirFlowWhateverEndsIt) {
    table.flush();
    EXPECT_THAT(released, ElementsAre(learned(1)));
    EXPECT_THAT(releasedStates, ElementsAre(Released{{stateKey(2).hash(), stateKey(1).hash()}, false}));
}

TEST_F(FlowTableTest, InstallsInTheDatapath) {
    ASSERT_TRUE(install(1));
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(datapath.flowCount(), 1U);
    use(1);
    EXPECT_EQ(datapath.takeOutputs().size(), 1U);
}

TEST_F(FlowTableTest, TagRemovesItsFlowsAndNoOthers) {
    install(1, {.tags = {tag(1), tag(2)}});
    install(2, {.tags = {tag(2)}});
    install(3, {.tags = {tag(3)}});
    EXPECT_EQ(table.invalidate(tag(2)), 2U);
    EXPECT_EQ(sources(), (std::set<std::uint64_t>{3}));
    EXPECT_EQ(datapath.flowCount(), 1U);
    EXPECT_EQ(removed(RemovalReason::Invalidated), 2U);
    EXPECT_EQ(table.invalidate(tag(1)), 0U) << "it went with its flow";
}

TEST_F(FlowTableTest, TagsOfPlacesAndOthersFindTheirFlowsAlike) {
    const auto state = flow::FlowTag::state(5);
    install(1, {.tags = {tag(1), state, tag(2)}});
    install(2, {.tags = {tag(1), tag(2)}});
    install(3, {.tags = {tag(2), tag(1)}});
    install(4, {.tags = {state}});
    EXPECT_EQ(table.invalidate(state), 2U);
    EXPECT_EQ(sources(), (std::set<std::uint64_t>{2, 3}));
    install(5, {.tags = {tag(1), tag(2)}});
    EXPECT_EQ(table.invalidate(tag(2)), 3U);
    EXPECT_EQ(table.invalidate(tag(1)), 0U);
}

TEST_F(FlowTableTest, UnknownTagRemovesNothing) {
    install(1, {.tags = {tag(1)}});
    EXPECT_EQ(table.invalidate(tag(5)), 0U);
    EXPECT_EQ(table.size(), 1U);
}

TEST_F(FlowTableTest, SameTagTwiceIsOne) {
    install(1, {.tags = {tag(1), tag(1)}});
    EXPECT_EQ(table.invalidate(tag(1)), 1U);
}

TEST_F(FlowTableTest, EffectsComeBackWhenTheFlowEnds) {
    install(1, {.tags = {tag(1)}, .effects = learned(7)});
    EXPECT_THAT(released, IsEmpty());
    table.invalidate(tag(1));
    EXPECT_THAT(released, ElementsAre(learned(7)));
}

TEST_F(FlowTableTest, InstallingAgainReplaces) {
    install(1, {.tags = {tag(1)}, .effects = learned(1)});
    install(1, {.tags = {tag(2)}, .effects = learned(2)});
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(datapath.flowCount(), 1U);
    EXPECT_THAT(released, ElementsAre(learned(1)));
    EXPECT_EQ(removed(RemovalReason::Replaced), 1U);
    EXPECT_EQ(table.invalidate(tag(1)), 0U) << "the tags of the old one are gone";
    EXPECT_EQ(table.invalidate(tag(2)), 1U);
    EXPECT_EQ(datapath.flowCount(), 0U);
}

TEST_F(FlowTableTest, PacketsThatTheMaskCannotTellApartAreOneFlow) {
    auto other = key(1);
    other.ipTtl = 17;
    install(1);
    ASSERT_TRUE(install(other, sourceMask()));
    EXPECT_EQ(table.size(), 1U);
}

TEST(FlowTableWithFewMasks, FlowsThatTheDatapathMadeNarrowerAreSeveral) {
    event::VirtualClock clock;
    datapath::fake::FakeDatapath datapath{clock, {.masks = 0}};
    FlowTable table{datapath, 0, [](const auto&) {}};
    flow::FlowMask mask;
    mask.see(flow::Field::EthSource);
    mask.close();
    const flow::FlowTags tags{tag(1)};
    for (const std::uint8_t ttl : {1, 2, 2}) {
        flow::FlowKey key;
        key.ipTtl = ttl;
        ASSERT_TRUE(table.install({key, mask, {}, tags, {}, {}, FlowClass::Normal}, clock.now()));
    }
    EXPECT_EQ(table.size(), 2U);
    EXPECT_EQ(datapath.flowCount(), 2U);
    EXPECT_EQ(table.invalidate(tag(1)), 2U);
    EXPECT_EQ(datapath.flowCount(), 0U) << "none is left that nobody knows of";
}

TEST_F(FlowTableTest, SameKeyUnderAnotherMaskIsAnotherFlow) {
    install(1);
    auto wider = sourceMask();
    wider.see(flow::Field::EthDestination);
    ASSERT_TRUE(install(key(1), wider));
    EXPECT_EQ(table.size(), 2U);
}

TEST_F(FlowTableTest, IdleFlowExpires) {
    install(1);
    clock.advance(59s);
    EXPECT_EQ(table.expire(clock.now()), 0U);
    clock.advance(1s);
    EXPECT_EQ(table.expire(clock.now()), 1U);
    EXPECT_EQ(removed(RemovalReason::Expired), 1U);
    EXPECT_EQ(datapath.flowCount(), 0U);
}

TEST_F(FlowTableTest, UsedFlowStaysAnotherTerm) {
    install(1);
    clock.advance(30s);
    use(1);
    clock.advance(30s);
    EXPECT_EQ(table.expire(clock.now()), 0U);
    clock.advance(60s);
    EXPECT_EQ(table.expire(clock.now()), 1U);
}

TEST_F(FlowTableTest, ErrorFlowEndsAfterFiveSecondsWhateverTheTraffic) {
    install(1, {.flowClass = FlowClass::Error});
    clock.advance(5s);
    use(1);
    EXPECT_EQ(table.expire(clock.now()), 1U);
}

TEST_F(FlowTableTest, UntunnellingFlowLastsFiveMinutes) {
    install(1, {.flowClass = FlowClass::Tunnel});
    clock.advance(299s);
    EXPECT_EQ(table.expire(clock.now()), 0U);
    clock.advance(1s);
    EXPECT_EQ(table.expire(clock.now()), 1U);
}

TEST_F(FlowTableTest, ExpiryLooksAtNoMoreThanItsLimit) {
    for (std::uint64_t n = 0; n < 20; ++n) install(n);
    clock.advance(60s);
    EXPECT_EQ(table.expire(clock.now(), 8), 8U);
    EXPECT_EQ(table.size(), 12U);
}

TEST_F(FlowTableTest, AboveNinetyPercentTheOldestErrorsGoFirst) {
    install(500, {.flowClass = FlowClass::Normal});
    install(501, {.flowClass = FlowClass::Error});
    install(502, {.flowClass = FlowClass::Error});
    for (std::uint64_t n = 0; n < 87; ++n) install(n);
    ASSERT_EQ(table.size(), 90U);
    install(600);
    EXPECT_FALSE(sources().contains(501));
    EXPECT_TRUE(sources().contains(502));
    install(601);
    install(602);
    EXPECT_FALSE(sources().contains(502));
    EXPECT_FALSE(sources().contains(500)) << "then the oldest of the others";
    EXPECT_TRUE(sources().contains(0));
    EXPECT_EQ(removed(RemovalReason::Evicted), 3U);
    EXPECT_EQ(datapath.flowCount(), table.size());
}

TEST_F(FlowTableTest, DatapathThatSaysFullGetsRoomAndASecondTry) {
    install(1);
    datapath.failNextInstalls(1);
    EXPECT_TRUE(install(2));
    EXPECT_EQ(sources(), (std::set<std::uint64_t>{2}));
}

TEST_F(FlowTableTest, FailureIsHandedBackAndChangesNothingElse) {
    install(1, {.effects = learned(1)});
    datapath.failNextInstalls(2);
    const auto result = install(2, {.tags = {tag(2)}, .effects = learned(2)});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::Exhausted);
    EXPECT_EQ(table.invalidate(tag(2)), 0U);
    EXPECT_EQ(table.size(), datapath.flowCount());
}

TEST_F(FlowTableTest, NoRoomAndNothingToEvict) {
    datapath.failNextInstalls(1);
    EXPECT_FALSE(install(1));
    EXPECT_EQ(table.size(), 0U);
}

TEST_F(FlowTableTest, MetersCountFlowsWhileTheyLiveAndHoweverTheyEnd) {
    table.countPacket({tag(1)}, 100);
    const auto packets = [&] { return table.readMeters().at(tag(1)).packets; };
    ASSERT_TRUE(install(1, {.tags = {tag(1)}}));
    ASSERT_TRUE(install(2, {.tags = {tag(1)}}));
    EXPECT_EQ(packets(), 1U);
    use(1);
    use(1);
    use(2);
    EXPECT_EQ(packets(), 4U);
    EXPECT_EQ(table.readMeters().at(tag(1)).bytes, 100U + 3 * 60);
    EXPECT_EQ(table.invalidate(tag(1)), 2U);
    EXPECT_EQ(packets(), 4U);
    ASSERT_TRUE(install(1, {.tags = {tag(1)}}));
    use(1);
    table.flush();
    EXPECT_EQ(packets(), 5U);
}

TEST_F(FlowTableTest, TagsForMetersAloneAreNotInvalidated) {
    const auto alone = flow::FlowTag::portRx(PortId{Uuid{2, 1}});
    ASSERT_TRUE(install(1, {.tags = {alone}}));
    EXPECT_EQ(table.invalidate(alone), 0U);
}

TEST_F(FlowTableTest, FlushRemovesEverything) {
    for (std::uint64_t n = 0; n < 10; ++n) install(n, {.effects = learned(n), .flowClass = static_cast<FlowClass>(n % 4)});
    EXPECT_EQ(table.flush(), 10U);
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(datapath.flowCount(), 0U);
    EXPECT_EQ(released.size(), 10U);
    EXPECT_TRUE(install(1));
}

TEST(FlowTableMemory, OfABurstIsGivenBackAndWhatIsLeftGoesOn) {
    constexpr std::uint64_t kMany = 60'000;
    event::VirtualClock clock;
    datapath::fake::FakeDatapath datapath{clock, {.flowsPerWorker = 100'000}};
    std::size_t ended = 0, states = 0;
    FlowTable table{datapath, 0, [&](const FlowTable::Kept& kept) { ++ended, states += kept.states.size(); }};
    const auto add = [&](std::uint64_t n, FlowClass flowClass) {
        flow::FlowKey key;
        key.ethSource = net::Mac{n + 2};
        flow::FlowMask mask;
        mask.see(flow::Field::EthSource);
        mask.close();
        const simulation::Effects effects{simulation::UseState{stateKey(static_cast<std::uint16_t>(n))}};
        const flow::FlowTags tags{tag(n % 1000), flow::FlowTag::state(n % 500)};
        ASSERT_TRUE(table.install({key, mask, {}, tags, {}, effects, flowClass}, clock.now()));
    };
    for (std::uint64_t n = 0; n < kMany; ++n) add(n, n % 1000 == 7 ? FlowClass::Tunnel : FlowClass::Normal);
    clock.advance(61s);
    while (table.expire(clock.now()) > 0) {}
    EXPECT_EQ(table.size(), kMany / 1000);
    for (std::uint64_t n = kMany; n < kMany + 20'000; ++n) add(n, FlowClass::Normal);
    EXPECT_EQ(table.size(), kMany / 1000 + 20'000);
    EXPECT_EQ(table.invalidate(tag(7)), kMany / 1000 + 20) << "tags of flows from before and after";
    table.flush();
    EXPECT_EQ(ended, kMany + 20'000);
    EXPECT_EQ(states, ended);
}

TEST_F(FlowTableTest, FlowsOutliveTheTable) {
    {
        FlowTable other{datapath, 0, [](const auto&) {}};
        const flow::FlowKey k = key(1);
        ASSERT_TRUE(other.install({k, sourceMask(), {}, {}, {}, {}, FlowClass::Normal}, clock.now()));
    }
    EXPECT_EQ(datapath.flowCount(), 1U) << "the next process adopts it";
}

}  // namespace
}  // namespace midonet::flowcontrol
