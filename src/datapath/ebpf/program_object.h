#pragma once

#include "base/bytes.h"

namespace midonet::datapath::ebpf {

/// The BPF object built from bpf/midonet.bpf.c.
ByteView programObject();

}  // namespace midonet::datapath::ebpf
