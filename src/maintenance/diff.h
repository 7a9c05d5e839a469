#pragma once

#include <string>
#include <vector>

#include "maintenance/contents.h"

namespace midonet::maintenance {

/// What differs between two contents, one line each: "- Bridge ID" is in `before` only, "+ Bridge ID" in `after` only,
/// "~ Bridge ID" in both; below it, indented, each field that differs with its two values. Empty: equal.
std::vector<std::string> diff(const Contents& before, const Contents& after, const model::Schema& schema);

}  // namespace midonet::maintenance
