/// Tunnel headers from the underlay, GRE (first byte even) or VXLAN.
#include <vector>

#include "base/assert.h"
#include "packet/gre.h"
#include "packet/vxlan.h"

using namespace midonet;

namespace {

void gre(ByteView bytes) {
    const auto header = packet::parseGre(bytes);
    if (!header) return;
    MIDONET_ASSERT(header->size() <= bytes.size(), "the header is inside the packet");
    auto plain = *header;
    plain.hasChecksum = false;
    std::vector<std::uint8_t> written(plain.size());
    packet::writeGre(plain, written.data());
    const auto again = packet::parseGre(written);
    MIDONET_ASSERT(again && *again == plain, "what is written is read back");
}

void vxlan(ByteView bytes) {
    const auto header = packet::parseVxlan(bytes);
    if (!header) return;
    std::vector<std::uint8_t> written(packet::kVxlanSize);
    packet::writeVxlan(*header, written.data());
    const auto again = packet::parseVxlan(written);
    MIDONET_ASSERT(again && again->key == header->key, "what is written is read back");
    MIDONET_ASSERT(header->key.value() <= net::kMaxTunnelKey, "the key has 24 bits");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes{data + 1, size - 1};
    data[0] & 1 ? vxlan(bytes) : gre(bytes);
    return 0;
}
