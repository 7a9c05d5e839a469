#include "model/ids.h"

#include <array>
#include <initializer_list>

#include "base/bytes.h"
#include "base/sha256.h"

namespace midonet::model {
namespace {

/// A version 8 UUID (RFC 9562 5.8) made of `words`; the seeds tell one use from another.
Uuid madeOf(std::initializer_list<std::uint64_t> words, std::uint64_t highSeed, std::uint64_t lowSeed) {
    const auto digest = [&](std::uint64_t seed) {
        std::uint64_t h = seed;
        for (const auto word : words) h = combineHash(h, word);
        return h;
    };
    constexpr std::uint64_t kVersionMask = 0xf000, kVersion8 = 0x8000;
    constexpr std::uint64_t kVariantMask = std::uint64_t{3} << 62, kVariant = std::uint64_t{1} << 63;
    return Uuid{(digest(highSeed) & ~kVersionMask) | kVersion8, (digest(lowSeed) & ~kVariantMask) | kVariant};
}

}  // namespace

Uuid uuidOf(std::string_view bytes) { return Uuid::fromBytes(bytes).value_or(Uuid{}); }

std::string bytesOf(const Uuid& id) { return id.isNil() ? std::string{} : id.toBytes(); }

Uuid memberId(const Uuid& zone, const Uuid& host) {
    return madeOf({zone.high(), zone.low(), host.high(), host.low()}, 0x6d656d626572, 0x7a6f6e65686f7374);
}

Uuid natBlockId(const Uuid& device, const net::IpAddress& address, std::uint32_t block) {
    const auto high = address.isV4() ? 0 : address.v6().high();
    const auto low = address.isV4() ? address.v4().toHostOrder() : address.v6().low();
    return madeOf({device.high(), device.low(), static_cast<std::uint64_t>(address.family()), high, low, block},
                  0x6e6174626c6f636b, 0x706f727473);
}

Uuid configTemplateId(std::string_view name) {
    const auto digest = sha256(name);
    std::array<std::uint64_t, 2> words{};
    for (std::size_t i = 0; i < 16; ++i) words[i / 8] = words[i / 8] << 8 | digest[i];
    return madeOf({words[0], words[1]}, 0x636f6e666967, 0x74656d706c617465);
}

}  // namespace midonet::model
