#pragma once

#include "event/clock.h"

namespace midonet::cli {

/// Waits, at most until SIGINT; false once that came. From the first call on SIGINT does nothing else: it is not noticed between calls,
/// and not lost there either.
bool pauseUnlessInterrupted(event::Duration time);

}  // namespace midonet::cli
