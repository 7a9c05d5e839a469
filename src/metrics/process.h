#pragma once

#include <memory>

#include "metrics/registry.h"

namespace midonet::metrics {

/// `midonet_process_*`: resident memory, processor time, open descriptors, threads of this process,
/// read from /proc each time the metrics are. Until the returned object is destroyed.
[[nodiscard]] std::shared_ptr<void> collectProcess(Registry& registry);

}  // namespace midonet::metrics
