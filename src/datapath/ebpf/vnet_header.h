#pragma once

#include <cstdint>

namespace midonet::datapath::ebpf {

/// struct virtio_net_hdr: linux/virtio_net.h is not C++ (a member is called `class`).
struct VnetHeader {
    std::uint8_t flags = 0;
    std::uint8_t gsoType = 0;
    std::uint16_t headerLength = 0;
    std::uint16_t gsoSize = 0;
    std::uint16_t checksumStart = 0;
    std::uint16_t checksumOffset = 0;
};
static_assert(sizeof(VnetHeader) == 10);

constexpr std::uint8_t kVnetNeedsChecksum = 1;
constexpr std::uint8_t kVnetGsoTcp4 = 1;
constexpr std::uint8_t kVnetGsoTcp6 = 4;
constexpr std::uint8_t kVnetGsoUdp = 5;

}  // namespace midonet::datapath::ebpf
