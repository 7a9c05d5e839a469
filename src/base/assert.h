#pragma once

namespace midonet::detail {
[[noreturn]] void assertionFailed(const char* condition, const char* file, int line, const char* why);
}

/// A broken invariant is our own bug: log and abort, in release builds too.
/// `MIDONET_ASSERT(slot < size, "slot comes from our own allocator");`
#define MIDONET_ASSERT(condition, why) \
    ((condition) ? static_cast<void>(0) \
                 : ::midonet::detail::assertionFailed(#condition, __FILE__, __LINE__, why))

/// After a switch over all enumerators.
#define MIDONET_UNREACHABLE() \
    ::midonet::detail::assertionFailed("unreachable", __FILE__, __LINE__, "")
