#include <gmock/gmock.h>

#include "datapath/ebpf/tunnel_table.h"
#include "packet/testing/packet_matchers.h"

namespace midonet::datapath::ebpf {
namespace {

using namespace midonet::packet;
using packet::testing::EqualsPacket;

const TunnelPath kPath{3, net::Mac{0x020000000001}, net::Mac{0x020000000002}, 1500};

Frame headerOf(TunnelType type, std::size_t size) {
    mn_tunnel tunnel{};
    writeHeader(tunnel, {type, net::Ipv4Address{0xc0000201}, net::Ipv4Address{0xc0000202}}, kPath, 6677);
    return {tunnel.header, tunnel.header + size};
}

TEST(TunnelHeader, GreHasAKeyAndCarriesEthernet) {
    EXPECT_THAT(headerOf(TunnelType::Gre, MN_GRE_OUTER),
                EqualsPacket(eth("02:00:00:00:00:01", "02:00:00:00:00:02") / ipv4("192.0.2.1", "192.0.2.2").ttl(255).totalLength(0).checksum(0).protocol(47) /
                             Frame{0x20, 0, 0x65, 0x58, 0, 0, 0, 0}));
}

TEST(TunnelHeader, VxlanHasOurPortAndNoChecksum) {
    EXPECT_THAT(headerOf(TunnelType::Vxlan, MN_VXLAN_OUTER),
                EqualsPacket(eth("02:00:00:00:00:01", "02:00:00:00:00:02") / ipv4("192.0.2.1", "192.0.2.2").ttl(255).totalLength(0).checksum(0) /
                             udp(0, 6677).length(0).checksum(0) / Frame{8, 0, 0, 0, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace midonet::datapath::ebpf
