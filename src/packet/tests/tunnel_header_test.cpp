#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/checksum.h"
#include "packet/gre.h"
#include "packet/vxlan.h"

namespace midonet::packet {
namespace {

using Bytes = std::vector<std::uint8_t>;

RC_GTEST_PROP(VxlanProperty, WhatIsWrittenIsReadBack, ()) {
    const auto key = *rc::gen::inRange<std::uint32_t>(0, net::kMaxTunnelKey + 1);
    Bytes bytes(kVxlanSize, 0xee);
    writeVxlan({net::TunnelKey{key}}, bytes.data());
    const auto header = parseVxlan(bytes);
    RC_ASSERT(header.has_value());
    RC_ASSERT(header->key.value() == key);
}

TEST(Vxlan, RefusesACutHeaderAndOneWithoutKey) {
    Bytes bytes(kVxlanSize);
    writeVxlan({net::TunnelKey{5}}, bytes.data());
    EXPECT_EQ(parseVxlan(ByteView(bytes).first(7)).error().code, ErrorCode::Malformed);
    bytes[0] = 0;
    EXPECT_EQ(parseVxlan(bytes).error().code, ErrorCode::Malformed);
}

TEST(Vxlan, IgnoresReservedBits) {
    const Bytes bytes{0xff, 0xff, 0xff, 0xff, 0, 0, 5, 0xff};
    const auto header = parseVxlan(bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->key.value(), 5U);
}

RC_GTEST_PROP(GreProperty, WhatIsWrittenIsReadBack,
              (std::uint16_t protocol, bool checksum, bool hasKey, bool hasSequence,
               std::uint32_t key, std::uint32_t sequence, const Bytes& payload)) {
    GreHeader header;
    header.protocol = protocol;
    header.hasChecksum = checksum;
    if (hasKey) header.key = key;
    if (hasSequence) header.sequence = sequence;
    Bytes bytes(header.size(), 0xee);
    writeGre(header, bytes.data());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    if (checksum) storeBe16(bytes.data() + 4, checksumOf(bytes));

    const auto read = parseGre(bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == header);
}

TEST(Gre, RefusesWhatItCannotUnderstand) {
    GreHeader header;
    header.key = 1;
    header.sequence = 2;
    header.hasChecksum = true;
    Bytes good(header.size());
    writeGre(header, good.data());
    storeBe16(good.data() + 4, checksumOf(good));
    ASSERT_TRUE(parseGre(good));

    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parseGre(ByteView(good).first(size))) << size << " bytes";

    auto wrongChecksum = good;
    wrongChecksum[15] ^= 1;
    EXPECT_FALSE(parseGre(wrongChecksum));

    const Bytes version{0, 1, 0x65, 0x58};
    EXPECT_FALSE(parseGre(version));
    for (const std::uint8_t bit : {0x40, 0x08, 0x04}) {
        const Bytes routing{bit, 0, 0x65, 0x58};
        EXPECT_FALSE(parseGre(routing)) << unsigned{bit};
    }
}

}  // namespace
}  // namespace midonet::packet
