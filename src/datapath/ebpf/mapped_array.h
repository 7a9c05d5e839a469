#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace midonet::datapath::ebpf {

/// A memory-mappable BPF array map. Pieces of 4096 elements are mapped when first touched: the kernel
/// makes all pages of a mapping present at once, and a quiet host uses few. Any thread.
template <class T>
class MappedArray {
public:
    static constexpr std::size_t kPiece = 4096;
    static_assert(kPiece * sizeof(T) % 4096 == 0, "pieces begin on a page");

    MappedArray() = default;
    /// `fd` stays open as long as this is used.
    MappedArray(int fd, std::size_t size) : fd_(fd), size_(size), count_((size + kPiece - 1) / kPiece), pieces_(new std::atomic<T*>[count_]{}) {}
    ~MappedArray() {
        for (std::size_t i = 0; i < count_; ++i) {
            if (T* piece = pieces_[i].load(std::memory_order_relaxed)) ::munmap(piece, bytesOf(i));
        }
    }
    MappedArray(MappedArray&& other) noexcept { *this = std::move(other); }
    MappedArray& operator=(MappedArray&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(size_, other.size_);
        std::swap(count_, other.count_);
        std::swap(pieces_, other.pieces_);
        return *this;
    }

    std::size_t size() const { return size_; }
    T& operator[](std::size_t index) const {
        MIDONET_ASSERT(index < size_, "slots come from our own pools");
        T* piece = pieces_[index / kPiece].load(std::memory_order_acquire);
        if (piece == nullptr) piece = mapPiece(index / kPiece);
        return piece[index % kPiece];
    }

private:
    std::size_t bytesOf(std::size_t piece) const {
        const std::size_t elements = piece + 1 < count_ ? kPiece : size_ - piece * kPiece;
        return (elements * sizeof(T) + 4095) & ~std::size_t{4095};
    }
    T* mapPiece(std::size_t index) const {
        void* address = ::mmap(nullptr, bytesOf(index), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(index * kPiece * sizeof(T)));
        MIDONET_ASSERT(address != MAP_FAILED, "out of address space or memory mappings: see vm.max_map_count");
        T* fresh = static_cast<T*>(address);
        T* expected = nullptr;
        if (pieces_[index].compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) return fresh;
        ::munmap(address, bytesOf(index));
        return expected;
    }

    int fd_ = -1;
    std::size_t size_ = 0;
    std::size_t count_ = 0;
    std::unique_ptr<std::atomic<T*>[]> pieces_;
};

}  // namespace midonet::datapath::ebpf
