#include "datapath/ebpf/flow_entries.h"

#include <bpf/bpf.h>

#include <cerrno>

namespace midonet::datapath::ebpf {

bool FlowEntries::next() {
    if (ended_) return false;
    count_ = kBatch;
    const int result = ::bpf_map_lookup_batch(map_, begun_ ? &cursor_ : nullptr, &cursor_, keys_.data(), values_.data(), &count_, nullptr);
    begun_ = true;
    ended_ = result != 0;
    failed_ = ended_ && errno != ENOENT;
    if (failed_) count_ = 0;
    return count_ > 0;
}

}  // namespace midonet::datapath::ebpf
