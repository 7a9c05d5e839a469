#pragma once

#include "base/result.h"

namespace midonet::datapath::ebpf {

/// What this process may do and this kernel can.
struct KernelFeatures {
    bool privileged = true;     ///< CAP_NET_ADMIN, and CAP_BPF or CAP_SYS_ADMIN.
    bool btf = true;            ///< /sys/kernel/btf/vmlinux.
    bool ringBuffer = true;     ///< Linux 5.8.
    bool loopHelper = true;     ///< bpf_loop(), Linux 5.17.
    bool tun = true;            ///< /dev/net/tun.
    bool tcx = true;            ///< Linux 6.6; clsact does as well.
};

KernelFeatures probeKernel();

/// Fails for the first thing that the datapath cannot do without.
Result<void> requireEssentials(const KernelFeatures& features);

}  // namespace midonet::datapath::ebpf
