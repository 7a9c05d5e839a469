#pragma once

#include <cstdint>

#include "http/server.h"

namespace midonet::rest {

/// Which requests get a line: each level has those of the one before.
enum class RequestLogLevel : std::uint8_t { None, Failures, Writes, All };

/// One line for a finished request: id (as in X-Request-Id), method, target, status, bytes of the body, time, user and
/// client. A failure is a status of 400 or more; those of 500 and more are warnings. Never tokens, passwords or bodies. Any thread.
void logRequest(RequestLogLevel level, const http::Finished& finished);
/// Whether it gets its line.
bool isLogged(RequestLogLevel level, http::Method method, int status);

}  // namespace midonet::rest
