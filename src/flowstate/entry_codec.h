#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate {

/// How an entry is written, in messages to other hosts and in the file of this one. Network byte order:
/// kind u8, protocol u8, flags u8 (1: source, 2: destination, 4: binding is IPv6; 8: has a binding), idle seconds
/// u32, device 16, source port u16, destination port u16, source, destination, [binding's address, its port u16].
/// An IPv4 address has 4 bytes, an IPv6 address 16.
constexpr std::size_t kMaxEntrySize = 3 + 4 + 16 + 2 + 2 + 3 * 16 + 2;
std::size_t encodedSize(const StateEntry& entry);
void appendEntry(std::vector<std::uint8_t>& out, const StateEntry& entry);

/// Takes fields from the front of bytes that others wrote. Reading beyond the end gives zeros and spoils it.
class ByteReader {
public:
    explicit ByteReader(ByteView bytes) : rest_(bytes) {}

    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    Uuid uuid();
    net::IpAddress address(net::IpFamily family);

    bool spoilt() const { return spoilt_; }
    std::size_t left() const { return rest_.size(); }

private:
    const std::uint8_t* take(std::size_t size);
    ByteView rest_;
    bool spoilt_ = false;
};

/// Malformed says what is wrong.
Result<StateEntry> readEntry(ByteReader& reader);

}  // namespace midonet::flowstate
