#include "packet/checksum.h"

#include <array>

#include "base/assert.h"

namespace midonet::packet {
namespace {

std::uint16_t fold(std::uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// Equation 3 of RFC 1624: HC' = ~(~HC + ~m + m').
std::uint16_t replaceWords(std::uint16_t checksum, ByteView before, ByteView after) {
    std::uint64_t sum = static_cast<std::uint16_t>(~checksum);
    for (std::size_t i = 0; i < before.size(); i += 2) {
        sum += static_cast<std::uint16_t>(~loadBe16(before.data() + i));
        sum += loadBe16(after.data() + i);
    }
    return static_cast<std::uint16_t>(~fold(sum));
}

struct AddressBytes {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 0;
    ByteView view() const { return {bytes.data(), size}; }
};

AddressBytes wireOf(const net::IpAddress& address) {
    AddressBytes wire;
    if (address.isV4()) {
        address.v4().toWire(wire.bytes.data());
        wire.size = 4;
    } else {
        address.v6().toWire(wire.bytes.data());
        wire.size = 16;
    }
    return wire;
}

}  // namespace

Checksum& Checksum::add(ByteView bytes) {
    std::size_t i = 0;
    if (odd_ && !bytes.empty()) {
        sum_ += bytes[0];
        odd_ = false;
        i = 1;
    }
    for (; i + 1 < bytes.size(); i += 2) sum_ += loadBe16(bytes.data() + i);
    if (i < bytes.size()) {
        sum_ += static_cast<std::uint64_t>(bytes[i]) << 8;
        odd_ = true;
    }
    return *this;
}

Checksum& Checksum::add(std::uint16_t word) {
    MIDONET_ASSERT(!odd_, "a word would straddle the 16-bit columns");
    sum_ += word;
    return *this;
}

Checksum& Checksum::addPseudoHeader(const net::IpAddress& source, const net::IpAddress& destination,
                                    std::uint8_t protocol, std::uint32_t length) {
    add(wireOf(source).view());
    add(wireOf(destination).view());
    add(static_cast<std::uint16_t>(length >> 16));
    add(static_cast<std::uint16_t>(length));
    return add(std::uint16_t{protocol});
}

std::uint16_t Checksum::folded() const { return fold(sum_); }

std::uint16_t updateChecksum(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
    std::array<std::uint8_t, 2> old{};
    std::array<std::uint8_t, 2> now{};
    storeBe16(old.data(), before);
    storeBe16(now.data(), after);
    return replaceWords(checksum, old, now);
}

std::uint16_t updateChecksum(std::uint16_t checksum, std::uint32_t before, std::uint32_t after) {
    std::array<std::uint8_t, 4> old{};
    std::array<std::uint8_t, 4> now{};
    storeBe32(old.data(), before);
    storeBe32(now.data(), after);
    return replaceWords(checksum, old, now);
}

std::uint16_t updateChecksum(std::uint16_t checksum, const net::IpAddress& before,
                             const net::IpAddress& after) {
    MIDONET_ASSERT(before.family() == after.family(),
                   "translation between families rebuilds the packet");
    return replaceWords(checksum, wireOf(before).view(), wireOf(after).view());
}

}  // namespace midonet::packet
