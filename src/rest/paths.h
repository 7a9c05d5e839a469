#pragma once

#include <string>

#include "net/mac.h"

namespace midonet::rest {

/// A MAC address as it stands in paths: "aa-bb-cc-dd-ee-ff".
std::string dashed(const net::Mac& mac);

}  // namespace midonet::rest
