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
        case FlowClass::Normal:
        case FlowClass::TcpConnection: return std::chrono::seconds{60};
        case FlowClass::Tunnel: return std::chrono::seconds{300};
    }
    MIDONET_UNREACHABLE();
}

/// How long a flow whose sender closed the connection is left for the last packets of it.
constexpr std::chrono::seconds kClosingTime{4};

/// How often a flow is looked at: what is closed is to be found soon.
event::Duration periodOf(FlowClass flowClass) {
    return flowClass == FlowClass::TcpConnection ? event::Duration{kClosingTime} : lifetimeOf(flowClass);
}

MeterCount countOf(const datapath::FlowStats& stats) { return {stats.packets, stats.bytes}; }

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
    keep(index, flow.effects);
    record.flowClass = flow.flowClass;
    record.due = now + periodOf(flow.flowClass);
    record.used = true;
    record.path = flow.path;
    if (record.path != Meters::kNone) meters_.hold(record.path);
    for (const auto* tags : {&flow.tags, &flow.moreTags})
        for (const auto tag : *tags)
            if (!tag.isForMetersAlone()) addTag(index, tag);
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
            bool closed = false;
            if (isOver(record, closed)) {
                remove(index, RemovalReason::Expired, closed);
                ++count;
            } else {
                dequeue(index);
                record.due = now + periodOf(record.flowClass);
                enqueue(index);
            }
        }
    }
    giveBackMemory();
    return count;
}

