#pragma once

#include <memory>
#include <vector>

#include "datapath/datapath.h"

struct ring_buffer;

namespace midonet::datapath::ebpf {

/// The upcalls of one worker, out of a BPF ring buffer. That worker's thread only.
class UpcallRing final : public UpcallQueue {
public:
    /// `pendingMap`: the table of flows that wait for the agent.
    static Result<std::unique_ptr<UpcallRing>> open(int ringFd, int pendingMap);
    ~UpcallRing() override;

    int descriptor() const override;
    std::size_t drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) override;
    void done(std::uint64_t pendingId) override;
    /// Records that could not be read: our own mistake, or memory gone bad.
    std::uint64_t malformed() const { return malformed_; }

private:
    explicit UpcallRing(int pendingMap) : pendingMap_(pendingMap) {}
    int handle(void* data, std::size_t size);

    struct Closer {
        void operator()(ring_buffer* ring) const;
    };
    int pendingMap_;
    std::unique_ptr<ring_buffer, Closer> ring_;
    std::vector<std::uint8_t> scratch_;
    const std::function<void(const Upcall&)>* handler_ = nullptr;
    std::size_t left_ = 0;
    std::size_t handled_ = 0;
    std::uint64_t malformed_ = 0;
};

}  // namespace midonet::datapath::ebpf
