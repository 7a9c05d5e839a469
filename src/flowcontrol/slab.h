#pragma once

#include <boost/container/deque.hpp>
#include <cstdint>
#include <utility>

namespace midonet::flowcontrol {

/// No element; the end of a list of elements.
constexpr std::uint32_t kNoIndex = 0xffffffffU;

/// Elements by index (4 bytes instead of a pointer's 8), in blocks that never move; those that are not in use are a list
/// through themselves. `T` has `bool inUse() const` and `std::uint32_t& nextFree()`, which is what it likes while in use.
///
/// References stay valid until giveBack(). To find an element takes longer than most of what is done with it: once each.
template <class T>
class Slab {
public:
    T& operator[](std::uint32_t index) { return elements_[index]; }
    const T& operator[](std::uint32_t index) const { return elements_[index]; }
    /// Indexes are below this.
    std::uint32_t size() const { return static_cast<std::uint32_t>(elements_.size()); }

    /// An element that is not in use, as it was left; the caller puts it to use.
    std::pair<std::uint32_t, T&> take() {
        if (firstFree_ == kNoIndex) return {size(), elements_.emplace_back()};
        const auto index = firstFree_;
        auto& element = elements_[index];
        firstFree_ = element.nextFree();
        return {index, element};
    }
    /// The element has just gone out of use.
    void release(std::uint32_t index, T& element) { element.nextFree() = std::exchange(firstFree_, index); }

    /// Frees the blocks at the end that hold nothing in use. The others are taken from the first on from now on.
    void giveBack() {
        while (!elements_.empty() && !elements_.back().inUse()) elements_.pop_back();
        elements_.shrink_to_fit();
        firstFree_ = kNoIndex;
        for (auto i = size(); i-- > 0;)
            if (!elements_[i].inUse()) release(i, elements_[i]);
    }

private:
    boost::container::deque<T, void, boost::container::deque_options_t<boost::container::block_bytes<8192>>> elements_;
    std::uint32_t firstFree_ = kNoIndex;
};

}  // namespace midonet::flowcontrol
