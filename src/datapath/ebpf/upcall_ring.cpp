#include "datapath/ebpf/upcall_ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "datapath/ebpf/upcall_record.h"

namespace midonet::datapath::ebpf {
namespace {

const std::size_t kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

std::uint64_t load(const std::uint64_t* position) {
    return std::atomic_ref<std::uint64_t>{*const_cast<std::uint64_t*>(position)}.load(std::memory_order_acquire);
}

/// What bpf_ktime_get_ns() would say.
std::chrono::nanoseconds kernelNow() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

/// The kernel only adds, and what is counted together is in one ring: nobody else takes off. A record of a former agent
/// was counted for it, not for us.
void takeOff(std::uint32_t& count, std::uint32_t by) {
    std::atomic_ref<std::uint32_t> waiting{count};
    waiting.fetch_sub(std::min(by, waiting.load(std::memory_order_relaxed)), std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<UpcallRing>> UpcallRing::open(int ringFd, std::size_t ringBytes, std::span<mn_pending> pending,
                                                     std::span<mn_port_target> ports, std::uint32_t& stateBytes) {
    std::unique_ptr<UpcallRing> out{new UpcallRing{ringFd, ringBytes, pending, ports, stateBytes}};
    void* ours = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, ringFd, 0);
    if (ours != MAP_FAILED) out->consumed_ = static_cast<std::uint64_t*>(ours);
    void* theirs = ::mmap(nullptr, kPage + ringBytes, PROT_READ, MAP_SHARED, ringFd, static_cast<off_t>(kPage));
    if (theirs != MAP_FAILED) {
        out->produced_ = static_cast<const std::uint64_t*>(theirs);
        out->data_ = static_cast<const std::uint8_t*>(theirs) + kPage;
    }
    if (out->consumed_ == nullptr || out->produced_ == nullptr) {
        return fail(ErrorCode::Unavailable, "cannot map an upcall ring of {} bytes: {}", ringBytes, std::strerror(errno));
    }
    return out;
}

UpcallRing::~UpcallRing() {
    if (consumed_ != nullptr) ::munmap(consumed_, kPage);
    if (produced_ != nullptr) ::munmap(const_cast<std::uint64_t*>(produced_), kPage + size_);
}

std::size_t UpcallRing::drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) {
    std::size_t handled = 0;
    const auto now = kernelNow();
    std::uint64_t position = *consumed_;
    while (handled < limit && position < load(produced_)) {
        const auto* header = reinterpret_cast<const std::uint32_t*>(data_ + (position & (size_ - 1)));
        const std::uint32_t word = std::atomic_ref<std::uint32_t>{*const_cast<std::uint32_t*>(header)}.load(std::memory_order_acquire);
        if ((word & BPF_RINGBUF_BUSY_BIT) != 0) break;  // Still being written, by another CPU.
        const std::size_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if ((word & BPF_RINGBUF_DISCARD_BIT) == 0) {
            const auto upcall = parseUpcallRecord(recordAt(position + BPF_RINGBUF_HDR_SZ, length), now, scratch_);
            if (upcall) {
                noLongerWaiting(upcall->key, length);
                handler(*upcall);
                ++handled;
            } else {
                ++malformed_;
            }
        }
        position += (BPF_RINGBUF_HDR_SZ + length + 7) & ~std::uint64_t{7};
        std::atomic_ref<std::uint64_t>{*consumed_}.store(position, std::memory_order_release);
    }
    return handled;
}

void UpcallRing::done(std::uint64_t pendingId) {
    // Another flow may have its place by now.
    __u64 id = pendingId;
    if (id != 0) std::atomic_ref{pending_[mn_pending_index(id)].id}.compare_exchange_strong(id, 0, std::memory_order_relaxed);
}

void UpcallRing::noLongerWaiting(const flow::FlowKey& key, std::size_t recordSize) {
    if (!key.fromTunnel()) {
        if (key.inPort.value() < ports_.size()) takeOff(ports_[key.inPort.value()].waiting, 1);
    } else if (key.tunnelKey == net::kStateTunnelKey) {
        takeOff(stateBytes_, static_cast<std::uint32_t>(recordSize));
    }
}

ByteView UpcallRing::recordAt(std::uint64_t position, std::size_t length) {
    const std::size_t offset = position & (size_ - 1);
    const std::size_t toEnd = size_ - offset;
    if (length <= toEnd) return {data_ + offset, length};
    wrapped_.resize(length);
    std::copy_n(data_ + offset, toEnd, wrapped_.begin());
    std::copy_n(data_, std::min(length - toEnd, size_), wrapped_.begin() + static_cast<std::ptrdiff_t>(toEnd));
    return wrapped_;
}

}  // namespace midonet::datapath::ebpf
