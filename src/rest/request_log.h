#pragma once

#include <cstdint>

#include "base/log.h"
#include "http/server.h"

namespace midonet::rest {

/// Which requests get a line: each level has those of the one before.
enum class RequestLogLevel : std::uint8_t { None, Failures, Writes, All };

/// One line for a finished request: id (as in X-Request-Id), method, target, status, bytes of the body, time, user, client; whether
/// the client got all of it. Never tokens, passwords or bodies. Any thread.
void logRequest(RequestLogLevel level, const http::Finished& finished);
/// A failure is a status of 400 or more; those of 500 and more are warnings. What `level` leaves out is for debugging.
LogLevel severityOf(RequestLogLevel level, http::Method method, int status);

}  // namespace midonet::rest
