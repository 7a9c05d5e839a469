#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "http/message.h"
#include "model/validate.h"

namespace midonet::rest {

/// A request that is refused: the status, and what the client is told. Errors of the store and of
/// parsers become faults here and nowhere else.
struct Fault {
    int status = 500;
    std::string message;
    model::Violations violations;
    ErrorCode code = ErrorCode::Internal;

    Fault() = default;
    Fault(int s, std::string m) : status(s), message(std::move(m)), code(ErrorCode::Invalid) {}
    Fault(Error error);
    explicit Fault(model::Violations wrong);
};

/// The status of an expected failure.
int statusOf(ErrorCode code);

template <class T>
using Outcome = tl::expected<T, Fault>;

/// `return refuse(409, "port {} is bound already", id);`
template <class... Args>
[[nodiscard]] tl::unexpected<Fault> refuse(int status, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected<Fault>{Fault{status, fmt::format(format, std::forward<Args>(args)...)}};
}

/// `return refuseProperty("poolId", "must be given");`: 400.
[[nodiscard]] tl::unexpected<Fault> refuseProperty(std::string property, std::string message);
/// 400 when there is anything wrong.
Outcome<void> refuseIfAny(model::Violations wrong);

/// The error body of the API (media type Error-v1), with `RetryAfter` and `Retry-After` on 503, how to log in on 401.
http::Response toResponse(const Fault& fault);

}  // namespace midonet::rest

/// As TRY and TRY_VOID, of a Result or an Outcome in a function that returns an Outcome.
#define GET_OR_REFUSE(name, ...)                   \
    auto MIDONET_CONCAT(get_, __LINE__) = (__VA_ARGS__); \
    if (!MIDONET_CONCAT(get_, __LINE__))           \
        return ::tl::unexpected<::midonet::rest::Fault>{::midonet::rest::Fault{std::move(MIDONET_CONCAT(get_, __LINE__)).error()}}; \
    auto name = std::move(*MIDONET_CONCAT(get_, __LINE__))
#define DO_OR_REFUSE(...)                          \
    do {                                           \
        auto do_ = (__VA_ARGS__);                  \
        if (!do_) return ::tl::unexpected<::midonet::rest::Fault>{::midonet::rest::Fault{std::move(do_).error()}}; \
    } while (false)
