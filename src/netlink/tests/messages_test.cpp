#include "netlink/messages.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "netlink/internal/request.h"

namespace midonet::netlink {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytesOf(Request& request) {
    const auto* const start = reinterpret_cast<const std::uint8_t*>(&request.header());
    return {start, start + request.header().nlmsg_len};
}

net::IpAddress ip(std::string_view text) { return net::IpAddress::parse(text).value(); }

const Bytes kMac{0x02, 0, 0, 0, 0, 0x2a};

Bytes linkMessage() {
    ifinfomsg fixed{};
    fixed.ifi_index = 7;
    fixed.ifi_type = ARPHRD_ETHER;
    fixed.ifi_flags = IFF_UP | IFF_LOWER_UP;
    Request request(RTM_NEWLINK, 0);
    request.fixed(fixed).text(IFLA_IFNAME, "veth0").bytes(IFLA_ADDRESS, kMac).number(IFLA_MTU, 1500U);
    auto* const info = request.begin(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "veth");
    request.end(info);
    return bytesOf(request);
}

Bytes neighbourMessage(std::uint16_t type, int family) {
    ndmsg fixed{};
    fixed.ndm_family = static_cast<unsigned char>(family);
    fixed.ndm_ifindex = 7;
    fixed.ndm_state = NUD_STALE;
    Request request(type, 0);
    request.fixed(fixed).address(NDA_DST, ip("10.0.0.2")).bytes(NDA_LLADDR, kMac);
    return bytesOf(request);
}

TEST(Messages, Links) {
    const auto link = parseLink(linkMessage());
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ(*link, (Link{.index = 7, .name = "veth0", .mac = net::Mac{0x02000000002aULL}, .mtu = 1500,
                           .up = true, .hasCarrier = true, .kind = "veth", .parentDevice = {}}));
}

TEST(Messages, AddressesOfBothFamilies) {
    ifaddrmsg fixed{};
    fixed.ifa_index = 3;
    fixed.ifa_prefixlen = 24;
    Request v4(RTM_NEWADDR, 0);  // point to point: our own address is the local one
    v4.fixed(fixed).address(IFA_ADDRESS, ip("10.0.0.2")).address(IFA_LOCAL, ip("10.0.0.1"));
    EXPECT_EQ(parseAddress(bytesOf(v4)).value(), (Address{3, ip("10.0.0.1"), 24}));
    fixed.ifa_prefixlen = 64;
    Request v6(RTM_NEWADDR, 0);
    v6.fixed(fixed).address(IFA_ADDRESS, ip("2001:db8::1"));
    EXPECT_EQ(parseAddress(bytesOf(v6)).value(), (Address{3, ip("2001:db8::1"), 64}));
    Request impossible(RTM_NEWADDR, 0);
    impossible.fixed(fixed).address(IFA_ADDRESS, ip("10.0.0.1"));
    EXPECT_FALSE(parseAddress(bytesOf(impossible)).has_value());
}

TEST(Messages, NeighboursAndWhichOfThemAreUsable) {
    auto neighbour = parseNeighbour(neighbourMessage(RTM_NEWNEIGH, AF_INET));
    ASSERT_TRUE(neighbour);
    EXPECT_EQ(neighbour->address, ip("10.0.0.2"));
    EXPECT_EQ(neighbour->mac, net::Mac{0x02000000002aULL});
    EXPECT_TRUE(neighbour->usable());
    neighbour->state = NUD_FAILED;
    EXPECT_FALSE(neighbour->usable());
    neighbour->state = NUD_REACHABLE;
    neighbour->mac.reset();
    EXPECT_FALSE(neighbour->usable());
}

TEST(Messages, RoutesWithGatewaysOfEitherFamily) {
    rtmsg fixed{};
    fixed.rtm_family = AF_INET;
    fixed.rtm_dst_len = 8;
    fixed.rtm_table = RT_TABLE_MAIN;
    fixed.rtm_type = RTN_UNICAST;
    Request plain(RTM_NEWROUTE, 0);
    plain.fixed(fixed).address(RTA_DST, ip("10.0.0.0")).address(RTA_GATEWAY, ip("192.0.2.1"));
    plain.number(RTA_OIF, 5).address(RTA_PREFSRC, ip("192.0.2.9")).number(RTA_PRIORITY, 100U);
    const auto route = parseRoute(bytesOf(plain));
    ASSERT_TRUE(route);
    EXPECT_EQ(route->destination.toString(), "10.0.0.0/8");
    EXPECT_EQ(route->gateway, ip("192.0.2.1"));
    EXPECT_EQ(route->preferredSource, ip("192.0.2.9"));
    EXPECT_EQ(route->linkIndex, 5);
    EXPECT_EQ(route->priority, 100U);

    Bytes via{AF_INET6, 0};
    std::array<std::uint8_t, 16> wire{};
    ip("fe80::1").v6().toWire(wire.data());
    via.insert(via.end(), wire.begin(), wire.end());
    Request other(RTM_NEWROUTE, 0);
    fixed.rtm_dst_len = 0;
    other.fixed(fixed).bytes(RTA_VIA, via);
    EXPECT_EQ(parseRoute(bytesOf(other)).value().gateway, ip("fe80::1"));
    EXPECT_EQ(parseRoute(bytesOf(other)).value().destination.toString(), "0.0.0.0/0");
}

TEST(Messages, EventsSayWhatIsGoneAndSkipWhatIsNotOurs) {
    const auto gone = parseEvent(neighbourMessage(RTM_DELNEIGH, AF_INET));
    ASSERT_TRUE(gone && *gone);
    EXPECT_TRUE(std::get<Change<Neighbour>>(**gone).removed);
    const auto forwardingEntry = parseEvent(neighbourMessage(RTM_NEWNEIGH, AF_BRIDGE));
    ASSERT_TRUE(forwardingEntry);
    EXPECT_EQ(*forwardingEntry, std::nullopt);
    const auto unknown = parseEvent(neighbourMessage(RTM_NEWQDISC, AF_INET));
    ASSERT_TRUE(unknown);
    EXPECT_EQ(*unknown, std::nullopt);
}

TEST(Messages, DatagramsAreCutIntoMessages) {
    auto datagram = linkMessage();
    const auto first = datagram.size();
    const auto second = neighbourMessage(RTM_NEWNEIGH, AF_INET);
    datagram.insert(datagram.end(), second.begin(), second.end());
    const auto messages = splitDatagram(datagram);
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 2U);
    EXPECT_EQ((*messages)[0].size(), first);
    EXPECT_TRUE(parseNeighbour((*messages)[1]));
}

