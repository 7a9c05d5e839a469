#include "base/error.h"

#include "base/assert.h"

namespace midonet {

std::string_view toString(ErrorCode code) {
    switch (code) {
        case ErrorCode::Malformed: return "malformed";
        case ErrorCode::Invalid: return "invalid";
        case ErrorCode::NotFound: return "not found";
        case ErrorCode::AlreadyExists: return "already exists";
        case ErrorCode::Conflict: return "conflict";
        case ErrorCode::Stale: return "stale";
        case ErrorCode::Unavailable: return "unavailable";
        case ErrorCode::Exhausted: return "exhausted";
        case ErrorCode::PermissionDenied: return "permission denied";
        case ErrorCode::Unsupported: return "unsupported";
        case ErrorCode::Timeout: return "timeout";
        case ErrorCode::Internal: return "internal";
    }
    MIDONET_UNREACHABLE();
}

Error Error::withContext(std::string_view context) const {
    return Error{code, std::string(context) + ": " + message};
}

}  // namespace midonet
