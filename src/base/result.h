#pragma once

#include <fmt/core.h>

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace midonet {

/// A value, or the reason why there is none. The interface is std::expected's.
template <class T>
using Result = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

/// `return fail(ErrorCode::NotFound, "no port {}", id);`
template <class... Args>
[[nodiscard]] Unexpected fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return Unexpected{Error{code, fmt::format(format, std::forward<Args>(args)...)}};
}

}  // namespace midonet

#define MIDONET_CONCAT_(a, b) a##b
#define MIDONET_CONCAT(a, b) MIDONET_CONCAT_(a, b)

/// `TRY(name, expression)`: declares `name` as the value of the Result, or returns its error.
#define TRY(name, ...)                                                            \
    auto MIDONET_CONCAT(try_, __LINE__) = (__VA_ARGS__);                          \
    if (!MIDONET_CONCAT(try_, __LINE__))                                          \
        return ::midonet::Unexpected{std::move(MIDONET_CONCAT(try_, __LINE__)).error()}; \
    auto name = std::move(*MIDONET_CONCAT(try_, __LINE__))

/// `TRY_VOID(expression)`: returns the error of a Result<void>, or goes on.
#define TRY_VOID(...)                                                            \
    do {                                                                         \
        auto try_void_ = (__VA_ARGS__);                                          \
        if (!try_void_) return ::midonet::Unexpected{std::move(try_void_).error()}; \
    } while (false)
