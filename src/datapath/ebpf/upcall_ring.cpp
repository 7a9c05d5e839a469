#include "datapath/ebpf/upcall_ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

#include "datapath/ebpf/upcall_record.h"

namespace midonet::datapath::ebpf {

Result<std::unique_ptr<UpcallRing>> UpcallRing::open(int ringFd, int pendingMap) {
    std::unique_ptr<UpcallRing> out{new UpcallRing{pendingMap}};
    const auto sample = [](void* self, void* data, std::size_t size) { return static_cast<UpcallRing*>(self)->handle(data, size); };
    out->ring_.reset(::ring_buffer__new(ringFd, sample, out.get(), nullptr));
    if (!out->ring_) return fail(ErrorCode::Unavailable, "cannot map an upcall ring: {}", std::strerror(errno));
    return out;
}

UpcallRing::~UpcallRing() = default;

int UpcallRing::descriptor() const { return ::ring_buffer__epoll_fd(ring_.get()); }

std::size_t UpcallRing::drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) {
    if (limit == 0) return 0;
    handler_ = &handler;
    left_ = limit;
    handled_ = 0;
    ::ring_buffer__consume(ring_.get());
    handler_ = nullptr;
    return handled_;
}

void UpcallRing::done(std::uint64_t pendingId) {
    if (pendingId != 0) ::bpf_map_delete_elem(pendingMap_, &pendingId);
}

int UpcallRing::handle(void* data, std::size_t size) {
    const auto upcall = parseUpcallRecord({static_cast<const std::uint8_t*>(data), size}, scratch_);
    if (upcall) {
        (*handler_)(*upcall);
        ++handled_;
    } else {
        ++malformed_;
    }
    // A negative value ends the round; this record counts as consumed.
    return --left_ == 0 ? -ECANCELED : 0;
}

void UpcallRing::Closer::operator()(ring_buffer* ring) const { ::ring_buffer__free(ring); }

}  // namespace midonet::datapath::ebpf
