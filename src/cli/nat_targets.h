#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace midonet::cli {

/// The targets of a NAT rule, `addr[-addr][:port[-port]]`, several joined by commas; IPv6 addresses with ports stand in
/// brackets. In JSON a list of {addressFrom, addressTo, portFrom, portTo}; no ports are 0-0.
/// Invalid: "Invalid NAT target: <the part that is wrong>".
Result<boost::json::array> parseNatTargets(std::string_view text);
/// The shortest text that means the same.
std::string natTargetsText(const boost::json::array& targets);

}  // namespace midonet::cli
