#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/kernel_layout.h"

namespace midonet::datapath::ebpf {

/// The upcalls of one worker, out of a BPF ring buffer. That worker's thread only.
///
/// Reads the ring itself instead of through libbpf, which maps the data twice, so that every byte of
/// it counts twice as memory of the agent; here a record over the end is put together by a copy.
class UpcallRing final : public UpcallQueue {
public:
    /// `ringFd` stays open as long as this lives. `pending`: the table of flows that wait for the agent.
    /// `ports`: where the packets of each port that wait in the ring are counted. `stateBytes`: the same for records of
    /// state messages, in bytes.
    static Result<std::unique_ptr<UpcallRing>> open(int ringFd, std::size_t ringBytes, std::span<mn_pending> pending,
                                                    std::span<mn_port_target> ports, std::uint32_t& stateBytes);
    ~UpcallRing() override;

    int descriptor() const override { return ringFd_; }
    std::size_t drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) override;
    void done(std::uint64_t pendingId) override;
    /// Records that could not be read: our own mistake, or memory gone bad.
    std::uint64_t malformed() const { return malformed_; }

private:
    UpcallRing(int ringFd, std::size_t ringBytes, std::span<mn_pending> pending, std::span<mn_port_target> ports,
               std::uint32_t& stateBytes)
        : ringFd_(ringFd), size_(ringBytes), pending_(pending), ports_(ports), stateBytes_(stateBytes) {}
    void noLongerWaiting(const flow::FlowKey& key, std::size_t recordSize);
    ByteView recordAt(std::uint64_t position, std::size_t length);

    const int ringFd_;
    const std::size_t size_;
    const std::span<mn_pending> pending_;
    const std::span<mn_port_target> ports_;
    std::uint32_t& stateBytes_;
    std::uint64_t* consumed_ = nullptr;        ///< page of ours: how far we have read
    const std::uint64_t* produced_ = nullptr;  ///< page of the kernel: how far it has written; the data behind
    const std::uint8_t* data_ = nullptr;
    std::vector<std::uint8_t> wrapped_;
    std::vector<std::uint8_t> scratch_;
    std::uint64_t malformed_ = 0;
};

}  // namespace midonet::datapath::ebpf
