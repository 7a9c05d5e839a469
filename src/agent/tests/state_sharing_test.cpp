#include "agent/state_sharing.h"

#include <gmock/gmock.h>

#include "flowstate/state_message.h"
#include "topology/testing/snapshot_builder.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using flow::FlowTag;
using flowstate::StateEntry;
using topology::testing::hostId;
using topology::testing::portId;

class StateSharingTest : public ::testing::Test {
protected:
    event::VirtualClock clock;
    flowstate::StateTable table;
    std::map<HostId, unsigned> told;  // messages for each host
    StateSharing sharing{hostId(1), 1, table, [this](const HostId& peer, ByteView) { ++told[peer]; }};

    static StateEntry entry(std::uint16_t port) {
        return {{flowstate::KeyKind::ConnTrack, 6, port, 80, net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x0a000002}, Uuid{1, 1}}, {}, 60};
    }
    static StatePeers peers(std::uint64_t port, std::uint64_t host) {
        return {{portId(port)}, {hostId(host)}, {FlowTag::statePeers(portId(port).uuid())}};
    }
    void open(std::uint16_t connection, std::uint64_t port, std::uint64_t host) {
        const auto added = entry(connection);
        table.put(added, clock.now());
        sharing.share({&added, 1}, {&added.key, 1}, peers(port, host), clock.now());
    }
    void move(std::uint64_t port, std::vector<HostId> hosts) {
        sharing.movePeers({FlowTag::statePeers(portId(port).uuid())},
                          [&](const std::vector<PortId>& ports) { return StatePeers{ports, hosts, {FlowTag::statePeers(portId(port).uuid())}}; },
                          clock.now());
    }
};

TEST_F(StateSharingTest, APortThatMovesTakesItsConnectionsAlong) {
    open(1, 10, 2);
    open(2, 10, 2);
    open(3, 11, 2);
    told.clear();
    move(10, {});
    EXPECT_TRUE(told.empty()) << "it is nowhere";
    move(10, {hostId(3)});
    EXPECT_EQ(told, (std::map<HostId, unsigned>{{hostId(3), 1U}})) << "both connections in one message";
    move(10, {hostId(3)});
    EXPECT_EQ(told.size(), 1U) << "once";
}

TEST_F(StateSharingTest, TheHostThatAPortLeftIsToldOnOfConnectionsInUse) {
    open(1, 10, 2);
    table.hold(entry(1).key);
    move(10, {hostId(3)});
    told.clear();
    clock.advance(StateSharing::kRefresh + 1s);
    sharing.refresh(clock.now());
    EXPECT_EQ(told, (std::map<HostId, unsigned>{{hostId(2), 1U}, {hostId(3), 1U}})) << "its NAT port may be of a block there";
}

TEST_F(StateSharingTest, AConnectionThatIsTakenUpAgainIsToldAgain) {
    open(1, 10, 2);
    const auto key = entry(1).key;
    const auto use = [&] { sharing.share({}, {&key, 1}, peers(10, 2), clock.now()); };
    told.clear();
    for (int i = 0; i < 19; ++i) {
        clock.advance(1s);
        use();
    }
    EXPECT_TRUE(told.empty()) << "it was told a moment ago";
    clock.advance(1s);
    use();
    EXPECT_EQ(told, (std::map<HostId, unsigned>{{hostId(2), 1U}})) << "the other host may be about to forget it";
    use();
    EXPECT_EQ(told[hostId(2)], 1U) << "once";
}

TEST_F(StateSharingTest, UsingAConnectionDoesNotPutOffItsRefresh) {
    open(1, 10, 2);
    const auto key = entry(1).key;
    table.hold(key);
    clock.advance(15s);
    sharing.share({}, {&key, 1}, peers(10, 2), clock.now());
    told.clear();
    clock.advance(6s);
    sharing.refresh(clock.now());
    EXPECT_EQ(told, (std::map<HostId, unsigned>{{hostId(2), 1U}}));
}

TEST_F(StateSharingTest, AConnectionThatIsGoneDoesNotMove) {
    open(1, 10, 2);
    told.clear();
    table.remove(entry(1).key);
    move(10, {hostId(3)});
    EXPECT_TRUE(told.empty());
    clock.advance(StateSharing::kRefresh + 1s);
    sharing.refresh(clock.now());
    EXPECT_EQ(sharing.size(), 0U);
}

}  // namespace
}  // namespace midonet::agent
