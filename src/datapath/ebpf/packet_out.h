#pragma once

#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/file_descriptor.h"

namespace midonet::datapath::ebpf {

/// The way of packets into the kernel: a tap of our own, whose egress hook runs the action list in
/// the slot named by the packet's mark. It lives as long as the process. A worker's socket belongs to
/// that worker; sending returns when the actions have run.
class PacketOut {
public:
    /// Makes the tap, up and without IPv6, and one socket per worker.
    static Result<PacketOut> open(const std::string& tapName, unsigned workers);

    std::uint32_t ifindex() const { return ifindex_; }
    /// Unavailable when no action could be carried out.
    Result<void> send(WorkerIndex worker, std::uint32_t slot, ByteView frame, const Offload& offload) const;

private:
    FileDescriptor tap_;
    std::uint32_t ifindex_ = 0;
    std::vector<FileDescriptor> sockets_;
};

}  // namespace midonet::datapath::ebpf
