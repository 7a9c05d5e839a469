#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace midonet {

/// What kind of expected failure happened. Callers branch on the code and show the message.
enum class ErrorCode : std::uint8_t {
    Malformed,         ///< Bytes or text that cannot be parsed.
    Invalid,           ///< Parsed, but not allowed: out of range, inconsistent, wrong type.
    NotFound,          ///< The named thing does not exist.
    AlreadyExists,     ///< The id or unique key is taken.
    Conflict,          ///< Refused because of the state of other objects (references, links).
    Stale,             ///< What a transaction read has changed; try again from the start.
    Unavailable,       ///< The store, a peer or a kernel facility cannot be reached now.
    Exhausted,         ///< Full: a table, a disk, a quota, a ring.
    PermissionDenied,  ///< Missing privilege.
    Unsupported,       ///< This kernel or build cannot do it.
    Timeout,           ///< Took too long.
    Internal,          ///< Our own mistake, or one of a library.
};

std::string_view toString(ErrorCode code);

/// An expected failure: a code to branch on and a message for people that names the fix.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;

    /// The same error with "`context`: " before its message; for the way up.
    Error withContext(std::string_view context) const;
    friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace midonet
