#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace midonet::zookeeper {

/// A server of the ensemble as the settings name it.
struct Host {
    std::string name;  ///< A name or an address; an IPv6 address without brackets.
    std::uint16_t port = 2181;
    friend bool operator==(const Host&, const Host&) = default;
};

/// "a:2181,b,[fd00::1]:2181": the port may be left out. Malformed says which part is wrong.
Result<std::vector<Host>> parseHosts(std::string_view text);
/// The addresses of all hosts that can be resolved, as the C client takes them; Unavailable when none can.
/// May block (DNS).
Result<std::string> resolveHosts(const std::vector<Host>& hosts);

}  // namespace midonet::zookeeper