/// Used since it was last looked at, a flow stays for another term. Errors never do.
bool FlowTable::isOver(const Flow& record, bool& closed) const {
    if (record.flowClass == FlowClass::Error) return true;
    const auto stats = datapath_.stats(record.handle);
    closed = record.flowClass == FlowClass::TcpConnection && stats.closing && stats.idle >= kClosingTime;
    return closed || stats.idle >= lifetimeOf(record.flowClass);
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

MeterCounts FlowTable::readMeters() const {
    std::vector<MeterCount> live(meters_.size());
    for (const auto& record : flows_)
        if (record.used && record.path != Meters::kNone) live[record.path] += countOf(datapath_.stats(record.handle));
    return meters_.read(live);
}

std::uint32_t FlowTable::allocate() {
    if (firstFreeFlow_ != kNone) return std::exchange(firstFreeFlow_, flows_[firstFreeFlow_].next);
    flows_.emplace_back();
    return static_cast<std::uint32_t>(flows_.size() - 1);
}

// To find an element of the blocks takes longer than what is done with it: once each.

void FlowTable::addTag(std::uint32_t index, flow::FlowTag tag) {
    auto& head = byTag_.try_emplace(tag, kNone).first->second;
    auto* const before = head == kNone ? nullptr : &links_[head];
    // All tags of a flow are added in one go: a second time shows at the head of the tag's list.
    if (before != nullptr && before->flow == index) return;
    const bool isReused = firstFreeLink_ != kNone;
    const auto number = isReused ? firstFreeLink_ : static_cast<std::uint32_t>(links_.size());
    auto& link = isReused ? links_[number] : links_.emplace_back();
    if (isReused) firstFreeLink_ = link.nextOfFlow;
    link = TagLink{tag, index, std::exchange(flows_[index].firstTag, number), head, kNone};
    if (before != nullptr) before->previousOfTag = number;
    head = number;
}

void FlowTable::dropTags(std::uint32_t index) {
    for (auto i = std::exchange(flows_[index].firstTag, kNone); i != kNone;) {
        auto& link = links_[i];
        if (link.nextOfTag != kNone) links_[link.nextOfTag].previousOfTag = link.previousOfTag;
        if (link.previousOfTag != kNone)
            links_[link.previousOfTag].nextOfTag = link.nextOfTag;
        else if (link.nextOfTag != kNone)
            byTag_[link.tag] = link.nextOfTag;
        else
            byTag_.erase(link.tag);
        link.flow = kNone;
        i = std::exchange(link.nextOfFlow, std::exchange(firstFreeLink_, i));
    }
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

void FlowTable::keep(std::uint32_t index, const simulation::Effects& effects) {
    auto& record = flows_[index];
    record.firstState = kNone;
    effectsOfOne_.clear();
    for (const auto& effect : effects) {
        const auto* state = std::get_if<simulation::UseState>(&effect);
        if (state == nullptr) {
            effectsOfOne_.push_back(effect);
            continue;
        }
        std::uint32_t link = firstFreeState_;
        if (link == kNone) {
            link = static_cast<std::uint32_t>(states_.size());
            states_.emplace_back();
        } else {
            firstFreeState_ = states_[link].nextOfFlow;
        }
        states_[link] = {state->key.hash(), index, record.firstState};
        record.firstState = link;
    }
    record.effects = effects_.add(effectsOfOne_);
}

void FlowTable::dropKept(std::uint32_t index, bool closed) {
    auto& record = flows_[index];
    statesOfOne_.clear();
    for (auto i = record.firstState; i != kNone;) {
        statesOfOne_.push_back(states_[i].hash);
        states_[i].flow = kNone;
        const auto next = states_[i].nextOfFlow;
        states_[i].nextOfFlow = std::exchange(firstFreeState_, i);
        i = next;
    }
    record.firstState = kNone;
    onRemoved_({effects_.release(record.effects), statesOfOne_, closed});
}

void FlowTable::endMetering(std::uint32_t index) {
    auto& record = flows_[index];
    if (record.path != Meters::kNone) meters_.release(std::exchange(record.path, Meters::kNone), countOf(datapath_.stats(record.handle)));
}

void FlowTable::remove(std::uint32_t index, RemovalReason reason, bool closed) {
    endMetering(index);
    datapath_.removeFlow(worker_, flows_[index].handle);
    forget(index, reason, closed);
}

void FlowTable::forget(std::uint32_t index, RemovalReason reason, bool closed) {
    endMetering(index);
    auto& record = flows_[index];
    byIdentity_.erase(byIdentity_.find(Identity{record.key, record.mask}));
    dropTags(index);
    dequeue(index);
    record.used = false;
    record.next = std::exchange(firstFreeFlow_, index);
    --size_;
    ++removed_[static_cast<std::size_t>(reason)];
    dropKept(index, closed);
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

/// Most flows that came in a burst have gone: the blocks at the end that nothing uses any more go too.
void FlowTable::giveBackMemory() {
    constexpr std::size_t kWorthIt = 16384;
    if (size_ > flows_.size() / 2) gaveBackAt_ = kNone;
    if (flows_.size() < kWorthIt || size_ > std::min(flows_.size() / 4, gaveBackAt_ / 2)) return;
    gaveBackAt_ = size_;
    // What is left of each: up to the last one in use. Those in between are free for the next ones, the first first.
    const auto shrink = [](auto& blocks, std::uint32_t& firstFree, const auto& isUsed, const auto& nextFree) {
        while (!blocks.empty() && !isUsed(blocks.back())) blocks.pop_back();
        blocks.shrink_to_fit();
        firstFree = kNone;
        for (auto i = static_cast<std::uint32_t>(blocks.size()); i-- > 0;)
            if (!isUsed(blocks[i])) nextFree(blocks[i]) = std::exchange(firstFree, i);
    };
    shrink(flows_, firstFreeFlow_, [](const Flow& flow) { return flow.used; }, [](Flow& flow) -> auto& { return flow.next; });
    const auto inUse = [](const auto& link) { return link.flow != kNone; };
    const auto next = [](auto& link) -> auto& { return link.nextOfFlow; };
    shrink(links_, firstFreeLink_, inUse, next);
    shrink(states_, firstFreeState_, inUse, next);
    byIdentity_.rehash(0);
    byTag_.rehash(0);
}

}  // namespace midonet::flowcontrol
