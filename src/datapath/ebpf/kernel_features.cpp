#include "datapath/ebpf/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datapath/ebpf/traffic_hooks.h"

namespace midonet::datapath::ebpf {
namespace {

bool hasCapability(int capability) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (::syscall(SYS_capget, &header, data) != 0) return false;
    return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

bool tcxKnown() {
    // Asks what hangs on the loopback device: EINVAL where the attach type is not known.
    std::uint32_t flags = 0, ids[1]{}, count = 1;
    return ::bpf_prog_query(1, static_cast<bpf_attach_type>(kTcxIngress), 0, &flags, ids, &count) == 0;
}

}  // namespace

KernelFeatures probeKernel() {
    KernelFeatures out;
    out.privileged = hasCapability(CAP_NET_ADMIN) && (hasCapability(CAP_SYS_ADMIN) || hasCapability(39 /* CAP_BPF */));
    if (!out.privileged) return out;
    out.btf = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    out.ringBuffer = ::libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1;
    out.loopHelper = ::libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_loop, nullptr) == 1;
    out.tun = ::access("/dev/net/tun", R_OK | W_OK) == 0;
    out.tcx = tcxKnown();
    return out;
}

Result<void> requireEssentials(const KernelFeatures& features) {
    if (!features.privileged) {
        return fail(ErrorCode::PermissionDenied,
                    "the eBPF datapath needs root: run as root, or with the capabilities CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN");
    }
    if (!features.btf) {
        return fail(ErrorCode::Unsupported,
                    "the kernel has no type information (/sys/kernel/btf/vmlinux): use one built with CONFIG_DEBUG_INFO_BTF=y, as those of the distributions are");
    }
    if (!features.ringBuffer) return fail(ErrorCode::Unsupported, "the kernel has no BPF ring buffer: use Linux 5.17 or newer");
    if (!features.loopHelper) return fail(ErrorCode::Unsupported, "the kernel has no bpf_loop(): use Linux 5.17 or newer");
    if (!features.tun) {
        return fail(ErrorCode::Unsupported, "/dev/net/tun is missing or closed to us: run 'modprobe tun', and give a container the device /dev/net/tun");
    }
    return {};
}

}  // namespace midonet::datapath::ebpf
