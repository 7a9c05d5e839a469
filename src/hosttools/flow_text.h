#pragma once

#include <string>
#include <utility>
#include <vector>

#include "flow/flow_key.h"

namespace midonet::hosttools {

/// What a flow matches: name and value of each field that it looks at, addresses as prefixes. Names are those of FlowMask::toString().
std::vector<std::pair<std::string, std::string>> matchOf(const flow::FlowKey& key, const flow::FlowMask& mask);

}  // namespace midonet::hosttools
