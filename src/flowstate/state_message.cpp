#include "flowstate/state_message.h"

#include "base/assert.h"
#include "flowstate/entry_codec.h"
#include "net/mac.h"
#include "packet/checksum.h"
#include "packet/parse.h"
#include "packet/protocols.h"

namespace midonet::flowstate {
namespace {

constexpr std::uint32_t kMagic = 0x4d6e5374;  // "MnSt"
constexpr std::uint8_t kVersion = 1;
enum class Kind : std::uint8_t { State = 1, Ack = 2 };

constexpr std::size_t kHeadersSize = packet::kEthernetSize + packet::kIpv4Size + packet::kUdpSize;
constexpr std::size_t kPrefixSize = 4 + 1 + 1 + 2 + 16;
constexpr std::size_t kStateFixedSize = kPrefixSize + 8 + 4;
constexpr std::size_t kMaxCount = 0xffff;
static_assert(kMinStateFrame >= kHeadersSize + kStateFixedSize + kMaxEntrySize);

// Addresses as in the tunnels of the original system: no host has them.
constexpr net::Mac kSourceMac{0xaccaba001501}, kDestinationMac{0xaccaba001502};
constexpr net::Ipv4Address kSource{0xa9fe0f01}, kDestination{0xa9fe0f02};  // 169.254.15.1, .2
constexpr std::uint16_t kPort = 2925;
constexpr std::uint8_t kTtl = 64;

/// The prefix of the payload, behind room for the headers.
Frame begin(Kind kind, std::size_t count, HostId sender, std::size_t expectedSize) {
    MIDONET_ASSERT(count <= kMaxCount, "the caller splits");
    Frame frame;
    frame.reserve(kHeadersSize + expectedSize);
    frame.resize(kHeadersSize + kPrefixSize);
    auto* const p = frame.data() + kHeadersSize;
    storeBe32(p, kMagic);
    p[4] = kVersion;
    p[5] = static_cast<std::uint8_t>(kind);
    storeBe16(p + 6, static_cast<std::uint16_t>(count));
    storeBe64(p + 8, sender.uuid().high());
    storeBe64(p + 16, sender.uuid().low());
    return frame;
}

void append64(Frame& frame, std::uint64_t value) {
    frame.resize(frame.size() + 8);
    storeBe64(frame.data() + frame.size() - 8, value);
}
void append32(Frame& frame, std::uint32_t value) {
    frame.resize(frame.size() + 4);
    storeBe32(frame.data() + frame.size() - 4, value);
}

/// RFC 791 and RFC 768; without a UDP checksum, as the tunnels over IPv4 do.
Frame finish(Frame frame) {
    MIDONET_ASSERT(frame.size() <= 0xffff, "the caller splits");
    auto* const eth = frame.data();
    kDestinationMac.toWire(eth);
    kSourceMac.toWire(eth + 6);
    storeBe16(eth + 12, packet::ethertype::kIpv4);
    auto* const ip = eth + packet::kEthernetSize;
    ip[0] = 0x45;
    storeBe16(ip + 2, static_cast<std::uint16_t>(frame.size() - packet::kEthernetSize));
    ip[8] = kTtl;
    ip[9] = packet::ipproto::kUdp;
    kSource.toWire(ip + 12);
    kDestination.toWire(ip + 16);
    storeBe16(ip + 10, packet::checksumOf({ip, packet::kIpv4Size}));
    auto* const udp = ip + packet::kIpv4Size;
    storeBe16(udp, kPort);
    storeBe16(udp + 2, kPort);
    storeBe16(udp + 4, static_cast<std::uint16_t>(frame.size() - packet::kEthernetSize - packet::kIpv4Size));
    return frame;
}

Result<Message> readState(ByteReader& reader, HostId sender, std::size_t count) {
    StateMessage message;
    message.sender = sender;
    message.sequence = reader.u64();
    message.hash = reader.u32();
    if (reader.spoilt()) return fail(ErrorCode::Malformed, "a state message is cut short");
    for (std::size_t i = 0; i < count; ++i) {
        auto entry = readEntry(reader);
        if (!entry) return Unexpected{entry.error().withContext(fmt::format("entry {} of {}", i + 1, count))};
        message.entries.push_back(*entry);
    }
    return message;
}

Result<Message> readAck(ByteReader& reader, HostId sender, std::size_t count) {
    if (reader.left() < 8 * count)
        return fail(ErrorCode::Malformed, "an ack of {} messages has {} bytes", count, reader.left());
    AckMessage message{sender, {}};
    message.sequences.reserve(count);
    for (std::size_t i = 0; i < count; ++i) message.sequences.push_back(reader.u64());
    return message;
}

}  // namespace

std::size_t entriesThatFit(std::span<const StateEntry> entries, std::size_t limit) {
    MIDONET_ASSERT(limit >= kMinStateFrame, "every entry fits alone");
    std::size_t size = kHeadersSize + kStateFixedSize, count = 0;
    while (count < std::min(entries.size(), kMaxCount)) {
        size += encodedSize(entries[count]);
        if (size > limit) break;
        ++count;
    }
    return count;
}

std::size_t sequencesThatFit(std::size_t limit) {
    MIDONET_ASSERT(limit >= kMinStateFrame, "some sequences fit");
    return std::min((limit - kHeadersSize - kPrefixSize) / 8, kMaxCount);
}

Frame encodeFrame(HostId sender, std::uint64_t sequence, std::span<const StateEntry> entries) {
    std::size_t size = kStateFixedSize;
    for (const auto& entry : entries) size += encodedSize(entry);
    auto frame = begin(Kind::State, entries.size(), sender, size);
    append64(frame, sequence);
    append32(frame, entries.empty() ? 0 : static_cast<std::uint32_t>(entries.front().key.hash()));
    for (const auto& entry : entries) appendEntry(frame, entry);
    return finish(std::move(frame));
}

Frame encodeAckFrame(HostId sender, std::span<const std::uint64_t> sequences) {
    auto frame = begin(Kind::Ack, sequences.size(), sender, kPrefixSize + 8 * sequences.size());
    for (const auto sequence : sequences) append64(frame, sequence);
    return finish(std::move(frame));
}

Result<Message> decodePayload(ByteView payload) {
    ByteReader reader(payload);
    const auto magic = reader.u32();
    const auto version = reader.u8();
    const auto kind = reader.u8();
    const std::size_t count = reader.u16();
    const HostId sender{reader.uuid()};
    if (reader.spoilt()) return fail(ErrorCode::Malformed, "a message has at least {} bytes, not {}", kPrefixSize, payload.size());
    if (magic != kMagic) return fail(ErrorCode::Malformed, "not a state message: it begins with {:#010x}", magic);
    if (version != kVersion) return fail(ErrorCode::Malformed, "state message of version {}; this agent knows {}", version, kVersion);
    if (sender.isNil()) return fail(ErrorCode::Malformed, "a state message without sender");
    if (kind != static_cast<std::uint8_t>(Kind::State) && kind != static_cast<std::uint8_t>(Kind::Ack))
        return fail(ErrorCode::Malformed, "no kind of state message has the number {}", kind);
    auto message = kind == static_cast<std::uint8_t>(Kind::State) ? readState(reader, sender, count)
                                                                  : readAck(reader, sender, count);
    if (message && reader.left() != 0)
        return fail(ErrorCode::Malformed, "{} bytes behind a state message", reader.left());
    return message;
}

Result<Message> decodeFrame(ByteView frame) {
    TRY(headers, packet::parse(frame));
    const bool expected = headers.isIpv4() && headers.hasTransport(packet::ipproto::kUdp) &&
                          headers.ipSource == kSource && headers.ipDestination == kDestination &&
                          headers.destinationPort == kPort && headers.fragment == packet::Fragment::None;
    if (!expected) return fail(ErrorCode::Malformed, "not a state message: other headers than those between agents");
    if (headers.truncated) return fail(ErrorCode::Malformed, "a state message is cut short");
    return decodePayload(headers.payload(frame));
}

}  // namespace midonet::flowstate
