#include "packet/checksum.h"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace midonet::packet {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Checksum, ExampleOfRfc1071) {
    const Bytes bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(Checksum{}.add(bytes).folded(), 0xddf2);
    EXPECT_EQ(checksumOf(bytes), 0x220d);
}

TEST(Checksum, OfNothingIsAllOnes) { EXPECT_EQ(checksumOf({}), 0xffff); }

TEST(Checksum, UdpNeverSendsZero) {
    EXPECT_EQ(udpChecksum(0), 0xffff);
    EXPECT_EQ(udpChecksum(1), 1);
}

TEST(Checksum, PseudoHeaderHoldsAddressesProtocolAndLength) {
    const Bytes v4{10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0x01, 0x02};
    Checksum sum;
    sum.addPseudoHeader(net::Ipv4Address{0x0a000001}, net::Ipv4Address{0x0a000002}, 17, 0x102);
    EXPECT_EQ(sum.value(), checksumOf(v4));

    Bytes v6(40);
    storeBe64(v6.data(), 0x20010db800000000ULL);
    storeBe64(v6.data() + 8, 1);
    storeBe64(v6.data() + 16, 0x20010db800000000ULL);
    storeBe64(v6.data() + 24, 2);
    storeBe32(v6.data() + 32, 0x12345);
    v6[39] = 58;
    Checksum sum6;
    sum6.addPseudoHeader(net::Ipv6Address{0x20010db800000000ULL, 1},
                         net::Ipv6Address{0x20010db800000000ULL, 2}, 58, 0x12345);
    EXPECT_EQ(sum6.value(), checksumOf(v6));
}

RC_GTEST_PROP(ChecksumProperty, PiecesSumToTheWhole,
              (const Bytes& first, const Bytes& second, const Bytes& third)) {
    Bytes whole = first;
    whole.insert(whole.end(), second.begin(), second.end());
    whole.insert(whole.end(), third.begin(), third.end());
    RC_ASSERT(Checksum{}.add(first).add(second).add(third).value() == checksumOf(whole));
}

RC_GTEST_PROP(ChecksumProperty, DataWithItsChecksumSumsToZero, (Bytes bytes)) {
    if (bytes.size() % 2) bytes.push_back(0);
    const auto checksum = checksumOf(bytes);
    bytes.push_back(static_cast<std::uint8_t>(checksum >> 8));
    bytes.push_back(static_cast<std::uint8_t>(checksum));
    RC_ASSERT(checksumOf(bytes) == 0);
}

/// Zero has two forms in one's complement: the update is right when it verifies, not only when it
/// is equal.
bool verifies(const Bytes& bytes, std::uint16_t checksum) {
    return Checksum{}.add(checksum).add(bytes).value() == 0;
}

RC_GTEST_PROP(ChecksumProperty, UpdateEqualsComputingAnew,
              (std::uint32_t before, std::uint32_t after, const Bytes& rest)) {
    Bytes bytes(4);
    storeBe32(bytes.data(), before);
    bytes.push_back(
        0x45);  // As in every real header: data of zeros alone has no second form of zero.
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    const auto old = checksumOf(bytes);

    storeBe32(bytes.data(), after);
    RC_ASSERT(verifies(bytes, updateChecksum(old, before, after)));

    storeBe32(bytes.data(), before);
    storeBe16(bytes.data(), static_cast<std::uint16_t>(after));
    RC_ASSERT(verifies(bytes, updateChecksum(old, static_cast<std::uint16_t>(before >> 16),
                                             static_cast<std::uint16_t>(after))));
}

RC_GTEST_PROP(ChecksumProperty, UpdateOfAnIpv6Address,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
    const net::IpAddress before{net::Ipv6Address{a, b}};
    const net::IpAddress after{net::Ipv6Address{c, d}};
    const net::IpAddress other{net::Ipv6Address{1, 2}};
    Checksum old;
    old.addPseudoHeader(before, other, 6, 20);
    Checksum now;
    now.addPseudoHeader(after, other, 6, 20);
    RC_ASSERT(updateChecksum(old.value(), before, after) == now.value());
}

}  // namespace
}  // namespace midonet::packet
