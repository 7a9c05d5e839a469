#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace midonet::detail {

void assertionFailed(const char* condition, const char* file, int line, const char* why) {
    std::fprintf(stderr, "assertion failed: %s (%s) at %s:%d\n", condition, why, file, line);
    std::fflush(stderr);
    std::abort();
}

}  // namespace midonet::detail
