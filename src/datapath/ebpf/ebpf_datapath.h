#pragma once

#include <memory>
#include <optional>
#include <string>

#include "datapath/datapath.h"
#include "datapath/ebpf/kernel_features.h"
#include "event/clock.h"

namespace midonet::datapath::ebpf {

enum class AttachMode : std::uint8_t {
    Auto,    ///< TCX where the kernel has it (Linux 6.6), else clsact.
    Tcx,
    Clsact,
};

enum class VxlanMode : std::uint8_t {
    /// Encapsulation by hand, decapsulation by hand too unless a port is a tap: then by the kernel's
    /// device, as only that keeps GSO packets whole towards a virtual machine.
    Auto,
    Hand,
    Kernel,  ///< The kernel's vxlan device in external mode for both ways.
};

struct EbpfOptions {
    /// Where maps and links are pinned, in v<layout version> below it. A BPF file system is mounted
    /// there when it is not on one. One per agent.
    std::string bpffs = "/sys/fs/bpf/midonet";
    unsigned workers = 1;
    /// Flow slots of all workers together; about 190 bytes of kernel memory each, and up to 150 per flow.
    std::uint32_t maxFlows = 262144;
    AttachMode attach = AttachMode::Auto;
    VxlanMode vxlan = VxlanMode::Auto;
    std::uint16_t vxlanPort = 6677;
    /// Upcalls per second and port (all tunnels together count as one port), and how many at once.
    std::uint32_t upcallRate = 20000;
    std::uint32_t upcallBurst = 4000;
    /// Ring of each worker; a power of two, a multiple of the page size.
    std::uint32_t ringBytes = 4U << 20;
    std::string tapName = "midonet-out";
    std::string vxlanName = "midonet-vxlan";
    /// Must outlive the datapath; nullptr = SteadyClock.
    const event::Clock* clock = nullptr;
};

/// Loads the programs, adopts what a former agent left in `bpffs` or starts afresh (then nothing of it goes on: its sizes
/// or its layout of the maps were others), and makes the
/// packet-out tap, all in the network namespace of the calling thread. Errors name the fix:
/// PermissionDenied (not root), Unsupported (the kernel lacks something), Conflict (another agent
/// runs in this namespace).
///
/// When the datapath is destroyed the kernel goes on forwarding with what is installed: see
/// removeEbpfDatapath().
Result<std::unique_ptr<Datapath>> openEbpfDatapath(const EbpfOptions& options);
/// With features as told instead of probed.
Result<std::unique_ptr<Datapath>> openEbpfDatapath(const EbpfOptions& options, const KernelFeatures& features);

/// Takes everything out of the kernel that an agent left with these options: hooks, maps, devices.
Result<void> removeEbpfDatapath(const EbpfOptions& options);

}  // namespace midonet::datapath::ebpf
