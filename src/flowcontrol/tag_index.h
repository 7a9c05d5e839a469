#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "flow/flow_tag.h"
#include "flowcontrol/slab.h"

namespace midonet::flowcontrol {

/// Who carries which tags, found both ways. A holder (a flow, a path) is a number of the caller, who keeps the first of its
/// links. 24 bytes for each tag of each holder.
class TagIndex {
public:
    /// The holder carries the tag too. All tags of a holder are added in one go: one that comes twice is kept once.
    void add(flow::FlowTag tag, std::uint32_t holder, std::uint32_t& firstLink);
    /// The holder carries nothing any more.
    void drop(std::uint32_t& firstLink);

    /// A holder of the tag, or kNoIndex.
    std::uint32_t anyHolder(flow::FlowTag tag) const;
    /// `visit` must not change the index.
    template <class Visit>
    void forEachHolder(flow::FlowTag tag, const Visit& visit) const {
        const auto head = heads_.find(tag);
        if (head == heads_.end()) return;
        for (auto i = head->second; i != kNoIndex; i = links_[i].nextOfTag) visit(links_[i].holder);
    }
    /// The last added first.
    template <class Visit>
    void forEachTag(std::uint32_t firstLink, const Visit& visit) const {
        for (auto i = firstLink; i != kNoIndex; i = links_[i].nextOfHolder) visit(links_[i].tag);
    }

    void giveBackMemory();

private:
    /// In the list of its holder and in the list of its tag.
    struct Link {
        flow::FlowTag tag{flow::FlowTag::device(Uuid{})};
        std::uint32_t holder = kNoIndex;
        std::uint32_t nextOfHolder = kNoIndex;
        std::uint32_t nextOfTag = kNoIndex;
        std::uint32_t previousOfTag = kNoIndex;

        bool inUse() const { return holder != kNoIndex; }
        std::uint32_t& nextFree() { return nextOfHolder; }
    };
    struct TagHash {
        using is_avalanching = void;
        std::size_t operator()(flow::FlowTag tag) const noexcept { return mixHash(tag.value()); }
    };

    Slab<Link> links_;
    boost::unordered_flat_map<flow::FlowTag, std::uint32_t, TagHash> heads_;
};

}  // namespace midonet::flowcontrol
