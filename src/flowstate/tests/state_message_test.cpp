#include "flowstate/state_message.h"

#include <gmock/gmock.h>

#include "flowstate/entry_codec.h"
#include "flowstate/tests/entries.h"
#include "packet/checksum.h"
#include "packet/parse.h"
#include "packet/protocols.h"

namespace midonet::flowstate {
namespace {

using ::testing::HasSubstr;
using testing::ipv6Entry;
using testing::natEntry;

constexpr HostId kSender{Uuid{0xaaaa, 0xbbbb}};
constexpr std::size_t kPayload = 42;  // Ethernet, IPv4, UDP

std::vector<StateEntry> allKinds() {
    std::vector<StateEntry> out;
    for (std::uint8_t kind = 1; kind <= 7; ++kind) {
        for (auto entry : {natEntry(kind), ipv6Entry(kind)}) {
            entry.key.kind = static_cast<KeyKind>(kind);
            entry.idleSeconds = kind * 100U;
            out.push_back(entry);
        }
    }
    auto mixed = ipv6Entry(9);
    mixed.key.destination = net::Ipv4Address{5};
    mixed.binding = {net::Ipv6Address{1, 2}, 0};
    out.push_back(mixed);
    return out;
}

TEST(StateMessage, IsReadAsWritten) {
    const auto entries = allKinds();
    const auto message = decodeFrame(encodeFrame(kSender, 0x1122334455667788ULL, entries));
    ASSERT_TRUE(message) << message.error().message;
    const auto hash = static_cast<std::uint32_t>(entries[0].key.hash());
    EXPECT_EQ(std::get<StateMessage>(*message), (StateMessage{kSender, 0x1122334455667788ULL, hash, entries}));
}

TEST(StateMessage, AckIsReadAsWritten) {
    for (const auto& sequences : {std::vector<std::uint64_t>{}, std::vector<std::uint64_t>{1, ~0ULL, 7}}) {
        const auto message = decodeFrame(encodeAckFrame(kSender, sequences));
        ASSERT_TRUE(message) << message.error().message;
        EXPECT_EQ(std::get<AckMessage>(*message), (AckMessage{kSender, sequences}));
    }
}

TEST(StateMessage, EncodedSizeIsExact) {
    for (const auto& entry : allKinds()) {
        std::vector<std::uint8_t> bytes{1, 2, 3};
        appendEntry(bytes, entry);
        EXPECT_EQ(bytes.size() - 3, encodedSize(entry)) << entry.key.toString();
        EXPECT_LE(encodedSize(entry), kMaxEntrySize);
    }
}

TEST(StateMessage, IsAFrameThatAnyNetworkPasses) {
    const auto frame = encodeFrame(kSender, 1, allKinds());
    const auto headers = packet::parse(frame);
    ASSERT_TRUE(headers);
    EXPECT_EQ(headers->source.toString(), "ac:ca:ba:00:15:01");
    EXPECT_EQ(headers->destination.toString(), "ac:ca:ba:00:15:02");
    EXPECT_EQ(headers->ipSource.toString(), "169.254.15.1");
    EXPECT_EQ(headers->ipDestination.toString(), "169.254.15.2");
    EXPECT_TRUE(headers->hasTransport(packet::ipproto::kUdp));
    EXPECT_EQ(headers->sourcePort, 2925);
    EXPECT_EQ(headers->destinationPort, 2925);
    EXPECT_EQ(headers->fragment, packet::Fragment::None) << "nothing hides in the fragment fields";
    EXPECT_EQ(headers->payloadEnd, frame.size());
    EXPECT_EQ(packet::checksumOf(ByteView(frame).subspan(14, 20)), 0);
}

TEST(StateMessage, SplitsAtTheLimit) {
    for (const auto limit : {kMinStateFrame, std::size_t{1000}, kMaxStateFrame}) {
        std::vector<StateEntry> entries;
        for (std::uint32_t n = 0; n < 400; ++n) entries.push_back(n % 3 ? natEntry(n) : ipv6Entry(n));
        std::vector<StateEntry> back;
        for (std::span<const StateEntry> rest = entries; !rest.empty();) {
            const auto count = entriesThatFit(rest, limit);
            ASSERT_GT(count, 0u);
            const auto frame = encodeFrame(kSender, 1, rest.first(count));
            ASSERT_LE(frame.size(), limit);
            ASSERT_TRUE(count == rest.size() || encodeFrame(kSender, 1, rest.first(count + 1)).size() > limit);
            const auto message = decodeFrame(frame);
            ASSERT_TRUE(message);
            const auto& got = std::get<StateMessage>(*message).entries;
            back.insert(back.end(), got.begin(), got.end());
            rest = rest.subspan(count);
        }
        EXPECT_EQ(back, entries) << limit;
        const std::vector<std::uint64_t> sequences(sequencesThatFit(limit));
        EXPECT_LE(encodeAckFrame(kSender, sequences).size(), limit);
        EXPECT_GT(encodeAckFrame(kSender, sequences).size() + 8, limit);
    }
    EXPECT_EQ(entriesThatFit({}), 0u);
}

struct Damage {
    const char* message;
    std::function<void(std::vector<std::uint8_t>&)> apply;
};
class Damaged : public ::testing::TestWithParam<Damage> {};

TEST_P(Damaged, IsRefusedWithTheReason) {
    auto frame = encodeFrame(kSender, 1, std::vector{natEntry(1)});
    std::vector<std::uint8_t> payload(frame.begin() + kPayload, frame.end());
    GetParam().apply(payload);
    const auto message = decodePayload(payload);
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, ErrorCode::Malformed);
    EXPECT_THAT(message.error().message, HasSubstr(GetParam().message));
}

constexpr std::size_t kEntry = 36;
INSTANTIATE_TEST_SUITE_P(Bytes, Damaged, ::testing::Values(
    Damage{"at least 24 bytes", [](auto& p) { p.clear(); }},
    Damage{"at least 24 bytes", [](auto& p) { p.resize(23); }},
    Damage{"begins with", [](auto& p) { p[0] = 0; }},
    Damage{"version 2", [](auto& p) { p[4] = 2; }},
    Damage{"number 3", [](auto& p) { p[5] = 3; }},
    Damage{"number 0", [](auto& p) { p[5] = 0; }},
    Damage{"cut short", [](auto& p) { p[7] = 2; }},
    Damage{"entry 2 of 2", [](auto& p) { p[7] = 2; }},
    Damage{"behind", [](auto& p) { p[7] = 0; }},
    Damage{"behind", [](auto& p) { p.push_back(0); }},
    Damage{"without sender", [](auto& p) { std::fill_n(p.begin() + 8, 16, std::uint8_t{0}); }},
    Damage{"cut short", [](auto& p) { p.resize(30); }},
    Damage{"cut short", [](auto& p) { p.pop_back(); }},
    Damage{"kind of key", [](auto& p) { p[kEntry] = 0; }},
    Damage{"kind of key", [](auto& p) { p[kEntry] = 8; }},
    Damage{"flags", [](auto& p) { p[kEntry + 2] |= 0x10; }},
    Damage{"not there", [](auto& p) { p[kEntry + 2] = 4; }},
    Damage{"ack of 1 messages", [](auto& p) { p[5] = 2; p.resize(24); }},
    Damage{"behind", [](auto& p) { p[5] = 2; }}));

TEST(StateMessage, EveryCutIsRefused) {
    const auto frame = encodeFrame(kSender, 1, allKinds());
    for (std::size_t size = 0; size < frame.size(); ++size)
        ASSERT_FALSE(decodeFrame(ByteView(frame).first(size))) << size;
}

TEST(StateMessage, OtherHeadersAreRefused) {
    const auto good = encodeFrame(kSender, 1, std::vector{natEntry(1)});
    ASSERT_TRUE(decodeFrame(good));
    for (const std::size_t at : {13U, 20U, 23U, 26U, 33U, 37U}) {
        auto frame = good;
        frame[at] ^= 0x21;
        EXPECT_FALSE(decodeFrame(frame)) << "byte " << at;
    }
}

TEST(StateMessage, PaddingBehindTheDatagramIsNoPartOfIt) {
    auto frame = encodeAckFrame(kSender, {});
    frame.resize(frame.size() + 20);
    EXPECT_TRUE(decodeFrame(frame));
}

}  // namespace
}  // namespace midonet::flowstate
