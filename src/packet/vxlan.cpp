#include "packet/vxlan.h"

namespace midonet::packet {
namespace {
constexpr std::uint8_t kKeyValid = 0x08;
}

Result<VxlanHeader> parseVxlan(ByteView bytes) {
    if (bytes.size() < kVxlanSize)
        return fail(ErrorCode::Malformed, "a VXLAN header has 8 bytes, not {}", bytes.size());
    if ((bytes[0] & kKeyValid) == 0)
        return fail(ErrorCode::Malformed, "VXLAN flags {:#04x} carry no network identifier",
                    bytes[0]);
    return VxlanHeader{net::TunnelKey{loadBe32(bytes.data() + 4) >> 8}};
}

void writeVxlan(const VxlanHeader& header, std::uint8_t* to) {
    storeBe32(to, std::uint32_t{kKeyValid} << 24);
    storeBe32(to + 4, header.key.value() << 8);
}

}  // namespace midonet::packet
