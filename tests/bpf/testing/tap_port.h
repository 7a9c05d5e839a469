#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/file_descriptor.h"

namespace midonet::datapath::ebpf::testing {

/// A frame as it came out of a tap.
struct TapFrame {
    std::vector<std::uint8_t> bytes;
    Offload offload;
};

/// A tap interface in the network namespace of the calling thread, with us in the place of the virtual
/// machine. What is written has passed through tc when write() returns; what tc sent here waits in
/// read(). So a test needs no waiting.
class TapPort {
public:
    struct Options {
        /// Frames come out with partial checksums and uncut, as to a machine with offloads.
        bool offloads = false;
        int mtu = 1500;
        std::optional<net::Mac> mac;
    };
    explicit TapPort(const std::string& name);
    TapPort(const std::string& name, const Options& options);

    void write(ByteView frame, const Offload& offload = {});
    /// All frames that wait.
    std::vector<TapFrame> read();
    const std::string& name() const { return name_; }
    std::uint32_t ifindex() const { return ifindex_; }

private:
    std::string name_;
    FileDescriptor fd_;
    std::uint32_t ifindex_ = 0;
};

}  // namespace midonet::datapath::ebpf::testing
