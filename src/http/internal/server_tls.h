#pragma once

#include "base/result.h"
#include "http/internal/wire.h"
#include "http/server.h"

namespace midonet::http::internal {

/// Reads certificate and key. Errors name the file and the fix.
Result<ServerTls> loadServerTls(const TlsFiles& files);

}  // namespace midonet::http::internal
