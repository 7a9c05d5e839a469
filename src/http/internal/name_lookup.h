#pragma once

#include <string>
#include <vector>

#include "http/client.h"

namespace midonet::http::internal {

/// Addresses of a host, as text; of an address itself, and of nothing else, without asking anybody. At the latest after `time`: the
/// system's own functions cannot be given a time, or up, so they run on a thread of their own that is left behind until they come to
/// their end (the resolver's, some tens of seconds). Timeout; Unavailable: there is no such name.
Result<std::vector<std::string>> addressesOf(const std::string& host, const LookUp& lookUp, event::Duration time);

}  // namespace midonet::http::internal
