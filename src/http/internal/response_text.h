#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace midonet::http::internal {

/// A body up to this size goes with its head, in one segment of the stream.
inline constexpr std::size_t kJoinedBytes = 16 * 1024;

/// Status line and header, as `version` (10 or 11) has them; there is room behind it for a body that is joined.
std::string headOf(const Response& response, unsigned version, bool keepAlive, std::string_view date);
/// A piece of a body in chunks (RFC 9112 section 7.1).
std::string asChunk(std::string_view piece);

}  // namespace midonet::http::internal
