#pragma once

#include <string>

#include "datapath/ebpf/file_descriptor.h"

namespace midonet::datapath::ebpf::testing {

/// A network namespace without a name and a BPF file system of its own: a host to put a datapath on.
/// Both vanish with the process. Needs root; see skipReason().
class PrivateHost {
public:
    PrivateHost();
    ~PrivateHost();
    PrivateHost(const PrivateHost&) = delete;
    PrivateHost& operator=(const PrivateHost&) = delete;

    /// The calling thread acts on this host until another is entered.
    void enter() const;
    const std::string& bpffs() const { return bpffs_; }
    int descriptor() const { return namespace_.get(); }

    /// Why tests with hosts cannot run here; empty when they can.
    static std::string skipReason();

private:
    FileDescriptor namespace_;
    std::string bpffs_;
};

}  // namespace midonet::datapath::ebpf::testing
