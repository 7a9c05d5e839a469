#include "flowcontrol/flow_table.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace midonet::flowcontrol {
namespace {

using simulation::FlowClass;

event::Duration lifetimeOf(FlowClass flowClass) {
    switch (flowClass) {
        case FlowClass::Error: return std::chrono::seconds{5};
        case FlowClass::Normal: return std::chrono::seconds{60};
        case FlowClass::Tunnel: return std::chrono::seconds{300};
    }
    MIDONET_UNREACHABLE();
}

std::size_t indexOf(FlowClass flowClass) { return static_cast<std::size_t>(flowClass); }

}  // namespace

std::string_view toString(RemovalReason reason) {
    switch (reason) {
        case RemovalReason::Invalidated: return "invalidated";
        case RemovalReason::Expired: return "expired";
        case RemovalReason::Evicted: return "evicted";
        case RemovalReason::Replaced: return "replaced";
        case RemovalReason::Flushed: return "flushed";
    }
    MIDONET_UNREACHABLE();
}

FlowTable::FlowTable(datapath::Datapath& datapath, datapath::WorkerIndex worker, RemovedCallback onRemoved)
    : datapath_(datapath),
      worker_(worker),
      onRemoved_(std::move(onRemoved)),
      byIdentity_(0, IdentityHash{this}, IdentityEqual{this}) {}

FlowTable::~FlowTable() = default;

Result<void> FlowTable::install(const NewFlow& flow, event::TimePoint now) {
    const auto capacity = datapath_.flowCapacity(worker_);
    if (size_ >= capacity - capacity / 10) evictOldest(std::max<std::size_t>(1, capacity / 100));

    auto handle = datapath_.installFlow(worker_, flow.key, flow.mask, flow.actions);
    if (!handle && handle.error().code == ErrorCode::Exhausted && evictOldest(std::max<std::size_t>(1, capacity / 100)))
        handle = datapath_.installFlow(worker_, flow.key, flow.mask, flow.actions);
    if (!handle) return Unexpected{handle.error()};

    const auto masked = flow.mask.apply(flow.key);
    if (const auto replaced = byIdentity_.find(Identity{masked, flow.mask}); replaced != byIdentity_.end())
        forget(*replaced, RemovalReason::Replaced);
    const auto index = allocate();
    auto& record = flows_[index];
    record.key = masked;
    record.mask = flow.mask;
    record.handle = *handle;
    record.effects = effects_.add(flow.effects);
    record.flowClass = flow.flowClass;
    record.due = now + lifetimeOf(flow.flowClass);
    record.used = true;
    for (const auto tag : flow.tags) addTag(index, tag);
    for (const auto tag : flow.moreTags) addTag(index, tag);
    byIdentity_.insert(index);
    enqueue(index);
    ++size_;
    ++installed_;
    return {};
}

std::size_t FlowTable::invalidate(flow::FlowTag tag) {
    std::size_t count = 0;
    for (auto found = byTag_.find(tag); found != byTag_.end(); found = byTag_.find(tag)) {
        remove(links_[found->second].flow, RemovalReason::Invalidated);
        ++count;
    }
    return count;
}

std::size_t FlowTable::expire(event::TimePoint now, std::size_t limit) {
    std::size_t count = 0;
    for (auto& queue : queues_) {
        while (queue.head != kNone && flows_[queue.head].due <= now && limit > 0) {
            --limit;
            const auto index = queue.head;
            auto& record = flows_[index];
            const auto lifetime = lifetimeOf(record.flowClass);
            // Used since it was last looked at: it stays for another term. Errors never do.
            if (record.flowClass != FlowClass::Error && datapath_.stats(record.handle).idle < lifetime) {
                dequeue(index);
                record.due = now + lifetime;
                enqueue(index);
                continue;
            }
            remove(index, RemovalReason::Expired);
            ++count;
        }
    }
    return count;
}

std::size_t FlowTable::flush() {
    const auto before = size_;
    for (auto& queue : queues_)
        while (queue.head != kNone) remove(queue.head, RemovalReason::Flushed);
    return before;
}

void FlowTable::forEach(const std::function<void(const flow::FlowKey&, const flow::FlowMask&)>& visit) const {
    for (const auto& record : flows_)
        if (record.used) visit(record.key, record.mask);
}

std::uint32_t FlowTable::allocate() {
    if (firstFreeFlow_ != kNone) return std::exchange(firstFreeFlow_, flows_[firstFreeFlow_].next);
    flows_.emplace_back();
    return static_cast<std::uint32_t>(flows_.size() - 1);
}

void FlowTable::addTag(std::uint32_t index, flow::FlowTag tag) {
    const auto [head, isNew] = byTag_.try_emplace(tag, kNone);
    // All tags of a flow are added in one go: a second time shows at the head of the tag's list.
    if (head->second != kNone && links_[head->second].flow == index) return;
    std::uint32_t link = firstFreeLink_;
    if (link == kNone) {
        link = static_cast<std::uint32_t>(links_.size());
        links_.emplace_back();
    } else {
        firstFreeLink_ = links_[link].nextOfFlow;
    }
    links_[link] = TagLink{tag, index, flows_[index].firstTag, head->second, kNone};
    if (head->second != kNone) links_[head->second].previousOfTag = link;
    head->second = link;
    flows_[index].firstTag = link;
}

void FlowTable::dropTags(std::uint32_t index) {
    for (auto i = flows_[index].firstTag; i != kNone;) {
        const auto link = links_[i];
        if (link.nextOfTag != kNone) links_[link.nextOfTag].previousOfTag = link.previousOfTag;
        if (link.previousOfTag != kNone)
            links_[link.previousOfTag].nextOfTag = link.nextOfTag;
        else if (link.nextOfTag != kNone)
            byTag_[link.tag] = link.nextOfTag;
        else
            byTag_.erase(link.tag);
        links_[i].nextOfFlow = std::exchange(firstFreeLink_, i);
        i = link.nextOfFlow;
    }
    flows_[index].firstTag = kNone;
}

void FlowTable::enqueue(std::uint32_t index) {
    auto& queue = queues_[indexOf(flows_[index].flowClass)];
    flows_[index].previous = queue.tail;
    flows_[index].next = kNone;
    (queue.tail == kNone ? queue.head : flows_[queue.tail].next) = index;
    queue.tail = index;
}

void FlowTable::dequeue(std::uint32_t index) {
    const auto& record = flows_[index];
    auto& queue = queues_[indexOf(record.flowClass)];
    (record.previous == kNone ? queue.head : flows_[record.previous].next) = record.next;
    (record.next == kNone ? queue.tail : flows_[record.next].previous) = record.previous;
}

void FlowTable::remove(std::uint32_t index, RemovalReason reason) {
    datapath_.removeFlow(worker_, flows_[index].handle);
    forget(index, reason);
}

void FlowTable::forget(std::uint32_t index, RemovalReason reason) {
    auto& record = flows_[index];
    byIdentity_.erase(byIdentity_.find(Identity{record.key, record.mask}));
    dropTags(index);
    dequeue(index);
    record.used = false;
    record.next = std::exchange(firstFreeFlow_, index);
    --size_;
    ++removed_[static_cast<std::size_t>(reason)];
    onRemoved_(effects_.release(record.effects));
}

bool FlowTable::evictOldest(std::size_t count) {
    bool any = false;
    for (auto& queue : queues_) {
        while (count > 0 && queue.head != kNone) {
            remove(queue.head, RemovalReason::Evicted);
            --count;
            any = true;
        }
    }
    return any;
}

}  // namespace midonet::flowcontrol
