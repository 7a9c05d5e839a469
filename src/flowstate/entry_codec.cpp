#include "flowstate/entry_codec.h"

#include <array>

namespace midonet::flowstate {
namespace {

enum Flag : std::uint8_t { kSourceV6 = 1, kDestinationV6 = 2, kBindingV6 = 4, kHasBinding = 8, kAllFlags = 15 };

std::size_t sizeOf(const net::IpAddress& address) { return address.bits() / 8; }
bool hasBinding(const StateEntry& entry) { return entry.binding != Binding{}; }

std::uint8_t flagsOf(const StateEntry& entry) {
    unsigned flags = 0;
    if (entry.key.source.isV6()) flags |= kSourceV6;
    if (entry.key.destination.isV6()) flags |= kDestinationV6;
    if (entry.binding.address.isV6()) flags |= kBindingV6;
    if (hasBinding(entry)) flags |= kHasBinding;
    return static_cast<std::uint8_t>(flags);
}

std::uint8_t* put(std::uint8_t* at, const net::IpAddress& address) {
    address.isV4() ? address.v4().toWire(at) : address.v6().toWire(at);
    return at + sizeOf(address);
}

net::IpFamily familyIf(unsigned v6) { return v6 != 0 ? net::IpFamily::V6 : net::IpFamily::V4; }

}  // namespace

std::size_t encodedSize(const StateEntry& entry) {
    const auto binding = hasBinding(entry) ? sizeOf(entry.binding.address) + 2 : 0;
    return 3 + 4 + 16 + 2 + 2 + sizeOf(entry.key.source) + sizeOf(entry.key.destination) + binding;
}

void appendEntry(std::vector<std::uint8_t>& out, const StateEntry& entry) {
    const auto& key = entry.key;
    const auto begin = out.size();
    out.resize(begin + encodedSize(entry));
    auto* p = out.data() + begin;
    p[0] = static_cast<std::uint8_t>(key.kind);
    p[1] = key.protocol;
    p[2] = flagsOf(entry);
    storeBe32(p + 3, entry.idleSeconds);
    storeBe64(p + 7, key.device.high());
    storeBe64(p + 15, key.device.low());
    storeBe16(p + 23, key.sourcePort);
    storeBe16(p + 25, key.destinationPort);
    p = put(p + 27, key.source);
    p = put(p, key.destination);
    if (hasBinding(entry)) storeBe16(put(p, entry.binding.address), entry.binding.port);
}

const std::uint8_t* ByteReader::take(std::size_t size) {
    static constexpr std::array<std::uint8_t, 16> kZeros{};
    if (rest_.size() < size) {
        spoilt_ = true;
        rest_ = {};
        return kZeros.data();
    }
    const auto* const at = rest_.data();
    rest_ = rest_.subspan(size);
    return at;
}

std::uint8_t ByteReader::u8() { return *take(1); }
std::uint16_t ByteReader::u16() { return loadBe16(take(2)); }
std::uint32_t ByteReader::u32() { return loadBe32(take(4)); }
std::uint64_t ByteReader::u64() { return loadBe64(take(8)); }
Uuid ByteReader::uuid() {
    const auto* const at = take(16);
    return {loadBe64(at), loadBe64(at + 8)};
}
net::IpAddress ByteReader::address(net::IpFamily family) {
    if (family == net::IpFamily::V4) return net::Ipv4Address::fromWire(take(4));
    return net::Ipv6Address::fromWire(take(16));
}

Result<StateEntry> readEntry(ByteReader& reader) {
    StateEntry entry;
    auto& key = entry.key;
    const auto kind = reader.u8();
    key.kind = static_cast<KeyKind>(kind);
    key.protocol = reader.u8();
    const unsigned flags = reader.u8();
    entry.idleSeconds = reader.u32();
    key.device = reader.uuid();
    key.sourcePort = reader.u16();
    key.destinationPort = reader.u16();
    key.source = reader.address(familyIf(flags & kSourceV6));
    key.destination = reader.address(familyIf(flags & kDestinationV6));
    if (flags & kHasBinding) {
        entry.binding.address = reader.address(familyIf(flags & kBindingV6));
        entry.binding.port = reader.u16();
    }
    if (reader.spoilt()) return fail(ErrorCode::Malformed, "an entry is cut short");
    if (kind < static_cast<std::uint8_t>(KeyKind::ConnTrack) || kind > static_cast<std::uint8_t>(KeyKind::StickyUnnat))
        return fail(ErrorCode::Malformed, "no kind of key has the number {}", kind);
    if (flags > kAllFlags) return fail(ErrorCode::Malformed, "unknown flags {:#x} of an entry", flags);
    if (flags & kBindingV6 && !(flags & kHasBinding))
        return fail(ErrorCode::Malformed, "the family of a binding that is not there");
    return entry;
}

}  // namespace midonet::flowstate
