#include "host/peers.h"

#include <gmock/gmock.h>

#include "datapath/fake/fake_datapath.h"
#include "host/fake_underlay.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/memory.h"

namespace midonet::host {
namespace {

using namespace std::chrono_literals;
using datapath::TunnelType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

HostId hostId(std::uint64_t n) { return HostId{Uuid{1, n}}; }
Uuid zoneId(std::uint64_t n) { return Uuid{2, n}; }

/// Host n has the address 198.18.Z.n in zone Z. The peers are those of host 1.
class PeersTest : public testing::Test {
protected:
    PeersTest() {
        model::Host host;
        host.set_id(model::bytesOf(hostId(1).uuid()));
        create(host);
        addZone(1, model::TunnelZone::VXLAN);
        addZone(2, model::TunnelZone::GRE);
    }
    void SetUp() override {
        peers = std::make_unique<Peers>(*loop, *store, *session, kernel, underlay, hostId(1), [this] { ++changes; });
        Interface interface;
        interface.addresses = {net::Ipv4Address{0xc6120101}, net::Ipv4Address{0xc6120201}};
        peers->setInterfaces({interface});
        settle();
    }

    template <class T>
    void create(const T& object) {
        const auto written = store->transact([&](nsdb::Transaction& t) { return t.create(object); });
        ASSERT_TRUE(written.has_value()) << written.error().message;
        settle();
    }
    void addZone(std::uint64_t n, model::TunnelZone::Type type) {
        model::TunnelZone zone;
        zone.set_id(model::bytesOf(zoneId(n)));
        zone.set_name("zone" + std::to_string(n));
        zone.set_type(type);
        create(zone);
    }
    /// This host becomes a member of the zone.
    void join(std::uint64_t zone) {
        model::TunnelZoneMember member;
        member.set_id(model::bytesOf(model::memberId(zoneId(zone), hostId(1).uuid())));
        member.set_tunnel_zone_id(model::bytesOf(zoneId(zone)));
        member.set_host_id(model::bytesOf(hostId(1).uuid()));
        member.set_ip_address(address(1, zone).toString());
        create(member);
    }
    void leave(std::uint64_t zone) {
        const auto written = store->transact([&](nsdb::Transaction& t) {
            return t.remove(model::TunnelZoneMember::descriptor(), model::memberId(zoneId(zone), hostId(1).uuid()));
        });
        ASSERT_TRUE(written.has_value()) << written.error().message;
        settle();
    }
    /// A host that packets may have to go to, in these zones.
    void reach(std::uint64_t host, const std::vector<std::uint64_t>& zones) {
        topology::Host other{hostId(host), {}};
        for (const auto zone : zones) other.memberships.push_back({TunnelZoneId{zoneId(zone)}, address(host, zone)});
        hosts.set(other.id, std::make_shared<topology::Host>(other));
        peers->setHosts(hosts);
    }
    void reachNoMore(std::uint64_t host) {
        hosts.erase(hostId(host));
        peers->setHosts(hosts);
    }
    void settle() { loop->runReady(); }
    static net::Ipv4Address address(std::uint64_t host, std::uint64_t zone) {
        return net::Ipv4Address{static_cast<std::uint32_t>(0xc6120000 + (zone << 8) + host)};
    }
    static auto tunnel(std::uint64_t host, std::uint64_t zone, TunnelType type) {
        return AllOf(testing::Field(&Peer::host, hostId(host)),
                     testing::Field(&Peer::spec, datapath::TunnelSpec{type, address(1, zone), address(host, zone)}));
    }
    std::string hostStatus() {
        std::string status;
        const auto watch = store->watchState(*loop, model::Host::descriptor(), hostId(1).uuid(), "status",
                                             [&](const std::optional<std::string>& value) { status = value.value_or(""); });
        settle();
        return status;
    }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("control");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> session = store->openSession(*loop, 30s);
    datapath::fake::FakeDatapath kernel{loop->clock()};
    FakeUnderlay underlay;
    std::unique_ptr<Peers> peers;
    Peers::Hosts hosts;
    int changes = 0;
};

TEST_F(PeersTest, TunnelsToHostsInReachAtOnce) {
    join(1);
    EXPECT_THAT(peers->peers(), IsEmpty());
    reach(1, {1});
    reach(3, {1});
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(3, 1, TunnelType::Vxlan)));
    reach(2, {1});
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(2, 1, TunnelType::Vxlan), tunnel(3, 1, TunnelType::Vxlan)));
    reachNoMore(3);
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(2, 1, TunnelType::Vxlan)));
}

TEST_F(PeersTest, OfSeveralZonesTheOneWithTheLowestId) {
    join(2);
    join(1);
    reach(2, {1, 2});
    reach(3, {2});
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(2, 1, TunnelType::Vxlan), tunnel(3, 2, TunnelType::Gre)));
    reach(2, {2});
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(2, 2, TunnelType::Gre), tunnel(3, 2, TunnelType::Gre)));
    leave(2);
    EXPECT_THAT(peers->peers(), IsEmpty());
}

TEST_F(PeersTest, SyncedWhenWhatTheZonesSayIsInTheDatapath) {
    EXPECT_TRUE(peers->synced()) << "in no zone";
    reach(2, {1});
    join(1);
    EXPECT_TRUE(peers->synced());
    EXPECT_THAT(peers->peers(), ElementsAre(tunnel(2, 1, TunnelType::Vxlan)));
    peers->setInterfaces({});
    EXPECT_FALSE(peers->synced());
    settle();
    EXPECT_TRUE(peers->synced());
}

TEST_F(PeersTest, TellsOfHostsThatCannotBeReached) {
    EXPECT_THAT(hostStatus(), HasSubstr("in no tunnel zone"));
    join(1);
    EXPECT_EQ(hostStatus(), "");
    reach(1, {1});
    reach(2, {});
    reach(3, {2});
    EXPECT_THAT(hostStatus(), AllOf(HasSubstr(hostId(2).toString()), HasSubstr("and 1 more")));
    reach(2, {1});
    EXPECT_THAT(hostStatus(), HasSubstr(hostId(3).toString()));
    reachNoMore(3);
    EXPECT_EQ(hostStatus(), "");
}

TEST_F(PeersTest, AnAddressThatIsNotOfThisHostMakesNoTunnels) {
    join(1);
    reach(2, {1});
    peers->setInterfaces({});
    settle();
    EXPECT_THAT(peers->peers(), IsEmpty());
    ASSERT_EQ(peers->statuses().size(), 1U);
    EXPECT_THAT(peers->statuses().front().problem, HasSubstr("198.18.1.1 is on no interface"));
    EXPECT_THAT(hostStatus(), HasSubstr(hostId(2).toString()));
}

}  // namespace
}  // namespace midonet::host
