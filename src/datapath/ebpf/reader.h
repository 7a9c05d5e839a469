#pragma once

#include <string>

#include "datapath/datapath_contents.h"
#include "event/clock.h"

namespace midonet::datapath::ebpf {

/// What the agent that pins in `bpffs` (EbpfOptions) has in the kernel, running or not. Only reads, beside it: flows come and go
/// meanwhile, and one that goes is left out. About 2 us a flow; Timeout when it takes longer than `patience`.
///
/// NotFound: no agent has pinned anything there. PermissionDenied: not root. Unsupported: an agent of another version did.
Result<DatapathContents> readEbpfDatapath(const std::string& bpffs, event::Duration patience);

}  // namespace midonet::datapath::ebpf
