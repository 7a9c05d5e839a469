#include "datapath/ebpf/key_codec.h"

#include <gtest/gtest.h>

#include <cstring>

#include "datapath/flow_key_from_frame.h"
#include "packet/builder.h"

namespace midonet::datapath::ebpf {
namespace {

using namespace midonet::packet;
using flow::Field;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";

flow::FlowKey keyOf(const Packet& packet) { return flowKeyFromFrame({flow::PortNumber{7}, {}, {}, {}}, packet.toBytes()); }

std::vector<flow::FlowKey> someKeys() {
    std::vector<flow::FlowKey> out{
        {},
        keyOf(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").tos(3).ttl(9) / tcp(1, 65535)),
        keyOf(eth(kA, kB) / vlan(4095).priority(7) / ipv6("fd00::1", "fd00::2") / icmpv6Echo(65535, 1)),
        keyOf(eth(kA, kB) / arpReply(kA, "10.0.0.1", kB, "10.0.0.2")),
        keyOf(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2").fragment(0, true) / udp(1, 2)),
        keyOf(eth(kA, kB).type(0x88b5) / "x"),
    };
    out[0].tunnelKey = net::TunnelKey{0xabcdef};
    out[0].tunnelSource = net::Ipv4Address{0x01020304};
    out[0].tunnelDestination = net::Ipv4Address{0x05060708};
    return out;
}

TEST(KeyCodec, DecodingGivesBackWhatWasEncoded) {
    for (const flow::FlowKey& key : someKeys()) EXPECT_EQ(decodeKey(encodeKey(key)), key) << key.toString();
}

TEST(KeyCodec, AddressesOfIpv6AreInTheWidePartOnly) {
    const auto key = encodeKey(keyOf(eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1, 2)));
    EXPECT_EQ(key.base.ip_src, 0U);
    EXPECT_EQ(key.ip6_src[0], 0xfd);
    EXPECT_EQ(key.ip6_dst[15], 2);
}

/// Masking bytes in the kernel must tell packets apart exactly as FlowMask::apply() does.
TEST(KeyCodec, MaskedBytesAgreeWithMaskedKeys) {
    const auto keys = someKeys();
    std::vector<flow::FlowMask> masks;
    for (unsigned field = 0; field < flow::kFieldCount; ++field) {
        flow::FlowMask mask;
        mask.see(static_cast<Field>(field));
        masks.push_back(mask);
    }
    for (const unsigned bits : {1U, 7U, 8U, 20U, 31U, 32U, 64U, 67U, 127U}) {
        flow::FlowMask mask;
        mask.seePrefix(Field::IpSource, bits);
        mask.seePrefix(Field::IpDestination, bits / 2 + 1);
        masks.push_back(mask);
    }
    for (flow::FlowMask mask : masks) {
        mask.close();
        for (const flow::FlowKey& key : keys) {
            const bool wide = isWide(tableFor(key, mask));
            mn_wide_key bits = encodeKey(key);
            const mn_wide_key seen = encodeMask(mask, wide);
            for (std::size_t i = 0; i < sizeof(bits); ++i) reinterpret_cast<std::uint8_t*>(&bits)[i] &= reinterpret_cast<const std::uint8_t*>(&seen)[i];
            const mn_wide_key expected = encodeKey(mask.apply(key));
            EXPECT_EQ(std::memcmp(&bits, &expected, sizeof(bits)), 0) << mask.toString() << " on " << key.toString();
        }
    }
}

TEST(KeyCodec, TheTableFollowsFromFamilyAndMask) {
    const auto v4 = keyOf(eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2));
    const auto v6 = keyOf(eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1, 2));
    flow::FlowMask macs;
    macs.see(Field::EthDestination);
    macs.close();
    flow::FlowMask prefix;
    prefix.seePrefix(Field::IpDestination, 24);
    prefix.close();
    EXPECT_EQ(tableFor(v4, flow::FlowMask::exact()), Table::Exact);
    EXPECT_EQ(tableFor(v6, flow::FlowMask::exact()), Table::ExactWide);
    EXPECT_EQ(tableFor(v4, macs), Table::Masked);
    EXPECT_EQ(tableFor(v6, macs), Table::Masked) << "one flow for both families";
    EXPECT_EQ(tableFor(v4, prefix), Table::Masked);
    EXPECT_EQ(tableFor(v6, prefix), Table::MaskedWide);
}

TEST(KeyCodec, MasksDecodeToTheFieldsAndBitsTheyLookAt) {
    using flow::Field;
    flow::FlowMask mask;
    for (const auto field : {Field::InPort, Field::EthDestination, Field::EtherType, Field::Vlan, Field::L4Source}) mask.see(field);
    mask.seePrefix(Field::IpDestination, 28);
    EXPECT_EQ(decodeMask(encodeMask(mask, false)), mask);
    mask.seePrefix(Field::IpDestination, 124);
    EXPECT_EQ(decodeMask(encodeMask(mask, true)), mask);
    const auto all = encodeMask(flow::FlowMask::exact(), true);
    EXPECT_EQ(decodeMask(all), flow::FlowMask::exact());
}

}  // namespace
}  // namespace midonet::datapath::ebpf
