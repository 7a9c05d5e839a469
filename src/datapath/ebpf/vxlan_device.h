#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace midonet::datapath::ebpf {

/// Makes the kernel's vxlan device in external mode, or takes the one that is there; up. Its ifindex.
Result<std::uint32_t> openVxlanDevice(const std::string& name, std::uint16_t port);
/// Nothing when there is none.
void removeVxlanDevice(const std::string& name);

}  // namespace midonet::datapath::ebpf
