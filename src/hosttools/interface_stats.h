#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace midonet::hosttools {

/// Figures of an interface, as the kernel counts them: received is what comes from the machine behind it.
struct InterfaceStats {
    std::uint64_t rxPackets = 0, txPackets = 0, rxBytes = 0, txBytes = 0;
    std::uint64_t rxErrors = 0, txErrors = 0, rxDropped = 0, txDropped = 0;
};

/// Those of `interface` in a text as /proc/net/dev; zeros when it is not there.
InterfaceStats parseInterfaceStats(std::string_view text, std::string_view interface);
/// Those of an interface of this network namespace, now.
InterfaceStats readInterfaceStats(const std::string& interface);

}  // namespace midonet::hosttools
