#include "datapath/ebpf/upcall_record.h"

#include <gmock/gmock.h>

#include <cstring>

#include "datapath/ebpf/key_codec.h"
#include "datapath/flow_key_from_frame.h"
#include "packet/checksum.h"
#include "packet/testing/packet_matchers.h"

namespace midonet::datapath::ebpf {
namespace {

using namespace midonet::packet;
using packet::testing::EqualsPacket;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";
constexpr std::chrono::seconds kNow{100};

Frame recordOf(const Frame& frame, mn_upcall header = {}) {
    header.version = MN_UPCALL_VERSION;
    header.captured = static_cast<std::uint32_t>(frame.size());
    header.original = header.captured;
    header.pending_id = 77;
    header.key = encodeKey(flowKeyFromFrame({flow::PortNumber{3}, {}, {}, {}}, frame));
    Frame out(sizeof(header) + frame.size() + 40);
    std::memcpy(out.data(), &header, sizeof(header));
    std::copy(frame.begin(), frame.end(), out.begin() + sizeof(header));
    return out;
}

TEST(UpcallRecord, GivesKeyFrameAndPendingId) {
    const auto frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x").toBytes();
    std::vector<std::uint8_t> scratch;
    const Frame record = recordOf(frame);
    const auto upcall = parseUpcallRecord(record, kNow, scratch);
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->key.inPort.value(), 3U);
    EXPECT_EQ(upcall->pendingId, 77U);
    EXPECT_EQ(upcall->offload, Offload{});
    EXPECT_THAT(upcall->frame, EqualsPacket(Frame{frame}));
}

TEST(UpcallRecord, TellsHowLongItHasWaited) {
    const auto frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)).toBytes();
    std::vector<std::uint8_t> scratch;
    const auto ageOf = [&](std::chrono::nanoseconds at) {
        mn_upcall header{};
        header.at_ns = static_cast<std::uint64_t>(at.count());
        return parseUpcallRecord(recordOf(frame, header), kNow, scratch)->age;
    };
    EXPECT_EQ(ageOf(std::chrono::seconds{98}), std::chrono::seconds{2});
    EXPECT_EQ(ageOf(kNow + std::chrono::nanoseconds{1}), std::chrono::seconds{0}) << "it came while the ring was read";
}

TEST(UpcallRecord, TellsWhatWouldHaveFitted) {
    mn_upcall header{};
    header.reason = 2;
    header.mtu = 1458;
    std::vector<std::uint8_t> scratch;
    const Frame record = recordOf((eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)).toBytes(), header);
    const auto upcall = parseUpcallRecord(record, kNow, scratch);
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->reason, UpcallReason::TooBig);
    EXPECT_EQ(upcall->mtu, 1458U);
}

TEST(UpcallRecord, PutsAnOutOfBandTagInItsPlace) {
    const auto frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x").toBytes();
    mn_upcall header{};
    header.vlan_tci = 0x1000 | (2 << 13) | 10;
    header.vlan_proto = 0x0081;
    header.ip_summed = MN_IP_SUMMED_PARTIAL;
    header.csum_start = 34;
    header.csum_offset = 6;
    header.gso_size = 1400;
    std::vector<std::uint8_t> scratch;
    const Frame record = recordOf(frame, header);
    const auto upcall = parseUpcallRecord(record, kNow, scratch);
    ASSERT_TRUE(upcall);
    EXPECT_THAT(upcall->frame, EqualsPacket(eth(kA, kB) / vlan(10).priority(2) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "x"));
    EXPECT_EQ(upcall->offload.checksumStart, 38);
    EXPECT_EQ(upcall->offload.gsoType, 5) << "UDP";
    EXPECT_EQ(upcall->originalLength, frame.size() + 4);
}

TEST(UpcallRecord, CutOrForeignRecordsAreRefused) {
    const auto frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2)).toBytes();
    std::vector<std::uint8_t> scratch;
    Frame record = recordOf(frame);
    EXPECT_FALSE(parseUpcallRecord(ByteView{record}.first(sizeof(mn_upcall) - 1), kNow, scratch));
    EXPECT_FALSE(parseUpcallRecord(ByteView{record}.first(sizeof(mn_upcall) + 20), kNow, scratch));
    record[0] = 99;
    EXPECT_EQ(parseUpcallRecord(record, kNow, scratch).error().code, ErrorCode::Malformed);
}

TEST(UpcallRecord, PartialChecksumIsKnownByItsBytesWhereTheKernelDoesNotTell) {
    const auto pseudo = [](std::uint8_t protocol, std::uint32_t length) {
        return Checksum{}.addPseudoHeader(net::IpAddress::parse("10.0.0.1").value(), net::IpAddress::parse("10.0.0.2").value(), protocol, length).folded();
    };
    const auto v4 = ipv4("10.0.0.1", "10.0.0.2");
    mn_upcall unknown{};
    unknown.ip_summed = MN_IP_SUMMED_UNKNOWN;
    std::vector<std::uint8_t> scratch;
    const Frame partial = recordOf((eth(kA, kB) / v4 / tcp(1, 2).checksum(pseudo(6, 21)) / "x").toBytes(), unknown);
    const auto found = parseUpcallRecord(partial, kNow, scratch);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->offload.checksumPartial);
    EXPECT_EQ(found->offload.checksumStart, 34);
    EXPECT_EQ(found->offload.checksumOffset, 16);
    const Frame complete = recordOf((eth(kA, kB) / v4 / tcp(1, 2) / "x").toBytes(), unknown);
    EXPECT_FALSE(parseUpcallRecord(complete, kNow, scratch)->offload.checksumPartial);
}

}  // namespace
}  // namespace midonet::datapath::ebpf
