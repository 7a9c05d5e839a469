#include "flowstate/nat_leases.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "flowstate/internal/nat_blocks.h"

namespace midonet::flowstate {
namespace {

const Logger kLog{"flowstate"};

std::string textOf(const NatBlockId& block) {
    return fmt::format("{}:{}-{} of {}", block.address, block.block * kNatBlockPorts, (block.block + 1) * kNatBlockPorts - 1,
                       block.device);
}

}  // namespace

NatLeases::NatLeases(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, HostId host, WallClock now,
                     std::function<void(const Answer&)> onAnswer, Options options)
    : loop_(loop), pool_(pool), store_(store), host_(host), now_(std::move(now)), onAnswer_(std::move(onAnswer)),
      options_(options), seed_(options.seed.value_or(Uuid::random().low())), self_(std::make_shared<NatLeases*>(this)) {}

NatLeases::~NatLeases() { *self_ = nullptr; }

template <class T>
void NatLeases::onPool(std::function<Result<T>()> work, std::function<void(const Result<T>&)> done) {
    auto result = std::make_shared<Result<T>>(fail(ErrorCode::Unavailable, "too much is waiting for the NSDB"));
    const auto answer = [self = self_, done, result] {
        if (*self != nullptr) done(*result);
    };
    if (!pool_.submit([work = std::move(work), result] { *result = work(); }, loop_, answer)) loop_.post(answer);
}

void NatLeases::start(WorkerTag workers) {
    MIDONET_ASSERT(workers > 0, "somebody has to use the blocks");
    startAgain_.reset();
    const internal::BlockHolder holder{host_, now_(), options_.grace};
    onPool<std::vector<NatBlockId>>([&store = store_, holder] { return internal::reclaimBlocks(store, holder); },
                                    [this, workers](const auto& blocks) { onReclaimed(workers, blocks); });
}

void NatLeases::onReclaimed(WorkerTag workers, const Result<std::vector<NatBlockId>>& blocks) {
    if (!blocks) {
        kLog.warn("NAT blocks from before cannot be found yet", {kv("problem", blocks.error())});
        startAgain_ = loop_.after(kBackOff, [this, workers] { start(workers); });
        return;
    }
    const std::set<NatBlockId> ours(blocks->begin(), blocks->end());
    for (const auto& block : held_)
        if (!ours.contains(block))
            kLog.warn("NAT block is another host's meanwhile: its connections may clash", {kv("block", textOf(block))});
    WorkerTag worker = 0;
    for (const auto& block : ours) {
        if (releasing_.contains(block) || !held_.insert(block).second) continue;
        onAnswer_({block.device, {}, worker, block});
        worker = (worker + 1) % workers;
    }
}

NatLeases::RequestPtr NatLeases::requestFor(const Uuid& device, bool deviceIsBridge, std::span<const NatRange> ranges) {
    for (const auto& request : requests_)
        if (request->device == device && std::ranges::equal(request->ranges, ranges)) return request;
    auto request = std::make_shared<Request>();
    request->device = device;
    request->deviceIsBridge = deviceIsBridge;
    request->ranges.assign(ranges.begin(), ranges.end());
    requests_.push_back(request);
    return request;
}

void NatLeases::lease(const Uuid& device, bool deviceIsBridge, std::span<const NatRange> ranges, WorkerTag worker) {
    const auto request = requestFor(device, deviceIsBridge, ranges);
    if (request->failed) {
        loop_.post([self = self_, answer = Answer{device, request->ranges, worker, Unexpected{*request->failed}}] {
            if (*self != nullptr) (*self)->onAnswer_(answer);
        });
        return;
    }
    if (std::ranges::find(request->waiting, worker) != request->waiting.end()) return;
    request->waiting.push_back(worker);
    if (request->waiting.size() == 1) ask(request);
}

void NatLeases::ask(const RequestPtr& request) {
    const internal::BlockHolder holder{host_, now_(), options_.grace};
    const internal::BlockWish wish{request->device, request->deviceIsBridge, request->ranges, seed_++};
    onPool<NatBlockId>([&store = store_, holder, wish] { return internal::leaseBlock(store, holder, wish); },
                       [this, request](const auto& block) { onLeased(request, block); });
}

void NatLeases::onLeased(const RequestPtr& request, const Result<NatBlockId>& block) {
    if (!block) return onFailed(request, block.error());
    // start() may have seen it in the store before its answer came here, and given it to somebody.
    if (!held_.insert(*block).second) return ask(request);
    const Answer answer{request->device, request->ranges, request->waiting.front(), block};
    request->waiting.erase(request->waiting.begin());
    if (request->waiting.empty())
        std::erase(requests_, request);
    else
        ask(request);
    kLog.debug("NAT block leased", {kv("block", textOf(*block)), kv("worker", answer.worker)});
    onAnswer_(answer);
}

void NatLeases::onFailed(const RequestPtr& request, const Error& error) {
    kLog.warn("no NAT block to be had", {kv("device", request->device), kv("problem", error)});
    request->failed = error;
    request->backOff = loop_.after(kBackOff, [this, request = request.get()] {
        std::erase_if(requests_, [&](const RequestPtr& r) { return r.get() == request; });
    });
    for (const auto worker : std::exchange(request->waiting, {}))
        onAnswer_({request->device, request->ranges, worker, Unexpected{error}});
}

void NatLeases::release(std::span<const NatBlockId> blocks) {
    for (const auto& block : blocks)
        if (held_.erase(block) != 0) releasing_.insert(block);
    sendReleases();
}

void NatLeases::sendReleases() {
    if (releaseUnderWay_ || releaseAgain_ || releasing_.empty()) return;
    releaseUnderWay_ = true;
    const internal::BlockHolder holder{host_, now_(), options_.grace};
    const std::vector<NatBlockId> blocks(releasing_.begin(), releasing_.end());
    onPool<void>([&store = store_, holder, blocks] { return internal::releaseBlocks(store, holder, blocks); },
                 [this, blocks](const auto& done) { onReleased(blocks, done); });
}

void NatLeases::onReleased(const std::vector<NatBlockId>& blocks, const Result<void>& done) {
    releaseUnderWay_ = false;
    if (!done) {
        kLog.warn("NAT blocks cannot be given back yet", {kv("problem", done.error())});
        releaseAgain_ = loop_.after(kBackOff, [this] {
            releaseAgain_.reset();
            sendReleases();
        });
        return;
    }
    for (const auto& block : blocks) releasing_.erase(block);
    sendReleases();
}

}  // namespace midonet::flowstate
