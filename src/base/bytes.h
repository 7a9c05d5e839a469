#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace midonet {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

inline ByteView asBytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view asText(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Big-endian (network order) access at any alignment. The caller has checked the length.
inline std::uint16_t loadBe16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>((p[0] << 8) | p[1]);
}
inline std::uint32_t loadBe32(const std::uint8_t* p) {
    return (std::uint32_t{p[0]} << 24) | (std::uint32_t{p[1]} << 16) | (std::uint32_t{p[2]} << 8) | p[3];
}
inline std::uint64_t loadBe64(const std::uint8_t* p) {
    return (std::uint64_t{loadBe32(p)} << 32) | loadBe32(p + 4);
}
inline void storeBe16(std::uint8_t* p, std::uint16_t v) {
    p[0] = static_cast<std::uint8_t>(v >> 8);
    p[1] = static_cast<std::uint8_t>(v);
}
inline void storeBe32(std::uint8_t* p, std::uint32_t v) {
    storeBe16(p, static_cast<std::uint16_t>(v >> 16));
    storeBe16(p + 2, static_cast<std::uint16_t>(v));
}
inline void storeBe64(std::uint8_t* p, std::uint64_t v) {
    storeBe32(p, static_cast<std::uint32_t>(v >> 32));
    storeBe32(p + 4, static_cast<std::uint32_t>(v));
}

/// Finaliser of MurmurHash3: spreads every input bit over the whole word.
constexpr std::uint64_t mixHash(std::uint64_t h) {
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 33;
    return h;
}
constexpr std::uint64_t combineHash(std::uint64_t seed, std::uint64_t value) {
    return mixHash(seed * 0x9e3779b97f4a7c15ULL + value);
}

}  // namespace midonet