TEST(Messages, AcknowledgementsCarryTheKernelsWords) {
    nlmsgerr fixed{};
    fixed.error = -EINVAL;
    fixed.msg.nlmsg_len = sizeof(nlmsghdr) + 4;
    Request full(NLMSG_ERROR, NLM_F_ACK_TLVS);
    full.fixed(fixed).fixed(std::uint32_t{0}).text(NLMSGERR_ATTR_MSG, "mtu too small");
    auto answer = parseAcknowledgement(bytesOf(full));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, EINVAL);
    EXPECT_EQ(answer->text, "mtu too small");
    Request capped(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED);
    capped.fixed(fixed).text(NLMSGERR_ATTR_MSG, "no");
    EXPECT_EQ(parseAcknowledgement(bytesOf(capped)).value().text, "no");
}

// Whatever byte is wrong, and wherever a message is cut: an error or a value, never a read outside.
TEST(Messages, DamagedMessagesAreSurvived) {
    for (const auto& good : {linkMessage(), neighbourMessage(RTM_NEWNEIGH, AF_INET)}) {
        for (std::size_t length = 0; length < good.size(); ++length) {
            const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
            EXPECT_FALSE(parseLink(cut).has_value() && parseNeighbour(cut).has_value());
            const auto event = parseEvent(cut);
            EXPECT_FALSE(event && *event) << length;
        }
        for (std::size_t at = 0; at < good.size(); ++at) {
            for (const std::uint8_t value : {0, 1, 3, 0x7f, 0xff}) {
                auto bad = good;
                bad[at] = value;
                const auto messages = splitDatagram(bad);
                if (!messages) continue;
                for (const auto message : *messages) {
                    (void)parseEvent(message);
                    (void)parseAcknowledgement(message);
                    (void)parseRoute(message);
                    (void)parseAddress(message);
                }
            }
        }
    }
}

}  // namespace
}  // namespace midonet::netlink
