#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace midonet::datapath::ebpf {

/// The value of BPF_TCX_INGRESS, which the headers of Debian 12 do not have yet.
constexpr int kTcxIngress = 46;

/// Hangs programs on the ingress of interfaces, so that they outlive the process: as a pinned TCX
/// link where the kernel has TCX, as a clsact filter elsewhere. Control loop only.
class TrafficHooks {
public:
    enum class Kind : std::uint8_t { Port, Tunnel, Underlay };

    /// Pins links in `directory`, on a BPF file system; with clsact the program, as a note of what is attached.
    TrafficHooks(std::string directory, bool tcx) : directory_(std::move(directory)), tcx_(tcx) {}

    /// Attaches, or swaps in the program for the one of a former agent without a gap.
    Result<void> attach(Kind kind, std::uint32_t ifindex, int programFd) const;
    /// Nothing when there is none, or the interface is gone.
    void detach(Kind kind, std::uint32_t ifindex) const;
    /// Where a program of this kind hangs, also by a former agent.
    std::vector<std::uint32_t> attached(Kind kind) const;
    bool usesTcx() const { return tcx_; }

private:
    std::string pinOf(Kind kind, std::uint32_t ifindex) const;
    Result<void> attachTcx(const std::string& pin, std::uint32_t ifindex, int programFd) const;

    std::string directory_;
    bool tcx_;
};

/// Attaches to the egress of an interface of our own by clsact.
Result<void> attachEgress(std::uint32_t ifindex, int programFd);

}  // namespace midonet::datapath::ebpf
