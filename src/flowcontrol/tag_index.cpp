#include "flowcontrol/tag_index.h"

#include <utility>

namespace midonet::flowcontrol {

void TagIndex::add(flow::FlowTag tag, std::uint32_t holder, std::uint32_t& firstLink) {
    auto& head = heads_.try_emplace(tag, kNoIndex).first->second;
    auto* const before = head == kNoIndex ? nullptr : &links_[head];
    // Added in one go: a second time shows at the head of the tag's list.
    if (before != nullptr && before->holder == holder) return;
    const auto [number, link] = links_.take();
    link = Link{tag, holder, std::exchange(firstLink, number), head, kNoIndex};
    if (before != nullptr) before->previousOfTag = number;
    head = number;
}

void TagIndex::drop(std::uint32_t& firstLink) {
    for (auto i = std::exchange(firstLink, kNoIndex); i != kNoIndex;) {
        auto& link = links_[i];
        if (link.nextOfTag != kNoIndex) links_[link.nextOfTag].previousOfTag = link.previousOfTag;
        if (link.previousOfTag != kNoIndex)
            links_[link.previousOfTag].nextOfTag = link.nextOfTag;
        else if (link.nextOfTag != kNoIndex)
            heads_[link.tag] = link.nextOfTag;
        else
            heads_.erase(link.tag);
        link.holder = kNoIndex;
        const auto next = link.nextOfHolder;
        links_.release(i, link);
        i = next;
    }
}

std::uint32_t TagIndex::anyHolder(flow::FlowTag tag) const {
    const auto head = heads_.find(tag);
    return head == heads_.end() ? kNoIndex : links_[head->second].holder;
}

void TagIndex::giveBackMemory() {
    links_.giveBack();
    heads_.rehash(0);
}

}  // namespace midonet::flowcontrol
