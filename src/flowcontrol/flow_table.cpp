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
      bySlot_(0, SlotHash{this}, SlotEqual{this}) {}

FlowTable::~FlowTable() = default;

Result<void> FlowTable::install(const NewFlow& flow, event::TimePoint now) {
    const auto path = paths_.find(flow.tags, flow.moreTags);
    if (flow.packetBytes) paths_.count(path, *flow.packetBytes);
    paths_.hold(path);
    auto installed = installInDatapath(flow);
    if (!installed) {
        paths_.release(path, {});
        return Unexpected{std::move(installed).error()};
    }

    if (const auto old = installed->replaced ? bySlot_.find(*installed->replaced) : bySlot_.end(); old != bySlot_.end())
        forget(*old, RemovalReason::Replaced, datapath_.stats(*installed->replaced));
    const auto [index, record] = flows_.take();
    record = {};
    record.handle = installed->handle;
    record.flowClass = flow.flowClass;
    record.due = now + periodOf(flow.flowClass);
    record.used = true;
    keep(index, flow.effects);
    takePath(index, record, path);
    for (const auto* tags : {&flow.tags, &flow.moreTags})
        for (const auto tag : *tags)
            if (!tag.isPlace()) tags_.add(tag, index, record.firstTag);
    bySlot_.insert(index);
    enqueue(index);
    ++size_;
    ++installed_;
    return {};
}

Result<datapath::Installed> FlowTable::installInDatapath(const NewFlow& flow) {
    const auto capacity = datapath_.flowCapacity(worker_);
    const auto someOfThem = std::max<std::size_t>(1, capacity / 100);
    if (size_ >= capacity - capacity / 10) evictOldest(someOfThem);
    auto installed = datapath_.installFlow(worker_, flow.key, flow.mask, flow.actions);
    if (!installed && installed.error().code == ErrorCode::Exhausted && evictOldest(someOfThem))
        return datapath_.installFlow(worker_, flow.key, flow.mask, flow.actions);
    return installed;
}

std::size_t FlowTable::invalidate(flow::FlowTag tag) {
    std::size_t count = 0;
    const auto end = [&](std::uint32_t index) {
        remove(index, RemovalReason::Invalidated);
        ++count;
    };
    if (tag.isForMetersAlone()) return 0;
    if (tag.isPlace()) {
        paths_.forEachThrough(tag, [&](Paths::Path path) {
            while (path < firstOfPath_.size() && firstOfPath_[path] != kNoIndex) end(firstOfPath_[path]);
        });
    } else {
        for (auto index = tags_.anyHolder(tag); index != kNoIndex; index = tags_.anyHolder(tag)) end(index);
    }
    return count;
}

std::size_t FlowTable::expire(event::TimePoint now, std::size_t limit) {
    std::size_t count = 0;
    for (auto& queue : queues_) {
        while (queue.head != kNoIndex && flows_[queue.head].due <= now && limit > 0) {
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
        while (queue.head != kNoIndex) remove(queue.head, RemovalReason::Flushed);
    return before;
}

MeterCounts FlowTable::readMeters() const {
    std::vector<MeterCount> live(paths_.size());
    for (std::uint32_t index = 0; index < flows_.size(); ++index)
        if (const auto& record = flows_[index]; record.used) live[record.path] += countOf(datapath_.stats(record.handle));
    return paths_.read(live);
}

/// The path is held already.
void FlowTable::takePath(std::uint32_t index, Flow& record, Paths::Path path) {
    if (firstOfPath_.size() <= path) firstOfPath_.resize(path + 1, kNoIndex);
    auto& first = firstOfPath_[path];
    if (first != kNoIndex) flows_[first].previousOfPath = index;
    record.path = path;
    record.nextOfPath = std::exchange(first, index);
}

void FlowTable::leavePath(Flow& record) {
    (record.previousOfPath == kNoIndex ? firstOfPath_[record.path] : flows_[record.previousOfPath].nextOfPath) = record.nextOfPath;
    if (record.nextOfPath != kNoIndex) flows_[record.nextOfPath].previousOfPath = record.previousOfPath;
}

void FlowTable::enqueue(std::uint32_t index) {
    auto& queue = queues_[indexOf(flows_[index].flowClass)];
    flows_[index].previous = queue.tail;
    flows_[index].next = kNoIndex;
    (queue.tail == kNoIndex ? queue.head : flows_[queue.tail].next) = index;
    queue.tail = index;
}

void FlowTable::dequeue(std::uint32_t index) {
    const auto& record = flows_[index];
    auto& queue = queues_[indexOf(record.flowClass)];
    (record.previous == kNoIndex ? queue.head : flows_[record.previous].next) = record.next;
    (record.next == kNoIndex ? queue.tail : flows_[record.next].previous) = record.previous;
}

void FlowTable::keep(std::uint32_t index, const simulation::Effects& effects) {
    auto& record = flows_[index];
    effectsOfOne_.clear();
    for (const auto& effect : effects) {
        const auto* state = std::get_if<simulation::UseState>(&effect);
        if (state == nullptr) {
            effectsOfOne_.push_back(effect);
            continue;
        }
        const auto [number, link] = states_.take();
        link = {state->key.hash(), index, std::exchange(record.firstState, number)};
    }
    record.effects = effects_.add(effectsOfOne_);
}

void FlowTable::dropKept(std::uint32_t index, bool closed) {
    auto& record = flows_[index];
    statesOfOne_.clear();
    for (auto i = std::exchange(record.firstState, kNoIndex); i != kNoIndex;) {
        auto& link = states_[i];
        statesOfOne_.push_back(link.hash);
        link.flow = kNoIndex;
        const auto next = link.nextOfFlow;
        states_.release(i, link);
        i = next;
    }
    onRemoved_({effects_.release(record.effects), statesOfOne_, closed});
}

void FlowTable::remove(std::uint32_t index, RemovalReason reason, bool closed) {
    const auto handle = flows_[index].handle;
    const auto stats = datapath_.stats(handle);
    datapath_.removeFlow(worker_, handle);
    forget(index, reason, stats, closed);
}

/// The datapath has no such flow any more; it had counted `stats`.
void FlowTable::forget(std::uint32_t index, RemovalReason reason, const datapath::FlowStats& stats, bool closed) {
    auto& record = flows_[index];
    bySlot_.erase(bySlot_.find(record.handle));
    leavePath(record);
    paths_.release(record.path, countOf(stats));
    tags_.drop(record.firstTag);
    dequeue(index);
    record.used = false;
    flows_.release(index, record);
    --size_;
    ++removed_[static_cast<std::size_t>(reason)];
    dropKept(index, closed);
}

bool FlowTable::evictOldest(std::size_t count) {
    bool any = false;
    for (auto& queue : queues_) {
        while (count > 0 && queue.head != kNoIndex) {
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
    if (size_ > flows_.size() / 2) gaveBackAt_ = kNoIndex;
    if (flows_.size() < kWorthIt || size_ > std::min<std::size_t>(flows_.size() / 4, gaveBackAt_ / 2)) return;
    gaveBackAt_ = size_;
    flows_.giveBack();
    tags_.giveBackMemory();
    states_.giveBack();
    paths_.giveBackMemory();
    firstOfPath_.resize(paths_.size(), kNoIndex);
    firstOfPath_.shrink_to_fit();
    bySlot_.rehash(0);
}

}  // namespace midonet::flowcontrol
