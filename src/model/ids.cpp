#include "model/ids.h"

#include "base/bytes.h"

namespace midonet::model {

Uuid uuidOf(std::string_view bytes) { return Uuid::fromBytes(bytes).value_or(Uuid{}); }

std::string bytesOf(const Uuid& id) { return id.isNil() ? std::string{} : id.toBytes(); }

Uuid memberId(const Uuid& zone, const Uuid& host) {
    const auto digest = [&](std::uint64_t seed) {
        std::uint64_t h = seed;
        for (const auto word : {zone.high(), zone.low(), host.high(), host.low()})
            h = combineHash(h, word);
        return h;
    };
    constexpr std::uint64_t kVersionMask = 0xf000, kVersion8 = 0x8000;
    constexpr std::uint64_t kVariantMask = std::uint64_t{3} << 62, kVariant = std::uint64_t{1} << 63;
    return Uuid{(digest(0x6d656d626572) & ~kVersionMask) | kVersion8,
                (digest(0x7a6f6e65686f7374) & ~kVariantMask) | kVariant};
}

}  // namespace midonet::model
